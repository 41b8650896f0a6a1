"""``+``, ``-``, ``%``, ``|``, ``&`` and signs: on constants, texts, sets and counts."""

from __future__ import annotations

import operator as operators
from collections.abc import Callable
from typing import Any, Final

import msgspec

from converter.model.paths import FieldPath
from converter.platforms.panther.importing.python.constants import ERRORS, bounded
from converter.platforms.panther.importing.python.events import entries_of
from converter.platforms.panther.importing.python.formulas import both
from converter.platforms.panther.importing.python.machine import Machine
from converter.platforms.panther.importing.python.membership import contains
from converter.platforms.panther.importing.python.nodes import Formula, opposite
from converter.platforms.panther.importing.python.shapes import Shape
from converter.platforms.panther.importing.python.texts import joined
from converter.platforms.panther.importing.python.truth import truth
from converter.platforms.panther.importing.python.values import (
    Collection,
    Count,
    Entry,
    Field,
    Known,
    Library,
    Number,
    Outcome,
    Pieces,
    Table,
    Text,
    UnreadableError,
    Value,
    one,
    raising,
)

_BINARY: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "Add": operators.add,
    "Sub": operators.sub,
    "Mult": operators.mul,
    "Div": operators.truediv,
    "FloorDiv": operators.floordiv,
    "Mod": operators.mod,
    "BitOr": operators.or_,
    "BitAnd": operators.and_,
    "BitXor": operators.xor,
}
_SIGNS: Final[dict[str, Callable[[Any], Any]]] = {
    "USub": operators.neg,
    "UAdd": operators.pos,
    "Invert": operators.invert,
}


def combined(machine: Machine, name: str, left: Value, right: Value) -> Outcome:
    """A binary operator by its name in Python's syntax tree."""
    match name, left, right:
        case _, Known(one_side), Known(other):
            return _of_constants(name, one_side, other)
        case "Add", (Field() | Text() | Known(str())), (Field() | Text() | Known(str())):
            texts = [value for value in (left, right) if isinstance(value, Field)]
            if all(machine.shape(value) in (None, Shape.TEXT) for value in texts):
                for value in texts:
                    machine.used(value, Shape.TEXT)
                return joined(machine, [left, right])
        case "Add", (Collection() | Known(list() | tuple())), (Collection() | Known(list() | tuple())):
            return one(Collection("list", (*entries_of(machine, left), *entries_of(machine, right))))
        case (("Add" | "Sub"), (Number() | Count() | Field()), Known(int() | float() as given)):
            offset = given if name == "Add" else -given
            if isinstance(left, Field):
                machine.used(left, Shape.NUMBER)
                return one(Number(left.variable, FieldPath(left.steps), (), offset))
            return one(msgspec.structs.replace(left, offset=left.offset + offset))
        case "Add", Known(int() | float()), (Number() | Count() | Field()):
            return combined(machine, name, right, left)
        case _, Known(None), _:
            return raising("TypeError")
        case _, _, Known(None):
            return raising("TypeError")
        case "BitOr", Library(one_flag), Library(other) if one_flag.startswith("re."):
            return one(Library(f"{one_flag}|{other}"))
        case "BitAnd", _, _:
            return intersection(machine, left, right)
        case (
            ("BitOr" | "Sub" | "BitXor"),
            (Collection() | Known(set() | frozenset())),
            (Collection() | Known(set() | frozenset())),
        ):
            return SETS[name](machine, left, right)
        case "BitOr", (Table() | Known(dict())), (Table() | Known(dict())):
            return one(Table(tuple({**dict(table_entries(left)), **dict(table_entries(right))}.items())))
        case "Mod", Known(str() as text), _ if text.count("%") == text.count("%s") == 1:
            head, tail = text.split("%s")
            return joined(machine, [Known(head), right, Known(tail)])
    raise UnreadableError(f"the operator {name} on values of the event")


def table_entries(value: Value | None) -> list[tuple[Any, Outcome]]:
    """The keys of a dict made in the detection, each with its value."""
    match value:
        case Known(dict() as known):
            return [(key, one(Known(each))) for key, each in known.items()]
        case Table(entries):
            return list(entries)
        case _:
            raise UnreadableError("a dict unpacked into another")


def intersection(machine: Machine, left: Value, right: Value) -> Outcome:
    """``left & right``: the elements of the one that are in the other."""
    if isinstance(left, Known) and not isinstance(right, Pieces):
        left, right = right, left
    return one(Collection("set", _parted(machine, left, right, shared=True)))


def difference(machine: Machine, left: Value, right: Value) -> Outcome:
    """``left - right``: the elements of the one that are not in the other."""
    return one(Collection("set", _parted(machine, left, right, shared=False)))


def symmetric_difference(machine: Machine, left: Value, right: Value) -> Outcome:
    """``left ^ right``: the elements of each that are not in the other."""
    entries = (*_parted(machine, left, right, shared=False), *_parted(machine, right, left, shared=False))
    return one(Collection("set", entries))


def _parted(machine: Machine, left: Value, right: Value, *, shared: bool) -> tuple[Entry, ...]:
    """The elements of ``left`` that are in ``right``, or those that are not."""
    entries: list[Entry] = []
    for entry in entries_of(machine, left):
        inside = _inside(machine, entry, right)
        include = both(entry.include, inside if shared else opposite(inside))
        entries.append(Entry(entry.value, entry.binders, include))
    return tuple(entries)


def _inside(machine: Machine, entry: Entry, container: Value) -> Formula:
    found = machine.bind(entry.value, lambda value: contains(machine, value, container))
    single = found.single
    if single is None:
        raise UnreadableError("what is in one set and in another")
    return truth(machine, single)


def signed(name: str, value: Value) -> Outcome:
    """A unary operator."""
    if isinstance(value, Known) and name in _SIGNS:
        try:
            return one(Known(_SIGNS[name](value.value)))
        except ERRORS as error:
            return raising(type(error).__name__)
    raise UnreadableError(f"the operator {name} on a value of the event")


def union(machine: Machine, left: Value, right: Value) -> Outcome:
    """``left | right``: the elements of both."""
    return one(Collection("set", (*entries_of(machine, left), *entries_of(machine, right))))


SETS: Final[dict[str, Callable[[Machine, Value, Value], Outcome]]] = {
    "BitOr": union,
    "Sub": difference,
    "BitXor": symmetric_difference,
    "intersection": intersection,
    "union": union,
    "difference": difference,
    "symmetric_difference": symmetric_difference,
}
"""Operators and methods of sets that give a set."""


def _of_constants(name: str, left: Any, right: Any) -> Outcome:
    if name not in _BINARY:
        raise UnreadableError(f"the operator {name}")
    if name == "Mult":
        for each, times in ((left, right), (right, left)):
            if (
                isinstance(each, (str, bytes, list, tuple))
                and isinstance(times, int)
                and len(each) * times > 10_000
            ):
                raise UnreadableError("a constant larger than any that is read")
    if name == "Mod" and isinstance(left, str) and any(mark in left for mark in ("*", "0", "1", "2", "9")):
        raise UnreadableError("a format specification")
    try:
        return one(Known(bounded(_BINARY[name](left, right))))
    except ERRORS as error:
        return raising(type(error).__name__)
