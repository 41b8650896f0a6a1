"""Formulas: when something is so, while a detection is being read.

They are finer than canonical expressions: a key may be missing, null or present (:class:`Present`,
:class:`Null`), elements of lists are variables (0 is the event itself), and what could not be read is an
:class:`Unknown`.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from functools import lru_cache
from typing import Final, TypeAlias

import msgspec

from converter.model.expressions import (
    Expression,
    Predicate,
    fields_asked,
)
from converter.model.paths import FieldPath
from converter.platforms.panther.importing.python.shapes import Steps


class Leaf(msgspec.Struct, frozen=True, cache_hash=True):
    """A canonical predicate whose paths start at an object: the event (0) or the element of a list.

    ``kinds`` are its operands' types, so that a question about 1 is not taken for one about true.
    """

    variable: int
    predicate: Predicate
    kinds: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        kinds = tuple(type(value).__name__ for value in self.predicate.values)
        msgspec.structs.force_setattr(self, "kinds", kinds)


class Present(msgspec.Struct, frozen=True, cache_hash=True):
    """There is a value at the path that is not null; an empty list is one."""

    variable: int
    steps: Steps


class Null(msgspec.Struct, frozen=True, cache_hash=True):
    """There is a null at the path."""

    variable: int
    steps: Steps


class Unknown(msgspec.Struct, frozen=True, cache_hash=True):
    """The truth of something that could not be read: the residue of this number, at one of its uses."""

    number: int
    use: int


class Some(msgspec.Struct, frozen=True, cache_hash=True):
    """Some element, called ``variable`` in ``term``, of the list at a path of another variable."""

    variable: int
    source: int
    steps: Steps
    term: Formula


class Told(msgspec.Struct, frozen=True, cache_hash=True):
    """A canonical expression whose paths start at a variable; what :class:`Some` becomes in the end."""

    variable: int
    expression: Expression


class Negation(msgspec.Struct, frozen=True, cache_hash=True):
    """Not an atom, or not some element."""

    term: Atom


class Both(msgspec.Struct, frozen=True, cache_hash=True):
    """Every term holds."""

    terms: tuple[Formula, ...]


class Either(msgspec.Struct, frozen=True, cache_hash=True):
    """Some term holds."""

    terms: tuple[Formula, ...]


Atom: TypeAlias = Leaf | Present | Null | Unknown | Some | Told
Formula: TypeAlias = Atom | Negation | Both | Either
Facts: TypeAlias = frozenset["Formula"]
Subjects: TypeAlias = frozenset[tuple[int, object]]
"""Variables, each with the first key of a path from the event (elements of lists: with nothing)."""

TRUE: Final = Both(())
FALSE: Final = Either(())


def opposite(formula: Formula) -> Formula:
    """The formula does not hold."""
    if isinstance(formula, Negation):
        return formula.term
    return _turned(formula) if isinstance(formula, (Both, Either)) else Negation(formula)


@lru_cache(maxsize=1 << 16)
def _turned(formula: Both | Either) -> Formula:
    """The same formulas are turned round again and again."""
    terms = tuple(map(opposite, formula.terms))
    return Either(terms) if isinstance(formula, Both) else Both(terms)


def subjects(formula: Formula) -> Subjects:
    """What the formula is about: formulas without a common subject say nothing about one another."""
    return _subjects(formula.term if isinstance(formula, Negation) else formula)


@lru_cache(maxsize=1 << 16)
def _subjects(formula: Formula) -> Subjects:
    match formula:
        case Both(terms) | Either(terms):
            return frozenset[tuple[int, object]]().union(*map(subjects, terms))
        case Some(term=term):
            return own_subjects(formula) | subjects(term)
        case Negation(term):
            return subjects(term)
        case _:
            return own_subjects(formula)


@lru_cache(maxsize=1 << 14)
def own_subjects(atom: Atom) -> Subjects:
    """What an atom asks of; of :class:`Some` the list, and not what is asked of its elements."""
    match atom:
        case Leaf(variable, predicate):
            return frozenset(_subject(*placed(variable, path)) for path in fields_asked(predicate))
        case Present(variable, steps) | Null(variable, steps) | Some(_, variable, steps, _):
            return frozenset({_subject(variable, steps)})
        case Unknown(number, use):
            return frozenset({(-1, (number, use))})
        case Told(variable, _):
            return frozenset({(-2, variable)})


def placed(variable: int, path: FieldPath) -> tuple[int, Steps]:
    """Where a path in a predicate about a variable starts, and its steps."""
    return 0 if path.rooted else variable, path.steps


def _subject(variable: int, steps: Steps) -> tuple[int, object]:
    return variable, steps[0] if steps and variable == 0 else None


def facts_of(formula: Formula) -> Facts:
    """The literals that hold whenever the formula does."""
    match formula:
        case Both(terms):
            return frozenset(each for term in terms for each in facts_of(term))
        case _:
            return frozenset({formula})


def atoms(formula: Formula) -> Iterator[Atom]:
    """Every atom, those below :class:`Some` included."""
    match formula:
        case Both(terms) | Either(terms):
            for term in terms:
                yield from atoms(term)
        case Negation(term):
            yield from atoms(term)
        case Some(_, _, _, term):
            yield formula
            yield from atoms(term)
        case _:
            yield formula


def renamed(formula: Formula, old: int, new: int) -> Formula:
    """The formula about another variable."""
    match formula:
        case Both(terms):
            return Both(tuple(renamed(term, old, new) for term in terms))
        case Either(terms):
            return Either(tuple(renamed(term, old, new) for term in terms))
        case Negation(term):
            return opposite(renamed(term, old, new))
        case Leaf(variable, predicate) if variable == old:
            return Leaf(new, predicate)
        case Present(variable, steps) if variable == old:
            return Present(new, steps)
        case Null(variable, steps) if variable == old:
            return Null(new, steps)
        case Some(variable, source, steps, term):
            return Some(variable, new if source == old else source, steps, renamed(term, old, new))
        case _:
            return formula


def replaced(formula: Formula, atom: Atom, by: Formula) -> Formula:
    """The formula with another in the place of an atom; not simplified."""
    match formula:
        case Both(terms):
            return Both(tuple(replaced(term, atom, by) for term in terms))
        case Either(terms):
            return Either(tuple(replaced(term, atom, by) for term in terms))
        case Negation(term):
            return opposite(replaced(term, atom, by))
        case Some(variable, source, steps, term):
            return Some(variable, source, steps, replaced(term, atom, by))
        case _:
            return by if formula == atom else formula


def speaks_of(formula: Formula, variables: Set[int]) -> bool:
    """Whether the formula asks anything of one of these variables."""
    for atom in atoms(formula):
        match atom:
            case Leaf(variable) | Present(variable) | Null(variable) | Told(variable) | Some(_, variable):
                if variable in variables:
                    return True
    return False


def size(formula: Formula) -> int:
    """How many atoms the formula has."""
    return sum(1 for _ in atoms(formula))
