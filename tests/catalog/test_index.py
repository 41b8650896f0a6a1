"""Counts: how many other rules look for a value, and how many leave it out."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converter.catalog.index import Index, index_of, rows_of
from converter.catalog.sources import Found, Origin, canonical, imported
from converter.logsources import load_packs
from converter.model.expressions import (
    All,
    AnyOf,
    Expression,
    ForSome,
    Not,
    Operator,
    Predicate,
    predicates,
)
from converter.model.load import load_text
from converter.model.paths import FieldPath
from converter.model.rule import Rule
from converter.platforms.collection import Reading
from tests.catalog.counting import ByHand
from tests.corpus import CORPUS
from tests.strategies import expressions

PACKS = load_packs()
RULE = """\
id: 0d5f7b7e-0000-4000-8000-0000000000{number:02}
title: Rule {number}
logsource: kubernetes.audit
{body}
"""


def index(*bodies: str) -> Index:
    """An index of canonical rules with these bodies."""
    texts = [RULE.format(number=number, body=body.strip()) for number, body in enumerate(bodies)]
    return index_of(canonical([rule for text in texts for rule in load_text(text)]), PACKS)


def seen(found: Index) -> dict[str, list[tuple[str, str, int]]]:
    """Per rule the indicators' field, value and count."""
    return {
        record.title: [
            (row.field, value.text, found.seen_by(position, row, value))
            for row in record.tables.indicators
            for value in row.values
        ]
        for position, record in enumerate(found.records)
    }


def test_other_rules_are_counted_once_each() -> None:
    found = index(
        "indicators: [{field: verb, is: [get, list]}, {field: stage, is: ResponseComplete}]",
        """
indicators:
  - any: [{field: verb, is: get}, {all: [{field: verb, is: get}, {field: level, is: x}]}]
""",
        "indicators: [{field: verb, starts_with: get}]",
    )
    assert seen(found) == {
        "Rule 0": [("verb", "get", 1), ("verb", "list", 0), ("stage", "ResponseComplete", 0)],
        "Rule 1": [("verb", "get", 1), ("level", "x", 0)],
        "Rule 2": [("verb", "get", 0)],
    }


def test_exclusions_are_counted_apart() -> None:
    found = index(
        "indicators: [{field: stage, exists: true}]\nexclusions: [{field: userAgent, is: [a, b]}]",
        "indicators: [{field: stage, exists: true}, {not: {field: userAgent, is: a}}]",
        "indicators: [{field: userAgent, is: a}]",
    )
    first, second, third = found.records
    (row,) = first.tables.exclusions[0]
    a, b = row.values
    assert (found.left_out_by(0, row, a), found.seen_by(0, row, a)) == (1, 1)
    assert (found.left_out_by(0, row, b), found.seen_by(0, row, b)) == (0, 0)
    assert second.tables.exclusions[0][0].values[0].text == "a"
    assert found.seen_by(2, third.tables.indicators[0], third.tables.indicators[0].values[0]) == 0


@pytest.mark.parametrize(
    ("ignore", "expected"),
    [("", [0, 0, 0, 0]), (", ignore_case: true", [2, 2, 2, 0])],
    ids=["kept", "folded"],
)
def test_one_rule_that_ignores_case_makes_a_field_caseless(ignore: str, expected: list[int]) -> None:
    found = index(
        "indicators: [{field: userAgent, is: Curl}]",
        "indicators: [{field: userAgent, is: curl}]",
        f"indicators: [{{field: userAgent, is: [CURL, wget]{ignore}}}, {{field: verb, is: Curl}}]",
        "indicators: [{field: verb, is: curl}]",
    )
    counts = [
        count for entries in seen(found).values() for field, text, count in entries if field == "userAgent"
    ]
    assert counts == expected
    assert {count for entries in seen(found).values() for field, _, count in entries if field == "verb"} == {
        0
    }
    assert found.caseless == ({"userAgent"} if ignore else frozenset())


def test_exclusions_that_hold_together_stay_together() -> None:
    found = index(
        """
indicators: [{field: stage, exists: true}]
exclusions:
  - {field: verb, is: get}
  - {field: verb, is: list}
  - all: [{field: userAgent, is: a}, {field: "sourceIPs[]", ip: private}, {not: {field: level, is: x}}]
"""
    )
    groups = found.records[0].tables.exclusions
    assert [[(row.field, row.alone, row.negated, len(row.values)) for row in group] for group in groups] == [
        [("verb", True, False, 2)],
        [("userAgent", False, False, 1), ("sourceIPs[]", False, False, 1), ("level", False, True, 1)],
    ]
    assert ("level", "is", "x") not in found.excluders


def test_what_must_not_hold_in_one_alternative_is_no_exclusion() -> None:
    found = index(
        """
indicators:
  - any: [{field: verb, is: get}, {all: [{field: verb, is: list}, {not: {field: level, is: x}}]}]
"""
    )
    tables = found.records[0].tables
    assert [row.field for row in tables.inner] == ["level"]
    assert not tables.exclusions
    assert not found.excluders


def test_alternatives_that_are_all_negations_exclude_together() -> None:
    found = index(
        """
indicators:
  - {field: stage, exists: true}
  - any: [{not: {field: verb, is: get}}, {field: level, exists: false}]
"""
    )
    tables = found.records[0].tables
    assert not tables.inner
    assert [[(row.field, row.negated, row.alone) for row in group] for group in tables.exclusions] == [
        [("verb", False, False), ("level", False, False)]
    ]


def test_an_absent_step_is_an_exclusion() -> None:
    found = index(
        """
sequence:
  within: 1m
  steps:
    - {by: [user.username], indicators: [{field: verb, is: create}]}
    - {by: [user.username], indicators: [{field: verb, is: delete}], absent: true}
"""
    )
    tables = found.records[0].tables
    assert [(row.kind, row.step, row.values[0].text) for row in tables.indicators] == [("is", 0, "create")]
    assert [(row.step, row.values[0].text) for group in tables.exclusions for row in group] == [(1, "delete")]


def _leaf(name: str, value: str, operator: Operator, ignore_case: bool) -> Predicate:
    return Predicate(FieldPath.parse(name), operator, (value,), ignore_case)


FIELDS = st.sampled_from(["a", "b[]", "b[0]", "c.d"])
VALUES = st.sampled_from(["x", "X", r"\x", "*x", "x*", "1", "1.0"])
KINDS = st.sampled_from([Operator.IS, Operator.ENDS_WITH, Operator.LIKE, Operator.REGEX, Operator.CONTAINS])
LEAVES = st.builds(_leaf, FIELDS, VALUES.filter(lambda text: text != "*x"), KINDS, st.booleans()) | st.builds(
    _leaf, FIELDS, VALUES, st.just(Operator.LIKE), st.booleans()
)
"""Predicates of few fields and values, so that rules share them."""

CONDITIONS: st.SearchStrategy[Expression] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(All, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Not, inner),
        st.builds(ForSome, st.just(FieldPath.of("b")), inner),
    ),
    max_leaves=4,
)


@st.composite
def collections(draw: st.DrawFn) -> list[Rule]:
    """A few rules over the same fields."""
    lists = st.lists(CONDITIONS, min_size=1, max_size=2).map(tuple)
    number = draw(st.integers(2, 5))
    return [
        Rule(
            id=f"00000000-0000-4000-8000-{n:012}",
            title="t",
            logsource=("raw",),
            indicators=draw(lists),
            exclusions=draw(lists),
        )
        for n in range(number)
    ]


@settings(max_examples=50)
@given(collections(), st.randoms())
def test_the_order_of_rules_changes_nothing(listed: list[Rule], chance: random.Random) -> None:
    found = [*canonical(listed)]
    shuffled = found[:]
    chance.shuffle(shuffled)
    assert index_of(found, PACKS) == index_of(shuffled, PACKS)


def _leaves(expression: Expression) -> int:
    return sum(max(1, len(set(map(repr, p.values)))) for p in predicates(expression))


@given(expressions(), expressions())
def test_every_predicate_is_in_one_table(wanted: Expression, unwanted: Expression) -> None:
    rule = Rule(id="0", title="t", logsource=("raw",), indicators=(wanted,), exclusions=(unwanted,))
    (record,) = index_of(canonical([rule]), PACKS).records
    shown = {(row.field, row.kind, value.text) for row in rows_of(record) for value in row.values}
    asked = {p.operator.value for p in predicates(rule.condition)}
    assert {kind for _, kind, _ in shown} == asked
    assert len(shown) <= _leaves(rule.condition)
    fields = {name for row in rows_of(record) for name in row.fields}
    assert fields <= {use.field for use in record.needs}


def _agrees(found: Sequence[Found]) -> int:
    """Compare every count with that of the slow definition; gives the number of counts compared."""
    counted = ByHand([rule for item in found if (rule := item.read.rule) is not None])
    indexed = index_of(found, PACKS)
    compared = 0
    for position, record in enumerate(indexed.records):
        tables = record.tables
        sought = [(row, False) for row in tables.indicators]
        left_out = [(row, True) for group in tables.exclusions for row in group]
        for row, excluded in (*sought, *left_out):
            count = indexed.left_out_by if excluded else indexed.seen_by
            for value in row.values:
                expected = counted.others(record.id, excluded, row.fields, value.key)
                assert count(position, row, value) == expected, (record.title, row, value)
                compared += 1
    return compared


@given(collections())
def test_counts_are_those_of_the_definition(listed: list[Rule]) -> None:
    assert _agrees([*canonical(listed)]) > 0


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason="no public rules here")
def test_counts_of_300_public_rules_are_those_of_the_definition() -> None:
    origins = [
        Origin(reading=Reading(platform=name), paths=tuple(_some(CORPUS / name, suffix)))
        for name, suffix in (("sigma", "yml"), ("elastic", "toml"), ("splunk", "yml"))
    ]
    found = [item for item in imported(origins) if item.read.rule is not None]
    assert len(found) >= 240
    assert _agrees(found) > 1500


def _some(folder: Path, suffix: str) -> list[Path]:
    """100 files of a collection, evenly from all of it."""
    names = {"sigma": "rules", "elastic": "rules", "splunk": "detections"}
    files = sorted((folder / names[folder.name]).rglob(f"*.{suffix}"))
    return files[:: max(1, len(files) // 100)][:100]
