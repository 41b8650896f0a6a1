"""Fields that hold several values, by what is asked of them, are lists in the canonical rule."""

from __future__ import annotations

import pytest

from converter.logsources import load_packs
from converter.model.describe import describe
from converter.platforms.base import ReadContext, Source
from converter.platforms.elastic import PLATFORM

TEXT = """
[rule]
rule_id = "0d5f7b7e-0000-4000-8000-000000000001"
name = "Case"
type = "query"
language = "kuery"
severity = "low"
index = ["{index}"]
query = '''{query}'''
"""
CASES = [
    ("a.b:x and a.b:y and c:z", 'a.b[] is "x" and a.b[] is "y" and c is "z"'),
    ("a.b:x and (a.b:(x or y) or c:z)", 'a.b is "x" and (a.b is "x" or a.b is "y" or c is "z")'),
    ("a.b:x or a.b:y", 'a.b is "x" or a.b is "y"'),
    ("a.b:x and not a.b:y", 'a.b is "x" and not a.b is "y"'),
    ("not (a.b:x and a.b:y)", 'not (a.b is "x" and a.b is "y")'),
]


def _condition(query: str, index: str = "elsewhere-*") -> str:
    text = TEXT.format(index=index, query=query)
    (found,) = PLATFORM.read(Source(file="case.toml", text=text), ReadContext(packs=load_packs()))
    assert found.rule is not None, found.diagnostics
    return describe(found.rule.condition)


@pytest.mark.parametrize(("query", "condition"), CASES)
def test_values_asked_for_at_once(query: str, condition: str) -> None:
    assert _condition(query) == condition


def test_a_field_that_its_log_source_declares_stays_as_it_is() -> None:
    """Of a single value nothing else is made: a query for two of it is never true."""
    query = "kubernetes.audit.verb:get and kubernetes.audit.verb:list"
    assert _condition(query, index="logs-kubernetes.audit_logs-*") == 'verb is "get" and verb is "list"'
