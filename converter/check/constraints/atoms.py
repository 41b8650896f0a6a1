"""Predicates and ``for_some`` by the place that they look at."""

from __future__ import annotations

import functools
from typing import Final

import msgspec

from converter.check.constraints.choices import Goal
from converter.check.constraints.groups import Asked, Keys, Place, place_of
from converter.check.verdicts import of_value
from converter.model.expressions import (
    TRUE,
    Expression,
    ForSome,
    Operator,
    Predicate,
    asks_outside,
    elements_asked,
    mapped,
    predicates,
    references,
)
from converter.model.paths import ELEMENT, FieldPath

_FILLER: Final = FieldPath(("id",))
"""A key that an object gets so that it is not empty."""


@functools.lru_cache(maxsize=8192)
def _place(condition: Expression) -> Place | None:
    match condition:
        case ForSome() if asks_outside(condition):
            return None
        case ForSome(path):
            steps = path.steps if path.steps[-1] is not None else path.steps[:-1]
            return place_of(FieldPath(steps))
        case Predicate(subject=FieldPath() as path) if not references(condition):
            return place_of(path)
    return None


def keys_of(atom: Goal) -> Keys | None:
    """The keys of the only path that an atom looks at; None for one that compares several, or that looks
    into lists directly in lists.
    """
    found = _place(atom.condition)
    return None if found is None else found.keys


def place(atom: Goal) -> Place:
    """The place that an atom of one path looks at."""
    found = _place(atom.condition)
    assert found is not None
    return found


def looks_inside(atom: Goal) -> bool:
    """Whether an atom looks into the objects of a list."""
    return place(atom).rest is not None or (
        isinstance(atom.condition, ForSome) and not elements_asked(atom.condition.term)[0]
    )


def asked_of_value(atom: Goal) -> Asked:
    """What an atom asks of a value at its path."""
    condition, wanted = atom
    index = place(atom).index
    match condition:
        case ForSome(_, term):
            return Asked(mapped(term, of_value), index, wanted)
        case Predicate():
            return Asked(of_value(condition), index, wanted)
    raise TypeError(f"not an atom: {condition!r}")


def asks_both(atom: Goal) -> bool:
    """Whether an atom asks the same element what it is and what it has under a key, or compares it."""
    condition = atom.condition
    if not isinstance(condition, ForSome):
        return False
    itself, keys = elements_asked(condition.term)
    compared = any(
        predicate.subject != ELEMENT or predicate.operator is Operator.SAME_AS
        for predicate in predicates(condition.term)
    )
    return itself and (keys or compared)


def asked_of_objects(atom: Goal) -> list[Asked]:
    """What an atom asks of the objects in a list. Predicates that look at values find none in an object."""
    condition, wanted = atom
    where = place(atom)
    if isinstance(condition, ForSome) and (where.rest is not None or not elements_asked(condition.term)[0]):
        inner = condition.term if where.rest is None else ForSome(where.rest, condition.term)
        return [Asked(inner, where.index, wanted)]
    if isinstance(condition, ForSome):
        return [asked_of_value(atom)]
    assert isinstance(condition, Predicate)
    if where.rest is not None:
        return [Asked(msgspec.structs.replace(condition, subject=where.rest), where.index, wanted)]
    if is_existence(condition):
        there = Predicate(_FILLER, Operator.EXISTS) if wanted else TRUE
        return [Asked(there, where.index, wanted)]
    return [asked_of_value(atom)] if wanted else []


def is_existence(condition: Expression) -> bool:
    """Whether a condition asks only whether something is there."""
    return (
        isinstance(condition, Predicate) and condition.operator is Operator.EXISTS and not condition.functions
    )


def excludes(one: Goal, its_keys: Keys, other: Goal, other_keys: Keys) -> bool:
    """Whether two atoms cannot both be: one wants something below what the other wants empty, or a value."""
    if len(its_keys) > len(other_keys):
        one, its_keys, other, other_keys = other, other_keys, one, its_keys
    if not other.wanted or len(its_keys) == len(other_keys) or other_keys[: len(its_keys)] != its_keys:
        return False
    if looks_inside(one):
        return False
    if is_existence(one.condition):
        return not one.wanted and place(one).index is None
    return one.wanted
