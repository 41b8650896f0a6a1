"""``convert vectors``: events, coverage, tests written into the rule's own file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from converter import load, matches
from tests.cli.conftest import Convert

FILE = """\
# A comment at the top.
id: 0d5f7b7e-0000-4000-8000-000000000031
title: Reads of secrets
logsource: kubernetes.audit
indicators:
  - {field: verb, is: [get, list]}   # reading
  - {field: requestURI, starts_with: /api/v1/secrets}
exclusions:
  - {field: "sourceIPs[]", cidr: 10.0.0.0/8}
TESTS
# A comment at the end.
"""
BLOCK = """\
tests:
  # One by hand.
  - name: by hand
    expect: match
    event: {verb: get, requestURI: /api/v1/secrets/x}
"""
FLUSH = BLOCK.replace("\n  ", "\n")
LAYOUTS = {
    "none": "severity: low\n",
    "block": BLOCK,
    "not indented": FLUSH,
    "in the middle": f"{BLOCK}\nseverity: low\n",
    "another document": f"{BLOCK}---\n" + FILE.replace("0031", "0032").replace("TESTS", "severity: low"),
}


@pytest.fixture
def rule(tmp_path: Path) -> Path:
    path = tmp_path / "rule.yaml"
    path.write_text(FILE.replace("TESTS", BLOCK), encoding="utf-8")
    return path


def test_events_are_the_log_sources_and_decide(convert: Convert, rule: Path) -> None:
    result = convert("vectors", str(rule))
    assert result.code == 0
    events = [json.loads(line) for line in result.out.splitlines()]
    (loaded,) = load(rule)
    verdicts = [matches(loaded, event) for event in events]
    assert set(verdicts) == {True, False}
    assert all(event["kind"] == "Event" and "stageTimestamp" in event for event in events)
    for addresses in ([], ["10.0.0.0"], ["9.255.255.255"], ["11.0.0.0"]):
        assert any(event.get("sourceIPs") == addresses for event in events), addresses
    for uri in (None, "", "/api/v1/secret", "/API/V1/SECRETS", "x/api/v1/secrets"):
        assert any(event.get("requestURI", "missing") == uri for event in events), uri
    assert any("requestURI" not in event for event in events)


def test_only_pairs_into_a_file(convert: Convert, rule: Path, tmp_path: Path) -> None:
    result = convert("vectors", str(rule), "--pairs", "-o", "made/events.jsonl")
    assert (result.code, result.out) == (0, "")
    lines = (tmp_path / "made" / "events.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 4  # one that matches, and one that just does not for each predicate


def test_coverage(convert: Convert, rule: Path) -> None:
    result = convert("vectors", str(rule), "--coverage")
    assert result.code == 0
    assert "1 rules, 3 predicates: 100.0 % decide both ways" in result.out
    (made,) = json.loads(convert("vectors", str(rule), "--pairs", "--json").out)
    for one in made["coverage"]:
        true, false = (made["events"][position] for position in one["pair"])
        assert true["verdict"] is not false["verdict"]
        assert one["alone"] is True


def test_a_rule_that_cannot_fire_is_a_finding(convert: Convert, rule: Path) -> None:
    text = rule.read_text(encoding="utf-8").replace("{field: verb, is", "{field: requestURI, is")
    rule.write_text(text, encoding="utf-8")
    result = convert("vectors", str(rule), "--coverage")
    assert result.code == 1
    assert "it can never fire" in result.err
    assert "the condition can never hold" in result.out


def test_what_another_predicate_implies_is_named(convert: Convert, rule: Path) -> None:
    text = rule.read_text(encoding="utf-8")
    more = "indicators:\n  - {field: requestURI, exists: true}\n"
    rule.write_text(text.replace("indicators:\n", more), encoding="utf-8")
    result = convert("vectors", str(rule), "--coverage")
    assert result.code == 0
    assert "it is always true where it would decide" in result.out


@pytest.mark.parametrize("layout", LAYOUTS)
def test_tests_are_added_and_no_line_is_changed(convert: Convert, rule: Path, layout: str) -> None:
    before = FILE.replace("TESTS\n", LAYOUTS[layout])
    rule.write_text(before, encoding="utf-8")
    rules = load(rule)
    result = convert("vectors", str(rule), "--add-tests")
    assert result.code == 0, result.err
    assert f"tests added to {len(rules)} rules" in result.err
    after = rule.read_text(encoding="utf-8")
    left = iter(after.splitlines())
    assert all(line in left for line in before.splitlines())
    changed = load(rule)
    assert [len(new.tests) > len(old.tests) for old, new in zip(rules, changed, strict=True)] == [True] * len(
        rules
    )
    assert convert("test", str(rule)).code == 0
    convert("vectors", str(rule), "--add-tests")
    assert rule.read_text(encoding="utf-8") == after


def test_tests_on_one_line_are_refused(convert: Convert, rule: Path) -> None:
    text = FILE.replace("TESTS", "tests: [{name: x, expect: no_match, event: {}}]")
    rule.write_text(text, encoding="utf-8")
    result = convert("vectors", str(rule), "--add-tests")
    assert result.code == 2
    assert "put each test on a line of its own" in result.err
    assert rule.read_text(encoding="utf-8") == text


def test_every_step_of_a_sequence(convert: Convert, rule: Path) -> None:
    rule.write_text(
        "id: 0d5f7b7e-0000-4000-8000-000000000033\ntitle: Two steps\nlogsource: raw\n"
        "sequence:\n  within: 1m\n  steps:\n"
        "    - {indicators: [{field: a, is: x}, {field: b, contains: y}]}\n"
        "    - {indicators: [{field: a, is: z}]}\n",
        encoding="utf-8",
    )
    (made,) = json.loads(convert("vectors", str(rule), "--json").out)
    assert [(one["step"], one["status"]) for one in made["coverage"]] == [
        (0, "covered"),
        (0, "covered"),
        (1, "covered"),
    ]


def test_a_far_index_costs_nothing(convert: Convert, rule: Path) -> None:
    text = rule.read_text(encoding="utf-8").replace("sourceIPs[]", "sourceIPs[999999999]")
    rule.write_text(text, encoding="utf-8")
    result = convert("vectors", str(rule), "--coverage")
    assert result.code == 0
    assert "lists of over 1000 elements are not made" in result.out
