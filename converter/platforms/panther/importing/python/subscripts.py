"""``value[index]`` and ``value[lower:upper]``."""

from __future__ import annotations

from converter.platforms.panther.importing.python import events, texts
from converter.platforms.panther.importing.python.constants import ERRORS, bounded
from converter.platforms.panther.importing.python.equality import equal_any
from converter.platforms.panther.importing.python.machine import Machine, as_text
from converter.platforms.panther.importing.python.nodes import TRUE, opposite
from converter.platforms.panther.importing.python.selecting import looked_up, picked
from converter.platforms.panther.importing.python.shapes import Shape
from converter.platforms.panther.importing.python.values import (
    Collection,
    Field,
    Keyed,
    Known,
    Outcome,
    Part,
    Pieces,
    Table,
    Text,
    UnreadableError,
    Value,
    gathered,
    one,
    raising,
)


def item(machine: Machine, owner: Value, index: Value) -> Outcome:
    """``owner[index]``."""
    match owner, index:
        case Known(known), Known(key):
            try:
                return one(Known(known[key]))
            except ERRORS as error:
                return raising(type(error).__name__)
        case Field(), Known(int() as position) if machine.shape(owner) is Shape.TEXT:
            return _character(as_text(owner), position)
        case Field(), _:
            return events.item(machine, owner, index)
        case Text(), Known(int() as position):
            return _character(owner, position)
        case Pieces(), Known(int() as position):
            return texts.split_at(owner, position)
        case Keyed(), Known(key):
            return looked_up(machine, owner, key, None)
        case Table(entries), Known(key):
            for each, outcome in entries:
                if each == key:
                    return outcome
            return raising("KeyError")
        case Collection(kind, entries), Known(int() as position) if kind in ("list", "tuple"):
            plain = all(not entry.binders and entry.include == TRUE for entry in entries)
            if plain:
                if -len(entries) <= position < len(entries):
                    return entries[position].value
                return raising("IndexError")
            if position == 0 and len(entries) == 1 and entries[0].binders:
                there, found = picked(machine, entries[0], list(entries[0].value.cases))
                return gathered(found, [(opposite(there), "IndexError")])
        case Known(dict() as known), (Field() | Text()):
            return look_up(machine, known, index, None)
    raise UnreadableError(f"an element of a {type(owner).__name__.lower()}")


def look_up(machine: Machine, known: dict[object, object], key: Value, default: Value | None) -> Outcome:
    """A constant dict at a key of the event; without a default a missing one is a KeyError."""
    groups: dict[str, tuple[list[object], Value]] = {}
    for each, value in known.items():
        groups.setdefault(repr(value), ([], Known(value)))[0].append(each)
    if len(groups) > 40:
        raise UnreadableError("a dict with very many different values")
    cases = [(machine.here(equal_any(machine, key, keys)), value) for keys, value in groups.values()]
    missing = machine.here(opposite(equal_any(machine, key, list(known)))) if known else TRUE
    if default is None:
        return gathered(cases, [(missing, "KeyError")])
    return gathered([*cases, (missing, default)])


def sliced(machine: Machine, owner: Value, bounds: list[Value]) -> Outcome:
    """``owner[lower:upper]``."""
    limits = [bound.value for bound in bounds if isinstance(bound, Known)]
    if len(limits) < 3:
        raise UnreadableError("a slice whose ends depend on the event")
    lower, upper, step = limits
    match owner:
        case Known(known):
            try:
                return one(Known(bounded(known[slice(lower, upper, step)])))
            except ERRORS as error:
                return raising(type(error).__name__)
        case Field() | Text() if step is None:
            if isinstance(owner, Field):
                if machine.shape(owner) is Shape.LIST:
                    raise UnreadableError("a slice of a list of the event")
                machine.used(owner, Shape.TEXT)
            if lower is None and upper is None:
                return one(owner)
            return one(Part(owner, lower, upper))
    raise UnreadableError(f"a slice of a {type(owner).__name__.lower()}")


def _character(text: Text, position: int) -> Outcome:
    if position == -1:
        return one(Part(text, -1, None))
    if position < 0:
        raise UnreadableError("a character counted from the end")
    return one(Part(text, position, position + 1))
