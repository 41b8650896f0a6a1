"""Looking things up in an event: what its methods give, and where they raise.

Panther documentation, Writing Python Detections, "Event object functions": ``get``, ``deep_get``,
``deep_walk``, ``udm``. A key may be missing, null or present, and each has its own outcome: ``get`` gives its
default for a missing key alone, ``deep_get`` for a null as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from converter.model.expressions import Operator
from converter.model.paths import ANY, FieldPath, PathStep
from converter.platforms.panther.importing.python.formulas import both
from converter.platforms.panther.importing.python.machine import Machine, leaf
from converter.platforms.panther.importing.python.nodes import Formula, Null, Present, opposite
from converter.platforms.panther.importing.python.shapes import AS_JSON, Shape, Steps
from converter.platforms.panther.importing.python.values import (
    NONE,
    Collection,
    Entry,
    Field,
    Known,
    Opaque,
    Outcome,
    UnreadableError,
    Value,
    Walked,
    gathered,
    one,
    raising,
    unless,
)

_DEFAULTS: Final[tuple[tuple[type, Shape], ...]] = (
    (bool, Shape.BOOLEAN),
    (int, Shape.NUMBER),
    (float, Shape.NUMBER),
    (str, Shape.TEXT),
    (list, Shape.LIST),
    (tuple, Shape.LIST),
    (dict, Shape.OBJECT),
)
_MEMBER: Final = re.compile(r"\.?([\w@-]+)|\[['\"]([^'\"]+)['\"]\]|\[(\*|-?\d+)\]")


def get(machine: Machine, owner: Field, key: Value, default: Value) -> Outcome:
    """``owner.get(key, default)``."""
    _as_object(machine, owner)
    found = _member(machine, owner, key)
    _expect(machine, found, default)
    here = Present(found.variable, found.steps)
    if default == NONE:
        return _here(machine, [(here, found), (opposite(here), NONE)])
    null = Null(found.variable, found.steps)
    missing = both(opposite(here), opposite(null))
    return _here(machine, [(here, found), (null, NONE), (missing, default)])


def item(machine: Machine, owner: Field, key: Value) -> Outcome:
    """``owner[key]``."""
    if isinstance(key, Known) and isinstance(key.value, int) and machine.shape(owner) is not Shape.OBJECT:
        return element(machine, owner, key.value)
    _as_object(machine, owner)
    found = _member(machine, owner, key)
    here, null = Present(found.variable, found.steps), Null(found.variable, found.steps)
    missing = machine.here(both(opposite(here), opposite(null)))
    return gathered([(machine.here(here), found), (machine.here(null), NONE)], [(missing, "KeyError")])


def element(machine: Machine, owner: Field, index: int) -> Outcome:
    """``owner[n]`` of a list."""
    machine.used(owner, Shape.LIST)
    found = Field(owner.variable, (*owner.steps, index))
    there = leaf(owner.variable, FieldPath(found.steps), Operator.EXISTS)
    return unless(machine.here(opposite(there)), "IndexError", found)


def deep_get(machine: Machine, owner: Field, keys: Sequence[Value], default: Value) -> Outcome:
    """``owner.deep_get(*keys, default=…)``: the default where it is missing or null."""
    _as_object(machine, owner)
    found = owner
    for key in keys:
        found = _member(machine, found, key)
    _expect(machine, found, default)
    if not keys:
        return one(owner)
    here = Present(found.variable, found.steps)
    return _here(machine, [(here, found), (opposite(here), default)])


def deep_walk(machine: Machine, owner: Field, keys: Sequence[Value], default: Value, wanted: str) -> Outcome:
    """``owner.deep_walk(*keys, default=…)``: like ``deep_get``, but into the elements of lists too."""
    _as_object(machine, owner)
    steps: Steps = owner.steps
    listed = False
    for position, key in enumerate(keys):
        steps = (*steps, machine.spelled(Field(owner.variable, steps), _key(key)))
        is_list = machine.shape(Field(owner.variable, steps)) is Shape.LIST
        if is_list:
            listed = True
            steps = (*steps, ANY) if position < len(keys) - 1 else steps
    if not listed:
        return deep_get(machine, owner, keys, default)
    if wanted != "all":
        raise UnreadableError(f"the {wanted} of several values that deep_walk finds")
    here = leaf(owner.variable, FieldPath(steps), Operator.EXISTS)
    return _here(machine, [(here, Walked(owner.variable, steps)), (opposite(here), default)])


def decoded(machine: Machine, owner: Field) -> Outcome:
    """``json.loads(owner)``. A text that is no JSON is a JSONDecodeError where something may catch that; else
    it is read like the text ``null``: canonically neither has a value, and an error is no verdict.
    """
    found = Field(owner.variable, (*owner.steps, AS_JSON))
    here, null = Present(found.variable, found.steps), Null(found.variable, found.steps)
    if not machine.tries:
        path = FieldPath(machine.absolute(owner.variable, owner.steps))
        machine.note("json-raises", f"where {path} is no JSON, Python raises; it is read as null")
        return _here(machine, [(here, found), (opposite(here), NONE)])
    broken = machine.here(both(opposite(here), opposite(null)))
    cases: list[tuple[Formula, Value]] = [(machine.here(here), found), (machine.here(null), NONE)]
    return gathered(cases, [(broken, "JSONDecodeError")])


def log_type_is(names: Sequence[str]) -> Formula:
    """The event is of one of these log types (Panther documentation, Standard Fields: ``p_log_type``)."""
    return leaf(0, FieldPath(("p_log_type",)), Operator.IS, tuple(names))


def at_path(machine: Machine, owner: Field, path: str, default: Value) -> Outcome:
    """What stands at a data model's path: keys joined by dots, or JSONPath without filters."""
    steps: list[PathStep] = []
    text = path.removeprefix("$")
    position = 0
    while position < len(text):
        match = _MEMBER.match(text, position)
        if match is None:
            raise UnreadableError(f"the data model's path {path!r}")
        if match[3] is not None:
            steps.append(ANY if match[3] == "*" else int(match[3]))
        else:
            steps.append(match[1] or match[2])
        position = match.end()
    found = Field(owner.variable, (*owner.steps, *steps))
    _expect(machine, found, default)
    if ANY in steps:
        here = leaf(found.variable, FieldPath(found.steps), Operator.EXISTS)
        return _here(machine, [(here, Walked(found.variable, found.steps)), (opposite(here), default)])
    present = Present(found.variable, found.steps)
    return _here(machine, [(present, found), (opposite(present), default)])


def keys_of(owner: Field) -> Value:
    """``owner.keys()``: only asked with ``in``, which an object answers itself."""
    return owner


def or_default(machine: Machine, outcome: Outcome, default: Value) -> Outcome:
    """The outcome with a default in the place of None."""
    return machine.bind(outcome, lambda value: one(default if value == NONE else value))


def entries_of(machine: Machine, value: Value) -> tuple[Entry, ...]:
    """The elements that iterating over a value gives."""
    match value:
        case Known(str() | list() | tuple() | set() | frozenset() | dict() | range() as known):
            found = list(known)
            if isinstance(known, (set, frozenset)):
                found.sort(key=repr)
            return tuple(Entry(one(Known(each))) for each in found)
        case Known():
            return (Entry(raising("TypeError")),)
        case Collection(_, entries):
            return entries
        case Field():
            if machine.shape(value) in (Shape.OBJECT, Shape.TEXT):
                raise UnreadableError(
                    f"iteration over {FieldPath(value.steps or ('event',))}, which is no list"
                )
            return machine.elements(value).entries
        case Walked(variable, steps):
            return machine.elements(Field(variable, steps)).entries
        case Opaque(number):
            residue = machine.residues[number]
            raise UnreadableError(residue.message, residue.node, residue.code)
    raise UnreadableError(f"iteration over a {type(value).__name__.lower()}")


def _here(machine: Machine, cases: list[tuple[object, Value]]) -> Outcome:
    return gathered([(machine.here(guard), value) for guard, value in cases])  # type: ignore[arg-type]


def _as_object(machine: Machine, owner: Field) -> None:
    if not owner.steps and owner.variable == 0:
        return
    machine.used(owner, Shape.OBJECT)


def _member(machine: Machine, owner: Field, key: Value) -> Field:
    """What stands under a key, which Panther looks up without regard to case."""
    return Field(owner.variable, (*owner.steps, machine.spelled(owner, _key(key))))


def _key(key: Value) -> str:
    if isinstance(key, Known) and isinstance(key.value, str):
        return key.value
    raise UnreadableError("a key that is no constant text")


def _expect(machine: Machine, found: Field, default: Value) -> None:
    """A default shows what the field is expected to hold."""
    if isinstance(default, Known):
        for kind, shape in _DEFAULTS:
            if isinstance(default.value, kind):
                machine.used(found, shape, weakly=True)
                return
    elif isinstance(default, Collection):
        machine.used(found, Shape.LIST, weakly=True)
