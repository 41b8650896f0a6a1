"""What the writer writes is read as the rule it was: same verdicts, same alerts, same descriptions.

The events and streams are the rule's own and those that are made to decide each of its parts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from converter.check.comparison import StreamCheck
from converter.check.samples import SamplePool
from converter.evaluate import compile_expression
from converter.model.diagnostics import Fidelity
from converter.model.load import load_rules
from converter.model.rule import MissingKeys, Rule, Threshold, WindowStart
from converter.platforms.base import Artifact, Context, ReadContext, ReadRule, Source
from converter.platforms.panther import PLATFORM
from tests.platforms.panther.importing.support import packs

pytestmark = pytest.mark.no_cover  # many rules go the way of a few

ROOT = Path(__file__).resolve().parents[4]
RULES = {rule.title: rule for rule in load_rules([ROOT / "canonical_rules"])}
POOL = SamplePool(list(RULES.values()), packs())
MOST = 400


@cache
def written(title: str) -> Artifact:
    return PLATFORM.render(RULES[title], Context(packs=packs()))


@pytest.fixture(scope="module", params=RULES)
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Rule, ReadRule]]:
    """A rule, and what is read of the first specification that is written for it."""
    folder = tmp_path_factory.mktemp("panther")
    artifact = written(request.param)
    for file in artifact.files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8")
    path = folder / artifact.files[0].path
    assert PLATFORM.is_rule_file(path)
    assert not any(PLATFORM.is_rule_file(other) for other in folder.rglob("*.py"))
    (found,) = PLATFORM.read(Source(file=str(path), text=path.read_text("utf-8")), ReadContext(packs=packs()))
    yield RULES[request.param], found


def directions(rule: Rule, found: ReadRule) -> frozenset[Fidelity]:
    """The directions of what the writer lost, and the reader."""
    diagnostics = (*written(rule.title).diagnostics, *found.diagnostics)
    return frozenset(one.effect for one in diagnostics if one.effect is not None)


def test_nothing_is_lost(pair: tuple[Rule, ReadRule]) -> None:
    _, found = pair
    assert not [one for one in found.diagnostics if one.effect is not None]


def _counted(threshold: Threshold | None) -> Threshold | None:
    """What Panther counts of a threshold: one number, in a window of its own kind."""
    if threshold is None:
        return None
    window = WindowStart.FIRST_MATCH if threshold.count > 1 else WindowStart.SLIDING
    return msgspec.structs.replace(
        threshold, window=window, every=None, missing_keys=MissingKeys.SKIP, having=()
    )


def test_the_parts_are_the_same(pair: tuple[Rule, ReadRule]) -> None:
    rule, found = pair
    read = found.rule
    assert read is not None
    assert read.id == rule.id or "rule_id" in rule.platforms["panther"]
    for part in (
        "title", "severity", "description", "author", "created", "updated", "references",
                 "false_positives", "attack", "tags"):  # fmt: skip
        assert getattr(read, part) == getattr(rule, part), part
    in_steps = rule.sequence is not None
    assert set(read.output) <= set(rule.output) if in_steps else read.output == rule.output
    assert (read.runbook or "").strip() == (rule.runbook or "").strip()
    assert read.alert.title == rule.alert.title or rule.sequence is not None
    assert read.threshold == _counted(rule.threshold)
    assert (read.sequence is None) == (rule.sequence is None)
    if rule.sequence is not None and read.sequence is not None:
        assert read.sequence.within == _whole_minutes(rule.sequence.within)
        for ours, theirs in zip(rule.steps, read.steps, strict=True):
            assert (theirs.by, theirs.absent, theirs.repeat) == (ours.by, ours.absent, ours.repeat)
            assert theirs.logsource == ours.logsource
    elif rule.new_terms is None and rule.threshold is None:
        assert read.alert.suppress_for == rule.alert.suppress_for
    singles = {test.name for test in rule.tests if test.match is not None}
    if rule.sequence is None:
        assert {test.name for test in read.tests} == singles


def test_the_verdicts_are_the_same(pair: tuple[Rule, ReadRule]) -> None:
    rule, found = pair
    assert found.rule is not None
    seen = 0
    named = {one.effect for one in written(rule.title).diagnostics if one.code == "log-source"}
    allowed = {(True, True), (False, False)} | ({(True, False)} if named else set())
    for index, (ours, theirs) in enumerate(zip(rule.steps, found.rule.steps, strict=True)):
        expected, got = compile_expression(ours.condition), compile_expression(theirs.condition)
        for sample in POOL.step_samples(rule, index, made=True, limit=MOST):
            if not sample.foreign:
                verdicts = expected(sample.event.data), got(sample.event.data)
                assert verdicts in allowed, sample
                seen += 1
    assert seen > len(rule.steps)


def test_the_alerts_are_the_same(pair: tuple[Rule, ReadRule]) -> None:
    rule, found = pair
    assert found.rule is not None
    check = StreamCheck(rule, found.rule, directions(rule, found))
    samples = [POOL.step_samples(rule, index, made=True, limit=MOST) for index in range(len(rule.steps))]
    for stream in POOL.streams(rule, samples, made=True):
        assert check.run(stream, _as_it_is, packs()) == []


def _as_it_is(event: Any, _pack: Any) -> Any:
    return event


def _whole_minutes(span: timedelta | None) -> timedelta | None:
    """A span as the writer lengthens it, which it names."""
    return None if span is None else timedelta(minutes=math.ceil(span / timedelta(minutes=1)))
