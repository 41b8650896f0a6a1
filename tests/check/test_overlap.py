"""Rules that ask the same, less or more than others: proved where that can be, and never claimed wrongly."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter import Rule
from converter.check.overlap import Overlaps, overlaps
from converter.evaluate import compile_expression
from converter.logsources import load_packs
from converter.model.expressions import AnyOf, Expression, Not, Operator, Predicate, all_of
from converter.model.load import load_text
from converter.model.paths import FieldPath

PACKS = load_packs()
HEAD = "id: 0d5f7b7e-0000-4000-8000-{number:012d}\ntitle: Rule {number}\n"
VERB = "{field: verb, is: get}"
EITHER = "{field: verb, is: [get, list]}"
URI = "{field: requestURI, starts_with: /api/v1}"
SHORTER = "{field: requestURI, starts_with: /api}"


def _rule(number: int, indicators: str, more: str = "", logsource: str = "kubernetes.audit") -> Rule:
    text = f"{HEAD.format(number=number)}logsource: {logsource}\nindicators: [{indicators}]\n{more}"
    (rule,) = load_text(text)
    return rule


def _told(*rules: Rule) -> Overlaps:
    return overlaps(rules, PACKS)


def _pairs(found: Overlaps) -> set[tuple[int, int, bool]]:
    assert all(relation.proved for relation in found.relations)
    return {(relation.first, relation.second, relation.same) for relation in found.relations}


CASES: list[tuple[str, str, set[tuple[int, int, bool]]]] = [
    (f"{VERB}, {URI}", f"{URI}, {VERB}", {(0, 1, True)}),
    (VERB, EITHER, {(0, 1, False)}),
    (EITHER, VERB, {(1, 0, False)}),
    (URI, SHORTER, {(0, 1, False)}),
    (f"{VERB}, {URI}", URI, {(0, 1, False)}),
    (f"{{any: [{VERB}, {URI}]}}", EITHER, set()),
    (VERB, URI, set()),
    ("{field: verb, is: GET, ignore_case: true}", VERB, {(1, 0, False)}),
    ("{not: {field: verb, exists: true}}", "{not: " + EITHER + "}", {(0, 1, False)}),
    ("{not: {any: [" + VERB + ", " + URI + "]}}", "{not: " + VERB + "}, {not: " + URI + "}", {(0, 1, True)}),
    ("{field: verb, like: 'g?t'}", "{field: verb, regex: '^g[a-z]t$'}", {(1, 0, False)}),
    ("{field: verb, regex: '^(get|list)$'}", EITHER, {(0, 1, True)}),
    ("{field: responseStatus.code, gt: 400}", "{field: responseStatus.code, gte: 401}", {(0, 1, True)}),
    ("{field: 'sourceIPs[]', cidr: 10.1.0.0/16}", "{field: 'sourceIPs[]', ip: private}", {(0, 1, False)}),
    (
        "{field: 'user.groups[]', is: [a, b], all_of: true}",
        "{field: 'user.groups[]', is: a}",
        {(0, 1, False)},
    ),
]


@pytest.mark.parametrize(("one", "other", "expected"), CASES)
def test_two_rules(one: str, other: str, expected: set[tuple[int, int, bool]]) -> None:
    assert _pairs(_told(_rule(1, one), _rule(2, other))) == expected


def test_only_the_direct_implications_are_told() -> None:
    rules = [_rule(1, f"{VERB}, {URI}"), _rule(2, URI), _rule(3, SHORTER), _rule(4, f"{URI}, {URI}")]
    assert _pairs(_told(*rules)) == {(1, 3, True), (0, 1, False), (1, 2, False)}


def test_log_sources_count() -> None:
    one = _rule(1, VERB)
    both = _rule(2, VERB, logsource="[kubernetes.audit, raw]")
    elsewhere = _rule(3, VERB, logsource="raw")
    assert _pairs(_told(one, both, elsewhere)) == {(0, 1, False), (2, 1, False)}


def test_what_counts_over_time_is_told_apart() -> None:
    counted = _rule(2, VERB, "threshold: {count: 5, within: 1m}\n")
    (relation,) = _told(_rule(1, VERB), counted).relations
    assert (relation.same, relation.apart) == (True, ("threshold",))


def test_rules_that_cannot_match_and_sequences_are_named() -> None:
    (sequence,) = load_text(
        HEAD.format(number=3) + "sequence:\n  within: 1m\n  steps:\n"
        f"    - {{logsource: raw, indicators: [{VERB}]}}\n    - {{logsource: raw, indicators: [{URI}]}}\n"
    )
    never = _rule(2, f"{VERB}, {{field: verb, is: list}}")
    found = _told(_rule(1, VERB), never, sequence)
    assert (found.relations, found.never, found.sequences) == ((), (1,), (2,))


SCALARS = st.sampled_from(["a", "b", "ab", "A", ""])
PREDICATES = st.builds(
    lambda field, operator, values, ignore: Predicate(
        FieldPath((field,)), operator, tuple(values), ignore_case=ignore
    ),
    st.sampled_from(["x", "y"]),
    st.sampled_from([Operator.IS, Operator.STARTS_WITH, Operator.CONTAINS, Operator.ENDS_WITH]),
    st.lists(SCALARS, min_size=1, max_size=2, unique=True),
    st.booleans(),
)
CONDITIONS: st.SearchStrategy[Expression] = st.recursive(
    PREDICATES,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(all_of, inner, inner),
        st.builds(lambda a, b: AnyOf((a, b)), inner, inner),
    ),
    max_leaves=4,
)
VALUES = [None, "a", "b", "ab", "A", "", "ba", "c", "aB"]
EVENTS: list[dict[str, Any]] = [
    {key: value for key, value in (("x", x), ("y", y)) if value is not None} for x in VALUES for y in VALUES
]


@given(st.lists(CONDITIONS, min_size=2, max_size=4))
def test_nothing_is_claimed_that_an_event_refutes(conditions: list[Expression]) -> None:
    rules = [
        Rule(id=str(number), title=str(number), logsource=("raw",), indicators=(condition,))
        for number, condition in enumerate(conditions)
    ]
    found = _told(*rules)
    holds = [compile_expression(condition) for condition in conditions]
    for relation in found.relations:
        for event in EVENTS:
            first, second = holds[relation.first](event), holds[relation.second](event)
            assert not first or second
            assert not relation.same or first is second
    assert all(not holds[number](event) for number in found.never for event in EVENTS)
