"""What a threshold asks of a group's matches beside their number: measures, and tests of them.

A measure is a number (or, for a span, a length of time) that the matches of one group within the window
have together. What each means is stated in docs/semantics.md, section 7.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TypeAlias

import msgspec

from converter.model.expressions import Expression, Function, Operator
from converter.model.paths import FieldPath


class MeasureKind(enum.StrEnum):
    """What is measured. The value is the key that YAML uses."""

    COUNT = "count"
    DISTINCT = "distinct"
    SUM = "sum"
    MIN = "min"
    MAX = "max"
    AVG = "avg"
    SPAN = "span"
    MET = "met"


FIELD_KINDS = frozenset(
    {MeasureKind.DISTINCT, MeasureKind.SUM, MeasureKind.MIN, MeasureKind.MAX, MeasureKind.AVG}
)
"""The kinds that look at the values of a field."""
BOUNDS = (Operator.IS, Operator.GT, Operator.GTE, Operator.LT, Operator.LTE)
"""How a measure is compared, in the order in which a test lists its comparisons."""


class Edge(enum.StrEnum):
    """One end of a span: the first match, the last one, or the end of the window."""

    FIRST = "first"
    LAST = "last"
    END = "end"


class Moment(msgspec.Struct, frozen=True):
    """A moment in the window: the time of the first or last match (of those with ``where``), or its end."""

    edge: Edge
    where: tuple[Expression, ...] = ()


FIRST_MATCH = Moment(Edge.FIRST)
LAST_MATCH = Moment(Edge.LAST)
WINDOW_END = Moment(Edge.END)


class Measure(msgspec.Struct, frozen=True):
    """One measure of a group.

    ``field`` and ``functions`` belong to :data:`FIELD_KINDS`. ``where``: only the matches that satisfy all of
    it are looked at; for ``met`` it holds the conditions of which those are counted that some match
    satisfies. ``start`` and ``stop`` are the ends of a span.
    """

    kind: MeasureKind
    field: FieldPath | None = None
    functions: tuple[Function, ...] = ()
    where: tuple[Expression, ...] = ()
    start: Moment = FIRST_MATCH
    stop: Moment = LAST_MATCH


class Multiple(msgspec.Struct, frozen=True):
    """Another measure, ``times`` so much, as what a measure is compared with."""

    measure: Measure
    times: int | float = 1


Bound: TypeAlias = int | float | timedelta | Multiple


class GroupTest(msgspec.Struct, frozen=True, tag="test"):
    """A measure and what it is compared with; every comparison must hold. In the order of :data:`BOUNDS`."""

    measure: Measure
    bounds: tuple[tuple[Operator, Bound], ...]


class AllTests(msgspec.Struct, frozen=True, tag="all"):
    """Every test of the group holds."""

    terms: tuple[GroupCondition, ...]


class AnyTest(msgspec.Struct, frozen=True, tag="any"):
    """Some test of the group holds."""

    terms: tuple[GroupCondition, ...]


class NotTest(msgspec.Struct, frozen=True, tag="not"):
    """The test of the group does not hold."""

    term: GroupCondition


GroupCondition: TypeAlias = GroupTest | AllTests | AnyTest | NotTest


def group_tests(condition: GroupCondition) -> Iterator[GroupTest]:
    """Every test of the tree, left to right."""
    match condition:
        case GroupTest():
            yield condition
        case NotTest(term):
            yield from group_tests(term)
        case AllTests(terms) | AnyTest(terms):
            for term in terms:
                yield from group_tests(term)


def measures(having: tuple[GroupCondition, ...]) -> Iterator[Measure]:
    """Every measure that the tests look at, those that others are compared with included."""
    for condition in having:
        for test in group_tests(condition):
            yield test.measure
            yield from (bound.measure for _, bound in test.bounds if isinstance(bound, Multiple))


def renamed(
    condition: GroupCondition,
    path: Callable[[FieldPath], FieldPath],
    expression: Callable[[Expression], Expression],
) -> GroupCondition:
    """The same tests with other field paths and other conditions on matches."""

    def moment(one: Moment) -> Moment:
        return Moment(one.edge, tuple(map(expression, one.where)))

    def measure(one: Measure) -> Measure:
        return msgspec.structs.replace(
            one,
            field=None if one.field is None else path(one.field),
            where=tuple(map(expression, one.where)),
            start=moment(one.start),
            stop=moment(one.stop),
        )

    def bound(one: Bound) -> Bound:
        return Multiple(measure(one.measure), one.times) if isinstance(one, Multiple) else one

    match condition:
        case GroupTest(measured, bounds):
            return GroupTest(measure(measured), tuple((sign, bound(one)) for sign, one in bounds))
        case NotTest(term):
            return NotTest(renamed(term, path, expression))
        case AllTests(terms):
            return AllTests(tuple(renamed(term, path, expression) for term in terms))
        case AnyTest(terms):
            return AnyTest(tuple(renamed(term, path, expression) for term in terms))


_GROWING = frozenset({MeasureKind.COUNT, MeasureKind.DISTINCT, MeasureKind.MET, MeasureKind.MAX})
_AT_LEAST = frozenset({Operator.GT, Operator.GTE})
_AT_MOST = frozenset({Operator.LT, Operator.LTE})


def only_grows(condition: GroupCondition) -> bool:
    """Whether further matches can never make the condition fail: it asks for enough, never for few."""
    match condition:
        case AllTests(terms) | AnyTest(terms):
            return all(map(only_grows, terms))
        case NotTest(AllTests(terms) | AnyTest(terms)):
            return all(only_grows(NotTest(term)) for term in terms)
        case NotTest(NotTest(term)):
            return only_grows(term)
        case GroupTest(measure, bounds):
            wanted = _grows_with(measure)
            return all(sign in wanted and not isinstance(bound, Multiple) for sign, bound in bounds)
    return False


def _grows_with(measure: Measure) -> frozenset[Operator]:
    """The comparisons with a constant that more matches can only help to satisfy."""
    if measure.kind is MeasureKind.SPAN:
        whole = measure.start.edge is Edge.FIRST and measure.stop.edge is not Edge.FIRST
        return _AT_LEAST if whole else frozenset()
    if measure.kind is MeasureKind.MIN:
        return _AT_MOST
    return _AT_LEAST if measure.kind in _GROWING else frozenset()
