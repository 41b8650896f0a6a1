"""Comparisons, by the names of their operators in Python's syntax tree."""

from __future__ import annotations

import operator as operators
from collections.abc import Callable
from typing import Any, Final

from converter.model.expressions import Operator
from converter.model.paths import FieldPath
from converter.platforms.panther.importing.python.equality import equal
from converter.platforms.panther.importing.python.machine import Machine, leaf, related
from converter.platforms.panther.importing.python.membership import contains
from converter.platforms.panther.importing.python.nodes import opposite
from converter.platforms.panther.importing.python.shapes import Shape
from converter.platforms.panther.importing.python.truth import counted, in_words, is_number, part_count, truth
from converter.platforms.panther.importing.python.values import (
    NO,
    YES,
    Count,
    Field,
    Known,
    Number,
    Opaque,
    Outcome,
    Pieces,
    UnreadableError,
    Value,
    one,
    raising,
    when,
)

_ORDER: Final = {"Gt": Operator.GT, "GtE": Operator.GTE, "Lt": Operator.LT, "LtE": Operator.LTE}
_TURNED: Final = {"Gt": "Lt", "GtE": "LtE", "Lt": "Gt", "LtE": "GtE"}
_COMPUTED: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "Gt": operators.gt,
    "GtE": operators.ge,
    "Lt": operators.lt,
    "LtE": operators.le,
}


def compare(machine: Machine, left: Value, name: str, right: Value) -> Outcome:
    """A comparison by the name of its operator in Python's syntax tree."""
    if isinstance(left, Opaque) or isinstance(right, Opaque):
        unread = left if isinstance(left, Opaque) else right
        return one(Opaque(unread.number)) if isinstance(unread, Opaque) else one(unread)
    match name:
        case "Eq" | "Is":
            return when(equal(machine, left, right, identical=name == "Is"))
        case "NotEq" | "IsNot":
            return when(opposite(equal(machine, left, right, identical=name == "IsNot")))
        case "In":
            return contains(machine, left, right)
        case "NotIn":
            return machine.bind(contains(machine, left, right), lambda found: _negated(machine, found))
        case _:
            return ordered(machine, left, name, right)


def _negated(machine: Machine, value: Value) -> Outcome:
    return one(value) if isinstance(value, Opaque) else when(opposite(truth(machine, value)))


# -- order


def _as_number(machine: Machine, value: Value) -> Number | None:
    """A number of the event; None for what is none, or is not known to be one."""
    match value:
        case Number():
            return value
        case Field(variable, steps) if machine.shape(value) is Shape.NUMBER:
            return Number(variable, FieldPath(steps))
        case _:
            return None


def ordered(machine: Machine, left: Value, name: str, right: Value) -> Outcome:
    """``<``, ``<=``, ``>``, ``>=``."""
    if isinstance(left, Known) and isinstance(right, Known):
        try:
            return one(YES if _COMPUTED[name](left.value, right.value) else NO)
        except TypeError:
            return raising("TypeError")
    if isinstance(left, Known):
        left, name, right = right, _TURNED[name], left
    ours, others = _as_number(machine, left), _as_number(machine, right)
    if ours is not None and others is not None and ours.offset == others.offset:
        return when(related(ours, _ORDER[name], others))
    if not isinstance(right, Known):
        raise UnreadableError(f"the order of {in_words(left)} and {in_words(right)}")
    limit = right.value
    if limit is None or isinstance(limit, (list, dict, tuple)):
        return raising("TypeError")
    match left:
        case Field(variable, steps) if is_number(limit):
            machine.used(left, Shape.NUMBER)
            return when(leaf(variable, FieldPath(steps), _ORDER[name], (limit,)))
        case Number(variable, subject, functions, offset) if is_number(limit):
            return when(leaf(variable, subject, _ORDER[name], (limit - offset,), functions))
        case Pieces() if is_number(limit):
            return when(part_count(left, name, limit))
        case Count() if is_number(limit):
            return when(counted(machine, left, name, limit))
    raise UnreadableError(f"the order of {in_words(left)} and {limit!r:.40}")
