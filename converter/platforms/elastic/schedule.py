"""How far a run looks back, and what that does to a rule's window.

Elastic runs a rule every ``interval`` over the events since ``from`` (Elastic Security, "Create a detection
rule", "Set the rule's schedule"). Consecutive runs must overlap, and a window must fit into one run.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

DEFAULT_INTERVAL: Final = "5m"
"""How often a rule runs that does not say (Elastic Security, detection rules API)."""
MINUTE: Final = timedelta(minutes=1)
OVERLAP: Final = timedelta(minutes=4)
"""What Elastic's own rules look back beyond their interval (``now-9m`` every five minutes)."""

_UNITS: Final = ((timedelta(days=1), "d"), (timedelta(hours=1), "h"), (MINUTE, "m"))


def look_back(interval: timedelta, window: timedelta, asked: timedelta | None, *, overlap: bool) -> timedelta:
    """The ``from`` of a rule whose window has to lie within one run, in whole minutes.

    The window and the interval, so that every window of that length lies within some run; with ``overlap``
    a little more, for events that come late. ``asked``: what the settings ask for, if that is more.
    """
    needed = interval + window + (OVERLAP if overlap else timedelta())
    return max(whole_minutes(needed), asked or timedelta())


def whole_minutes(span: timedelta) -> timedelta:
    """Rounded up to minutes."""
    return -(-span // MINUTE) * MINUTE


def since(span: timedelta) -> str:
    """``now-35m``, ``now-7d``: whole minutes in the largest unit that holds them exactly."""
    return f"now-{readable(span)}"


def readable(span: timedelta) -> str:
    """A span in the largest unit that holds it exactly, down to seconds: ``30m``, ``90s``."""
    for size, unit in _UNITS:
        if span >= size and not span % size:
            return f"{span // size}{unit}"
    seconds = span.total_seconds()
    return f"{seconds:g}s"


def parse_since(text: str) -> timedelta:
    """The span of ``now-35m``. Raises ValueError for other date math."""
    units = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
    if not text.startswith("now-") or text[-1] not in units or not text[4:-1].isdigit():
        raise ValueError(f"{text!r} is not now- and a span such as 30m")
    return timedelta(seconds=int(text[4:-1]) * units[text[-1]])
