"""The public ES|QL rules: all parse, and what is read of them is reported."""

from __future__ import annotations

import tomllib
from collections import Counter

import pytest

from converter.evaluate import compile_expression
from converter.model.diagnostics import RuleError
from converter.model.expressions import TRUE
from converter.platforms.elastic.esql import read_query
from converter.platforms.elastic.esql.parse import parse_query
from tests.corpus import CORPUS

RULES = CORPUS / "elastic"

pytestmark = [pytest.mark.corpus, pytest.mark.skipif(not RULES.is_dir(), reason="no rule corpus")]


def queries() -> list[str]:
    rules = (
        tomllib.loads(file.read_text(encoding="utf-8"))["rule"] for file in sorted(RULES.rglob("*.toml"))
    )
    return [rule["query"] for rule in rules if rule.get("language") == "esql"]


def test_every_query_parses_or_says_where_not() -> None:
    found: Counter[str] = Counter()
    for text in queries():
        try:
            parse_query(text)
            found["parsed"] += 1
        except RuleError as error:
            assert error.diagnostics[0].line
            found["not parsed"] += 1
    print(f"\nES|QL queries: {dict(found)}")
    assert found["parsed"] >= 0.95 * found.total()


def test_what_is_read_compiles_and_the_rest_is_named() -> None:
    found: Counter[str] = Counter()
    for text in queries():
        try:
            reading = read_query(text, kql=lambda kql: TRUE, strict=False)
        except RuleError as error:
            assert error.diagnostics
            found["refused"] += 1
            continue
        compile_expression(reading.condition)({"event.action": "x"})
        lost = any(diagnostic.effect is not None for diagnostic in reading.diagnostics)
        found["in part" if lost else "whole"] += 1
    print(f"\nES|QL queries read: {dict(found)}")
    assert found["whole"] + found["in part"] >= 0.6 * found.total()
