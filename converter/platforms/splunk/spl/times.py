"""Timestamps in text as ``where`` compares them: as seconds since the epoch, through ``strptime``.

``%N`` is a fraction of a second of any length and ``%Z`` a time zone, ``Z`` included (Search Reference,
"Date and time format variables"). ``strptime`` gives null for a text of another form, so the forms are
tried in turn by ``coalesce``.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from converter.evaluate.timestamps import parse_text

FORMATS: Final = (
    "%Y-%m-%dT%H:%M:%S.%N%Z",
    "%Y-%m-%dT%H:%M:%S%Z",
    "%Y-%m-%d %H:%M:%S.%N",
    "%Y-%m-%d %H:%M:%S",
)
"""The forms of a timestamp that a written search understands, tried in this order."""

_UNDERSTOOD: Final = re.compile(
    r"(?:%Y-%m-%d|%F)[T ](?:%H:%M:%S|%T)(?:[.,]%[369]?[NQ])?(?:\s?(?:%Z|%z|%:z|Z))?", re.ASCII
)
_MODIFIER: Final = re.compile(
    r"(?:now|(?:[+-]\d{1,7}(?:s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)){1,3}"
    r"(?:@(?:s|m|min|h|d|w[0-7]?))?)(?:[+-]\d{1,7}(?:s|m|h|d|w))*"
)


def is_timestamp(form: str) -> bool:
    """Whether a format of ``strptime`` names a whole moment, to the second at least, in ISO's order."""
    return _UNDERSTOOD.fullmatch(form) is not None


def is_modifier(text: str) -> bool:
    """Whether a text says a time as ``-20m@m`` does (Search Manual, "Specify time modifiers in your search").
    Units are lower case; snapping to months and years is not known here.
    """
    return _MODIFIER.fullmatch(text) is not None


def parse(text: str) -> float | int | None:
    """An operand's moment in seconds since the epoch; None if the text is no timestamp."""
    moment = parse_text(text)
    if moment is None:
        return None
    whole, rest = divmod(moment, 10**9)
    return whole if rest == 0 else moment / 10**9


def epoch_of(value: str) -> str:
    """An eval expression for the seconds since the epoch of the timestamp that ``value`` holds."""
    return "coalesce(" + ", ".join(f'strptime({value}, "{form}")' for form in FORMATS) + ")"


def iso(seconds: float) -> str:
    """Seconds since the epoch as the timestamp text of an operand."""
    moment = datetime.fromtimestamp(seconds, tz=UTC)
    return moment.isoformat().replace("+00:00", "Z")
