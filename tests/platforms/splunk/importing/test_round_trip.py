"""What the writer writes is read as the rule it was, as a detection and as a stanza, for the whole pack."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from converter.evaluate import compile_expression
from converter.logsources import canonical_event, project
from converter.model.load import load_rules
from converter.model.rule import Rule
from converter.platforms.base import Context, ReadContext, ReadRule, Source
from converter.platforms.splunk import PLATFORM
from tests.platforms.splunk.importing.support import packs

ROOT = Path(__file__).resolve().parents[4]
RULES = {rule.title: rule for rule in load_rules([ROOT / "canonical_rules"])}


def _techniques(rule: Rule) -> list[str]:
    """What contentctl takes of them: no technique beside its own sub-technique."""
    named = [tag.technique for tag in rule.attack if tag.technique is not None]
    return [one for one in named if not any(other.startswith(f"{one}.") for other in named)]


@cache
def read_again(title: str) -> dict[str, ReadRule]:
    artifact = PLATFORM.render(RULES[title], Context(packs=packs()))
    found = {}
    for file in artifact.files:
        if PLATFORM.is_rule_file(Path(file.path)):
            (one,) = PLATFORM.read(Source(file=file.path, text=file.text), ReadContext(packs=packs()))
            found[file.path.partition("/")[0]] = one
    return found


@pytest.mark.parametrize("title", RULES)
def test_a_written_rule_is_read_exactly(title: str) -> None:
    rule, found = RULES[title], read_again(title)
    assert set(found) == {"detections", "savedsearches"}
    for form, one in found.items():
        assert one.status == "exact", one.diagnostics
        assert one.rule is not None
        if form == "detections":
            assert one.rule.id == rule.id
            assert {tag.technique for tag in one.rule.attack} == set(_techniques(rule))
        ours, theirs = rule.threshold, one.rule.threshold
        assert (ours is None) == (theirs is None)
        if ours is not None and theirs is not None:
            assert (theirs.count, theirs.by, theirs.distinct) == (ours.count, ours.by, ours.distinct)
            # The writer names that it counts distinct values over a second more.
            assert timedelta() <= theirs.within - ours.within <= timedelta(seconds=1 if ours.distinct else 0)
        assert (one.rule.sequence is None) == (rule.sequence is None)
        if rule.new_terms is not None:
            assert one.rule.new_terms == rule.new_terms
        if rule.sequence is not None and one.rule.sequence is not None:
            assert one.rule.sequence.within == rule.sequence.within


def events(rule: Rule) -> list[dict[str, Any]]:
    return [event for test in rule.tests for event in test.events]


@pytest.mark.parametrize("title", [title for title, rule in RULES.items() if rule.sequence is None])
def test_it_has_the_same_verdict_on_the_rules_own_events(title: str) -> None:
    """On events as Splunk stores them and gives them back: flat names, by the pack's canonical ones."""
    rule = RULES[title]
    one = read_again(title)["detections"]
    assert one.rule is not None
    pack = packs()[rule.logsource[0]]
    widened = "same-element" in {d.code for d in PLATFORM.render(rule, Context(packs=packs())).diagnostics}
    ours, theirs = compile_expression(rule.condition), compile_expression(one.rule.condition)
    for raw in events(rule):
        event = canonical_event(pack, raw)
        assert project(pack, event, "splunk")
        if ours(event) != theirs(event) and (ours(event) or not widened):
            pytest.fail(f"{ours(event)} became {theirs(event)} on {json.dumps(raw)}")
