"""Comparisons of the results of STATS, as tests of a group.

They are leaves (:class:`~converter.platforms.elastic.esql.atoms.GroupPredicate`) of an ordinary expression,
so that AND, OR, NOT, CASE and null are what they are in front of STATS. A test of a measure never holds where
the measure has no value, which is where ES|QL's comparison is null.

Sources, in Elasticsearch's ES|QL reference: DATE_DIFF (the difference in whole multiples of the unit),
"Operators" (division of integers gives an integer, of or by zero null; a comparison with several values is
null).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from functools import partial

from converter.model.expressions import Expression, Operator, Scalar, all_of, any_of, negated
from converter.model.measures import (
    WINDOW_END,
    Bound,
    GroupTest,
    Measure,
    MeasureKind,
    Moment,
    Multiple,
)
from converter.platforms.elastic.esql.atoms import (
    Atom,
    Constant,
    Labels,
    Lapse,
    Measured,
    Now,
    OfGroup,
    Quotient,
    Time,
    UnreadableError,
    Values,
    group_present,
    number_of_values,
    of_group,
    some_row,
)
from converter.platforms.elastic.esql.signs import FLIPPED, OPPOSITE, ORDER, PYTHON
from converter.platforms.three_valued import Truth

_SHORTEST = timedelta(milliseconds=1)
"""Of what a date field keeps."""
_Make = Callable[[str], Expression]
"""From a sign to the test with it; one that never holds where the left side is null."""


def compared(sign: str, left: Atom, right: Atom) -> Truth | None:
    """``left sign right`` where the left side is a result of STATS; None for what is not known."""
    match left, right:
        case Measured(), Constant(bool() as value):
            return compared(sign, left, Constant(int(value)))
        case Measured(measure, times), Constant(int() | float() as value):
            bound = decimal(Fraction(str(value)) / times)
            truth = _both(sign, left, lambda one: _test(one, measure, bound))
            enough = (sign == ">=" and bound > 0) or (sign == ">" and bound >= 0)
            return Truth(_test(sign, measure, bound), truth.false) if enough else truth
        case Measured(measure, times), Measured(other, more):
            factor = Multiple(other, decimal(more / times))
            return _both(sign, left, lambda one: _test(one, measure, factor), right)
        case Quotient(), Constant(int() | float() as value) if not isinstance(value, bool):
            return _both(sign, left, partial(_divided, quotient=left, value=value))
        case Lapse(start, stop, unit), Constant(int() as value) if not isinstance(value, bool):
            return _both(sign, left, partial(_lapsed, start=start, stop=stop, unit=unit, value=value))
        case Time(first), Time(second):
            return _both(sign, left, lambda one: _apart(one, second, first, timedelta()), right)
        case Time(moment), Now(offset):
            return _both(sign, left, lambda one: _apart(FLIPPED[one], moment, WINDOW_END, offset))
        case Labels(options, bool() as highest), Constant(value) if not isinstance(value, tuple):
            return _both(sign, left, partial(_extreme_label, options=options, highest=highest, value=value))
        case Labels(options, None), Constant(value) if sign == "==" and not isinstance(value, tuple):
            return _both(sign, left, lambda one: _only_label(options, value))
    return None


def _both(sign: str, left: OfGroup, make: _Make, other: OfGroup | None = None) -> Truth:
    sides = [left] if other is None else [left, other]
    present = all_of(*map(group_present, sides))
    guard = all_of(*(group_present(one) for one in sides if _is_zero_for_null(one)))
    if sign == "==":
        return Truth(all_of(guard, make(sign)), all_of(present, negated(make(sign))))
    return Truth(all_of(guard, make(sign)), all_of(guard, make(OPPOSITE[sign])))


def _is_zero_for_null(atom: OfGroup) -> bool:
    """Whether its measure counts, and so gives 0 where ES|QL gives null."""
    return isinstance(atom, Measured) and atom.measure.kind in (
        MeasureKind.COUNT,
        MeasureKind.DISTINCT,
        MeasureKind.MET,
    )


def decimal(value: Fraction) -> int | float:
    """As a rule file can hold it. Raises UnreadableError for what no decimal is."""
    number = int(value) if value.denominator == 1 else float(value)
    if Fraction(str(number)) != value:
        raise UnreadableError(f"the broken number {value}")
    return number


def _test(sign: str, measure: Measure, bound: Bound) -> Expression:
    return of_group(GroupTest(measure, ((ORDER.get(sign, Operator.IS), bound),)))


def _divided(sign: str, quotient: Quotient, value: int | float) -> Expression:
    """``left / right sign value`` for numbers that are not negative."""
    left, right = quotient.left, quotient.right
    if sign == "==":
        return all_of(_divided(">=", quotient, value), _divided("<=", quotient, value))
    if quotient.whole:
        if not isinstance(value, int):
            upwards = sign in (">", ">=")
            sign, value = (">=", math.ceil(value)) if upwards else ("<=", math.floor(value))
        value += sign in (">", "<=")
        sign = ">=" if sign in (">", ">=") else "<"
    return all_of(group_present(quotient), _test(sign, left, Multiple(right, value)))


def _lapsed(sign: str, start: Moment, stop: Moment, unit: timedelta, value: int) -> Expression:
    """A number of whole units, cut towards zero, compared."""
    if unit == _SHORTEST:
        return _apart(sign, start, stop, unit * value)
    match sign:
        case "==":
            return all_of(_lapsed(">=", start, stop, unit, value), _lapsed("<=", start, stop, unit, value))
        case ">":
            return _lapsed(">=", start, stop, unit, value + 1)
        case "<":
            return _lapsed("<=", start, stop, unit, value - 1)
        case ">=" if value > 0:
            return _apart(">=", start, stop, unit * value)
        case ">=":
            return _apart(">", start, stop, unit * (value - 1))
        case _ if value >= 0:
            return _apart("<", start, stop, unit * (value + 1))
        case _:
            return _apart("<=", start, stop, unit * value)


def _apart(sign: str, start: Moment, stop: Moment, span: timedelta) -> Expression:
    """``stop - start sign span``; a span below zero is asked for the other way round."""
    if span < timedelta():
        return _apart(FLIPPED[sign], stop, start, -span)
    return _test(sign, Measure(MeasureKind.SPAN, start=start, stop=stop), span)


_Options = tuple[tuple[Expression, Scalar], ...]


def _extreme_label(sign: str, options: _Options, highest: bool, value: Scalar) -> Expression:
    """The greatest (or least) of the constants of a group compared with a constant."""
    if any(isinstance(label, str) is not isinstance(value, str) for _, label in options):
        raise UnreadableError("constants of different types compared")
    if sign == "==":
        beyond = ">" if highest else "<"
        others = [some_row(where) for where, label in options if PYTHON[beyond](label, value)]
        return all_of(has_label(options, value), *map(negated, others))
    if sign.startswith(">") is highest:
        return any_of(*(some_row(where) for where, label in options if PYTHON[sign](label, value)))
    some = any_of(*(some_row(where) for where, _ in options))
    return all_of(some, negated(_extreme_label(OPPOSITE[sign], options, highest, value)))


def _only_label(options: _Options, value: Scalar) -> Expression:
    """The group has this constant and no other."""
    others = (some_row(where) for where, label in options if label != value)
    return all_of(has_label(options, value), *map(negated, others))


def has_label(options: _Options, value: Scalar) -> Expression:
    """Some row of the group has this constant."""
    return any_of(*(some_row(where) for where, label in options if label == value))


def of_only_value(atom: Values, truth: Truth) -> Truth:
    """A single-value test of the values of a group: null unless there is exactly one. ``truth``: of a row."""
    number = number_of_values(atom)
    if number is None:
        raise UnreadableError("the values of joined fields")
    only = _test("==", number, 1)
    return Truth(
        all_of(only, some_row(all_of(atom.where, truth.true))),
        all_of(only, some_row(all_of(atom.where, truth.false))),
    )
