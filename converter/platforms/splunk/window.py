"""When a saved search runs and over which events, so that every event is judged in exactly one run.

A run looks at the *slice* of events since the last one, behind a lag that lets late events arrive. What
looks back (thresholds, sequences, new terms) reads further into the past but reports only on the slice.
"""

from __future__ import annotations

import re
from datetime import timedelta

import msgspec

from converter.platforms.base import Artifact, WindowKind, Windows
from converter.platforms.splunk.settings import Settings

_EVERY_MINUTES = re.compile(r"\*/(\d{1,2}) \* \* \* \*")
_EVERY_HOUR = re.compile(r"\d{1,2} \* \* \* \*")
LAG_MINUTES = 5


class Slice(msgspec.Struct, frozen=True):
    """A run's time range: ``start`` and ``end`` of its slice, and ``earliest``, where reading starts."""

    start: str
    end: str
    earliest: str


def slice_of(settings: Settings, lookback: timedelta | None) -> Slice:
    """The time modifiers of one run (Search Manual, "Specify time modifiers in your search")."""
    if settings.earliest is not None:
        start, end = settings.earliest, settings.latest
    else:
        minutes = _period_minutes(settings.schedule)
        start = f"-{minutes + LAG_MINUTES}m@m"
        end = f"-{LAG_MINUTES}m@m" if settings.latest == "now" else settings.latest
    if lookback is None:
        return Slice(start, end, start)
    seconds = -int(-lookback.total_seconds() // 1)
    return Slice(start, end, f"{start}-{seconds}s")


def _period_minutes(schedule: str) -> int:
    """How many minutes lie between two runs of a cron schedule; a day for all but the plainest forms."""
    every = _EVERY_MINUTES.fullmatch(schedule)
    if every is not None and int(every[1]) > 0:
        return int(every[1])
    return 60 if _EVERY_HOUR.fullmatch(schedule) else 24 * 60


def windows(artifact: Artifact) -> Windows:
    """How Splunk counts for an artifact (Search Reference, bin and streamstats; a time window's far edge is
    open, so that distinct values are counted over a second more).
    """
    second = timedelta(seconds=1)
    if re.search(r"\|\s*bin\s+_time\b", artifact.query):
        return Windows(kind=WindowKind.SLICES, unit=second)
    return Windows(kind=WindowKind.SLIDING, unit=second, distinct_more=second)


def seconds_text(duration: timedelta) -> str:
    """A duration in seconds, as an eval number."""
    whole = duration.total_seconds()
    return str(int(whole)) if whole == int(whole) else f"{whole:.6f}".rstrip("0")


def whole_seconds(duration: timedelta) -> int:
    """A duration in seconds, rounded up, at least one: a time span of SPL."""
    return max(1, -int(-duration.total_seconds() // 1))
