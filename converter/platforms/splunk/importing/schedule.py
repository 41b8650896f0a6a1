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
_BACK: Final = re.compile(r"-(\d{1,6})\s*([a-z]*)(?:@(s|m|min)?)?")
_NOW: Final = re.compile(r"(?:now(?:\(\))?|@s|@m|\+?0[a-z]*(?:@m)?)?")


class Runs(msgspec.Struct, frozen=True):
    """``length``: of the time range that a run sees; ``every``: from one run to the next, where that is told.

    ``told``: the file says something of it. ``off``: how far the ends of the ranges are from the clock's
    multiples of ``every``; None when that cannot be said.
    """

    length: timedelta = DEFAULT_PERIOD
    every: timedelta | None = None
    told: bool = False
    off: timedelta | None = timedelta()

    def looking(self, earliest: str = "", latest: str = "") -> Runs:
        """The same runs with a time range that the search itself names."""
        start, end = ago(earliest), ago(latest) or timedelta()
        return self if start is None or start <= end else msgspec.structs.replace(self, length=start - end)


def ago(text: str) -> timedelta | None:
    """How far back ``-70m@m`` is, snapped to a minute at most; None for what is no such time."""
    text = text.strip().strip('"').lower()
    if _NOW.fullmatch(text):
        return timedelta()
    found = _BACK.fullmatch(text)
    if found is None:
        return None
    try:
        return span(found[1] + (found[2] or "s"), 0)
    except (SplError, OverflowError, KeyError):
        return None


def runs_of(data: Mapping[str, Any]) -> Runs:
    """What a file says of its runs."""
    schedule = mapping(mapping(data.get("deployment")).get("scheduling"))

    def told(*names: str) -> str:
        found = (data.get(f"dispatch.{name}") or schedule.get(name) or data.get(name) for name in names)
        return line(next(filter(None, found), None))

    earliest, latest = told("earliest_time"), told("latest_time")
    cron = told("cron_schedule")
    every, first = _period(cron)
    start, end = ago(earliest) if earliest else None, ago(latest)
    if start is None or not start:
        return Runs(every=every, told=every is not None, off=None if every else timedelta())
    if end is None:
        return Runs(start, every, told=True, off=None)
    length = start - end if start > end else start
    if every is None:
        return Runs(length, None, told=True, off=None if cron else timedelta())
    return Runs(length, every, told=True, off=(first - end) % every)


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
