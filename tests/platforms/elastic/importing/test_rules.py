"""Whole rule files of every type → what is read of them."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from converter.logsources import load_packs
from converter.model.dump import dump_rule
from converter.model.load import load_text
from converter.platforms.base import ReadContext, ReadRule, Source
from converter.platforms.elastic import PLATFORM
from tests.timing import at_most

RULES = Path(__file__).parent / "rules"
CONTEXT = ReadContext(packs=load_packs())
EXPECTED: list[dict[str, Any]] = yaml.safe_load((RULES / "expected.yaml").read_text(encoding="utf-8"))


def read(text: str, file: str = "rule.toml") -> list[ReadRule]:
    return PLATFORM.read(Source(file=file, text=text), CONTEXT)


def read_file(name: str) -> ReadRule:
    (found,) = read((RULES / name).read_text(encoding="utf-8"), name)
    return found


@pytest.mark.parametrize("case", EXPECTED, ids=lambda case: case["file"])
def test_files(case: dict[str, Any]) -> None:
    found = read_file(case["file"])
    assert (found.kind, found.status, found.id) == (case["kind"], case["status"], case["id"])
    losses = [f"{one.code} {one.line}:{one.column}" for one in found.diagnostics if one.effect is not None]
    assert losses == case.get("findings", [])
    assert list(found.residue) == case.get("residue", [])
    if "rule" not in case:
        assert found.rule is None
        return
    assert found.rule is not None
    dumped = yaml.safe_load(dump_rule(found.rule))
    for key, value in case["rule"].items():
        assert dumped[key] == value, key
    if "suppress" in case:
        alert = found.rule.alert
        assert len(alert.group_by) == case["suppress"]["by"]
        assert alert.suppress_for == timedelta(seconds=case["suppress"]["seconds"])


@pytest.mark.parametrize("name", [case["file"] for case in EXPECTED if "rule" in case])
def test_what_is_read_can_be_written_as_a_rule_file(name: str) -> None:
    rule = read_file(name).rule
    assert rule is not None
    (again,) = load_text(dump_rule(rule))
    assert dump_rule(again) == dump_rule(rule)


def exported(**rule: Any) -> dict[str, Any]:
    return {
        "rule_id": "3d1d2f26-0000-4000-8000-000000000007",
        "name": "Exported",
        "severity": "low",
        "risk_score": 10,
        "type": "query",
        "language": "kuery",
        "query": "event.action : a",
        **rule,
    }


def lines(*objects: Any) -> str:
    return "\n".join(json.dumps(one) for one in objects) + "\n"


def test_exported_rules_with_their_exceptions() -> None:
    item = {
        "list_id": "mine",
        "entries": [
            {"field": "user.name", "type": "match", "operator": "included", "value": "root"},
            {"field": "host.name", "type": "match_any", "operator": "excluded", "value": ["a", "b"]},
        ],
    }
    rule = exported(exceptions_list=[{"list_id": "mine", "type": "detection"}])
    found, other = read(lines(rule, exported(), {"list_id": "mine"}, item, {"exported_count": 2}), "x.ndjson")
    assert (found.status, other.status) == ("exact", "exact")
    assert found.rule is not None
    dumped = yaml.safe_load(dump_rule(found.rule))
    inner = {"any": [{"field": "host.name", "is": "a"}, {"field": "host.name", "is": "b"}]}
    assert dumped["exclusions"] == [{"all": [{"field": "user.name", "is": "root"}, {"not": inner}]}]


def test_exceptions_kept_elsewhere_are_named() -> None:
    rule = exported(exceptions_list=[{"list_id": "theirs", "type": "detection"}])
    (found,) = read(lines(rule), "x.ndjson")
    assert (found.status, found.fidelity.value) == ("partial", "wider")
    assert found.residue == ("exceptions_list: theirs",)


def test_places_in_a_json_line() -> None:
    text = lines(exported(), exported(query='a : "b\\"" and\n(c : )'))
    (_, found) = read(text, "x.ndjson")
    (diagnostic,) = found.diagnostics
    assert (diagnostic.code, diagnostic.line) == ("kql-syntax", 2)
    assert diagnostic.column is not None
    assert text.split("\n")[1][diagnostic.column - 1 :].startswith(')"')


@pytest.mark.parametrize(
    ("text", "line", "named"),
    [
        ("[rule\n", 1, "no TOML"),
        ("a = 1\nb = = 2\n", 2, "no TOML"),
        ("[metadata]\n", 1, "no \\[rule\\]"),
        ('{"rule_id": 1,}\n', 1, "no JSON"),
        ("", 1, "no \\[rule\\]"),
    ],
)
def test_texts_without_a_rule(text: str, line: int, named: str) -> None:
    (found,) = read(text)
    assert (found.status, found.rule) == ("refused", None)
    (diagnostic,) = found.diagnostics
    assert diagnostic.line == line
    assert re.search(named, diagnostic.message)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"type": "odd"}, "rule-type"),
        ({"language": "sql"}, "language"),
        ({"query": None}, "query"),
        ({"query": "a : "}, "kql-syntax"),
        ({"type": "eql", "language": "eql", "query": "process where ("}, "eql-syntax"),
        (
            {"type": "eql", "language": "eql", "query": "sample by a [any where b] [any where c]"},
            "eql-syntax",
        ),
        ({"type": "esql", "language": "esql", "query": "FROM x | WHERE"}, "esql-syntax"),
        ({"type": "esql", "language": "esql", "query": "FROM x | CHANGE_POINT a"}, "esql-command"),
        ({"type": "threshold", "threshold": {"field": "a", "value": 0}}, "elastic-rule"),
        ({"type": "threshold", "threshold": {"field": "a", "value": 2}, "from": "now-1d/d"}, "elastic-rule"),
        ({"type": "new_terms", "new_terms_fields": []}, "elastic-rule"),
    ],
)
def test_rules_refused(changes: dict[str, Any], code: str) -> None:
    (found,) = read(lines(exported(**changes)), "x.ndjson")
    assert found.status == "refused"
    assert {one.code for one in found.diagnostics if one.effect is not None} == {code}


@pytest.mark.parametrize(
    ("name", "is_rule"),
    [
        ("a.toml", True),
        ("rules.ndjson", True),
        ("pyproject.toml", False),
        ("a.yml", False),
        (".a.toml", False),
    ],
)
def test_rule_files(name: str, is_rule: bool) -> None:
    assert PLATFORM.is_rule_file(Path("folder") / name) is is_rule


HOSTILE = {
    "columns of columns": (
        "esql",
        "FROM x | EVAL "
        + ", ".join(f'a{n + 1} = CASE(a{n} == "x", a{n}, b{n})' for n in range(40))
        + ' | WHERE a40 == "y"',
    ),
    "many separators": (
        "esql",
        'FROM x | DISSECT a "'
        + "".join(f"%{{k{n}}}{'ab' * 40}," for n in range(60))
        + '" | WHERE k59 == "y"',
    ),
    "deep negation in EQL": ("eql", "any where " + "not " * 3000 + "a"),
    "deep parentheses in KQL": ("kuery", "(" * 3000 + "a:b" + ")" * 3000),
    "deep parentheses in Lucene": ("lucene", "(" * 3000 + "a:b" + ")" * 3000),
    "many wildcards": ("eql", 'any where a : "' + "*a" * 2000 + '"'),
}


@pytest.mark.no_cover  # its time is measured
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_queries_end_soon(name: str) -> None:
    language, query = HOSTILE[name]
    kind = language if language in ("eql", "esql") else "query"
    with at_most(2):
        (found,) = read(lines(exported(type=kind, language=language, query=query)), "x.ndjson")
    assert found.rule is not None or found.diagnostics
