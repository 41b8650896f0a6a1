"""Thresholds of every kind, written as ES|QL and read again: the same alerts on any rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from converter.evaluate import LogEvent, StreamEvaluator
from converter.evaluate.groups import group_getter
from converter.model.diagnostics import Fidelity
from converter.model.expressions import (
    AnyOf,
    Concat,
    Expression,
    Function,
    FunctionName,
    Not,
    Operator,
    Predicate,
)
from converter.model.losses import Losses
from converter.model.measures import (
    BOUNDS,
    WINDOW_END,
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
from converter.model.rule import Alternative, Choice, MissingKeys, Rule, Threshold
from converter.platforms.elastic.esql import query, read_query, tree
from converter.platforms.elastic.esql.parse import parse_query
from tests.platforms.elastic.esql import direct
from tests.platforms.elastic.esql.stored import FIELDS, localised

SECOND = 1_000_000_000
A, B, L, N = (FieldPath((name,)) for name in ("a", "b", "l", "n"))
EVENT = Predicate(FieldPath(("t",)), Operator.IS, (True,))

conditions: st.SearchStrategy[Expression] = st.sampled_from(
    [
        Predicate(A, Operator.IS, ("p",)),
        Not(Predicate(A, Operator.STARTS_WITH, ("p",))),
        Predicate(N, Operator.GT, (1,)),
        Predicate(L, Operator.IS, ("q",)),
    ]
)
wheres = st.lists(conditions, max_size=1).map(tuple)
LOWER = (Function(FunctionName.LOWER),)
numeric = st.one_of(
    st.builds(lambda where: Measure(MeasureKind.COUNT, where=where), wheres),
    st.builds(
        lambda some: Measure(MeasureKind.MET, where=tuple(some)), st.lists(conditions, min_size=2, max_size=3)
    ),
    st.builds(
        lambda path, functions, where: Measure(MeasureKind.DISTINCT, path, functions, where),
        st.sampled_from([A, L]),
        st.sampled_from([(), LOWER]),
        wheres,
    ),
    st.builds(
        lambda kind, where: Measure(kind, N, (), where),
        st.sampled_from([MeasureKind.SUM, MeasureKind.MIN, MeasureKind.MAX, MeasureKind.AVG]),
        wheres,
    ),
)
signs = st.sampled_from(BOUNDS)
seconds = st.integers(0, 30).map(lambda number: timedelta(seconds=number))


@st.composite
def comparisons(draw: st.DrawFn, with_end: bool) -> GroupCondition:
    sign = draw(signs)
    if draw(st.integers(0, 3)) == 0:
        start = Moment(draw(st.sampled_from([Edge.FIRST, Edge.LAST])), draw(wheres))
        stop = Moment(draw(st.sampled_from([Edge.FIRST, Edge.LAST])), draw(wheres))
        if with_end and draw(st.booleans()):
            stop = WINDOW_END
        return GroupTest(Measure(MeasureKind.SPAN, start=start, stop=stop), ((sign, draw(seconds)),))
    bound: Any = draw(st.integers(0, 4) | st.just(1.5))
    if draw(st.integers(0, 3)) == 0:
        bound = Multiple(draw(numeric), draw(st.sampled_from([1, 2, 0.5])))
    return GroupTest(draw(numeric), ((sign, bound),))


def combined(inner: st.SearchStrategy[GroupCondition]) -> st.SearchStrategy[GroupCondition]:
    return st.recursive(
        inner,
        lambda one: st.one_of(
            st.lists(one, min_size=1, max_size=2).map(lambda terms: AllTests(tuple(terms))),
            st.lists(one, min_size=1, max_size=2).map(lambda terms: AnyTest(tuple(terms))),
            one.map(NotTest),
        ),
        max_leaves=3,
    )


@st.composite
def thresholds(draw: st.DrawFn) -> Threshold:
    every = draw(st.sampled_from([None, timedelta(seconds=10), timedelta(seconds=20)]))
    within = timedelta(seconds=20)
    by = draw(st.sampled_from([(), (B,), (B, L)]))
    having = draw(st.lists(combined(comparisons(every is not None)), max_size=2))
    if every is None:
        assume(all(map(only_grows, having)))
    return Threshold(
        count=draw(st.integers(1, 3)),
        within=within,
        by=by,
        distinct=draw(st.sampled_from([None, A])),
        every=every,
        missing_keys=draw(st.sampled_from(MissingKeys)) if by else MissingKeys.SKIP,
        having=tuple(having),
    )


values: st.SearchStrategy[Alternative] = st.sampled_from(
    [
        Alternative(subject=A),
        Alternative(subject=A, functions=LOWER),
        Alternative(subject=B, functions=(Function(FunctionName.LENGTH),)),
        Alternative(subject=N),
        Alternative(subject=L),
        Alternative(subject=Concat(("p",))),
        Alternative(subject=Concat((A, ":", N))),
    ]
)
whens = st.lists(
    st.one_of(
        conditions,
        st.sampled_from([Predicate(A, Operator.EXISTS), Not(Predicate(N, Operator.EXISTS))]),
        st.lists(conditions, min_size=1, max_size=2).map(lambda terms: AnyOf(tuple(terms))),
    ),
    max_size=2,
).map(tuple)
choices = st.lists(
    st.builds(lambda value, when: msgspec.structs.replace(value, when=when), values, whens),
    min_size=1,
    max_size=3,
).map(lambda found: Choice(tuple(found)))


rows = st.lists(
    st.fixed_dictionaries(
        {"at": st.integers(0, 60), "t": st.booleans() | st.just(True)},
        optional={
            "a": st.sampled_from(["p", "q", "P", "pq"]),
            "b": st.sampled_from(["x", "y"]),
            "l": st.lists(st.sampled_from(["p", "q"]), max_size=2, unique=True),
            "n": st.integers(0, 4),
        },
    ),
    max_size=10,
)


def alerts(threshold: Threshold, stream: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    rule = Rule(
        id="0d5f7b7e-0000-4000-8000-000000000001",
        title="a rule",
        logsource=("raw",),
        indicators=(EVENT,),
        threshold=threshold,
    )
    found = [LogEvent(data=row, time=row["at"] * SECOND, id=n) for n, row in enumerate(stream)]
    return sorted(((alert.group, alert.events) for alert in StreamEvaluator(rule).alerts(found)), key=str)


def written(threshold: Threshold, losses: Losses) -> str:
    """The threshold as a query."""
    asked = localised(EVENT)
    described = {FieldPath((name,)): field for name, field in FIELDS.items()}
    return query(
        type(asked)(EVENT, {**asked.fields, **described}),
        ["x"],
        losses,
        threshold=threshold,
        interval=timedelta(seconds=10),
    )


@given(thresholds(), rows)
def test_a_threshold_as_esql_is_the_same_threshold(
    threshold: Threshold, stream: list[dict[str, Any]]
) -> None:
    losses = Losses("elastic")
    text = written(threshold, losses)
    assume(losses.fidelity is Fidelity.EXACT)
    reading = read_query(text, FIELDS)
    assert reading.condition == EVENT
    again = reading.threshold(timedelta(seconds=20), timedelta(seconds=10))
    assert again is not None
    grouped, expected = (
        msgspec.structs.replace(one, having=(), count=1, distinct=None) for one in (again, threshold)
    )
    assert grouped == expected
    assert alerts(again, stream) == alerts(threshold, stream)


@given(thresholds(), st.lists(choices, min_size=1, max_size=2), rows)
def test_a_choice_as_esql_makes_the_same_groups(
    threshold: Threshold, keys: list[Choice], stream: list[dict[str, Any]]
) -> None:
    losses = Losses("elastic")
    threshold = msgspec.structs.replace(threshold, choices=tuple(keys))
    text = written(threshold, losses)
    assume(losses.fidelity is Fidelity.EXACT)
    again = read_query(text, FIELDS).threshold(timedelta(seconds=20), timedelta(seconds=10))
    assert again is not None
    assert by_key(alerts(again, stream)) == by_key(alerts(threshold, stream))


def by_key(found: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The alerts with their keys in any order: a choice of one field is read as that field."""
    return sorted(((sorted(map(str, group)), events) for group, events in found), key=str)


@given(choices, rows)
def test_a_choice_as_it_is_evaluated_there(choice: Choice, stream: list[dict[str, Any]]) -> None:
    losses = Losses("elastic")
    text = written(Threshold(within=timedelta(seconds=20), choices=(choice,)), losses)
    assume(losses.fidelity is Fidelity.EXACT)
    (assigned,) = (command for command in parse_query(text) if isinstance(command, tree.Eval))
    keys = group_getter((), choices=(choice,))
    for row in stream:
        values = {(direct.text(value),) for value in direct.value(assigned.assignments[0].expression, row)}
        assert values == set(keys(row))


def test_numbers_of_two_types_are_one_key_as_text() -> None:
    length = Alternative(subject=B, functions=(Function(FunctionName.LENGTH),))
    there = (Predicate(N, Operator.EXISTS),)
    choice = Choice((Alternative(subject=N, when=there), length))
    text = written(Threshold(within=timedelta(seconds=20), choices=(choice,)), Losses("elastic"))
    assert "n IS NOT NULL, TO_STRING(n),\n        TO_STRING(LENGTH(b)))" in text
