"""Arithmetic: of constants, of times, and of the numbers that a group has.

Sources, in Elasticsearch's ES|QL reference: "Operators" (integers divide to integers, the rest dropped),
DATE_DIFF (the second time minus the first, in whole multiples of the unit), NOW.
"""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

import msgspec

from converter.model.expressions import Expression, Operator, all_of
from converter.model.measures import WINDOW_END, GroupTest, Measure, MeasureKind, Moment
from converter.platforms.elastic.esql import tree
from converter.platforms.elastic.esql.atoms import (
    Atom,
    Constant,
    Duration,
    GroupPredicate,
    Lapse,
    Measured,
    Now,
    Occurrences,
    Quotient,
    Replaced,
    Scaled,
    Term,
    Tick,
    Time,
    Unknown,
    Value,
    always,
)
from converter.platforms.elastic.esql.operands import Family

_NOT_NEGATIVE = (MeasureKind.COUNT, MeasureKind.DISTINCT, MeasureKind.MET)
_MILLISECOND = timedelta(milliseconds=1)
_UNITS = {
    **dict.fromkeys(("millisecond", "milliseconds", "ms"), _MILLISECOND),
    **dict.fromkeys(("second", "seconds", "ss", "s"), timedelta(seconds=1)),
    **dict.fromkeys(("minute", "minutes", "mi", "n"), timedelta(minutes=1)),
    **dict.fromkeys(("hour", "hours", "hh"), timedelta(hours=1)),
    **dict.fromkeys(("day", "days", "dd", "d"), timedelta(days=1)),
    **dict.fromkeys(("week", "weeks", "wk", "ww"), timedelta(weeks=1)),
}
"""The units of DATE_DIFF that have one length; they are not those of time spans ("m" is a month)."""
_LARGEST = 2**53
"""Beyond it a double does not hold every integer, and a long ends not much later."""


def computed(operator: str, left: Value, right: Value, text: str) -> Value:
    """``left operator right`` for every combination of the alternatives. ``text``: the source."""
    if operator == "+" and (first := _met(left)) and (second := _met(right)):
        return always(Measured(Measure(MeasureKind.MET, where=(*first, *second))))
    return tuple(
        (all_of(left_guard, right_guard), _computed(operator, a, b, text))
        for left_guard, a in left
        for right_guard, b in right
    )


def _computed(operator: str, left: Atom, right: Atom, text: str) -> Atom:
    match operator, left, right:
        case (_, Unknown(), _):
            return left
        case (_, _, Unknown()):
            return right
        case (_, Constant(int() | float() as a), Constant(int() | float() as b)):
            return _of_constants(operator, a, b) or Unknown(f"arithmetic: {text}")
        case ("-", Replaced(term, pattern, mark, False, True), Replaced(other, same, other_mark, True, True)):
            if (term, pattern, mark) == (other, same, other_mark):
                return Occurrences(term, pattern)
        case ("-", Now(offset), Duration(span)):
            return Now(offset + span)
        case ("+", Now(offset), Duration(span)):
            return Now(offset - span)
        case ("-", Tick(every, offset, back), Duration(span)):
            return Tick(every, offset, back + span)
        case ("-", Time(stop), Time(start)):
            return Lapse(start, stop, _MILLISECOND)
        case ("/", Lapse(unit=unit), Constant(int() as parts)) if parts > 0:
            return msgspec.structs.replace(left, unit=unit * parts)
        case ("*", Measured() as measured, Constant(int() | float() as factor)):
            return _multiplied(measured, factor, text)
        case ("*", Constant(int() | float() as factor), Measured() as measured):
            return _multiplied(measured, factor, text)
        case ("-", Tick(), Time(start)):
            return Lapse(start, WINDOW_END, _MILLISECOND)
        case ("/", Measured(above, 1, left_whole), Measured(below, 1, right_whole)):
            if above.kind in _NOT_NEGATIVE and below.kind in _NOT_NEGATIVE:
                return Quotient(above, below, left_whole and right_whole)
        case (_, Term() | Scaled() as scaled, Constant(int() | float() as number)):
            return _scaled(operator, scaled, number) or Unknown(f"arithmetic: {text}")
        case ("+" | "*", Constant(int() | float() as number), Term() | Scaled() as scaled):
            return _scaled(operator, scaled, number) or Unknown(f"arithmetic: {text}")
        case ("-", Constant(int() | float() as number), Term() | Scaled() as scaled):
            opposite = _scaled("*", scaled, -1)
            return (opposite and _scaled("+", opposite, number)) or Unknown(f"arithmetic: {text}")
    return Unknown(f"arithmetic: {text}")


def _scaled(operator: str, atom: Term | Scaled, number: int | float) -> Scaled | None:
    """A number of the event and a constant. A division of integers drops what no multiple says."""
    scaled = atom if isinstance(atom, Scaled) else Scaled(atom)
    if scaled.term.family is not Family.NUMBER or isinstance(number, bool):
        return None
    exact = Fraction(str(number))
    match operator:
        case "+" | "-":
            offset = scaled.offset + (exact if operator == "+" else -exact)
            return msgspec.structs.replace(scaled, offset=offset)
        case "/" if isinstance(number, int):
            return None
        case "*" | "/" if exact:
            times = exact if operator == "*" else 1 / exact
            return Scaled(scaled.term, scaled.factor * times, scaled.offset * times)
    return None


def _multiplied(measured: Measured, factor: int | float, text: str) -> Atom:
    if factor <= 0:
        return Unknown(f"arithmetic: {text}")
    whole = measured.whole and isinstance(factor, int)
    return msgspec.structs.replace(measured, times=measured.times * Fraction(str(factor)), whole=whole)


def _met(value: Value) -> tuple[Expression, ...]:
    """The conditions of which a number counts those that some row meets: CASE(COUNT(*) WHERE … > 0, 1, 0)."""
    match value:
        case ((_, Measured(Measure(MeasureKind.MET, where=where), 1)),):
            return where
        case ((GroupPredicate(test=GroupTest(measure, ((sign, least),))), Constant(1)), (_, Constant(0))):
            if measure.kind is MeasureKind.COUNT and (sign, least) in _SOME:
                return (all_of(*measure.where),)
    return ()


_SOME = ((Operator.GTE, 1), (Operator.GT, 0))


def _of_constants(operator: str, a: int | float, b: int | float) -> Constant | None:
    """None for what gives null there (a division by zero), or is too large to be sure of."""
    whole = isinstance(a, int) and isinstance(b, int)
    result: int | float
    match operator:
        case "+":
            result = a + b
        case "-":
            result = a - b
        case "*":
            result = a * b
        case _ if not b or not whole:
            return Constant(a / b) if b and operator == "/" else None
        case "/":
            result = abs(int(a)) // abs(int(b)) * (1 if (a < 0) is (b < 0) else -1)
        case _:
            result = abs(int(a)) % abs(int(b)) * (-1 if a < 0 else 1)
    return Constant(result) if abs(result) < _LARGEST else None


def lapse(unit: tree.Node, start: Value, stop: Value) -> Value:
    """``DATE_DIFF(unit, start, stop)``."""
    name = unit.value if isinstance(unit, tree.Literal) else None
    size = _UNITS.get(name.lower()) if isinstance(name, str) else None
    if size is None:
        return always(Unknown("DATE_DIFF in a unit of no fixed length"))
    found: Value = ()
    for start_guard, a in start:
        for stop_guard, b in stop:
            first, second = _moment(a), _moment(b)
            whole = all_of(start_guard, stop_guard)
            if first is None or second is None:
                found += ((whole, Unknown("DATE_DIFF of times of one row")),)
            else:
                found += ((whole, Lapse(first, second, size)),)
    return found


def _moment(atom: Atom) -> Moment | None:
    match atom:
        case Time(moment):
            return moment
        case Now(offset) if not offset:
            return WINDOW_END
    return None
