"""Expressions: what a rule asks of one event.

A tree of :class:`All`, :class:`AnyOf`, :class:`Not` and :class:`ForSome` over :class:`Predicate` leaves.
Every node is frozen, hashable and compares by value. What each operator means is stated, sentence by
sentence, in docs/semantics.md and defined by :mod:`converter.evaluate`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from typing import TypeAlias

import msgspec

from converter.model.paths import ELEMENT, FieldPath, PathStep, format_path

Scalar: TypeAlias = bool | int | float | str
"""An operand: what YAML writes as true, 403, 0.5 or text. Null is no operand; ask with ``exists``."""


class Operator(enum.StrEnum):
    """What a predicate asks of a value. The value is the key that YAML uses."""

    IS = "is"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    CONTAINS = "contains"
    LIKE = "like"
    REGEX = "regex"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    EXISTS = "exists"
    CIDR = "cidr"
    IP = "ip"
    SAME_AS = "same_as"


TEXT_OPERATORS = frozenset(
    {Operator.STARTS_WITH, Operator.ENDS_WITH, Operator.CONTAINS, Operator.LIKE, Operator.REGEX}
)
ORDER_OPERATORS = frozenset({Operator.GT, Operator.GTE, Operator.LT, Operator.LTE})
CASE_OPERATORS = TEXT_OPERATORS | {Operator.IS, Operator.SAME_AS}
"""The operators that ``ignore_case`` modifies."""


class FunctionName(enum.StrEnum):
    """Value functions, applied to each value of the field before the operator looks at it."""

    LOWER = "lower"
    UPPER = "upper"
    TRIM = "trim"
    BASENAME = "basename"
    LENGTH = "length"
    SPLIT = "split"
    JSON = "json"


class Function(msgspec.Struct, frozen=True):
    """One value function. ``separator`` and ``index`` are set for ``split`` alone, ``path`` for ``json``.

    ``split`` cuts the text at every ``separator`` and takes the ``index``-th part (from 0, negative
    from the end). ``basename`` is what follows the last ``/`` or ``\\``. ``length`` counts characters.
    ``json`` gives the values at a path in what the text says as JSON; without steps it is all of it.
    """

    name: FunctionName
    separator: str | None = None
    index: int | None = None
    path: tuple[PathStep, ...] | None = None

    @property
    def arguments(self) -> tuple[str | int, ...]:
        """What the function is given beside the value, in order; a path in its text form."""
        if self.path is not None:
            return (format_path(self.path),)
        return () if self.separator is None or self.index is None else (self.separator, self.index)


class Concat(msgspec.Struct, frozen=True, tag="concat"):
    """A subject made of several: fields and literal texts joined. It has no value if a field has none."""

    parts: tuple[FieldPath | str, ...]


Subject: TypeAlias = FieldPath | Concat


class Predicate(msgspec.Struct, frozen=True, tag="predicate"):
    """One question about one subject.

    ``values`` are the operands: any of them may satisfy the operator, or each must, by possibly
    different elements of a list, with ``all_of``. ``exists`` has none; ``same_as`` has field paths;
    ``ip`` has names from :data:`converter.model.addresses.CLASSES`. ``functions`` are applied in order.
    """

    subject: Subject
    operator: Operator
    values: tuple[Scalar | FieldPath, ...] = ()
    ignore_case: bool = False
    all_of: bool = False
    functions: tuple[Function, ...] = ()


class All(msgspec.Struct, frozen=True, tag="all"):
    """Every term holds; no terms: true."""

    terms: tuple[Expression, ...]


class AnyOf(msgspec.Struct, frozen=True, tag="any"):
    """Some term holds; no terms: false."""

    terms: tuple[Expression, ...]


class Not(msgspec.Struct, frozen=True, tag="not"):
    """The term does not hold."""

    term: Expression


class ForSome(msgspec.Struct, frozen=True, tag="for_some"):
    """Some element of the list at ``path`` makes ``term`` hold; paths in it start there.

    The element is an object, or a value where ``term`` names :data:`~converter.model.paths.ELEMENT`.
    """

    path: FieldPath
    term: Expression


Expression: TypeAlias = Predicate | All | AnyOf | Not | ForSome

TRUE = All(())
FALSE = AnyOf(())


def all_of(*terms: Expression) -> Expression:
    """Conjunction, flattened: nested :class:`All` are spliced in, a single term stays itself."""
    flat = tuple(_spliced(terms, All))
    return flat[0] if len(flat) == 1 else All(flat)


def any_of(*terms: Expression) -> Expression:
    """Disjunction, flattened: nested :class:`AnyOf` are spliced in, a single term stays itself."""
    flat = tuple(_spliced(terms, AnyOf))
    return flat[0] if len(flat) == 1 else AnyOf(flat)


def negated(term: Expression) -> Expression:
    """Negation, without piling up :class:`Not`."""
    return term.term if isinstance(term, Not) else Not(term)


def _spliced(terms: tuple[Expression, ...], kind: type[All] | type[AnyOf]) -> Iterator[Expression]:
    for term in terms:
        if isinstance(term, kind):
            yield from _spliced(term.terms, kind)
        else:
            yield term


def children(expression: Expression) -> tuple[Expression, ...]:
    """The direct terms of a node."""
    match expression:
        case All(terms) | AnyOf(terms):
            return terms
        case Not(term) | ForSome(_, term):
            return (term,)
        case _:
            return ()


def predicates(expression: Expression) -> Iterator[Predicate]:
    """Every predicate of the tree, left to right. Paths below a :class:`ForSome` stay relative."""
    if isinstance(expression, Predicate):
        yield expression
    for child in children(expression):
        yield from predicates(child)


def mapped(expression: Expression, change: Callable[[Predicate], Expression]) -> Expression:
    """The same tree with every predicate replaced by what ``change`` gives for it."""
    match expression:
        case All(terms):
            return All(tuple(mapped(term, change) for term in terms))
        case AnyOf(terms):
            return AnyOf(tuple(mapped(term, change) for term in terms))
        case Not(term):
            return Not(mapped(term, change))
        case ForSome(path, term):
            return ForSome(path, mapped(term, change))
        case _:
            return change(expression)


def fields_of(subject: Subject) -> tuple[FieldPath, ...]:
    """The field paths that a subject reads."""
    if isinstance(subject, FieldPath):
        return (subject,)
    return tuple(part for part in subject.parts if isinstance(part, FieldPath))


def fields_asked(predicate: Predicate) -> tuple[FieldPath, ...]:
    """The field paths that a predicate reads, those among its operands included."""
    others = tuple(value for value in predicate.values if isinstance(value, FieldPath))
    return (*fields_of(predicate.subject), *others)


def elements_asked(expression: Expression) -> tuple[bool, bool]:
    """Whether the term of a :class:`ForSome` asks what an element is itself, and what is under its keys.

    Elements that are values are asked in the first case, objects in the second; a term that asks nothing at
    all is asked of objects.
    """
    paths = {path for path in _paths_at(expression) if not path.rooted}
    itself = ELEMENT in paths
    return itself, not itself or len(paths) > 1


def asks_outside(expression: Expression) -> bool:
    """Whether the term of a :class:`ForSome` asks something of the event, outside of the element."""
    match expression:
        case Predicate():
            return any(path.rooted for path in fields_asked(expression))
        case ForSome(path, term):
            return path.rooted or asks_outside(term)
        case _:
            return any(map(asks_outside, children(expression)))


def _paths_at(expression: Expression) -> Iterator[FieldPath]:
    """The paths of a tree that start at the same place as the tree."""
    match expression:
        case Predicate():
            yield from fields_asked(expression)
        case ForSome(path):
            yield path
        case _:
            for child in children(expression):
                yield from _paths_at(child)


def absolute_fields(expression: Expression, base: FieldPath | None = None) -> Iterator[FieldPath]:
    """Every field path that the tree reads, from the root of the event (below a ForSome: ``list[].key``)."""
    match expression:
        case ForSome(path, term):
            root = path if base is None else base.joined(path)
            yield root
            inner = root if root.steps[-1] is None else FieldPath((*root.steps, None))
            yield from absolute_fields(term, inner)
        case Predicate():
            for path in fields_asked(expression):
                yield path if base is None else base.joined(path)
        case _:
            for child in children(expression):
                yield from absolute_fields(child, base)
