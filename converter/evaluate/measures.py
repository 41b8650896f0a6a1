"""Measures of the matches in a window, and tests of them: kept up to date as matches come in and go out.

A window is a queue: what came in first goes out first. Each :class:`Meter` takes what a match contributes,
gives it up again, and knows its value at any time; None where it has none.
"""

from __future__ import annotations

import operator
from collections import Counter, deque
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Protocol, TypeAlias

from converter.evaluate.compile import compile_expression
from converter.evaluate.timestamps import nanoseconds
from converter.evaluate.values import number_of, subject_getter, text_of
from converter.model.expressions import Operator, all_of
from converter.model.measures import (
    AllTests,
    AnyTest,
    Bound,
    Edge,
    GroupCondition,
    GroupTest,
    Measure,
    MeasureKind,
    Moment,
    Multiple,
    NotTest,
    measures,
)
from converter.model.rule import Threshold

Number: TypeAlias = int | float | Fraction
Value: TypeAlias = Number | None
Contribution: TypeAlias = Any
"""What one match adds to one meter, worked out once; each meter knows its own."""
Contributor: TypeAlias = Callable[[Any, int], Contribution]
"""From an event and its time (ns) to its contribution."""

_SIGNS: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.IS: operator.eq,
    Operator.GT: operator.gt,
    Operator.GTE: operator.ge,
    Operator.LT: operator.lt,
    Operator.LTE: operator.le,
}


class Meter(Protocol):
    """One measure of one window. ``end``: the end of the window in ns, for spans up to it."""

    def add(self, part: Contribution) -> None:
        """Take in the newest match."""

    def remove(self, part: Contribution) -> None:
        """Give up the oldest match."""

    def value(self, end: int) -> Value:
        """What is measured now."""


class _Total:
    """A sum of numbers; a count is a sum of ones. With ``mean`` over how many there are."""

    def __init__(self, empty: Value, mean: bool = False) -> None:
        self._empty = empty
        self._mean = mean
        self._sum: int | Fraction = 0
        self._number = 0

    def add(self, part: Sequence[int | Fraction]) -> None:
        self._sum += sum(part)
        self._number += len(part)

    def remove(self, part: Sequence[int | Fraction]) -> None:
        self._sum -= sum(part)
        self._number -= len(part)

    def value(self, end: int) -> Value:
        if not self._number:
            return self._empty
        return Fraction(self._sum, self._number) if self._mean else self._sum


class _Different:
    """How many different texts there are."""

    def __init__(self) -> None:
        self._texts: Counter[Any] = Counter()

    def add(self, part: Sequence[Any]) -> None:
        self._texts.update(part)

    def remove(self, part: Sequence[Any]) -> None:
        for text in part:
            self._texts[text] -= 1
            if not self._texts[text]:
                del self._texts[text]

    def value(self, end: int) -> Value:
        return len(self._texts)


class _Extreme:
    """The greatest of the numbers in a queue: those that a later and greater one hides are forgotten."""

    def __init__(self) -> None:
        self._rest: deque[Number] = deque()

    def add(self, part: Number | None) -> None:
        if part is None:
            return
        while self._rest and self._rest[-1] < part:
            self._rest.pop()
        self._rest.append(part)

    def remove(self, part: Number | None) -> None:
        if part is not None and self._rest[0] == part:
            self._rest.popleft()

    def value(self, end: int) -> Value:
        return self._rest[0] if self._rest else None


class _Least(_Extreme):
    """The least of the numbers in a queue: the greatest of their opposites."""

    def value(self, end: int) -> Value:
        return -self._rest[0] if self._rest else None


class _Span:
    """The time from one moment to another."""

    def __init__(self, start: Edge, stop: Edge) -> None:
        self._ends = (start, stop)
        self._times: tuple[deque[int], deque[int]] = (deque(), deque())

    def add(self, part: tuple[int | None, int | None]) -> None:
        for times, time in zip(self._times, part, strict=True):
            if time is not None:
                times.append(time)

    def remove(self, part: tuple[int | None, int | None]) -> None:
        for times, time in zip(self._times, part, strict=True):
            if time is not None:
                times.popleft()

    def value(self, end: int) -> Value:
        moments = zip(self._ends, self._times, strict=True)
        start, stop = (self._moment(edge, times, end) for edge, times in moments)
        return None if start is None or stop is None else stop - start

    @staticmethod
    def _moment(edge: Edge, times: deque[int], end: int) -> int | None:
        if edge is Edge.END:
            return end
        if not times:
            return None
        return times[0] if edge is Edge.FIRST else times[-1]


# -- from a measure to its meter and to what a match contributes


class Gauge:
    """A measure, compiled once: makes meters, and works out what a match adds to each of them."""

    def __init__(self, measure: Measure) -> None:
        kind = measure.kind
        self.new: Callable[[], Meter]
        self.part: Contributor
        where = compile_expression(all_of(*measure.where))
        if kind is MeasureKind.COUNT:
            self.new = lambda: _Total(0)
            self.part = lambda event, time: (1,) if where(event) else ()
        elif kind is MeasureKind.MET:
            conditions = tuple(map(compile_expression, measure.where))
            self.new = _Different
            self.part = lambda event, time: [n for n, holds in enumerate(conditions) if holds(event)]
        elif kind is MeasureKind.SPAN:
            first, last = _moment_getter(measure.start), _moment_getter(measure.stop)
            self.new = lambda: _Span(measure.start.edge, measure.stop.edge)
            self.part = lambda event, time: (first(event, time), last(event, time))
        else:
            self.new, self.part = _of_field(measure, where)


def _moment_getter(moment: Moment) -> Callable[[Any, int], int | None]:
    where = compile_expression(all_of(*moment.where))
    return lambda event, time: time if where(event) else None


def _of_field(measure: Measure, where: Callable[[Any], bool]) -> tuple[Callable[[], Meter], Contributor]:
    assert measure.field is not None
    values = subject_getter(measure.field, measure.functions)
    if measure.kind is MeasureKind.DISTINCT:
        return _Different, lambda event, time: set(map(text_of, values(event))) if where(event) else ()

    def numbers(event: Any) -> list[int | Fraction]:
        found = [number_of(value) for value in values(event)] if where(event) else []
        return [Fraction(number) for number in found if number is not None]

    match measure.kind:
        case MeasureKind.MAX:
            return _Extreme, lambda event, time: max(numbers(event), default=None)
        case MeasureKind.MIN:
            return _Least, lambda event, time: max((-number for number in numbers(event)), default=None)
        case _:
            mean = measure.kind is MeasureKind.AVG
            return lambda: _Total(None, mean), lambda event, time: numbers(event)


# -- tests

Verdict: TypeAlias = Callable[[Sequence[Value]], bool]
"""From the values of the gauges to whether a test holds."""


class GroupTests:
    """A threshold's count and further tests, compiled once, over the values of ``gauges``."""

    def __init__(self, threshold: Threshold) -> None:
        self._measures: list[Measure] = []
        counted = Measure(MeasureKind.COUNT)
        if threshold.distinct is not None:
            counted = Measure(MeasureKind.DISTINCT, threshold.distinct)
        enough = GroupTest(counted, ((Operator.GTE, threshold.count),))
        self._steady: list[Verdict] = []
        self._moving: list[Verdict] = []
        for condition in (enough, *threshold.having):
            tests = self._moving if _looks_at_end(condition) else self._steady
            tests.append(self._compiled(condition))
        self.gauges = [Gauge(measure) for measure in self._measures]

    def may_hold(self, values: Sequence[Value]) -> bool:
        """Whether the tests hold that stay as they are while no match comes in or goes out."""
        return all(test(values) for test in self._steady)

    def hold(self, values: Sequence[Value]) -> bool:
        """Whether the others hold too, those that look at the end of the window: the group passes."""
        return all(test(values) for test in self._moving)

    def _compiled(self, condition: GroupCondition) -> Verdict:
        match condition:
            case AllTests(terms):
                every = [self._compiled(term) for term in terms]
                return lambda values: all(test(values) for test in every)
            case AnyTest(terms):
                some = [self._compiled(term) for term in terms]
                return lambda values: any(test(values) for test in some)
            case NotTest(term):
                inner = self._compiled(term)
                return lambda values: not inner(values)
            case GroupTest(measure, bounds):
                index = self._index(measure)
                compared = [self._compared(index, sign, bound) for sign, bound in bounds]
                return lambda values: all(test(values) for test in compared)

    def _compared(self, index: int, sign: Operator, bound: Bound) -> Verdict:
        compare = _SIGNS[sign]
        if isinstance(bound, Multiple):
            other, times = self._index(bound.measure), Fraction(str(bound.times))

            def against(values: Sequence[Value]) -> bool:
                left, right = values[index], values[other]
                return left is not None and right is not None and compare(left, right * times)

            return against
        constant = bound if isinstance(bound, int | float) else nanoseconds(bound)

        def test(values: Sequence[Value]) -> bool:
            value = values[index]
            return value is not None and compare(value, constant)

        return test

    def _index(self, measure: Measure) -> int:
        if measure not in self._measures:
            self._measures.append(measure)
        return self._measures.index(measure)


def _looks_at_end(condition: GroupCondition) -> bool:
    """Whether a test is of a span from or to the end of the window."""
    return any(Edge.END in (one.start.edge, one.stop.edge) for one in measures((condition,)))
