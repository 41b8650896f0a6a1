"""The older dialect of EQL: every feature over a few events of our own, as data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from converter.model.diagnostics import RuleError
from converter.platforms.elastic.eql.dialects import ELASTICSEARCH, OLDER, OLDER_WITH_CASE, Dialect
from converter.platforms.elastic.eql.query import Schema, ids, run
from converter.platforms.elastic.eql.reader import read
from converter.platforms.elastic.fields import StoredFields

HERE = Path(__file__).parent
EVENTS: list[dict[str, Any]] = yaml.safe_load((HERE / "events.yaml").read_text(encoding="utf-8"))
SCHEMA = Schema(id="id", time="time", unit=10**9, process="pid", parent="ppid")
LINES = (HERE / "dialect.txt").read_text(encoding="utf-8").splitlines()
CASES = [line.split(" ==> ") for line in LINES if line and not line.startswith("#")]
FOUND = [case for case in CASES if not case[1].startswith("!")]
REFUSED = [case for case in CASES if case[1].startswith("!")]


def found(query: str, dialect: Dialect) -> str:
    return " ".join(map(str, ids(run(query, EVENTS, dialect, SCHEMA)))) or "none"


@pytest.mark.parametrize("case", FOUND, ids=lambda case: case[0])
def test_queries(case: list[str]) -> None:
    query, expected, *with_case = case
    assert found(query, OLDER) == expected
    assert found(query, OLDER_WITH_CASE) == (with_case[0] if with_case else expected)


@pytest.mark.parametrize(("query", "named"), REFUSED)
def test_what_is_not_supported_is_named(query: str, named: str) -> None:
    with pytest.raises(RuleError) as raised:
        run(query, EVENTS, OLDER, SCHEMA)
    assert named.removeprefix("!").strip() in str(raised.value)
    assert raised.value.diagnostics[0].line


@pytest.mark.parametrize(
    ("query", "facts"),
    [
        ("file where true | count", [{"count": 2, "key": "totals"}]),
        ("file where true | count user event_type", [{"count": 2, "percent": 1.0, "key": ["ann", "file"]}]),
        (
            "process where true | count name",
            [
                {"count": 2, "percent": 0.5, "key": "tool.exe"},
                {"count": 1, "percent": 0.25, "key": "Boot.exe"},
                {"count": 1, "percent": 0.25, "key": "shell.exe"},
            ],
        ),
        (
            "file where true | unique_count user",
            [{"count": 2, "percent": 1.0}],
        ),
    ],
)
def test_what_pipes_count(query: str, facts: list[dict[str, Any]]) -> None:
    assert [match.facts for match in run(query, EVENTS, OLDER, SCHEMA)] == facts


@pytest.mark.parametrize(
    "text",
    [
        "any where name = 'a'",
        'any where name == ?"a"',
        "any where name:length() == 3",
        "any where name == owner",
        "any where child of [any where true]",
        "join [any where true] [any where true]",
        "any where true | unique name",
        "sequence [any where a == 1] by a + 1 [any where true] by b",
    ],
)
def test_elasticsearch_has_none_of_it(text: str) -> None:
    with pytest.raises(RuleError):
        read(text, StoredFields(), dialect=ELASTICSEARCH)
