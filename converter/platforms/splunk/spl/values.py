"""Operands as SPL writes them: what a scalar is as text and as number."""

from __future__ import annotations

import math
import re

from converter.model.expressions import Scalar

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def text_of(value: Scalar) -> str:
    """The text of an operand: ``true``/``false``, integral floats like integers, text itself."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) <= 2.0**53:
        return str(int(value))
    return str(value)


def number_of(value: Scalar) -> int | float | None:
    """The operand as number: a number, or a text in the plain form of one; None otherwise."""
    if isinstance(value, bool):
        return None
    if not isinstance(value, str):
        return value
    match = _NUMBER.fullmatch(value) if len(value) <= 64 else None
    if match is None:
        return None
    if match[1] is None and match[2] is None:
        return int(value)
    number = float(value)
    return number if math.isfinite(number) else None


def number_text(number: int | float) -> str:
    """A number literal, without an exponent."""
    text = repr(number) if isinstance(number, float) else str(number)
    if "e" in text or "E" in text:
        text = f"{number:.17f}".rstrip("0")
    return text.removesuffix(".0").removesuffix(".")
