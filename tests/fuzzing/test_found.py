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
    "a table of many wildcards": ("splunk", splunk("a=1 | spath eventName | table b" + "*" * 60 + "c")),
    "one value taken out again and again": (
        "splunk",
        splunk(
            "a=1 | eval f=mvindex('b{}.c', 4)" + ' | rex field=f "x: (?<x>[^,]+)"' * 150 + " | search x=y"
        ),
    ),
    "a sequence longer than time": (
        "splunk",
        splunk("a=1 | where isnum(start_2) AND (_time-start_2)<=9223372036854775808"),
    ),
    "an object unpacked into a list": (
        "panther",
        "from pypanther import Rule, RuleTest\n\n\nclass A(Rule):\n"
        "    id = 'A'\n    tests = [*RuleTest()]\n\n"
        "    def rule(self, event):\n        return event.get('a') == 1\n",
    ),
    "a selector of many stars": (
        "sigma",
        "title: a\nlogsource: {product: windows}\ndetection:\n  " + "a" * 60 + ": {a: b}\n"
        "  condition: 1 of " + "a*" * 30 + "b\n",
    ),
    "many questions of one field": ("elastic", elastic(" and ".join(["a:b", "a:c"] * 1_000), "kuery")),
    "many like questions of one field": ("elastic", elastic(" and ".join(["a:(b or c)"] * 2_000), "kuery")),
    "a span longer than time": (
        "elastic",
        elastic("sequence with maxspan=" + "9" * 400 + "s [any where a == 1] [any where b == 1]", "eql"),
    ),
    "a number beyond any in EQL": ("elastic", elastic("any where a == " + "9" * 5_000, "eql")),
    "a number beyond any in ES|QL": ("elastic", elastic("from x | where a == " + "9" * 5_000, "esql")),
    "a span of too many hours": (
        "elastic",
        elastic("from x | where @timestamp > now() - " + "9" * 5_000 + " hours", "esql"),
    ),
    "a span of many hours": (
        "elastic",
        elastic("from x | stats count(*) by bucket(@timestamp, " + "9" * 17 + " hours)", "esql"),
    ),
    "nested beyond reading": (
        "elastic",
        elastic("from x | where " + "not (" * 300 + "a" + ")" * 300, "esql"),
    ),
    "a number beyond any in SPL": ("splunk", splunk("a=1 | where b=" + "9" * 5_000)),
    "a ratio to no number": ("splunk", splunk("a=1 | stats count by b | where count/2 > 1e999")),
    "a window longer than time": (
        "splunk",
        splunk("a=1 | bin _time span=" + "9" * 30 + "w | stats count by _time"),
    ),
    "many blanks before a command": ("splunk", splunk("a=1 |" + " " * 50_000 + "| where b=1")),
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
        rules = reader(platform).read(
            Source(file="found.py" if text.startswith("from ") else "found.yml", text=text), context()
        )
    assert rules
    check(rules)
