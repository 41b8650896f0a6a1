"""Lucene, filters and analysed words, each case as data: text → canonical condition."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from converter.evaluate import matches
from converter.logsources.pack import FieldType
from converter.model.diagnostics import RuleError
from converter.model.expressions import FALSE
from converter.model.load import expression_from_data
from converter.model.paths import FieldPath
from converter.platforms.elastic.analysis import phrase
from converter.platforms.elastic.fields import StoredFields
from converter.platforms.elastic.grammars import LeftOut
from converter.platforms.elastic.importing.exceptions import read_exception
from converter.platforms.elastic.importing.filters import read_filter
from converter.platforms.elastic.importing.lucene import read_query_string
from converter.platforms.elastic.typed import UnreadableError

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
        (
            {"bool": {"should": [{"term": {"f": "a"}}], "minimum_should_match": "2<75%"}},
            "minimum_should_match",
        ),
        (
            {"bool": {"should": [{"term": {"f": n}} for n in "abcdefghij"], "minimum_should_match": 5}},
            "5 of 10",
        ),
        ({"range": {"@timestamp": {"gte": "now-1d"}}}, "a range over"),
        ({"range": {"f": {"gte": "2024-01-01"}}}, "a range over"),
        ({"range": {"source.ip": {"gte": "10.x"}}}, "no address"),
        ({"range": {"f": {"gte": 1, "time_zone": "+01:00"}}}, "time_zone"),
        ({"term": {"f": None}}, "no text"),
        ({"term": {"message": "a"}}, "analysed field message"),
        ({"terms": {"message": ["a"]}}, "analysed field message"),
        ({"prefix": {"message": "a"}}, "a prefix query on message"),
        ({"regexp": {"message": "a"}}, "a regexp query on message"),
        ({"wildcard": {"source.ip": "10.*"}}, "a wildcard on source.ip"),
        ({"match": {"f": {"query": "a", "fuzziness": "AUTO"}}}, "fuzziness"),
        ({"match_phrase": {"f": {"query": "a", "slop": 2}}}, "slop"),
        ({"match": {"message": " ".join(map(str, range(100)))}}, "more than 60 words"),
        ({"multi_match": {"query": "a", "fields": ["f"], "type": "cross_fields"}}, "cross_fields"),
        ({"multi_match": {"query": "a", "fields": []}}, "every field"),
        ({"multi_match": {"query": "a", "fields": ["f*"]}}, "no one field"),
        ({"nested": {"path": "items", "query": {"term": {"f": "a"}}}}, "that asks f"),
        (
            {
                "nested": {
                    "path": "items",
                    "query": {"nested": {"path": "items.x", "query": {"exists": {"field": "items.x.y"}}}},
                }
            },
            "in another one",
        ),
        ({"query_string": {"query": "a AND b", "fields": ["f", "g"]}}, "several clauses over several fields"),
        ({"query_string": {"query": "NOT a", "fields": ["f", "g"]}}, "several clauses over several fields"),
        ({"regexp": {"f": {"value": "a", "flags": "NONE"}}}, "a regexp query with flags"),
        ({"simple_query_string": {"query": "a b", "fields": ["f"]}}, "more than one word"),
        ({"exists": {"field": "a*"}}, "a wildcard in a field name"),
    ],
)
def test_filters_without_a_canonical_form(body: dict[str, Any], named: str) -> None:
    with pytest.raises(UnreadableError, match=named):
        read_filter({"query": body}, FIELDS)


@pytest.mark.parametrize(
    "body",
    [
        {"range": {"source.ip": {"gt": "10.0.0.9", "lt": "10.0.0.1"}}},
        {"wildcard": {"message": "a*b c"}},
        {"query_string": {"query": "message:*a\\-b*"}},
        {"match_none": {}},
        {"terms": {"f": []}},
    ],
)
def test_filters_that_nothing_meets(body: dict[str, Any]) -> None:
    assert read_filter({"query": body}, FIELDS) == FALSE


def test_a_lucene_clause_may_be_left_out_where_others_are_required() -> None:
    missing: list[LeftOut] = []
    text = "f:a AND when:[now-1d TO now] AND NOT g:x~2"
    assert read_query_string(text, FIELDS, missing=missing) == expression_from_data({"field": "f", "is": "a"})
    assert [part.text for part in missing] == ["AND when:[now-1d TO now]", "AND NOT g:x~2"]
    assert all(part.reason.column for part in missing)
    with pytest.raises(UnreadableError):
        read_query_string("f:a OR g:x~2", FIELDS, missing=missing)


@pytest.mark.parametrize("case", cases("exceptions.yaml"), ids=lambda case: str(case["entries"]))
def test_exceptions(case: dict[str, Any]) -> None:
    item = {"entries": case["entries"], "os_types": case.get("os_types")}
    if "refused" in case:
        with pytest.raises(UnreadableError, match=case["refused"]):
            read_exception(item, FIELDS)
    else:
        assert read_exception(item, FIELDS) == expression_from_data(case["is"])


@pytest.mark.parametrize("case", cases("words.yaml"), ids=lambda case: f"{case['words']} in {case['text']}")
def test_words_of_analysed_text(case: dict[str, Any]) -> None:
    asked = phrase(FieldPath(("message",)), case["words"])
    assert matches(asked, {"message": case["text"]}) is case["holds"]
