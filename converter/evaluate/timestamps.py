"""Moments in time, as integer nanoseconds since 1970-01-01T00:00:00Z."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

_LARGEST_EPOCH = 10**20
_NS_PER_S = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TEXT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?"
    r"\s?(Z|[+-]\d\d:?\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)
_EPOCH_FACTORS = {"epoch_s": _NS_PER_S, "epoch_ms": 1_000_000, "epoch_us": 1_000, "epoch_ns": 1}


def parse_text(text: str) -> int | None:
    """ISO 8601, or the same with a blank for the ``T``; UTC without an offset. None if it is neither."""
    match = _TEXT.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = match.groups(default="")
    leap = second == "60"
    clock = (int(hour or 0), int(minute or 0), 59 if leap else int(second or 0))
    try:
        moment = datetime(int(year), int(month), int(day), *clock, tzinfo=UTC)
    except ValueError:
        return None
    seconds = _whole_seconds(moment - _EPOCH) + leap
    if offset and offset.upper() != "Z":
        shift = int(offset[1:3]) * 3600 + int(offset[-2:]) * 60
        seconds -= shift if offset[0] == "+" else -shift
    return seconds * _NS_PER_S + int(fraction.ljust(9, "0") or 0)


def parse(value: Any, time_format: str) -> int | None:
    """A time field's value in nanoseconds; None if it is not in ``time_format``.

    ``time_format``: ``iso8601``, or ``epoch_s``, ``epoch_ms``, ``epoch_us``, ``epoch_ns`` (a number, or a
    text of one). An epoch field that holds an ISO text is read as such.
    """
    factor = _EPOCH_FACTORS.get(time_format)
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if factor is None:
        return parse_text(value) if isinstance(value, str) else None
    try:
        number = Decimal(str(value))
        return int(number * factor) if abs(number) < _LARGEST_EPOCH else None
    except (ArithmeticError, ValueError):  # no number, or not a finite one
        return parse_text(value) if isinstance(value, str) else None


def nanoseconds(span: timedelta) -> int:
    """A span of time in nanoseconds, exactly."""
    return (_whole_seconds(span) * 1_000_000 + span.microseconds) * 1_000


def to_text(moment: int) -> str:
    """ISO 8601 in UTC with as many fraction digits as needed (0, 3, 6 or 9)."""
    seconds, rest = divmod(moment, _NS_PER_S)
    try:
        text = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    except OverflowError:
        return str(moment)
    digits = f"{rest:09d}"
    while digits.endswith("000"):
        digits = digits[:-3]
    return f"{text}.{digits}Z" if digits else f"{text}Z"


def _whole_seconds(span: timedelta) -> int:
    return span.days * 86_400 + span.seconds
