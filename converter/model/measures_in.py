"""Tests of a group from plain data: ``{count: matches, gte: 5}``, ``{distinct: FIELD, lt: 3}``, all, any."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from converter.model import tables
from converter.model.expressions import Expression, Operator
from converter.model.expressions_in import read_expressions, read_field, read_functions
from converter.model.measures import (
    BOUNDS,
    FIELD_KINDS,
    FIRST_MATCH,
    LAST_MATCH,
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
)
from converter.model.problems import Problems, Where, describe, did_you_mean, shortened
from converter.model.scalars_in import BadValue, parse_span

_KINDS: Final = {kind.value: kind for kind in MeasureKind}
_EDGES: Final = {edge.value: edge for edge in Edge}
_COMBINATORS: Final = (tables.ALL_KEY, tables.ANY_KEY, tables.NOT_KEY)
_ENDS: Final = (tables.SPAN_FROM_KEY, tables.SPAN_TO_KEY)


def read_having(data: object, where: Where, problems: Problems) -> tuple[GroupCondition, ...]:
    """A list of tests, one at least."""
    tests = _read_list(data, where, problems, 1)
    if isinstance(data, list) and not data:
        problems.add("empty", "expected at least one test of the group", where)
    return tests


def _read_list(data: object, where: Where, problems: Problems, depth: int) -> tuple[GroupCondition, ...]:
    if not isinstance(data, list):
        problems.wrong_type(tables.Kind.HAVING.value, data, where, "put '- ' before each test")
        return ()
    read = (_read_test(item, (where, index), problems, depth) for index, item in enumerate(data))
    return tuple(test for test in read if test is not None)


def _read_test(data: object, where: Where, problems: Problems, depth: int) -> GroupCondition | None:
    if depth > tables.MAX_EXPRESSION_DEPTH:
        problems.add("too-deep", f"tests nest more than {tables.MAX_EXPRESSION_DEPTH} deep", where)
        return None
    if not isinstance(data, dict):
        problems.wrong_type("a test of the group, {count: matches, gte: 5}", data, where)
        return None
    kind = next((key for key in data if key in _COMBINATORS), None)
    if kind is None:
        return _read_comparison(data, where, problems)
    other = next((key for key in data if key != kind), None)
    if other is not None:
        message = f"{other!r} cannot stand beside {kind!r}"
        problems.add("unknown-key", message, (where, other), "make it a test of its own", on_key=True)
        return None
    return _read_combined(kind, data[kind], (where, kind), problems, depth + 1)


def _read_combined(
    kind: str, data: object, where: Where, problems: Problems, depth: int
) -> GroupCondition | None:
    if kind == tables.NOT_KEY and not isinstance(data, list):
        term = _read_test(data, where, problems, depth)
        return None if term is None else NotTest(term)
    before = len(problems)
    terms = _read_list(data, where, problems, depth)
    if len(problems) == before and not terms:
        problems.add("empty", "expected at least one test of the group", where)
    if len(problems) != before:
        return None
    if kind == tables.NOT_KEY:
        return NotTest(terms[0] if len(terms) == 1 else AllTests(terms))
    return AllTests(terms) if kind == tables.ALL_KEY else AnyTest(terms)


def _read_comparison(data: dict[str, Any], where: Where, problems: Problems) -> GroupTest | None:
    before = len(problems)
    measure = _read_measure(data, tables.BOUND_KEYS, where, problems)
    given = [sign for sign in BOUNDS if sign.value in data]
    if not given and len(problems) == before:
        problems.add("missing-key", f"a comparison is expected: one of {_listed(tables.BOUND_KEYS)}", where)
    if measure is None:
        return None
    bounds: list[tuple[Operator, Bound]] = []
    for sign in given:
        bound = _read_bound(data[sign.value], measure.kind, (where, sign.value), problems)
        if bound is not None:
            bounds.append((sign, bound))
    return GroupTest(measure, tuple(bounds)) if len(problems) == before else None


def _read_measure(
    data: dict[str, Any], beside: tuple[str, ...], where: Where, problems: Problems
) -> Measure | None:
    """The measure that a mapping names; ``beside``: the keys that may stand there as well."""
    before = len(problems)
    allowed = (*tables.MEASURE_DOCS, tables.WHERE_KEY, tables.APPLY_KEY, *beside)
    for key in data:
        if key not in allowed:
            message = f"{shortened(key)} is no key of a test; expected one of {_listed(allowed)}"
            problems.add("unknown-key", message, (where, key), did_you_mean(key, allowed), on_key=True)
    named = [key for key in data if key in _KINDS]
    if len(named) > 1:
        message = f"one measure is expected, got {named[0]!r} and {named[1]!r}"
        problems.add("two-measures", message, (where, named[1]), "write two tests", on_key=True)
    if not named and len(problems) == before:
        problems.add("missing-key", f"a measure is expected: one of {_listed(tables.MEASURE_DOCS)}", where)
    if len(problems) != before:
        return None
    measure = _read_kind(_KINDS[named[0]], data, where, problems)
    return measure if len(problems) == before else None


def _read_kind(kind: MeasureKind, data: dict[str, Any], where: Where, problems: Problems) -> Measure | None:
    place: Where = (where, kind.value)
    value = data[kind.value]
    if kind not in FIELD_KINDS and tables.APPLY_KEY in data:
        problems.add(
            "bad-modifier", f"apply means nothing with {kind.value!r}", (where, tables.APPLY_KEY), on_key=True
        )
    if tables.WHERE_KEY in data and (kind is MeasureKind.MET or isinstance(value, dict)):
        message = f"'where' means nothing beside {kind.value!r} of {describe(value)}"
        problems.add("bad-modifier", message, (where, tables.WHERE_KEY), "leave it out", on_key=True)
    if kind is MeasureKind.MET:
        return Measure(kind, where=_read_where(value, place, problems))
    chosen: tuple[Expression, ...] = ()
    if tables.WHERE_KEY in data:
        chosen = _read_where(data[tables.WHERE_KEY], (where, tables.WHERE_KEY), problems)
    if kind in FIELD_KINDS:
        path = read_field(value, place, problems)
        applied = read_functions(data.get(tables.APPLY_KEY, ()), (where, tables.APPLY_KEY), problems)
        return Measure(kind, path, applied, chosen)
    if kind is MeasureKind.SPAN and isinstance(value, dict):
        return _read_span(value, place, problems)
    if value != tables.ALL_MATCHES:
        hint = "where: [{field: …, exists: true}] leaves out the matches without a field"
        problems.wrong_type(f"{kind.value}: {tables.ALL_MATCHES}", value, place, hint)
        return None
    if kind is MeasureKind.SPAN and chosen:
        return Measure(kind, start=Moment(Edge.FIRST, chosen), stop=Moment(Edge.LAST, chosen))
    return Measure(kind, where=chosen)


def _read_where(data: object, where: Where, problems: Problems) -> tuple[Expression, ...]:
    before = len(problems)
    terms = read_expressions(data, where, problems)
    if not terms and len(problems) == before:
        problems.add("empty", "expected at least one condition", where)
    return terms


def _read_span(data: dict[str, Any], where: Where, problems: Problems) -> Measure:
    for key in data:
        if key not in _ENDS:
            message = f"{shortened(key)} is no key of a span; expected from, to"
            problems.add("unknown-key", message, (where, key), did_you_mean(key, _ENDS), on_key=True)
    if not data:
        problems.add("empty", "a span has a 'from', a 'to', or both", where)
    start, stop = (
        _read_moment(data[key], (where, key), problems) if key in data else default
        for key, default in zip(_ENDS, (FIRST_MATCH, LAST_MATCH), strict=True)
    )
    return Measure(MeasureKind.SPAN, start=start, stop=stop)


def _read_moment(data: object, where: Where, problems: Problems) -> Moment:
    if isinstance(data, str) and data in _EDGES:
        return Moment(_EDGES[data])
    if isinstance(data, dict) and len(data) == 1:
        edge, conditions = next(iter(data.items()))
        if edge in (Edge.FIRST, Edge.LAST):
            return Moment(_EDGES[edge], _read_where(conditions, (where, edge), problems))
    expected = f"one of {_listed(_EDGES)}, or {{first: [CONDITION, …]}}, {{last: [CONDITION, …]}}"
    problems.wrong_type(expected, data, where, did_you_mean(data, _EDGES))
    return FIRST_MATCH


def _read_bound(data: object, kind: MeasureKind, where: Where, problems: Problems) -> Bound | None:
    if isinstance(data, dict):
        return _read_multiple(data, kind, where, problems)
    if kind is MeasureKind.SPAN:
        return _read_time(data, where, problems)
    if isinstance(data, bool) or not isinstance(data, (int, float)):
        problems.wrong_type("a number, or another measure", data, where)
        return None
    return data


def _read_time(data: object, where: Where, problems: Problems) -> timedelta | None:
    if not isinstance(data, str):
        hint = f"name the unit: {data}s" if isinstance(data, int) else None
        problems.wrong_type("a duration such as 0s or 5m, or another span", data, where, hint)
        return None
    try:
        return parse_span(data)
    except BadValue as error:
        problems.add(error.code, str(error), where, error.hint)
        return None


def _read_multiple(
    data: dict[str, Any], kind: MeasureKind, where: Where, problems: Problems
) -> Multiple | None:
    before = len(problems)
    measure = _read_measure(data, (tables.TIMES_KEY,), where, problems)
    times = data.get(tables.TIMES_KEY, 1)
    if isinstance(times, bool) or not isinstance(times, (int, float)):
        problems.wrong_type("a number", times, (where, tables.TIMES_KEY))
    if measure is not None and (measure.kind is MeasureKind.SPAN) is not (kind is MeasureKind.SPAN):
        problems.add("bad-operand", "a span is compared with a span, a number with a number", where)
    return Multiple(measure, times) if measure is not None and len(problems) == before else None


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
