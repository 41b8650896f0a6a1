"""The rules of canonical_rules/: each loads, is in its place, and its tests hold it down on every side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from converter.check.own_tests import run_tests
from converter.logsources import load_packs
from converter.model.dump import dump_rule
from converter.model.load import load_rules, load_text
from converter.model.rule import Rule
from converter.platforms.naming import slug
from tests.canonical_rules import overview
from tests.canonical_rules.mutants import mutants

RULES = load_rules([overview.FOLDER])
PACKS = load_packs()
BY_ID = {rule.id: rule for rule in RULES}
SEEDS: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "published.yaml").read_text("utf-8"))

each_rule = pytest.mark.parametrize("rule", RULES, ids=slug)


def test_the_pack_is_large_enough() -> None:
    assert len(RULES) >= 36


@each_rule
def test_a_rule_lies_in_its_log_source_under_its_title(rule: Rule) -> None:
    assert rule.place is not None
    path = Path(rule.place.file)
    assert path.relative_to(overview.FOLDER).as_posix() == f"{rule.steps[0].logsource[0]}/{slug(rule)}.yaml"


@each_rule
def test_a_rule_says_what_a_reader_needs(rule: Rule) -> None:
    texts = (rule.description, rule.runbook, rule.author, rule.alert.title, rule.attack, rule.output)
    assert all(texts)
    assert len(rule.title) <= 80


@each_rule
def test_dumping_and_loading_gives_the_same_rule(rule: Rule) -> None:
    (again,) = load_text(dump_rule(rule))
    assert replace(again, place=None) == replace(rule, place=None)


@each_rule
def test_a_rules_own_tests_pass(rule: Rule) -> None:
    result = run_tests([rule], PACKS)
    assert result.tests == len(rule.tests)
    assert result.failures == ()


@each_rule
def test_a_rule_has_events_that_match_and_near_misses(rule: Rule) -> None:
    assert any(test.match is True or (test.alerts or 0) > 0 for test in rule.tests)
    assert any(test.match is False or test.alerts == 0 for test in rule.tests)


@each_rule
def test_a_rule_that_depends_on_time_has_streams_on_both_sides(rule: Rule) -> None:
    if rule.threshold or rule.sequence or rule.new_terms:
        alerts = {test.alerts for test in rule.tests if test.alerts is not None}
        assert len(alerts) >= 2
    else:
        assert any(test.match for test in rule.tests)


@pytest.mark.parametrize(
    "mutant",
    [
        pytest.param(mutant, id=f"{slug(rule)}: {name}")
        for rule in RULES
        for name, mutant in mutants(rule, PACKS)
    ],
)
def test_a_rules_own_tests_notice_a_changed_part(mutant: Rule) -> None:
    assert run_tests([mutant], PACKS).failed > 0


@pytest.mark.parametrize("published", SEEDS, ids=lambda published: published["title"])
def test_published_rules_keep_their_metadata(published: dict[str, Any]) -> None:
    rule = BY_ID[published["id"]]
    assert rule.title == published["title"]
    assert rule.severity == published["severity"]
    assert [str(tag) for tag in rule.attack] == published["attack"]
    assert list(rule.references) == published.get("references", [])
    assert set(published.get("tags", [])) <= set(rule.tags)
    assert rule.created == published.get("created")
    assert (rule.risk.score if rule.risk else None) == published.get("risk_score")
    names = {test.name for test in rule.tests}
    assert set(published.get("tests", [])) <= names


def test_the_readme_lists_every_rule() -> None:
    assert overview.table(RULES) in overview.README.read_text("utf-8")
