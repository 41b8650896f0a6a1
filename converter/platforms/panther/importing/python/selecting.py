"""One element of a list, picked out by a test: the one whose key has a value, the first that passes.

The element becomes a variable of its own, so that everything asked of it later is asked of the same
element. Where the test names the element by a key (``x["name"] == "role"``), a list that holds the key once
is taken for granted, as a note says; by any other test the first of several may be picked, which is a loss.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from converter.model.expressions import Operator
from converter.model.paths import FieldPath
from converter.platforms.panther.importing.python.equality import equal
from converter.platforms.panther.importing.python.formulas import both, either, some
from converter.platforms.panther.importing.python.machine import Machine, Selected
from converter.platforms.panther.importing.python.nodes import (
    Both,
    Either,
    Formula,
    Leaf,
    Some,
    facts_of,
    opposite,
    renamed,
    speaks_of,
)
from converter.platforms.panther.importing.python.values import (
    Entry,
    Field,
    Keyed,
    Known,
    Opaque,
    Outcome,
    Text,
    Truth,
    UnreadableError,
    Value,
    gathered,
    quantified,
)


def picked(
    machine: Machine, entry: Entry, cases: list[tuple[Formula, Value]]
) -> tuple[Formula, list[tuple[Formula, Value]]]:
    """When some element of an entry has one of the cases, and the cases of the one element that is picked."""
    test = either(*(guard for guard, _ in cases))
    if len(entry.binders) != 1:
        raise UnreadableError("the first of the elements of several lists that pass a test")
    (binder,) = entry.binders
    there = quantified(entry, test)
    if (
        all(isinstance(value, (Known, Opaque)) for _, value in cases)
        and len({repr(v) for _, v in cases}) == 1
    ):
        return there, [(there, cases[0][1])]
    new = machine.fresh(Field(binder.source, binder.steps)).variable
    selector = renamed(both(entry.include, test), binder.variable, new)
    machine.selected[new] = Selected(binder.source, binder.steps, selector, _names_one(selector, new))
    moved = [
        (both(there, renamed(guard, binder.variable, new)), about(value, binder.variable, new))
        for guard, value in cases
    ]
    return there, [(there, moved[0][1])] if len(moved) == 1 else moved


def about(value: Value, old: int, new: int) -> Value:
    """A value of one variable as one of another."""
    match value:
        case Known() | Opaque():
            return value
        case Field(variable, _) | Text(variable, _, _):
            return msgspec.structs.replace(value, variable=new) if variable == old else value
        case Truth(formula):
            return Truth(renamed(formula, old, new))
    raise UnreadableError("the first of the elements of a list that pass a test")


def looked_up(machine: Machine, keyed: Keyed, key: object, default: Value | None) -> Outcome:
    """The value under a key of a dict made of a list's elements; without a default a KeyError."""
    test = [both(guard, equal(machine, value, Known(key))) for guard, value in keyed.key.cases]
    entry = Entry(keyed.value, (keyed.binder,), both(keyed.include, either(*test)))
    cases = [(guard, value) for guard, value in keyed.value.cases]
    there, found = picked(machine, entry, cases)
    if default is None:
        return gathered(found, [(opposite(there), "KeyError")])
    return gathered([*found, (opposite(there), default)])


def _names_one(selector: Formula, variable: int) -> bool:
    """Whether a test names an element by what stands under one of its keys."""
    for fact in facts_of(selector):
        if isinstance(fact, Leaf) and fact.variable == variable:
            asked = fact.predicate
            plain = isinstance(asked.subject, FieldPath) and asked.subject.steps
            if plain and asked.operator is Operator.IS and len(asked.values) == 1:
                return True
    return False


def with_selected(formula: Formula, selected: Mapping[int, Selected]) -> Formula:
    """The formula with every picked element said by what it is picked by."""
    for variable in sorted(selected, reverse=True):
        if speaks_of(formula, {variable}):
            formula = _closed(formula, variable, selected[variable])
    return formula


def _needs(formula: Formula, variable: int) -> bool:
    """Whether the formula needs the picked element, whichever of its alternatives holds."""
    if isinstance(formula, Either):
        return all(_needs(term, variable) for term in formula.terms)
    return speaks_of(formula, {variable})


def _closed(formula: Formula, variable: int, chosen: Selected) -> Formula:
    match formula:
        case Both(terms):
            own = [term for term in terms if _needs(term, variable)]
            rest = [_closed(term, variable, chosen) for term in terms if not _needs(term, variable)]
            if not own:
                return both(*rest)
            return both(*rest, some(variable, chosen.source, chosen.steps, both(chosen.selector, *own)))
        case Either(terms):
            return either(*(_closed(term, variable, chosen) for term in terms))
        case Some(inner, source, steps, term) if source != variable:
            return some(inner, source, steps, _closed(term, variable, chosen))
    if not speaks_of(formula, {variable}):
        return formula
    return some(variable, chosen.source, chosen.steps, both(chosen.selector, formula))
