"""From a stream of events to alerts: thresholds, sequences, new terms and suppression.

Events are taken in time order, ties in the order in which they arrived.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import msgspec

from converter.evaluate.compile import Condition, compile_expression
from converter.evaluate.groups import Group, PassingGroups, group_getter
from converter.evaluate.sequences import SequenceMachine, StepMatcher
from converter.evaluate.timestamps import nanoseconds
from converter.model.diagnostics import RuleError
from converter.model.rule import NewTerms, Rule, Step

EventId: TypeAlias = str | int


class LogEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a stream: the decoded (canonical) object, when it happened (ns since the epoch, None if
    unknown), how alerts name it, and the log sources it belongs to (None: any).
    """

    data: dict[str, Any]
    time: int | None
    id: EventId
    sources: frozenset[str] | None = None

    def is_from(self, logsources: Iterable[str]) -> bool:
        """Whether the event belongs to one of these log sources."""
        return self.sources is None or not self.sources.isdisjoint(logsources)


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule says of a stream: which events, of which group, and when (ns; the time of the last event).

    ``group`` has the key values as text, None for one that is missing. ``suppressed`` counts later alerts of
    the group that ``suppress_for`` hid.
    """

    rule: str
    events: tuple[EventId, ...]
    group: Group = ()
    time: int | None = None
    suppressed: int = 0


class _Due(msgspec.Struct, frozen=True):
    """An alert before suppression."""

    events: tuple[LogEvent, ...]
    group: Group


def evaluate_stream(rule: Rule, events: Iterable[LogEvent]) -> list[Alert]:
    """The alerts of one rule over a stream. Raises RuleError if it needs times and an event has none."""
    return StreamEvaluator(rule).alerts(events)


def _matchers(steps: Iterable[Step]) -> list[StepMatcher]:
    """The steps, compiled; those that are written alike share it (to ``==``, 1 and True are alike too)."""
    made: dict[str, StepMatcher] = {}
    for step in steps:
        if repr(step) not in made:
            made[repr(step)] = StepMatcher(step, compile_expression(step.condition))
    return [made[repr(step)] for step in steps]


class StreamEvaluator:
    """A rule, compiled once, to be run over any number of streams."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._steps = _matchers(rule.steps)
        self._passing = None if rule.threshold is None else PassingGroups(rule.threshold)
        self._needs_time = bool(rule.threshold or rule.sequence or rule.new_terms or rule.alert.suppress_for)

    @property
    def condition(self) -> Condition:
        """The event condition of a rule without a sequence (of its first step, with one)."""
        return self._steps[0].condition

    def alerts(self, events: Iterable[LogEvent]) -> list[Alert]:
        """The alerts over one stream, in the order in which they become due."""
        return list(self._suppressed(self._due(self._ordered(events))))

    def _ordered(self, events: Iterable[LogEvent]) -> Iterable[LogEvent]:
        """The events in time order; those that no step takes are left out where time matters."""
        if not self._needs_time:
            return events
        stream = [event for event in events if any(step.takes(event) for step in self._steps)]
        for event in stream:
            if event.time is None:
                raise RuleError(f"rule {self._rule.id} depends on time, and event {event.id} has none")
        stream.sort(key=_time_of)
        return stream

    def _due(self, events: Iterable[LogEvent]) -> Iterator[_Due]:
        rule = self._rule
        if rule.sequence is not None:
            machine = SequenceMachine(self._steps, rule.sequence.within)
            return (_Due(found.events, found.key) for found in machine.run(list(events)))
        found = iter(events) if self._needs_time else filter(self._steps[0].takes, events)
        if self._passing is not None:
            return (_Due(one.events, one.group) for one in self._passing.of(found))
        if rule.new_terms is not None:
            return _new_terms(rule.new_terms, found)
        key = group_getter(rule.alert.group_by)
        return (_Due((event,), next(iter(key(event.data)), ())) for event in found)

    def _suppressed(self, due: Iterator[_Due]) -> Iterator[Alert]:
        """Apply ``suppress_for``: an alert opens a period in which further ones of its group are hidden."""
        settings = self._rule.alert
        if settings.suppress_for is None:
            yield from (self._alert(one) for one in due)
            return
        period, key = nanoseconds(settings.suppress_for), group_getter(settings.group_by)
        shown: list[Alert] = []
        opened: dict[Group, tuple[int, int]] = {}
        for one in due:
            last = one.events[-1]
            group = next(iter(key(last.data)), ()) if settings.group_by else one.group
            start, index = opened.get(group, (None, 0))
            if start is not None and _time_of(last) < start + period:
                shown[index] = msgspec.structs.replace(shown[index], suppressed=shown[index].suppressed + 1)
                continue
            opened[group] = (_time_of(last), len(shown))
            shown.append(self._alert(one))
        yield from shown

    def _alert(self, due: _Due) -> Alert:
        return Alert(
            rule=self._rule.id,
            events=tuple(event.id for event in due.events),
            group=due.group,
            time=due.events[-1].time,
        )


def _new_terms(new_terms: NewTerms, found: Iterator[LogEvent]) -> Iterator[_Due]:
    """One alert per combination of values that no earlier match had in the history before the event."""
    key = group_getter(new_terms.fields)
    history = nanoseconds(new_terms.history)
    last_seen: dict[Group, int] = {}
    for event in found:
        time = _time_of(event)
        for terms in key(event.data):
            seen = last_seen.get(terms)
            if seen is None or seen < time - history:
                yield _Due((event,), terms)
            last_seen[terms] = time


def _time_of(event: LogEvent) -> int:
    return 0 if event.time is None else event.time
