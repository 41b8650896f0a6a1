"""What a writer wrote, its reader reads back with the meaning that the expression has."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.evaluate import matches
from converter.logsources.pack import FieldType
from converter.model.diagnostics import Fidelity
from converter.model.expressions import All, AnyOf, Expression, Operator, Predicate
from converter.model.losses import Losses
from converter.model.paths import FieldPath
from converter.platforms.elastic.eql.reader import read as read_eql
from converter.platforms.elastic.eql.writer import write as write_eql
from converter.platforms.elastic.eql.writer import write_condition
from converter.platforms.elastic.kql import literals as kql_literals
from converter.platforms.elastic.kql.reader import read as read_kql
from converter.platforms.elastic.kql.writer import write as write_kql
from converter.platforms.elastic.kql.writer import write_query
from converter.platforms.elastic.patterns import ANY, format_like, parse_like, pattern
from tests.platforms.elastic.made import (
    WORDS,
    conditions,
    elementwise,
    events,
    nested,
    operands,
    predicates,
    texts,
)
from tests.platforms.elastic.support import STORED, described

USER = FieldPath(("user.name",))


def check(language: str, expression: Expression, happened: list[dict[str, Any]]) -> None:
    """Written and read back, the verdicts are the same; with a loss they differ in its direction only."""
    losses = Losses("elastic")
    if language == "kql":
        text = write_query(expression, described(expression), losses)
    else:
        text = "any where " + write_condition(expression, described(expression), losses)
    effects = {d.effect for d in losses.diagnostics if d.effect is not None}
    if Fidelity.REFUSED in effects:
        return
    read = read_kql(text, STORED) if language == "kql" else read_eql(text, STORED).condition
    assert read is not None
    asked = elementwise(expression)
    for event in happened:
        expected, got = matches(asked, event), matches(read, event)
        if expected != got:
            assert (Fidelity.WIDER if got else Fidelity.NARROWER) in effects, (text, event)


@pytest.mark.parametrize("language", ["kql", "eql"])
@given(expression=conditions(predicates()), happened=st.lists(events, min_size=1, max_size=5))
def test_conditions(language: str, expression: Expression, happened: list[dict[str, Any]]) -> None:
    check(language, expression, happened)


@pytest.mark.parametrize("language", ["kql", "eql"])
@given(
    expression=conditions(predicates(FieldType.KEYWORD, FieldType.WILDCARD)),
    happened=st.lists(events, min_size=1, max_size=5),
)
def test_conditions_on_texts(language: str, expression: Expression, happened: list[dict[str, Any]]) -> None:
    check(language, expression, happened)


@given(
    expression=st.one_of(nested, conditions(predicates())), happened=st.lists(events, min_size=1, max_size=5)
)
def test_nested_conditions(expression: Expression, happened: list[dict[str, Any]]) -> None:
    check("kql", All((expression,)), happened)


@pytest.mark.parametrize("language", ["kql", "eql"])
@given(text=texts)
def test_every_text_is_written_so_that_it_reads_back(language: str, text: str) -> None:
    predicate = Predicate(USER, Operator.IS, (text,))
    losses = Losses("elastic")
    if language == "kql":
        read: Expression | None = read_kql(write_kql(predicate, {}, losses).text, STORED)
    else:
        read = read_eql(f"any where {write_eql(predicate, {}, losses).text}", STORED).condition
    assert read == predicate
    assert losses.fidelity is Fidelity.EXACT


@given(text=operands)
def test_a_kql_wildcard_reads_back_as_its_pattern(text: str) -> None:
    parts = pattern((ANY, text, ANY))
    written = kql_literals.wildcard(parts)
    assert written is not None
    assert read_kql(f"user.name:{written}", STORED) == Predicate(USER, Operator.LIKE, (format_like(parts),))


@given(names=st.text(min_size=1, max_size=8))
def test_every_field_name_reads_back(names: str) -> None:
    predicate = Predicate(FieldPath((names,)), Operator.EXISTS)
    losses = Losses("elastic")
    assert read_kql(write_kql(predicate, {}, losses).text, STORED) == predicate
    eql = f"any where {write_eql(predicate, {}, losses).text}"
    assert read_eql(eql, STORED).condition == predicate


@given(text=texts)
def test_patterns_format_as_they_parse(text: str) -> None:
    parts = parse_like(text)
    assert parse_like(format_like(parts)) == parts


def test_no_pattern_has_two_stars_in_a_row() -> None:
    assert pattern(("a", "", ANY, ANY, "b", "c")) == ("a", ANY, "bc")


@pytest.mark.parametrize("word", WORDS)
def test_operators_in_texts_do_not_change_the_tree(word: str) -> None:
    expression = AnyOf(
        (Predicate(USER, Operator.IS, (word, "z")), Predicate(FieldPath(("ok",)), Operator.EXISTS))
    )
    losses = Losses("elastic")
    assert read_kql(write_kql(expression, {}, losses).text, STORED) == AnyOf(
        (
            Predicate(USER, Operator.IS, (word,)),
            Predicate(USER, Operator.IS, ("z",)),
            Predicate(FieldPath(("ok",)), Operator.EXISTS),
        )
    )
    read = read_eql(f"any where {write_eql(expression, {}, losses).text}", STORED)
    assert read.condition == expression


def test_long_queries_are_laid_out_on_lines() -> None:
    names = tuple(f"a rather long name, the {number}th" for number in range(8))
    expression = All(
        (Predicate(USER, Operator.IS, names), Predicate(FieldPath(("ok",)), Operator.IS, (True,)))
    )
    kql = write_query(expression, described(expression), Losses("elastic"))
    eql = write_condition(expression, described(expression), Losses("elastic"))
    assert max(map(len, (*kql.splitlines(), *eql.splitlines()))) < 120
    assert kql.splitlines()[-1] == "  and ok:true"
    assert eql.splitlines()[-1] == "  and ok == true"
    assert read_eql(f"any where {eql}", STORED).condition == expression
    first = read_kql(kql, STORED)
    assert [matches(first, {"user.name": name, "ok": True}) for name in (*names, "x")] == [True] * 8 + [False]
