"""Platforms' own ways of counting, simulated: what a named loss does, and that it hides nothing larger."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
import pytest

from converter import load
from converter.check import counting as c
from converter.check import windows as w
from converter.check.runner import Options, RuleUnderCheck
from converter.check.samples import SamplePool, Stream
from converter.evaluate import LogEvent
from converter.logsources import load_packs
from converter.model.diagnostics import Diagnostic, Fidelity, Severity
from converter.model.load import load_text
from converter.model.paths import parse_path
from converter.model.rule import JsonObject, Rule, Threshold
from converter.platforms.base import Artifact, Context, File, StoredEvent, WindowKind, Windows
from converter.platforms.losses import STREAM_CODES, UNREAD_CODES
from converter.platforms.registry import platform
from tests.check.breakages import BREAKAGES, Broken, changes

RULES = Path(__file__).parents[2] / "canonical_rules"
PLATFORMS = ("elastic", "panther", "splunk")
BREAKING_TIME = ("window changed", "count changed", "group key lost")
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


@cache
def _rules() -> tuple[Rule, ...]:
    return tuple(load(RULES))


@cache
def _pool() -> SamplePool:
    return SamplePool(_rules(), load_packs())


@cache
def _under_check(rule_id: str) -> RuleUnderCheck:
    rule = next(rule for rule in _rules() if rule.id == rule_id)
    return RuleUnderCheck(rule, load_packs(), _pool(), Options(engines=False, limit=50))


CONTEXT = Context(packs=load_packs())


def _broken() -> list[Any]:
    """Every rule that a breakage of its counting changes, where that changes what is written."""
    found = []
    for rule, name, each in itertools.product(_rules(), BREAKING_TIME, PLATFORMS):
        if not changes(BREAKAGES[name], rule):
            continue
        whole, broken = platform(each), Broken(platform(each), BREAKAGES[name])
        artifact = whole.render(rule, CONTEXT)
        codes = {d.code for d in artifact.diagnostics if d.effect}
        files = broken.render(rule, CONTEXT).files
        if w.comparable(rule, codes, not codes <= STREAM_CODES | UNREAD_CODES) and files not in (
            (),
            artifact.files,
        ):
            found.append(pytest.param(rule, broken, id=f"{each}-{name}-{rule.title}"))
    return found


@pytest.mark.no_cover  # many rules go the way of a few
@pytest.mark.parametrize(("rule", "broken"), _broken())
def test_a_named_loss_hides_no_larger_error(rule: Rule, broken: Broken) -> None:
    """Whatever the loss allows: another window, count or group than the rule's is reported."""
    assert not _under_check(rule.id).pair(broken, broken.render(rule, CONTEXT), CONTEXT).agrees


@pytest.mark.no_cover  # many rules go the way of a few
def test_named_losses_of_thresholds_are_shown() -> None:
    """On every rule of the pack whose loss is about counting alone, some stream shows its direction."""
    seen = 0
    for rule in (rule for rule in _rules() if rule.threshold is not None and rule.threshold.count > 1):
        for each in PLATFORMS:
            artifact = platform(each).render(rule, CONTEXT)
            effects = {d.effect for d in artifact.diagnostics if d.code == "window" and d.effect}
            codes = {d.code for d in artifact.diagnostics if d.effect}
            if effects and w.comparable(rule, codes, False):
                shown = _under_check(rule.id).pair(platform(each), artifact, CONTEXT).shown
                assert set(shown) == effects, rule.title
                seen += 1
    assert seen > 10


# -- the ways of counting


def _events(*seconds: float, **fields: Any) -> list[LogEvent]:
    return [
        LogEvent(data={"a": "x", **fields}, time=round(at * 1e9), id=number)
        for number, at in enumerate(seconds)
    ]


def _ids(stretches: Iterable[list[LogEvent]]) -> list[list[Any]]:
    return [[event.id for event in stretch] for stretch in stretches]


def test_periods_start_at_a_first_match() -> None:
    cut = c.from_first(10 * SECOND)
    assert _ids(cut(_events(0, 9, 10, 19, 21))) == [[0, 1], [2, 3], [4]]


def test_slices_are_of_the_clock() -> None:
    assert _ids(c.slices(10 * SECOND)(_events(3, 9, 10, 19, 25))) == [[0, 1], [2, 3], [4]]


def test_runs_see_what_came_since() -> None:
    cut = c.runs(10 * SECOND, 5 * SECOND, 0)
    seen = _ids(cut(_events(1, 7, 12)))
    assert [0, 1] in seen
    assert [1, 2] in seen
    assert [0, 1, 2] not in seen


THREE_STEPS = """
id: 0d5f7b7e-0000-4000-8000-000000000002
title: Three steps
logsource: raw
sequence:
  within: 10s
  steps:
    - {name: one, indicators: [{field: a, is: x}]}
    - {name: two, indicators: [{field: a, is: x}]}
    - {name: three, indicators: [{field: a, is: x}]}
"""
NEW_TERMS = """
id: 0d5f7b7e-0000-4000-8000-000000000003
title: New values
logsource: raw
indicators: [{field: a, is: x}]
new_terms: {fields: [b], history: 60s}
"""


def test_each_step_may_take_the_whole_time() -> None:
    (rule,) = load_text(THREE_STEPS)
    assert c.step_by_step(rule, _events(0, 10, 20)) == [(0, 1, 2)]
    assert c.step_by_step(rule, _events(0, 10, 21)) == []
    assert c.evaluated(rule, _events(0, 10, 20)) == []


@pytest.mark.parametrize(
    ("seconds", "phase", "alerts"),
    [
        ((0, 5), 0, [(0,)]),  # the first of those that a run sees
        ((0, 40), 0, [(0,)]),
        ((0, 59), 9, [(0,)]),  # the run at 59 knows of the first
        ((0, 59), 0, [(0,), (1,)]),  # the run at 60 knows nothing of it any more
        ((0, 61), 0, [(0,), (1,)]),
    ],
)
def test_runs_look_for_new_values(seconds: tuple[float, ...], phase: int, alerts: list[Any]) -> None:
    (rule,) = load_text(NEW_TERMS)
    events = _events(*seconds, b="y")
    assert c.run_by_run(rule, events, 10 * SECOND, 10 * SECOND, round(phase * 1e9)) == alerts


ABSENCES = """
id: 0d5f7b7e-0000-4000-8000-000000000004
title: Never logged out
logsource: okta.system
sequence:
  within: 10m
  steps:
"""
IN, SEEN, OUT = (
    f"    - {{by: [actor.id], indicators: [{{field: eventType, is: {kind}}}]"
    for kind in ("user.session.start", "app.oauth2.as.consent.grant", "user.session.end")
)


@pytest.mark.parametrize(
    ("steps", "wider"),
    [
        ((f"{OUT}, absent: true", IN, SEEN), True),
        ((IN, f"{OUT}, absent: true", SEEN), False),
        ((IN, SEEN, f"{OUT}, absent: true"), True),
    ],
    ids=("first", "between", "last"),
)
def test_what_must_not_be_there_may_be_out_of_a_runs_sight(steps: tuple[str, ...], wider: bool) -> None:
    (rule,) = load_text(ABSENCES + "".join(f"{step}}}\n" for step in steps))
    packs, elastic = load_packs(), platform("elastic")
    checked = RuleUnderCheck(rule, packs, SamplePool([rule], packs))
    artifact = elastic.render(rule, CONTEXT)
    pair = checked.pair(elastic, artifact, CONTEXT)
    assert pair.agrees
    assert pair.directions == set(pair.shown) == ({Fidelity.WIDER} if wider else set())
    silent = msgspec.structs.replace(artifact, diagnostics=())
    assert checked.pair(elastic, silent, CONTEXT).agrees is not wider


LENGTHS: dict[str, tuple[Windows, Threshold, timedelta]] = {
    "sliding": (Windows(kind=WindowKind.SLIDING), Threshold(within=90 * SECOND), 90 * SECOND),
    "sliding, distinct": (
        Windows(kind=WindowKind.SLIDING, unit=SECOND, distinct_more=SECOND),
        Threshold(within=timedelta(milliseconds=1500), distinct=parse_path("a")),
        3 * SECOND,
    ),
    "a period of whole minutes": (
        Windows(kind=WindowKind.PERIOD, unit=MINUTE, shortest=5 * MINUTE),
        Threshold(within=7 * MINUTE + SECOND),
        8 * MINUTE,
    ),
    "no shorter": (
        Windows(kind=WindowKind.PERIOD, unit=MINUTE, shortest=5 * MINUTE),
        Threshold(within=MINUTE),
        5 * MINUTE,
    ),
    "no longer": (
        Windows(kind=WindowKind.PERIOD, unit=MINUTE, longest=60 * MINUTE),
        Threshold(within=90 * MINUTE),
        60 * MINUTE,
    ),
    "a run and an interval": (
        Windows(kind=WindowKind.RUNS, unit=MINUTE, interval=5 * MINUTE),
        Threshold(within=30 * MINUTE + SECOND),
        36 * MINUTE,
    ),
    "a slice": (Windows(kind=WindowKind.SLICES, unit=SECOND), Threshold(within=90 * SECOND), 90 * SECOND),
}


@pytest.mark.parametrize(("kind", "threshold", "expected"), LENGTHS.values(), ids=LENGTHS)
def test_the_tightest_length(kind: Windows, threshold: Threshold, expected: timedelta) -> None:
    assert w.tightest(kind, threshold) == expected


def test_edges_lie_where_the_windows_end() -> None:
    stream = Stream(tuple(_events(0, 1, 2, 3, 4, 5)), "made: twice")
    threshold = Threshold(within=MINUTE, count=3)
    even, around = w.edge_streams([stream], threshold, MINUTE)
    start = even.events[0].time or 0
    assert [((e.time or 0) - start) / 1e9 for e in even.events] == [0, 11.8, 23.6, 35.4, 47.2, 59]
    assert [((e.time or 0) - start) / 1e9 for e in around.events] == [0, 59, 60, 61, 62, 63]
    assert w.edge_streams([Stream(stream.events, "test")], threshold, MINUTE) == []


# -- claims

RULE = """
id: 0d5f7b7e-0000-4000-8000-000000000001
title: Three reads
logsource: raw
indicators: [{field: verb, is: get}]
threshold: {count: 3, within: 10m, by: [who]}
tests:
  - {name: read, expect: match, event: {verb: get, who: me}}
"""


class Counter:
    """A platform that says the rule word for word, and counts in a way of its own."""

    name = "counter"
    siem = True
    losses: Mapping[str, str] = MappingProxyType({})

    def __init__(
        self, kind: Windows, effects: Iterable[Fidelity] = (), within: timedelta | None = None
    ) -> None:
        self._windows, self._effects, self._within = kind, tuple(effects), within
        self._rule: Rule | None = None

    def render(self, rule: Rule, context: Context) -> Artifact:
        self._rule = rule
        lost = [
            Diagnostic(code="window", severity=Severity.WARNING, message="counts otherwise", effect=effect)
            for effect in self._effects
        ]
        return Artifact(rule_id=rule.id, platform=self.name, files=(File("a", ""),), diagnostics=tuple(lost))

    def read_back(self, artifact: Artifact, context: Context) -> Rule:
        assert self._rule is not None
        threshold = self._rule.threshold
        assert threshold is not None
        within = self._within or w.tightest(self._windows, threshold)
        return msgspec.structs.replace(
            self._rule, threshold=msgspec.structs.replace(threshold, within=within)
        )

    def project(self, event: JsonObject, pack: Any) -> StoredEvent:
        return event

    def engines(self) -> tuple[Any, ...]:
        return ()

    def windows(self, rule: Rule, artifact: Artifact, context: Context) -> Windows:
        return self._windows


PERIOD = Windows(kind=WindowKind.PERIOD, unit=MINUTE, shortest=5 * MINUTE)
RUNS = Windows(kind=WindowKind.RUNS, unit=MINUTE, interval=5 * MINUTE)
SLICES = Windows(kind=WindowKind.SLICES, unit=SECOND)
CLAIMS = [
    (Windows(kind=WindowKind.SLIDING), (), None, True),
    (PERIOD, (), None, False),
    (PERIOD, (Fidelity.WIDER,), None, False),
    (PERIOD, (Fidelity.NARROWER,), None, True),
    (PERIOD, (Fidelity.NARROWER,), 9 * MINUTE, False),
    (PERIOD, (Fidelity.NARROWER, Fidelity.WIDER), 11 * MINUTE, False),
    (RUNS, (), None, False),
    (RUNS, (Fidelity.NARROWER,), None, False),
    (RUNS, (Fidelity.WIDER,), None, True),
    (RUNS, (Fidelity.WIDER,), 16 * MINUTE, False),
    (SLICES, (), None, False),
    (SLICES, (Fidelity.NARROWER,), None, True),
]


@pytest.mark.parametrize(("kind", "claimed", "within", "holds"), CLAIMS)
def test_a_claim_is_held_to_what_the_platform_does(
    kind: Windows, claimed: tuple[Fidelity, ...], within: timedelta | None, holds: bool
) -> None:
    (rule,) = load_text(RULE)
    packs = load_packs()
    counter = Counter(kind, claimed, within)
    context = Context(packs=packs)
    checked = RuleUnderCheck(rule, packs, SamplePool([rule], packs))
    pair = checked.pair(counter, counter.render(rule, context), context)
    assert pair.agrees is holds, pair.disagreements
    if holds and claimed:
        assert set(pair.shown) == set(claimed)
