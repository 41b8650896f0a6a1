"""Which predicates decide an event's verdict, and what an event must be like for one of them to decide.

A predicate *decides* when turning its truth round, all else equal, turns the verdict round: every other term
of each ``all`` above it holds, and no other term of an ``any`` does. Modified condition/decision coverage in
its masking form (Chilenski, FAA report DOT/FAA/AR-01/18) asks for an event in which it decides and is true,
and one in which it decides and is false. A predicate for which there is no such event can be replaced by a
constant and the rule stays what it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from converter.check.constraints.choices import Goal
from converter.check.verdicts import compiled, plain
from converter.evaluate import Condition
from converter.evaluate.values import elements_getter
from converter.model.expressions import (
    FALSE,
    TRUE,
    All,
    AnyOf,
    Expression,
    ForSome,
    Not,
    Predicate,
    all_of,
    children,
)
from converter.model.paths import FieldPath


class Occurrence(msgspec.Struct, frozen=True):
    """A predicate at its place in a condition. ``number``: from 0, left to right; ``lists``: the paths of
    the ``for_some`` around it, the outermost first.
    """

    number: int
    predicate: Predicate
    lists: tuple[FieldPath, ...] = ()


class Decision(NamedTuple):
    """That a predicate (by its number) decides, and whether it is true."""

    number: int
    holds: bool


class Decisions:
    """The occurrences of one condition (in its plain form), and who decides an event."""

    def __init__(self, condition: Expression) -> None:
        condition = self.condition = plain(condition)
        self.occurrences: tuple[Occurrence, ...] = tuple(_occurrences(condition))
        self._root = _node(condition, 0)
        self._holds = tuple(compiled(each.predicate) for each in self.occurrences)

    def of(self, event: Any) -> tuple[bool, frozenset[Decision]]:
        """The verdict on an event, and everyone who decides it."""
        seen = self._root.seen(event)
        return seen.holds, frozenset(seen.deciders())

    def truths(self, event: Any) -> tuple[bool, ...]:
        """The truth of every predicate that stands outside of lists (of others: false)."""
        pairs = zip(self.occurrences, self._holds, strict=True)
        return tuple(not each.lists and holds(event) for each, holds in pairs)

    def goals(self, decision: Decision) -> list[Goal]:
        """What an event must reach for a predicate to decide with that truth, and it is enough."""
        return _goals(self.condition, 0, decision)


def size(expression: Expression) -> int:
    """How many predicates a condition has."""
    return 1 if isinstance(expression, Predicate) else sum(map(size, children(expression)))


def _occurrences(
    expression: Expression, number: int = 0, lists: tuple[FieldPath, ...] = ()
) -> Iterator[Occurrence]:
    if isinstance(expression, Predicate):
        yield Occurrence(number, expression, lists)
        return
    if isinstance(expression, ForSome):
        lists = (*lists, expression.path)
    for child in children(expression):
        yield from _occurrences(child, number, lists)
        number += size(child)


# -- who decides an event


class _Node(msgspec.Struct, frozen=True):
    """A node with the number of its first predicate; ``holds`` is set for a predicate alone."""

    expression: Expression
    first: int
    children: tuple[_Node, ...] = ()
    holds: Condition | None = None

    def seen(self, event: Any) -> _Seen:
        """The verdict of the node and of everything below it. Nothing is passed over."""
        if self.holds is not None:
            return _Seen(self, self.holds(event))
        if isinstance(self.expression, ForSome):
            (child,) = self.children
            elements = elements_getter(self.expression.path, self.expression.term)
            parts = [child.seen(element) for element in elements(event)]
        else:
            parts = [child.seen(event) for child in self.children]
        match self.expression:
            case Not():
                return _Seen(self, not parts[0].holds, parts)
            case All():
                return _Seen(self, all(part.holds for part in parts), parts)
        return _Seen(self, any(part.holds for part in parts), parts)


class _Seen(NamedTuple):
    """A node's verdict on an event, with those of its terms (of its elements, for a ``for_some``)."""

    node: _Node
    holds: bool
    parts: list[_Seen] = []  # noqa: RUF012 - never changed

    def deciders(self) -> Iterator[Decision]:
        """Who decides the verdict: the one term that stands against all others, or else every term."""
        if self.node.holds is not None:
            yield Decision(self.node.first, self.holds)
            return
        neutral = isinstance(self.node.expression, All)
        against = [part for part in self.parts if part.holds is not neutral]
        if isinstance(self.node.expression, Not) or not against:
            against = self.parts
        if len(against) == 1 or against is self.parts:
            for part in against:
                yield from part.deciders()


def _node(expression: Expression, first: int) -> _Node:
    if isinstance(expression, Predicate):
        return _Node(expression, first, holds=compiled(expression))
    nodes = []
    number = first
    for child in children(expression):
        nodes.append(_node(child, number))
        number += size(child)
    return _Node(expression, first, tuple(nodes))


# -- what makes one decide


def _goals(expression: Expression, first: int, decision: Decision) -> list[Goal]:
    match expression:
        case Not(term):
            return _goals(term, first, decision)
        case ForSome(path, term):
            inner = _goals(term, first, decision)
            there = ForSome(path, all_of(*(g.condition if g.wanted else Not(g.condition) for g in inner)))
            least = _fixed(term, first, decision.number, positive=True)
            return (
                [Goal(there, True), Goal(ForSome(path, least), False)]
                if _true_with(term, first, decision)
                else [Goal(there, True), Goal(expression, False)]
            )
        case All(terms) | AnyOf(terms):
            goals: list[Goal] = []
            own: list[Goal] = []
            for term in terms:
                inside = first <= decision.number < first + size(term)
                if inside:
                    own = _goals(term, first, decision)
                else:
                    goals.append(Goal(term, isinstance(expression, All)))
                first += size(term)
            return own + goals
        case _:
            return [Goal(expression, decision.holds)]


def _true_with(expression: Expression, first: int, decision: Decision) -> bool:
    """The verdict of an expression in which a predicate decides with that truth."""
    return decision.holds is not _turned(expression, first, decision.number)


def _turned(expression: Expression, first: int, number: int) -> bool:
    """Whether an odd number of ``not`` stands above a predicate."""
    odd = isinstance(expression, Not)
    for child in children(expression):
        if first <= number < first + size(child):
            return odd is not _turned(child, first, number)
        first += size(child)
    return odd


def _fixed(expression: Expression, first: int, number: int, positive: bool) -> Expression:
    """The expression with one predicate replaced by the constant that makes it hold least often."""
    match expression:
        case Predicate():
            if first != number:
                return expression
            return FALSE if positive else TRUE
        case Not(term):
            return Not(_fixed(term, first, number, not positive))
        case ForSome(path, term):
            return ForSome(path, _fixed(term, first, number, positive))
        case All(terms) | AnyOf(terms):
            fixed = []
            for term in terms:
                fixed.append(_fixed(term, first, number, positive))
                first += size(term)
            return type(expression)(tuple(fixed))
    raise TypeError(f"not a condition: {expression!r}")
