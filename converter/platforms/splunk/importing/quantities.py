"""Tests of groups: put together, and made from comparisons of linear expressions in measures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from fractions import Fraction
from typing import Final

import msgspec

from converter.model.expressions import FALSE, TRUE, Expression, Operator
from converter.model.measures import (
    AllTests,
    AnyTest,
    GroupCondition,
    GroupTest,
    Measure,
    MeasureKind,
    Multiple,
    NotTest,
)
from converter.platforms.splunk.importing.conditions import simplified
from converter.platforms.splunk.importing.rewriting import MIRRORED
from converter.platforms.splunk.spl.errors import SplError

ALWAYS: Final = AllTests(())
NEVER: Final = AnyTest(())
_SIGNS: Final = {
    "==": Operator.IS,
    ">": Operator.GT,
    ">=": Operator.GTE,
    "<": Operator.LT,
    "<=": Operator.LTE,
}
_COUNTED: Final = frozenset({MeasureKind.COUNT, MeasureKind.DISTINCT})


def all_tests(terms: Iterable[GroupCondition]) -> GroupCondition:
    """Every one of them, without those that always hold."""
    flat = dict.fromkeys(
        one for term in terms for one in (term.terms if isinstance(term, AllTests) else (term,))
    )
    if NEVER in flat:
        return NEVER
    return next(iter(flat)) if len(flat) == 1 else AllTests(tuple(flat))


def any_test(terms: Iterable[GroupCondition]) -> GroupCondition:
    """Some one of them, without those that never hold."""
    flat = dict.fromkeys(
        one for term in terms for one in (term.terms if isinstance(term, AnyTest) else (term,))
    )
    if ALWAYS in flat:
        return ALWAYS
    return next(iter(flat)) if len(flat) == 1 else AnyTest(tuple(flat))


def some_match(condition: Expression) -> GroupCondition:
    """Some match of the group satisfies a condition."""
    condition = simplified(condition)
    if condition in (TRUE, FALSE):
        return ALWAYS if condition == TRUE else NEVER
    return GroupTest(Measure(MeasureKind.COUNT, where=(condition,)), ((Operator.GTE, 1),))


def negated_test(test: GroupCondition) -> GroupCondition:
    """The test does not hold."""
    if test in (ALWAYS, NEVER):
        return NEVER if test == ALWAYS else ALWAYS
    return test.term if isinstance(test, NotTest) else NotTest(test)


class Quantity(msgspec.Struct, frozen=True):
    """``factor`` times a measure, and a constant; no measure: the constant alone."""

    measure: Measure | None
    factor: Fraction = Fraction(1)
    plus: Fraction = Fraction()


def combined(sign: str, left: Quantity, right: Quantity, at: int) -> Quantity:
    """Arithmetic of two linear expressions. Raises SplError where the result is none."""
    if sign in "+-" and (left.measure is None or right.measure is None):
        by = 1 if sign == "+" else -1
        if right.measure is None:
            return msgspec.structs.replace(left, plus=left.plus + by * right.plus)
        return Quantity(right.measure, by * right.factor, left.plus + by * right.plus)
    if sign == "*" and right.measure is not None:
        left, right = right, left
    if sign in "*/" and right.measure is None and (right.plus or sign == "*"):
        by_number = right.plus if sign == "*" else 1 / right.plus
        return Quantity(left.measure, left.factor * by_number, left.plus * by_number)
    raise SplError("arithmetic of several statistics", at, "spl-stats")


_TRUE_OF: Final[Mapping[str, Callable[[Fraction, Fraction], bool]]] = {
    "==": lambda one, other: one == other,
    "!=": lambda one, other: one != other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
}


def compared(sign: str, left: Quantity, right: Quantity) -> GroupCondition:
    """A comparison of two linear expressions. Raises SplError where constants stand on both sides."""
    if not left.factor or left.measure is None:
        left, right, sign = right, left, MIRRORED[sign]
    if left.measure is None or not left.factor:
        return ALWAYS if _TRUE_OF[sign](left.plus, right.plus) else NEVER
    if left.factor < 0:
        sign = MIRRORED[sign]
    if right.measure is None or not right.factor:
        return _against_number(sign, left.measure, (right.plus - left.plus) / left.factor)
    if left.plus != right.plus or MeasureKind.SPAN in (left.measure.kind, right.measure.kind):
        raise SplError("statistics are compared with a sum of others", 0, "spl-stats")
    other = Multiple(right.measure, _number(right.factor / left.factor))
    if sign == "!=":
        return any_test(GroupTest(left.measure, ((one, other),)) for one in (Operator.LT, Operator.GT))
    return GroupTest(left.measure, ((_SIGNS[sign], other),))


def _against_number(sign: str, measure: Measure, number: Fraction) -> GroupCondition:
    if sign == "!=":
        return any_test(_against_number(one, measure, number) for one in ("<", ">"))
    if measure.kind is MeasureKind.SPAN:
        return GroupTest(measure, ((_SIGNS[sign], timedelta(seconds=float(number))),))
    if measure.kind in _COUNTED:
        whole = number.numerator // number.denominator
        if sign in (">", ">="):
            least = whole + 1 if sign == ">" or number != whole else whole
            always = least <= 0 or (least == 1 and not measure.where and measure.kind is MeasureKind.COUNT)
            return ALWAYS if always else GroupTest(measure, ((Operator.GTE, least),))
        if number < 0 or (sign == "<" and number <= 0) or (sign == "==" and number != whole):
            return NEVER
    return GroupTest(measure, ((_SIGNS[sign], _number(number)),))


def _number(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)
