"""When a search runs and what a run sees, as the file says (savedsearches.conf; contentctl's deployments).

A run's time range is counted from its start (Search Manual, "Specify time modifiers in your search"); cron
times are those of the search head, taken for UTC. Without any, a detection runs each hour over an hour
(contentctl's default deployment).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import msgspec

from converter.platforms.splunk.importing.metadata import line, mapping
from converter.platforms.splunk.spl.errors import SplError
from converter.platforms.splunk.spl.read_rule import span

DEFAULT_PERIOD: Final = timedelta(hours=1)
_CRON: Final = re.compile(
    r"(\*|\d{1,2}|(?:\*|\d{1,2}(?:-\d{1,2})?)/\d{1,2})\s+(\*|\d{1,2}|\*/\d{1,2})\s+\*\s+\*\s+\*"
)
_MOMENT: Final = re.compile(r"(?:-(\d{1,6})\s*([a-z]*))?(?:@(s|sec|m|min|h|hour|d|day))?")
_NOW: Final = re.compile(r"now(?:\(\))?|\+?0[a-z]+|")
_MINUTE: Final = timedelta(minutes=1)


class Moment(msgspec.Struct, frozen=True):
    """A time counted back from the start of a run, then snapped back to a multiple of ``snap``."""

    back: timedelta = timedelta()
    snap: timedelta = timedelta()

    def ago(self, first: timedelta, every: timedelta) -> tuple[timedelta, timedelta]:
        """How far back it is at least and at most, for runs at ``first`` after each multiple of ``every``."""
        if self.snap <= _MINUTE:
            return self.back, self.back
        if every % self.snap:
            return self.back, self.back + self.snap
        exact = self.back + (first - self.back) % self.snap
        return exact, exact


class Runs(msgspec.Struct, frozen=True):
    """``length``: of the time range that a run sees; ``every``: from one run to the next, where that is told.

    ``told``: the file says something of it. ``off``: how far the ends of the ranges are from the clock's
    multiples of ``every``; None when that cannot be said. ``first``: when in a period a run starts, where
    that is told. ``known``: the length can be said.
    """

    length: timedelta = DEFAULT_PERIOD
    every: timedelta | None = None
    told: bool = False
    off: timedelta | None = timedelta()
    first: timedelta | None = timedelta()
    known: bool = True

    def looking(self, earliest: str = "", latest: str = "") -> Runs:
        """The same runs with a time range that the search itself names, in place of the file's.

        One that names its end alone begins at the beginning of time (Search Manual, "Specify time modifiers
        in your search").
        """
        if not earliest and not latest:
            return self
        start, end = ago(earliest) if earliest else None, ago(latest)
        if start is None or end is None:
            return msgspec.structs.replace(self, off=None, known=False)
        least, most = start.ago(self.first or timedelta(), self.every or DEFAULT_PERIOD)
        end_least, end_most = end.ago(self.first or timedelta(), self.every or DEFAULT_PERIOD)
        length = most - end_least
        if length <= timedelta():
            return msgspec.structs.replace(self, off=None, known=False)
        if least != most or end_least != end_most or self.first is None:
            return msgspec.structs.replace(self, length=length, off=None, known=True)
        off = (self.first - end_least) % self.every if self.every is not None else timedelta()
        return msgspec.structs.replace(self, length=length, off=off, known=True)


def ago(text: str) -> Moment | None:
    """The moment that ``-70m@m`` or ``@d`` names; None for what cannot be said (months, weekdays, epochs)."""
    text = text.strip().strip('"').lower()
    if _NOW.fullmatch(text):
        return Moment()
    found = _MOMENT.fullmatch(text)
    if found is None:
        return None
    try:
        back = span(found[1] + (found[2] or "s"), 0) if found[1] else timedelta()
        return Moment(back, span(f"1{found[3]}", 0) if found[3] else timedelta())
    except (SplError, OverflowError, KeyError):
        return None


def runs_of(data: Mapping[str, Any], form: str = "yaml") -> Runs:
    """What a file says of its runs. A stanza of savedsearches.conf without a time range looks at all time
    (savedsearches.conf.spec, dispatch.earliest_time); detections have contentctl's default.
    """
    schedule = mapping(mapping(data.get("deployment")).get("scheduling"))

    def told(*names: str) -> str:
        found = (data.get(f"dispatch.{name}") or schedule.get(name) or data.get(name) for name in names)
        return line(next(filter(None, found), None))

    earliest, latest = told("earliest_time"), told("latest_time")
    cron = told("cron_schedule")
    every, first = _period(cron)
    runs = Runs(every=every, told=bool(cron), first=first if every or not cron else None)
    if not earliest and form != "conf":
        return msgspec.structs.replace(runs, off=None if cron else timedelta())
    if not earliest:
        return msgspec.structs.replace(runs, told=True, off=None, known=False)
    return msgspec.structs.replace(runs.looking(earliest, latest), told=True)


def _period(cron: str) -> tuple[timedelta | None, timedelta]:
    """How long it is from one run to the next, and when in a period a run starts; None for other crons."""
    found = _CRON.fullmatch(cron.strip())
    if found is None:
        return None, timedelta()
    minute, hour = found[1], found[2]
    if "/" in minute:
        start, _, step = minute.partition("/")
        if hour != "*" or not int(step) or 60 % int(step):
            return None, timedelta()
        begins = int(start.partition("-")[0]) if start != "*" else 0
        return timedelta(minutes=int(step)), timedelta(minutes=begins % int(step))
    if minute == "*":
        return (timedelta(minutes=1), timedelta()) if hour == "*" else (None, timedelta())
    first = timedelta(minutes=int(minute))
    if hour == "*":
        return timedelta(hours=1), first
    if hour.startswith("*/"):
        hours = int(hour[2:])
        return (timedelta(hours=hours) if hours and not 24 % hours else None), first
    return timedelta(days=1), first + timedelta(hours=int(hour))
