"""When two rules look for the same: the keys of operands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from converter.catalog.keys import folded, keys_of, plain_like
from converter.catalog.rows import tables_of
from converter.evaluate import matches
from converter.model.expressions import Operator, Predicate, predicates
from converter.model.load import expression_from_data
from converter.model.paths import FieldPath
from converter.model.rule import Rule
from tests.strategies import expressions

HERE = Path(__file__).parent
CASES: list[dict[str, Any]] = yaml.safe_load((HERE / "keys.yaml").read_text(encoding="utf-8"))


def rule(*indicators: object) -> Rule:
    """A rule with these conditions."""
    conditions = tuple(expression_from_data(data) for data in indicators)
    return Rule(id="0", title="t", logsource=("raw",), indicators=conditions)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["condition"])[:60])
def test_an_operand_has_its_key(case: dict[str, Any]) -> None:
    rows = tables_of(rule(case["condition"])).indicators
    assert [list(value.key) for row in rows for value in row.values] == case["keys"]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (("a", "is", "ConsoleLogin"), ("a", "is", "consolelogin")),
        (("a", "contains", "ÄÖ"), ("a", "contains", "äö")),
        (("a", "regex", r"\S[A-Z]"), ("a", "regex", r"\S[A-Z]")),
        (("Image", "same_as", "OtherField"), ("Image", "same_as", "OtherField")),
    ],
)
def test_case_is_folded_in_texts_alone(key: tuple[str, str, str], expected: tuple[str, str, str]) -> None:
    assert folded(key) == expected


PATTERNS = st.text(alphabet="ab*?\\", max_size=8)


@given(PATTERNS, st.text(alphabet="ab*?\\", max_size=8))
def test_the_simplest_operator_means_the_same(pattern: str, value: str) -> None:
    operator, operand = plain_like(pattern)
    event = {"f": value}
    path = FieldPath.of("f")
    simple = matches(Predicate(path, operator, (operand,)), event)
    assert simple == matches(Predicate(path, Operator.LIKE, (pattern,)), event)


@given(expressions())
def test_every_operand_has_one_key(expression: Any) -> None:
    for predicate in predicates(expression):
        assert len(keys_of(predicate)) == max(1, len(predicate.values))
