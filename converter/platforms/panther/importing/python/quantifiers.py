"""``any``, ``all``, ``filter``, ``map``, ``next`` and the making of lists and sets."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from converter.model.expressions import Function, FunctionName
from converter.model.paths import FieldPath
from converter.platforms.panther.importing.python import events
from converter.platforms.panther.importing.python.formulas import both, either
from converter.platforms.panther.importing.python.nodes import FALSE, TRUE, Formula, opposite
from converter.platforms.panther.importing.python.selecting import picked
from converter.platforms.panther.importing.python.shapes import Shape
from converter.platforms.panther.importing.python.truth import truth
from converter.platforms.panther.importing.python.values import (
    NONE,
    Collection,
    Count,
    Entry,
    Field,
    Known,
    Matches,
    Number,
    Outcome,
    Pieces,
    Table,
    Text,
    UnreadableError,
    Value,
    gathered,
    one,
    quantified,
    raising,
    when,
)

if TYPE_CHECKING:
    from converter.platforms.panther.importing.python.interpreter import Interpreter


def any_of(interpreter: Interpreter, positional: list[Value], named: dict[str, Value]) -> Outcome:
    """``any(…)``."""
    return _quantifier(interpreter, positional[0], wanted=True)


def all_of(interpreter: Interpreter, positional: list[Value], named: dict[str, Value]) -> Outcome:
    """``all(…)``."""
    return _quantifier(interpreter, positional[0], wanted=False)


def _quantifier(interpreter: Interpreter, value: Value, *, wanted: bool) -> Outcome:
    """``any`` stops at the first true element, ``all`` at the first false; earlier ones may raise."""
    machine = interpreter.machine
    undecided: Formula = TRUE
    decided: list[Formula] = []
    raises: list[tuple[Formula, str]] = []
    for raised, hits in _alike(interpreter, events.entries_of(machine, value), wanted):
        raises += [(machine.here(both(undecided, guard)), name) for guard, name in raised]
        undecided = both(undecided, *(opposite(guard) for guard, _ in raised))
        hit = either(*hits)
        decided.append(both(undecided, hit))
        undecided = machine.here(both(undecided, opposite(hit)))
        if undecided == FALSE:
            break
    found = machine.here(either(*decided))
    fine = both(*(opposite(guard) for guard, _ in raises))
    result = when(found if wanted else opposite(found))
    real = tuple((guard, name) for guard, name in raises if guard != FALSE)
    return Outcome(tuple((both(fine, guard), each) for guard, each in result.cases), real)


def _alike(
    interpreter: Interpreter, entries: Iterable[Entry], wanted: bool
) -> list[tuple[list[tuple[Formula, str]], list[Formula]]]:
    """What entries raise, and when they decide; those together that raise the same, as the first does."""
    machine = interpreter.machine
    found: list[tuple[list[tuple[Formula, str]], list[Formula]]] = []
    for entry in entries:
        with machine.given(entry.include):
            asked = [(guard, truth(machine, each)) for guard, each in entry.value.cases]
        hit = quantified(entry, either(*(both(g, f if wanted else opposite(f)) for g, f in asked)))
        raised = [(quantified(entry, guard), name) for guard, name in entry.value.raises]
        if raised and entry.binders:
            machine.note(
                "raises-among-elements",
                "an element that makes Python raise ends rule() before later elements are looked at",
            )
            raised = [(both(guard, opposite(hit)), name) for guard, name in raised]
        if found and found[-1][0] == raised:
            found[-1][1].append(hit)
        else:
            found.append((raised, [hit]))
    return found


def length_of(interpreter: Interpreter, positional: list[Value], named: dict[str, Value]) -> Outcome:
    """``len(…)``."""
    machine = interpreter.machine
    match positional[0]:
        case Field() as field:
            shape = machine.shape(field)
            if shape is Shape.TEXT:
                return one(Number(field.variable, FieldPath(field.steps), (Function(FunctionName.LENGTH),)))
            if shape is Shape.LIST:
                return one(Count(machine.elements(field)))
            raise UnreadableError(
                f"the length of {FieldPath(field.steps)}, of which it is not known what it holds"
            )
        case Text(variable, subject, functions):
            return one(Number(variable, subject, (*functions, Function(FunctionName.LENGTH))))
        case Pieces() as pieces if pieces.most < 0:
            return one(pieces)
        case Collection(kind, entries):
            if kind == "set" and len(entries) > 1:
                raise UnreadableError("the number of different values in a set")
            return one(Count(Collection(kind, entries)))
        case Matches() as matches:
            return one(Count(matches))
        case Table(entries):
            return one(Known(len(entries)))
        case Known():
            return raising("TypeError")
    raise UnreadableError("the length of a value of the event")


def collection_of(kind: str) -> Callable[[Interpreter, list[Value], dict[str, Value]], Outcome]:
    """``list(…)``, ``set(…)`` and their kin."""

    def made(interpreter: Interpreter, positional: list[Value], named: dict[str, Value]) -> Outcome:
        match positional[0]:
            case Table() | Known(dict()) if kind == "dict":
                return one(positional[0])
            case Field() as field if interpreter.machine.shape(field) is Shape.OBJECT:
                return one(field)
            case Pieces() as pieces:
                return one(pieces)
            case value:
                from converter.platforms.panther.importing.python.comprehensions import eager

                return eager(kind, list(events.entries_of(interpreter.machine, value)))

    return made


def filtered(interpreter: Interpreter, positional: list[Value], named: dict[str, Value]) -> Outcome:
    """``filter(…)``."""
    function, source = positional
    machine = interpreter.machine
    entries: list[Entry] = []
    for entry in events.entries_of(machine, source):
        single = entry.value.single
        if not entry.value.cases:
            entries.append(entry)
            continue
        if single is None:
            raise UnreadableError("filter() over values that are not plain")
        with machine.given(entry.include):
            kept = (
                one(single)
                if function == NONE
                else interpreter.calls.apply(function, [single], {}, ast.Pass())
            )
            formula = either(*(both(guard, truth(machine, value)) for guard, value in kept.cases))
        entries.append(Entry(entry.value, entry.binders, both(entry.include, formula)))
    return one(Collection("generator", tuple(entries)))


def mapped(interpreter: Interpreter, positional: list[Value], named: dict[str, Value]) -> Outcome:
    """``map(…)``."""
    function, source = positional
    machine = interpreter.machine
    entries: list[Entry] = []
    for entry in events.entries_of(machine, source):
        with machine.given(entry.include):
            found = machine.bind(
                entry.value, lambda value: interpreter.calls.apply(function, [value], {}, ast.Pass())
            )
        entries.append(Entry(found, entry.binders, entry.include))
    return one(Collection("generator", tuple(entries)))


def next_of(interpreter: Interpreter, positional: list[Value], named: dict[str, Value]) -> Outcome:
    """The first element, where only whether there is one can matter, or where elements stand one by one."""
    machine = interpreter.machine
    rest: Formula = TRUE
    cases: list[tuple[Formula, Value]] = []
    for entry in events.entries_of(machine, positional[0]):
        there = quantified(entry, TRUE)
        if entry.binders:
            there, found = picked(machine, entry, list(entry.value.cases))
            cases += [(both(rest, guard), value) for guard, value in found]
        else:
            cases += [(both(rest, entry.include, guard), value) for guard, value in entry.value.cases]
        rest = machine.here(both(rest, opposite(there)))
    if len(positional) > 1:
        return gathered([*cases, (rest, positional[1])])
    return gathered(cases, [(rest, "StopIteration")])


def sorted_list(interpreter: Interpreter, positional: list[Value], named: dict[str, Value]) -> Outcome:
    """``sorted(…)``: the order of elements is nothing a condition asks."""
    return collection_of("list")(interpreter, positional, named)
