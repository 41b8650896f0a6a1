"""Correlations and filters: several documents that make one rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from converter.model.dump import rule_to_data
from converter.model.load import load_text
from converter.platforms.base import ReadContext, Source
from converter.platforms.sigma import PLATFORM
from tests.platforms.sigma.support import PACKS, READING, documents, expression, read_one, rule_text

CASES = list(documents("correlations.yml"))
LOGIC = ("indicators", "exclusions", "threshold", "sequence")


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_correlations(case: dict[str, Any]) -> None:
    *_, read = PLATFORM.read(Source(file="rules.yml", text=case["text"]), READING)
    codes = [diagnostic.code for diagnostic in read.diagnostics]
    assert read.kind == case["kind"]
    if "refused" in case:
        assert (read.status, codes, read.rule) == ("refused", [case["refused"]], None)
        assert read.diagnostics[0].line
        return
    assert read.status == case.get("status", "exact"), read.diagnostics
    assert codes == case.get("codes", [])
    assert read.rule is not None
    head = {"id": read.rule.id, "title": "x", "logsource": "raw"}
    (expected,) = load_text(yaml.safe_dump({**head, **case["reads"]}))
    got, wanted = rule_to_data(read.rule), rule_to_data(expected)
    assert {key: got.get(key) for key in LOGIC} == {key: wanted.get(key) for key in LOGIC}


PARTS = CASES[0]["text"]


def test_a_rule_that_a_correlation_names_does_not_alert_by_itself() -> None:
    assert [rule.title for rule in PLATFORM.read(Source(file="x.yml", text=PARTS), READING)] == [
        "Many failed logons"
    ]
    also = PARTS.replace("  timespan", "  generate: true\n  timespan")
    titles = [rule.title for rule in PLATFORM.read(Source(file="x.yml", text=also), READING)]
    assert titles == ["Failed logon", "Many failed logons"]


def test_rules_beside_a_correlation_are_found(tmp_path: Path) -> None:
    part, correlation = PARTS.split("---\n")
    (tmp_path / "part.yml").write_text(part)
    own = tmp_path / "correlation.yml"
    own.write_text(correlation)
    assert read_one(correlation, file=str(own)).status == "exact"
    assert read_one(correlation).status == "refused"
    given = ReadContext(packs=PACKS, beside=(tmp_path,))
    assert read_one(correlation, given).status == "exact"


def test_a_correlation_of_correlations_is_refused() -> None:
    text = PARTS.replace("title: Many", "name: many\ntitle: Many") + (
        "---\ntitle: Top\ncorrelation:\n"
        "  {type: event_count, rules: [many], timespan: 1h, condition: {gte: 2}}\n"
    )
    read = {rule.title: rule for rule in PLATFORM.read(Source(file="x.yml", text=text), READING)}
    assert [d.code for d in read["Top"].diagnostics] == ["correlation"]


def test_log_sources_of_a_sequence_stand_at_its_steps() -> None:
    text = CASES[4]["text"].replace("{product: test}", "{product: aws, service: cloudtrail}", 1)
    rule = read_one(text).rule
    assert rule is not None and rule.sequence is not None
    assert [step.logsource for step in rule.sequence.steps] == [("aws.cloudtrail",), ("raw",)]
    assert rule.logsource == ()


def test_events_of_different_log_sources_are_not_counted_together() -> None:
    text = CASES[3]["text"].replace("{product: test}", "{product: aws, service: cloudtrail}", 1)
    assert [d.code for d in read_one(text).diagnostics if d.effect] == ["correlation"]


# -- filters

FILTER = """
title: Not the scanner
logsource: {product: test}
filter: {rules: RULES, s: {a: 2}, condition: not s}
"""
RULE = "name: mine\nid: 0d5f7b7e-1111-4222-8333-444455556666\n" + rule_text(
    "{s: {b: 1}, condition: s}", "{product: test}"
)
FILTERED = expression("{all: [{field: b, is: 1}, {not: {field: a, is: 2}}]}")
UNFILTERED = expression("{field: b, is: 1}")


@pytest.mark.parametrize(
    ("rules", "applies"),
    [
        ("any", True),
        ("[]", True),
        ("mine", True),
        ("[mine]", True),
        ("[0d5f7b7e-1111-4222-8333-444455556666]", True),
        ("[other]", False),
        ("other", False),
        ("{}", False),
    ],
)
def test_filters_apply_to_the_rules_they_name(rules: str, applies: bool) -> None:
    rule = read_one(f"{RULE}---{FILTER.replace('RULES', rules)}").rule
    assert rule is not None
    assert rule.condition == (FILTERED if applies else UNFILTERED)


def test_a_filter_covers_its_own_log_source_alone() -> None:
    other = FILTER.replace("RULES", "any").replace("test", "other")
    rule = read_one(f"{RULE}---{other}").rule
    assert rule is not None and rule.condition == UNFILTERED


def test_filters_beside_the_rules_apply(tmp_path: Path) -> None:
    (tmp_path / "filter.yml").write_text(FILTER.replace("RULES", "any"))
    rule = read_one(RULE, ReadContext(packs=PACKS, beside=(tmp_path,))).rule
    assert rule is not None and rule.condition == FILTERED


def test_a_filter_alone_is_no_rule() -> None:
    read = read_one(FILTER)
    assert (read.status, read.kind, [d.code for d in read.diagnostics]) == ("refused", "filter", ["filter"])


def test_a_mistake_in_a_filter_is_found_where_it_is() -> None:
    broken = FILTER.replace("RULES", "any").replace("not s", "not t")
    read = read_one(f"{RULE}---{broken}")
    assert [(d.code, d.line) for d in read.diagnostics] == [("condition", 9)]
