"""Windows and measures against the same said slowly: every window looked at by itself, every match anew."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from converter.evaluate import LogEvent, StreamEvaluator
from converter.evaluate.values import number_of, path_getter, text_of
from converter.model.expressions import Operator, Predicate
from converter.model.measures import (
    BOUNDS,
    AllTests,
    AnyTest,
    Edge,
    GroupCondition,
    GroupTest,
    Measure,
    MeasureKind,
    Moment,
    Multiple,
    NotTest,
    only_grows,
)
from converter.model.paths import FieldPath
from converter.model.rule import MissingKeys, Rule, Threshold, WindowStart

SECOND = 1_000_000_000
FIELD = FieldPath(("n",))
ONE = Predicate(FIELD, Operator.IS, (1,))
TWO = Predicate(FIELD, Operator.IS, (2,))
SIGNS = {"is": "__eq__", "gt": "__gt__", "gte": "__ge__", "lt": "__lt__", "lte": "__le__"}


def _rule(threshold: Threshold) -> Rule:
    return Rule(
        id="0d5f7b7e-0000-4000-8000-000000000001",
        title="a rule",
        logsource=("raw",),
        indicators=(Predicate(FieldPath(("t",)), Operator.EXISTS),),
        threshold=threshold,
    )


events: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"t": st.integers(0, 40)},
    optional={
        "n": st.one_of(st.integers(0, 3), st.lists(st.integers(0, 3), max_size=2), st.just("2")),
        "u": st.sampled_from(["x", "y", ["x", "y"], None]),
    },
)
streams = st.lists(events, max_size=14).map(lambda some: sorted(some, key=lambda event: event["t"]))
wheres = st.sampled_from([(), (ONE,), (TWO,)])
numeric = st.one_of(
    st.builds(lambda where: Measure(MeasureKind.COUNT, where=where), wheres),
    st.just(Measure(MeasureKind.MET, where=(ONE, TWO))),
    *(
        st.builds(lambda where, kind=kind: Measure(kind, FIELD, where=where), wheres)
        for kind in ("distinct", "sum", "min", "max", "avg")
        for kind in [MeasureKind(kind)]
    ),
)
moments = st.builds(Moment, st.sampled_from([Edge.FIRST, Edge.LAST]), wheres)
spans = st.builds(lambda start, stop: Measure(MeasureKind.SPAN, start=start, stop=stop), moments, moments)
numbers = st.integers(0, 6) | st.sampled_from([0.5, 2.5])
tests = st.one_of(
    st.builds(
        lambda measure, sign, bound: GroupTest(measure, ((sign, bound),)),
        numeric,
        st.sampled_from(BOUNDS),
        numbers | st.builds(Multiple, numeric, st.sampled_from([1, 0.5])),
    ),
    st.builds(
        lambda measure, sign, seconds: GroupTest(measure, ((sign, timedelta(seconds=seconds)),)),
        spans,
        st.sampled_from(BOUNDS),
        st.integers(0, 12),
    ),
)
conditions: st.SearchStrategy[GroupCondition] = st.recursive(
    tests,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=2).map(lambda terms: AllTests(tuple(terms))),
        st.lists(inner, min_size=1, max_size=2).map(lambda terms: AnyTest(tuple(terms))),
        inner.map(NotTest),
    ),
    max_leaves=3,
)


@st.composite
def thresholds(draw: st.DrawFn, every: bool) -> Threshold:
    return Threshold(
        count=draw(st.integers(1, 3)),
        within=timedelta(seconds=draw(st.integers(1, 15))),
        by=draw(st.sampled_from([(), (FieldPath(("u",)),)])),
        every=timedelta(seconds=draw(st.integers(1, 12))) if every else None,
        missing_keys=draw(st.sampled_from(MissingKeys)),
        having=tuple(draw(st.lists(conditions, max_size=2))),
    )


# -- the same, said slowly


def _takes(where: tuple[Any, ...], event: dict[str, Any]) -> bool:
    return all(any(str(v) == str(p.values[0]) for v in path_getter(FIELD)(event)) for p in where)


def _value(measure: Measure, matches: list[dict[str, Any]]) -> Any:
    kind = measure.kind
    if kind is MeasureKind.MET:
        return sum(any(_takes((one,), event) for event in matches) for one in measure.where)
    if kind is MeasureKind.SPAN:
        times: list[Any] = []
        for moment in (measure.start, measure.stop):
            known = [event["t"] for event in matches if _takes(moment.where, event)]
            times.append(known[0 if moment.edge is Edge.FIRST else -1] if known else None)
        return None if None in times else times[1] - times[0]
    chosen = [event for event in matches if _takes(measure.where, event)]
    if kind is MeasureKind.COUNT:
        return len(chosen)
    values = [value for event in chosen for value in path_getter(FIELD)(event)]
    if kind is MeasureKind.DISTINCT:
        return len(set(map(text_of, values)))
    found = [Fraction(number_of(value) or 0) for value in values]
    if not found:
        return None
    match kind:
        case MeasureKind.AVG:
            return sum(found) / len(found)
        case MeasureKind.SUM:
            return sum(found)
    return max(found) if kind is MeasureKind.MAX else min(found)


def _holds(condition: GroupCondition, matches: list[dict[str, Any]]) -> bool:
    match condition:
        case AllTests(terms):
            return all(_holds(term, matches) for term in terms)
        case AnyTest(terms):
            return any(_holds(term, matches) for term in terms)
        case NotTest(term):
            return not _holds(term, matches)
        case GroupTest(measure, ((sign, bound),)):
            value = _value(measure, matches)
            other: Any = bound.total_seconds() if isinstance(bound, timedelta) else bound
            if isinstance(bound, Multiple):
                other = _value(bound.measure, matches)
                other = None if other is None else other * Fraction(str(bound.times))
            if value is None or other is None:
                return False
            return bool(getattr(Fraction(value), SIGNS[sign])(Fraction(other)))
    raise AssertionError(condition)


def _passes(threshold: Threshold, matches: list[dict[str, Any]]) -> bool:
    return len(matches) >= threshold.count and all(_holds(test, matches) for test in threshold.having)


def _keys(threshold: Threshold, event: dict[str, Any]) -> list[Any]:
    if not threshold.by:
        return [()]
    found = path_getter(FieldPath(("u",)))(event)
    return found or ([None] if threshold.missing_keys is MissingKeys.GROUP else [])


def _groups(threshold: Threshold, stream: list[dict[str, Any]]) -> list[list[int]]:
    names = dict.fromkeys(key for event in stream for key in _keys(threshold, event))
    return [[n for n, event in enumerate(stream) if key in _keys(threshold, event)] for key in names]


def _alerts(threshold: Threshold, stream: list[dict[str, Any]]) -> list[tuple[int, ...]]:
    found = [LogEvent(data=event, time=event["t"] * SECOND, id=number) for number, event in enumerate(stream)]
    return sorted(tuple(map(int, alert.events)) for alert in StreamEvaluator(_rule(threshold)).alerts(found))


@given(thresholds(every=True), streams)
def test_windows_of_the_clock(threshold: Threshold, stream: list[dict[str, Any]]) -> None:
    assert threshold.every is not None
    within, every = threshold.within.total_seconds(), threshold.every.total_seconds()
    expected = []
    for group in _groups(threshold, stream):
        for number in range(1, 100):
            end = number * every
            inside = [n for n in group if end - within <= stream[n]["t"] < end]
            if _passes(threshold, [stream[n] for n in inside]):
                expected.append(tuple(inside))
    assert _alerts(threshold, stream) == sorted(expected)


@given(thresholds(every=False), streams)
def test_sliding_windows(threshold: Threshold, stream: list[dict[str, Any]]) -> None:
    within = threshold.within.total_seconds()
    expected = []
    for group in _groups(threshold, stream):
        known: list[int] = []
        waiting = list(group)
        while waiting or known:
            leaves = stream[known[0]]["t"] + within if known else None
            if waiting and (leaves is None or stream[waiting[0]]["t"] <= leaves):
                known.append(waiting.pop(0))
            else:
                known = [n for n in known if stream[n]["t"] + within > (leaves or 0)]
            if known and _passes(threshold, [stream[n] for n in known]):
                expected.append(tuple(known))
                known = []
    assert _alerts(threshold, stream) == sorted(expected)


@given(thresholds(every=False), streams)
def test_windows_from_a_first_match(threshold: Threshold, stream: list[dict[str, Any]]) -> None:
    threshold = msgspec.structs.replace(threshold, window=WindowStart.FIRST_MATCH)
    within = threshold.within.total_seconds()
    expected = []
    for group in _groups(threshold, stream):
        left = group
        while left:
            inside = [n for n in left if stream[n]["t"] < stream[left[0]]["t"] + within]
            left = left[len(inside) :]
            known = (inside[: size + 1] for size in range(len(inside)))
            expected += [tuple(p) for p in known if _passes(threshold, [stream[n] for n in p])][:1]
    assert _alerts(threshold, stream) == sorted(expected)


@given(conditions, streams, events)
def test_what_only_grows_stays_passed(
    condition: GroupCondition, stream: list[dict[str, Any]], more: dict[str, Any]
) -> None:
    if only_grows(condition) and _holds(condition, stream):
        later = sorted([*stream, more], key=lambda event: event["t"])
        assert _holds(condition, later)
