"""What changed since a baseline is found, with an event; what did not is not reported."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from converter import Rule, RuleError
from converter.api import context_for
from converter.check.baseline import (
    EVENTS_NAME,
    FILE_NAME,
    Baseline,
    Events,
    Samples,
    changes,
    record,
    render_all,
    same_now,
    save,
    stored,
)
from converter.model.load import load_text
from converter.platforms.registry import platform

TEXT = """
id: 0d5f7b7e-0000-4000-8000-000000000001
title: Two reads
logsource: kubernetes.audit
indicators: [{field: verb, is: get}, {field: requestURI, starts_with: /api/}]
tests:
  - {name: read, expect: match, event: {verb: get, requestURI: /api/v1}}
"""
COUNTED = TEXT + "threshold: {count: 3, within: 10m}\nplatforms: {panther: {allow_loss: [window]}}\n"
STEPS = """
id: 0d5f7b7e-0000-4000-8000-000000000001
title: Two reads
sequence:
  within: 5m
  steps:
    - {logsource: kubernetes.audit, by: [user.username], indicators: [{field: verb, is: get}]}
    - {logsource: kubernetes.audit, by: [user.username], indicators: [{field: verb, is: list}]}
"""
PLATFORMS = [platform(name) for name in ("elastic", "panther", "splunk")]
CONTEXTS = {each.name: context_for() for each in PLATFORMS}


def _rule(text: str) -> Rule:
    (rule,) = load_text(text)
    return rule


def _recorded(*texts: str) -> tuple[Baseline, Events]:
    rules = [_rule(text) for text in texts]
    samples = Samples(rules, context_for().packs)
    return record(render_all(rules, PLATFORMS, CONTEXTS), PLATFORMS, [samples])


def _changed(old: tuple[Baseline, Events], *texts: str) -> set[tuple[str, str]]:
    rendered = render_all([_rule(text) for text in texts], PLATFORMS, CONTEXTS)
    return {(change.kind, change.platform) for change in changes(*old, rendered, PLATFORMS)}


def _everywhere(*kinds: str) -> set[tuple[str, str]]:
    return {(kind, each.name) for kind in kinds for each in PLATFORMS}


@pytest.mark.parametrize("text", [TEXT, COUNTED, STEPS])
def test_the_same_is_no_change(text: str) -> None:
    assert _changed(_recorded(text), text) == set()


CHANGES: dict[str, tuple[str, str, set[tuple[str, str]]]] = {
    "another value": (TEXT, TEXT.replace("is: get", "is: list"), _everywhere("outputs", "verdicts")),
    "another description": (TEXT, TEXT + "description: Reads.\n", _everywhere("outputs")),
    "another count": (COUNTED, COUNTED.replace("count: 3", "count: 4"), _everywhere("outputs", "alerts")),
    "a threshold": (
        TEXT,
        COUNTED,
        _everywhere("outputs") | {("fidelity", name) for name in ("elastic", "panther", "splunk")},
    ),
    "another span": (
        STEPS,
        STEPS.replace("5m", "9m"),
        _everywhere("outputs", "alerts"),
    ),
}


@pytest.mark.parametrize(("before", "after", "expected"), CHANGES.values(), ids=CHANGES)
def test_changes(before: str, after: str, expected: set[tuple[str, str]]) -> None:
    found = _changed(_recorded(before), after)
    assert expected <= found
    assert found - expected <= _everywhere("alerts")


def test_the_first_differing_event_is_shown() -> None:
    old = _recorded(TEXT)
    rendered = render_all([_rule(TEXT.replace("is: get", "is: list"))], PLATFORMS, CONTEXTS)
    (change,) = [c for c in changes(*old, rendered, PLATFORMS[:1]) if c.kind == "verdicts"]
    assert (change.old, change.new) == ("match", "no match")
    assert change.event["verb"] == "get"
    assert "was match, is no match" in change.diagnostic.message


def test_rules_come_and_go() -> None:
    other = TEXT.replace("000001", "000002")
    assert _changed(_recorded(TEXT), other) == {("removed", ""), ("added", "")}


def test_steps_that_are_more_or_fewer() -> None:
    two = _recorded(STEPS)
    found = _changed(two, TEXT)
    assert {("verdicts", "elastic"), ("outputs", "elastic")} <= found


def test_what_stayed_need_not_be_run() -> None:
    before = render_all([_rule(TEXT)], PLATFORMS, CONTEXTS)
    after = render_all([_rule(TEXT)], PLATFORMS, CONTEXTS)
    other = render_all([_rule(TEXT.replace("get", "list"))], PLATFORMS, CONTEXTS)
    assert same_now(before, after) == {before[0].rule.id}
    assert same_now(before, other) == frozenset()


def test_a_baseline_is_kept_and_found_again(tmp_path: Path) -> None:
    baseline, events = _recorded(COUNTED, TEXT.replace("000001", "000002"))
    save(tmp_path / "kept", baseline, events)
    first = (tmp_path / "kept" / EVENTS_NAME).read_bytes()
    assert stored(tmp_path / "kept") == (baseline, events)
    save(tmp_path / "kept", baseline, events)
    assert (tmp_path / "kept" / EVENTS_NAME).read_bytes() == first


def _cut(folder: Path) -> None:
    (folder / EVENTS_NAME).write_bytes((folder / EVENTS_NAME).read_bytes()[:-9])


def _emptied(folder: Path) -> None:
    (folder / FILE_NAME).write_text("{}")


def _shortened(folder: Path) -> None:
    data = json.loads((folder / FILE_NAME).read_text())
    form = next(iter(data["rules"].values()))["forms"]["elastic"]
    form["verdicts"] = [form["verdicts"][0][1:]]
    (folder / FILE_NAME).write_text(json.dumps(data))


def _renamed(folder: Path) -> None:
    data = json.loads((folder / FILE_NAME).read_text())
    next(iter(data["rules"].values()))["events"][0][0] = "nothing"
    (folder / FILE_NAME).write_text(json.dumps(data))


@pytest.mark.parametrize("damage", [_cut, _emptied, _shortened, _renamed])
def test_a_damaged_baseline_is_an_error(damage: Callable[[Path], None], tmp_path: Path) -> None:
    save(tmp_path, *_recorded(TEXT))
    damage(tmp_path)
    with pytest.raises(RuleError, match="not a baseline"):
        stored(tmp_path)
