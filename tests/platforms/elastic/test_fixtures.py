"""Cases from the fixture files: expression → text with its losses, and text → expression."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from converter.model.diagnostics import Fidelity, RuleError
from converter.model.dump import expression_to_data
from converter.model.expressions import TRUE, Expression
from converter.model.load import expression_from_data
from converter.model.losses import Losses
from converter.platforms.elastic.eql.reader import read as read_eql
from converter.platforms.elastic.eql.writer import write as write_eql
from converter.platforms.elastic.kql.reader import read as read_kql
from converter.platforms.elastic.kql.writer import write as write_kql
from tests.platforms.elastic.support import STORED, cases, described, stored_expression

WRITERS = {"kql": write_kql, "eql": write_eql}


def eql_condition(text: str) -> Expression:
    read = read_eql(text, STORED)
    assert read.condition is not None
    return read.condition


READERS: dict[str, Callable[[str], Expression]] = {
    "kql": lambda text: read_kql(text, STORED),
    "eql": eql_condition,
}


@pytest.mark.parametrize(
    ("language", "case"), [(name, case) for name in WRITERS for case in cases(f"{name}_write.txt")]
)
def test_written(language: str, case: list[str]) -> None:
    expression = stored_expression(case[0])
    losses = Losses("elastic")
    text = WRITERS[language](expression, described(expression), losses).text
    found = [f"{d.code}:{d.effect.value}" for d in losses.diagnostics if d.effect is not None]
    assert found == (case[2].split() if len(case) > 2 else [])
    if losses.fidelity is not Fidelity.REFUSED:
        assert text == case[1]


@pytest.mark.parametrize(
    ("language", "case"), [(name, case) for name in READERS for case in cases(f"{name}_read.txt")]
)
def test_read(language: str, case: list[str]) -> None:
    text, expected = case
    if expected.startswith("!"):
        with pytest.raises(RuleError) as raised:
            READERS[language](text)
        assert expected[1:].strip() in str(raised.value)
        assert raised.value.diagnostics[0].code == f"{language}-syntax"
    else:
        assert expression_to_data(READERS[language](text)) == expression_to_data(stored_expression(expected))


def test_an_empty_kql_query_matches_everything() -> None:
    assert read_kql("  ", STORED) == TRUE == expression_from_data([])
