"""Arithmetic in conditions: constants are computed, and a comparison of one field is solved for it.

Source: Elastic, "EQL syntax reference", "Mathematical operators": dividing two integers rounds down.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from converter.platforms.elastic.eql.comparisons import FLIPPED
from converter.platforms.elastic.eql.terms import Arithmetic, Call, Constant, Term, error_at

NAMES: Final = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "modulo": "%"}
"""Functions that are operators by another name."""

_LARGEST: Final = 2**63


def computed(place: object, left: Term, sign: str, right: Term) -> Term:
    """Two terms joined; two numbers become one. Raises RuleError for a division by zero."""
    if not (isinstance(left, Constant) and isinstance(right, Constant)):
        return Arithmetic(left, sign, right)
    one, other = _number(place, left), _number(place, right)
    if sign in "/%" and other == 0:
        raise error_at(place, "a division by zero")
    match sign:
        case "+":
            return Constant(_plain(place, one + other))
        case "-":
            return Constant(_plain(place, one - other))
        case "*":
            return Constant(_plain(place, one * other))
        case "/":
            whole = one.denominator == other.denominator == 1
            return Constant(int(one / other) if whole else _plain(place, one / other))
    raise error_at(place, "the remainder of constants")


def solved(
    place: object, term: Arithmetic, sign: str, value: float, *, whole: bool
) -> tuple[Term, list[tuple[str, int | float]]]:
    """The term that is left of ``term sign value`` and what it is compared with: all of these must hold.

    ``whole``: fields hold whole numbers, so that a division rounds. Raises RuleError for what is not one
    field and numbers.
    """
    parts = [(sign, Fraction(value))]
    left: Term = term
    while isinstance(left, Arithmetic):
        left, parts = _step(place, left, parts, whole)
        if isinstance(left, Constant | Call):
            raise error_at(place, "arithmetic with something other than one field and numbers")
    return left, [(one, _plain(place, bound)) for one, bound in parts]


def _step(
    place: object, term: Arithmetic, parts: list[tuple[str, Fraction]], whole: bool
) -> tuple[Term, list[tuple[str, Fraction]]]:
    constant_left = isinstance(term.left, Constant)
    if constant_left == isinstance(term.right, Constant):
        raise error_at(place, "arithmetic of two fields")
    operand = _number(place, term.left if constant_left else term.right)
    inner = term.right if constant_left else term.left
    match term.sign:
        case "+":
            return inner, [(sign, bound - operand) for sign, bound in parts]
        case "-" if not constant_left:
            return inner, [(sign, bound + operand) for sign, bound in parts]
        case "-":
            return inner, [(FLIPPED[sign], operand - bound) for sign, bound in parts]
        case "*" if operand:
            turned = operand < 0
            return inner, [(FLIPPED[sign] if turned else sign, bound / operand) for sign, bound in parts]
        case "/" if whole and not constant_left and operand > 0:
            return inner, [one for sign, bound in parts for one in _divided(place, operand, sign, bound)]
    raise error_at(place, f"arithmetic with {term.sign} of these")


def _divided(place: object, divisor: Fraction, sign: str, bound: Fraction) -> list[tuple[str, Fraction]]:
    """``x / divisor`` of whole numbers, rounded down, against ``bound``, if it rounds no negatives."""
    if divisor.denominator != 1 or bound.denominator != 1 or bound < 1:
        raise error_at(place, "a division of or by other than whole numbers, or that may be negative")
    low, high = bound * divisor, (bound + 1) * divisor
    match sign:
        case "==":
            return [(">=", low), ("<", high)]
        case ">" | ">=":
            return [(">=", high if sign == ">" else low)]
    return [("<", low if sign == "<" else high)]


def _number(place: object, term: Term) -> Fraction:
    value = term.value if isinstance(term, Constant) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _LARGEST:
        raise error_at(place, "arithmetic with something other than numbers")
    return Fraction(value)


def _plain(place: object, number: Fraction) -> int | float:
    if not abs(number) < _LARGEST:
        raise error_at(place, "arithmetic beyond 64 bits")
    if number.denominator == 1:
        return int(number)
    if Fraction(float(number)) != number:
        raise error_at(place, "a quotient that no float holds")
    return float(number)
