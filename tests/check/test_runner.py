"""What the check reports: agreement, disagreement with its predicate, losses, problems, missing engines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec
import pytest

from converter import Fidelity, MissingExtraError, Rule, RuleError
from converter.api import context_for
from converter.check import Options, Report, check_rules
from converter.logsources.pack import Pack
from converter.model.diagnostics import Diagnostic, Severity
from converter.model.load import load_text
from converter.model.rule import JsonObject
from converter.platforms.base import Artifact, Context, Engine, File, StoredEvent

TEXT = """
id: 0d5f7b7e-0000-4000-8000-000000000001
title: Two reads
logsource: raw
indicators: [{field: verb, is: get}, {field: what, starts_with: sec}]
threshold: {count: 2, within: 1m, by: [who]}
tests:
  - {name: read, expect: match, event: {verb: get, what: secrets, who: me}}
  - {name: list, expect: no_match, event: {verb: list, what: secrets, who: me}}
"""


@pytest.fixture(scope="module")
def rule() -> Rule:
    (loaded,) = load_text(TEXT)
    return loaded


class Mirror:
    """A platform that stores events as they are and reads back whatever it is told to."""

    name = "mirror"
    siem = True
    losses: Mapping[str, str] = MappingProxyType({})

    def __init__(
        self,
        read: Callable[[Rule], Rule] = lambda rule: rule,
        diagnostics: tuple[Diagnostic, ...] = (),
        engines: tuple[Callable[[], Engine], ...] = (),
    ) -> None:
        self._read = read
        self._diagnostics = diagnostics
        self._engines = engines
        self._rule: Rule | None = None

    def render(self, rule: Rule, context: Context) -> Artifact:
        self._rule = rule
        effects = [d.effect for d in self._diagnostics if d.effect]
        return Artifact(
            rule_id=rule.id,
            platform=self.name,
            files=(File("rule.txt", "rule"),),
            fidelity=effects[0] if effects else Fidelity.EXACT,
            diagnostics=self._diagnostics,
        )

    def read_back(self, artifact: Artifact, context: Context) -> Rule:
        assert self._rule is not None
        return self._read(self._rule)

    def project(self, event: JsonObject, pack: Pack) -> StoredEvent:
        return event

    def engines(self) -> tuple[Callable[[], Engine], ...]:
        return self._engines


def _check(rule: Rule, mirror: Any, **options: Any) -> Report:
    return check_rules([rule], [mirror], {"mirror": context_for()}, options=Options(**options))


def _loss(code: str, effect: Fidelity) -> tuple[Diagnostic, ...]:
    return (Diagnostic(code=code, severity=Severity.WARNING, message="lost", effect=effect),)


def _without_verb(rule: Rule) -> Rule:
    return msgspec.structs.replace(rule, indicators=rule.indicators[1:])


def _longer(rule: Rule) -> Rule:
    assert rule.threshold is not None
    longer = msgspec.structs.replace(rule.threshold, within=rule.threshold.within * 2)
    return msgspec.structs.replace(rule, threshold=longer)


def test_agreement(rule: Rule) -> None:
    report = _check(rule, Mirror())
    (pair,) = report.pairs
    assert (report.ok, pair.agrees, pair.engine) == (True, True, "reader")
    assert pair.events > 10
    assert pair.streams >= 5


def test_a_disagreement_names_the_event_and_the_predicate(rule: Rule) -> None:
    report = _check(rule, Mirror(read=_without_verb))
    (pair,) = report.pairs
    found = pair.disagreements[0]
    assert not report.ok
    assert (found.expected, found.got) == (False, True)
    assert found.event["verb"] == "list"
    assert "verb is \"get\" is false (saw 'list')" in found.predicate
    assert report.summary.disagreements == len(pair.disagreements)


def test_a_window_is_told_apart_by_streams_alone(rule: Rule) -> None:
    (pair,) = _check(rule, Mirror(read=_longer)).pairs
    assert {found.origin for found in pair.disagreements} == {"made: just enough, window exceeded"}
    assert _check(rule, Mirror(read=_longer), made=False).ok


@pytest.mark.parametrize(
    ("code", "effect", "read", "ok"),
    [
        ("window", Fidelity.WIDER, _longer, True),
        ("window", Fidelity.NARROWER, _longer, False),
        ("window", Fidelity.WIDER, _without_verb, False),
        ("array-index", Fidelity.WIDER, _without_verb, True),
        ("array-index", Fidelity.NARROWER, _without_verb, False),
    ],
)
def test_a_named_loss_allows_its_own_direction_and_kind_alone(
    rule: Rule, code: str, effect: Fidelity, read: Callable[[Rule], Rule], ok: bool
) -> None:
    assert _check(rule, Mirror(read=read, diagnostics=_loss(code, effect))).ok is ok


@pytest.mark.parametrize(
    ("code", "read", "origin"),
    [
        ("window", _longer, "made: just enough, window exceeded"),
        ("array-index", _without_verb, "test 'list'"),
        ("array-index", lambda rule: rule, None),
    ],
)
def test_a_named_loss_is_shown_by_an_event_or_a_stream(
    rule: Rule, code: str, read: Callable[[Rule], Rule], origin: str | None
) -> None:
    report = _check(rule, Mirror(read=read, diagnostics=_loss(code, Fidelity.WIDER)))
    assert report.pairs[0].shown == ({Fidelity.WIDER: origin} if origin else {})
    assert (report.summary.losses, report.summary.shown) == (1, int(origin is not None))


def test_a_text_that_cannot_be_read_back_is_a_problem(rule: Rule) -> None:
    def broken(rule: Rule) -> Rule:
        raise RuleError("line 1: what is this")

    report = _check(rule, Mirror(read=broken))
    assert not report.ok
    assert "what is this" in (report.pairs[0].problem or "")


def test_a_lost_step_is_a_problem(rule: Rule) -> None:
    text = TEXT.replace("threshold:", "x: ").split("indicators")[0]
    (sequence,) = load_text(
        text
        + "sequence:\n  steps:\n    - {indicators: [{field: a, is: 1}], repeat: 2}\n"
        + "    - {indicators: [{field: a, is: 2}]}\n"
    )

    def shorter(rule: Rule) -> Rule:
        assert rule.sequence is not None
        steps = (msgspec.structs.replace(rule.sequence.steps[0], repeat=1), rule.sequence.steps[1])
        return msgspec.structs.replace(rule, sequence=msgspec.structs.replace(rule.sequence, steps=steps))

    def unrolled(rule: Rule) -> Rule:
        assert rule.sequence is not None
        first = msgspec.structs.replace(rule.sequence.steps[0], repeat=1)
        steps = (first, first, rule.sequence.steps[1])
        return msgspec.structs.replace(rule, sequence=msgspec.structs.replace(rule.sequence, steps=steps))

    assert "3 steps were written, 2 are read" in (
        _check(sequence, Mirror(read=shorter)).pairs[0].problem or ""
    )
    assert _check(sequence, Mirror(read=unrolled)).ok


class Everything:
    """An engine that says yes to everything."""

    name = "everything"
    version = "1"

    def verdicts(self, artifact: Artifact, events: Iterable[StoredEvent], step: int = 0) -> list[bool]:
        return [True for _ in events]


class Nothing(Everything):
    """An engine that cannot run the text."""

    def verdicts(self, artifact: Artifact, events: Iterable[StoredEvent], step: int = 0) -> list[bool]:
        raise RuleError("does not run")


def test_engines_are_compared_too(rule: Rule) -> None:
    report = _check(rule, Mirror(engines=(Everything, Nothing)))
    reader, everything, nothing = report.pairs
    assert reader.agrees
    assert everything.disagreements
    assert everything.engine == "everything 1"
    assert nothing.problem == "does not run"
    assert len(_check(rule, Mirror(engines=(Everything,)), engines=False).pairs) == 1


def test_a_missing_engine_is_said(rule: Rule) -> None:
    def missing() -> Engine:
        raise MissingExtraError("install the extra `engines`")

    report = _check(rule, Mirror(engines=(missing,)))
    assert report.ok
    assert [d.code for d in report.diagnostics] == ["missing-engine"]


def test_a_refused_rule_is_counted_and_not_run(rule: Rule) -> None:
    class Refusing(Mirror):
        def render(self, rule: Rule, context: Context) -> Artifact:
            return Artifact(rule_id=rule.id, platform=self.name, fidelity=Fidelity.REFUSED)

    report = _check(rule, Refusing())
    assert (report.summary.refused, report.summary.events) == (1, 0)


def test_sample_logs_count(rule: Rule) -> None:
    logs = [{"verb": "get", "what": "secrets", "who": "me"}, {"verb": "get"}]
    contexts = {"mirror": context_for()}
    without = check_rules([rule], [Mirror()], contexts)
    within = check_rules([rule], [Mirror()], contexts, logs)
    assert within.summary.events == without.summary.events + 2


def test_nothing_to_check() -> None:
    assert check_rules([], [Mirror()], {"mirror": context_for()}).ok
