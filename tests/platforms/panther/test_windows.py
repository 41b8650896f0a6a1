"""Thresholds, suppression and new terms: what is written, what is said to be lost, and what is read back."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
import yaml

from converter.evaluate.groups import group_getter
from converter.model.paths import FieldPath
from converter.model.rule import MissingKeys, Threshold, WindowStart
from converter.platforms.base import Artifact
from converter.platforms.panther import PLATFORM
from tests.platforms.panther.support import CASES, context, render, run, specification, text_of
from tests.platforms.panther.support import rule as rule_of

WINDOWS = yaml.safe_load((CASES / "windows.yaml").read_text())
KEYS = ("Threshold", "DedupPeriodMinutes")


def effects(artifact: Artifact) -> dict[str, str]:
    """Code → its effects, the wider one first."""
    found: dict[str, set[str]] = {}
    for diagnostic in artifact.diagnostics:
        if diagnostic.effect is not None:
            found.setdefault(diagnostic.code, set()).add(str(diagnostic.effect))
    return {code: " and ".join(sorted(each, reverse=True)) for code, each in found.items()}


@pytest.mark.parametrize("case", WINDOWS, ids=lambda case: str(case["parts"]))
def test_what_the_specification_says(case: dict[str, Any]) -> None:
    artifact = render(**case["parts"])
    assert {key: value for key, value in specification(artifact).items() if key in KEYS} == case["says"]
    assert effects(artifact) == case["codes"]


@pytest.mark.parametrize("case", [case for case in WINDOWS if "threshold" in case["parts"]], ids=str)
def test_a_threshold_is_read_back(case: dict[str, Any]) -> None:
    given = case["parts"]["threshold"]
    grouped = (given["count"] == 1 and "by" in given) or given.get("missing_keys") == "group"
    read = PLATFORM.read_back(render(**case["parts"]), context())
    assert read.threshold == Threshold(
        count=given["count"],
        within=timedelta(minutes=case["says"]["DedupPeriodMinutes"]),
        by=tuple(FieldPath.parse(path) for path in given.get("by", [])),
        distinct=FieldPath.parse(given["distinct"]) if "distinct" in given else None,
        window=WindowStart.FIRST_MATCH if given["count"] > 1 else WindowStart.SLIDING,
        missing_keys=MissingKeys.GROUP if grouped else MissingKeys.SKIP,
    )


def test_an_event_that_must_not_be_counted_is_a_group_of_its_own() -> None:
    source = text_of(
        render(threshold={"count": 2, "distinct": "objectRef.name", "by": ["user.username"], "within": "5m"}),
        ".py",
    )
    event = {"user": {"username": "u"}, "objectRef": {"name": "n"}, "p_row_id": "row"}
    assert run(source, event, "dedup") == "u"
    assert run(source, event, "unique") == "n"
    assert run(source, {**event, "user": {}}, "dedup") == "row"
    assert run(source, {**event, "objectRef": {"name": None}}, "dedup") == "row"


def test_events_without_a_key_can_be_a_group() -> None:
    asked = {"count": 2, "by": ["user.username", "verb"], "within": "5m", "missing_keys": "group"}
    source = text_of(render(threshold=asked), ".py")
    without = run(source, {"p_row_id": "1"}, "dedup")
    assert without == run(source, {"user": {}, "verb": None, "p_row_id": "2"}, "dedup")
    events: list[dict[str, Any]] = [
        {"verb": "get"},
        {"user": {"username": "get"}},
        {"user": {"username": "[]"}},
    ]
    assert len({without, *(run(source, event, "dedup") for event in events)}) == 4


CHOICE: dict[str, Any] = {
    "count": 2,
    "within": "5m",
    "by": [
        "verb",
        {
            "choice": [
                {"when": [{"field": "objectRef.resource", "is": "pods"}], "field": "objectRef.name"},
                {
                    "when": [
                        {"field": "user.username", "starts_with": "system:"},
                        {"not": {"field": "objectRef.resource", "is": "nodes"}},
                    ],
                    "field": "user.username",
                    "apply": [{"split": ":", "index": 1}, "upper"],
                },
                {
                    "when": [{"field": "user.uid", "exists": True}],
                    "concat": ["uid ", {"field": "user.uid"}],
                },
                {"text": "somebody"},
            ]
        },
    ],
}


@pytest.mark.parametrize("missing", ["skip", "group"])
def test_a_choice_makes_the_groups_that_the_rule_has(missing: str) -> None:
    """Of events that decide each alternative: ``dedup()`` gives the same text for those of one group."""
    given = rule_of(threshold={**CHOICE, "missing_keys": missing})
    artifact = PLATFORM.render(given, context())
    assert artifact.diagnostics and "group-by" not in effects(artifact)
    assert given.threshold is not None
    keys = group_getter(given.threshold.by, given.threshold.missing_keys, given.threshold.choices)
    read = PLATFORM.read_back(artifact, context()).threshold
    assert read is not None
    read_keys = group_getter(read.by, read.missing_keys, read.choices)
    users = [
        {},
        {"username": "system:a:b"},
        {"username": "system:a"},
        {"username": "b", "uid": "a"},
        {"uid": "A"},
    ]
    refs = [{}, {"resource": "pods"}, {"resource": "pods", "name": "A"}, {"resource": "nodes", "name": "x"}]
    by_text: dict[Any, list[Any]] = {}
    for number, (user, ref, verb) in enumerate(itertools.product(users, refs, (None, "get"))):
        event = {"user": user, "objectRef": ref, "verb": verb, "p_row_id": str(number)}
        assert read_keys(event) == keys(event)
        group = keys(event)[0] if keys(event) else ("row", number)
        by_text.setdefault(run(text_of(artifact, ".py"), event, "dedup"), []).append(group)
    assert all(len(set(groups)) == 1 for groups in by_text.values())
    assert len(by_text) == len({groups[0] for groups in by_text.values()})


def test_suppression_is_read_back() -> None:
    artifact = render(alert={"group_by": ["user.username"], "suppress_for": "1h"})
    read = PLATFORM.read_back(artifact, context())
    assert read.alert.group_by == (FieldPath.of("user", "username"),)
    assert read.alert.suppress_for == timedelta(hours=1)


def test_alerts_of_a_rule_without_groups_share_one_period() -> None:
    artifact = render(alert={"title": "{user.username}", "suppress_for": "1h"})
    assert run(text_of(artifact, ".py"), {"user": {"username": "u"}}, "dedup") == artifact.rule_id


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Threshold: 10", "Threshold: 9"),
        ("DedupPeriodMinutes: 30", "DedupPeriodMinutes: 31"),
        ('("user", "username")', '("user", "uid")'),
        ('event.get("verb") == "list"', 'event.get("verb") != "list"'),
    ],
)
def test_a_changed_text_reads_otherwise(old: str, new: str) -> None:
    import msgspec

    artifact = render(threshold={"count": 10, "by": ["user.username"], "within": "30m"})
    files = tuple(msgspec.structs.replace(file, text=file.text.replace(old, new)) for file in artifact.files)
    assert files != artifact.files
    changed = PLATFORM.read_back(msgspec.structs.replace(artifact, files=files), context())
    read = PLATFORM.read_back(artifact, context())
    assert (changed.threshold, changed.indicators) != (read.threshold, read.indicators)
