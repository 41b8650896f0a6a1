"""Lucene, filters and analysed words, each case as data: text → canonical condition."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from converter.evaluate import matches
from converter.logsources.pack import FieldType
from converter.model.diagnostics import RuleError
from converter.model.load import expression_from_data
from converter.model.paths import FieldPath
from converter.platforms.elastic.analysis import phrase
from converter.platforms.elastic.fields import StoredFields
from converter.platforms.elastic.importing.filters import read_filter
from converter.platforms.elastic.importing.lucene import read_query_string
from converter.platforms.elastic.importing.values import UnreadableError

CASES = Path(__file__).parent / "cases"
FIELDS = StoredFields.of_types({"source.ip": FieldType.IP, "message": FieldType.TEXT})


def cases(name: str) -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = yaml.safe_load((CASES / name).read_text(encoding="utf-8"))
    return loaded


@pytest.mark.parametrize("case", cases("lucene.yaml"), ids=lambda case: case["query"])
def test_query_strings(case: dict[str, Any]) -> None:
    assert read_query_string(case["query"], FIELDS) == expression_from_data(case["is"])


@pytest.mark.parametrize("line", (CASES / "lucene_refused.txt").read_text(encoding="utf-8").splitlines())
def test_query_strings_without_a_canonical_form(line: str) -> None:
    text, named = line.split(" => ")
    with pytest.raises(UnreadableError, match=named):
        read_query_string(text, FIELDS)


@pytest.mark.parametrize("text", ["f:(a", 'f:"a', "f:a AND", ")"])
def test_what_is_no_query_string(text: str) -> None:
    with pytest.raises(RuleError, match="LUCENE"):
        read_query_string(text, FIELDS)


@pytest.mark.parametrize("case", cases("filters.yaml"), ids=lambda case: str(case["filter"]))
def test_filters(case: dict[str, Any]) -> None:
    assert read_filter(case["filter"], FIELDS) == expression_from_data(case["is"])


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"script": {}}, "the query script"),
        ({"terms": {"f": {"index": "x"}}}, "terms lookup"),
        ({"bool": {"should": [], "minimum_should_match": 2}}, "minimum_should_match"),
        ({"range": {"@timestamp": {"gte": "now-1d"}}}, "a range over"),
        ({"term": {"f": None}}, "no text"),
    ],
)
def test_filters_without_a_canonical_form(body: dict[str, Any], named: str) -> None:
    with pytest.raises(UnreadableError, match=named):
        read_filter({"query": body}, FIELDS)


@pytest.mark.parametrize("case", cases("words.yaml"), ids=lambda case: f"{case['words']} in {case['text']}")
def test_words_of_analysed_text(case: dict[str, Any]) -> None:
    asked = phrase(FieldPath(("message",)), case["words"])
    assert matches(asked, {"message": case["text"]}) is case["holds"]
