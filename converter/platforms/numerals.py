"""Numbers as query languages write them."""

from __future__ import annotations

import math
from typing import Final

_MOST_DIGITS: Final = 308
"""Of an integer that a double holds."""


class NumeralError(ValueError):
    """A number that is beyond what a double, with which an engine computes, can hold."""


def numeral(text: str) -> int | float:
    """The number of an unsigned numeral. Raises NumeralError."""
    if len(text) <= _MOST_DIGITS and text.isdigit():
        return int(text)
    number = float(text)
    if not math.isfinite(number):
        raise NumeralError(f"the number {text[:20]}… is too large")
    return number
