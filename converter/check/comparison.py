"""Comparing verdicts and alerts within the directions that a rendering's named losses allow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from converter.check.report import Disagreement
from converter.check.samples import Sample, Stream
from converter.evaluate import (
    LogEvent,
    StreamEvaluator,
    Verdict,
    compile_expression,
    deciding_predicates,
    explain,
)
from converter.logsources.pack import Pack
from converter.model.describe import describe
from converter.model.diagnostics import Fidelity, RuleError
from converter.model.expressions import TRUE, Expression, Predicate, all_of
from converter.model.rule import AlertSettings, Rule
from converter.platforms.base import Skip

_MOST_SHOWN = 5


class ConditionCheck:
    """One event condition against another form of it."""

    def __init__(self, condition: Expression, allowed: frozenset[Fidelity], guard: Expression = TRUE) -> None:
        """``guard``: what the platform has to ask beside, to keep other log sources out."""
        self._condition = all_of(guard, condition)
        self._holds = compile_expression(self._condition)
        self._guarded = compile_expression(guard)
        self._allowed = allowed
        self.shown: dict[Fidelity, str] = {}
        """Named direction → the first sample on which it shows."""

    def by_condition(
        self, other: Expression, samples: Sequence[Sample], stored: Sequence[Any]
    ) -> list[Disagreement]:
        """The other form is an expression, evaluated on the stored events."""
        holds = compile_expression(other)
        return self.by_verdicts(samples, map(holds, stored))

    def by_verdicts(self, samples: Sequence[Sample], verdicts: Iterable[bool | Skip]) -> list[Disagreement]:
        """The other form's verdicts are given, one per sample. With a handful of disagreements it ends."""
        found: list[Disagreement] = []
        for sample, got in zip(samples, verdicts, strict=True):
            if isinstance(got, Skip) or (sample.foreign and self._guarded(sample.event.data)):
                continue
            expected = self._holds(sample.event.data)
            if expected is got:
                continue
            if (differs := direction(expected, got)) in self._allowed:
                self.shown.setdefault(differs, sample.origin)
                continue
            found.append(
                Disagreement(
                    origin=sample.origin,
                    event=sample.event.data,
                    expected=expected,
                    got=got,
                    predicate=decided_by(self._condition, sample.event.data),
                )
            )
            if len(found) == _MOST_SHOWN:
                break
        return found


def decided_by(condition: Expression, event: Any) -> str:
    """The predicates that decide a condition's verdict on an event, with the values that they saw."""
    leaves = deciding_predicates(explain(condition, event))
    shown = [
        f"{describe(leaf.expression)} is {str(leaf.holds).lower()} (saw {_seen(leaf)})"
        for leaf in leaves[:_MOST_SHOWN]
        if isinstance(leaf.expression, Predicate)
    ]
    return "; ".join(shown)


def _seen(leaf: Verdict) -> str:
    return ", ".join(map(repr, leaf.values)) or "nothing"


def direction(expected: bool, got: bool) -> Fidelity:
    """The loss that a difference between two verdicts would be."""
    return Fidelity.WIDER if got and not expected else Fidelity.NARROWER


class StreamCheck:
    """A rule's alerts against those of another form of it, over streams."""

    def __init__(self, rule: Rule, reading: Rule, allowed: frozenset[Fidelity]) -> None:
        self._reference = StreamEvaluator(_unsuppressed(rule))
        self._reading = StreamEvaluator(_unsuppressed(reading))
        self._allowed = allowed
        self.shown: dict[Fidelity, str] = {}
        """Named direction → the first stream on which it shows."""

    def run(
        self, stream: Stream, project: Callable[[Any, Pack], Any], packs: Mapping[str, Pack]
    ) -> list[Disagreement]:
        """Compare the alerts over one stream. ``project``: a canonical event and its pack → stored event."""
        try:
            expected = self._reference.alerts(stream.events)
        except RuleError:
            return []  # a test without times; `convert test` reports it
        got = self._reading.alerts([stored_event(event, project, packs) for event in stream.events])
        due, told = [alert.events for alert in expected], [alert.events for alert in got]
        missed, extra = uncovered(due, told), uncovered(told, due)
        for effect, differs in ((Fidelity.NARROWER, missed), (Fidelity.WIDER, extra)):
            if differs and effect in self._allowed:
                self.shown.setdefault(effect, stream.origin)
        same = sorted(due) == sorted(told)
        if same or (not missed and Fidelity.WIDER in self._allowed):
            return []
        if (not extra and Fidelity.NARROWER in self._allowed) or len(self._allowed) > 1:
            return []
        return [
            Disagreement(
                origin=stream.origin,
                event=[event.data for event in stream.events],
                expected=[list(alert) for alert in due],
                got=[list(alert) for alert in told],
            )
        ]


def uncovered(alerts: Iterable[Sequence[Any]], others: Iterable[Sequence[Any]]) -> bool:
    """Whether some alert has no event in common with any of the others. An alert: the ids of its events."""
    seen = {event for other in others for event in other}
    return any(seen.isdisjoint(alert) for alert in alerts)


def stored_event(event: LogEvent, project: Callable[[Any, Pack], Any], packs: Mapping[str, Pack]) -> LogEvent:
    """An event of a stream as a platform stores it, by its (first) log source."""
    pack = next((packs[name] for name in sorted(event.sources or ()) if name in packs), None)
    data = event.data if pack is None else dict(project(event.data, pack))
    return msgspec.structs.replace(event, data=data)


def _unsuppressed(rule: Rule) -> Rule:
    """The rule without suppression: which alerts are hidden afterwards is no matter of meaning."""
    alert = rule.alert
    return msgspec.structs.replace(rule, alert=AlertSettings(title=alert.title, group_by=alert.group_by))
