"""What fuzzing once found, as short texts: each is read, or refused with a reason, and soon."""

from __future__ import annotations

import json

import pytest

from converter.platforms.base import Source
from converter.platforms.registry import reader
from tests.fuzzing.run import MOST_SECONDS
from tests.fuzzing.targets import check, context
from tests.timing import at_most


def elastic(query: str, language: str) -> str:
    rule = {"rule_id": "3d1d2f26-0000-4000-8000-000000000301", "name": "Found", "index": ["logs-*"]}
    kind = language if language in ("eql", "esql") else "query"
    return json.dumps({**rule, "type": kind, "language": language, "query": query}) + "\n"


def splunk(search: str) -> str:
    return f"name: Found\nid: 3d1d2f26-0000-4000-8000-000000000302\nsearch: {json.dumps(search)}\n"


FOUND = {
    "an escape beyond Unicode": ("elastic", elastic('any where a == "\\u{110000}"', "eql")),
    "many words on an analysed field": ("elastic", elastic("message: " + "word " * 5_000, "kuery")),
    "many clauses left out": ("elastic", elastic("a:b" + " AND c:x~2" * 2_000, "lucene")),
    "a key of many parts": ("elastic", "[rule]\n" + "a." * 20_000 + "a = 1\n"),
    "a long key that is none": ("elastic", "[rule]\n" + "a" * 60_000 + "\n"),
    "a comment without an end": ("elastic", elastic("from x /* " + " \n" * 2_000, "esql")),
    "a line break that only YAML knows": (
        "sigma",
        "title: a\x85b\nlogsource: {product: windows}\ndetection:\n  s: {a: b}\n  condition: s and 1 of (\n",
    ),
    "a digit that is none": ("splunk", splunk("a=1 | streamstats window=5é count by b | where count > 4")),
    "a time beyond the calendar": ("splunk", splunk("a=1 | where _time > 176000000000000")),
    "a name of wildcards": (
        "splunk",
        splunk('a=1 | eval "' + "ab" * 50 + '"=1 | rename "' + "*a" * 40 + '" AS b'),
    ),
    "many clauses of tstats": (
        "splunk",
        splunk("| tstats count from datamodel=X" + " where a=1 by b" * 2_000),
    ),
}


@pytest.mark.no_cover  # its time is measured
@pytest.mark.parametrize("name", FOUND)
def test_found(name: str) -> None:
    platform, text = FOUND[name]
    with at_most(MOST_SECONDS):
        rules = reader(platform).read(Source(file="found.yml", text=text), context())
    assert rules
    check(rules)
