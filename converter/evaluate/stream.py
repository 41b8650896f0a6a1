"""From a stream of events to alerts: thresholds, sequences, new terms and suppression.

Events are taken in time order, ties in the order in which they arrived.
"""

from __future__ import annotations

import itertools
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import msgspec

from converter.evaluate.compile import Condition, compile_expression
from converter.evaluate.sequences import SequenceMachine, StepMatcher
from converter.evaluate.timestamps import nanoseconds
from converter.evaluate.values import path_getter, text_of
from converter.model.diagnostics import RuleError
from converter.model.paths import FieldPath
from converter.model.rule import NewTerms, Rule, Threshold

EventId: TypeAlias = str | int
Group: TypeAlias = tuple[str, ...]


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
    """What a rule says of a stream: which events, of which group (key values as text), and when (ns; the
    time of the last event). ``suppressed`` counts later alerts of the group that ``suppress_for`` hid.
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


class StreamEvaluator:
    """A rule, compiled once, to be run over any number of streams."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._steps = [StepMatcher(step, compile_expression(step.condition)) for step in rule.steps]
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
        found = (event for event in events if self._steps[0].takes(event))
        if rule.threshold is not None:
            return _over_threshold(rule.threshold, found)
        if rule.new_terms is not None:
            return _new_terms(rule.new_terms, found)
        key = _group_getter(rule.alert.group_by)
        return (_Due((event,), next(iter(key(event.data)), ())) for event in found)

    def _suppressed(self, due: Iterator[_Due]) -> Iterator[Alert]:
        """Apply ``suppress_for``: an alert opens a period in which further ones of its group are hidden."""
        settings = self._rule.alert
        if settings.suppress_for is None:
            yield from (self._alert(one) for one in due)
            return
        period, key = nanoseconds(settings.suppress_for), _group_getter(settings.group_by)
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


def _over_threshold(threshold: Threshold, found: Iterator[LogEvent]) -> Iterator[_Due]:
    """One alert as soon as a window holds enough of a group; the matches in it are then spent."""
    key = _group_getter(threshold.by)
    distinct = None if threshold.distinct is None else path_getter(threshold.distinct)
    windows: dict[Group, _Window] = {}
    for event in found:
        values = None if distinct is None else tuple({text_of(value) for value in distinct(event.data)})
        for group in key(event.data):
            window = windows.setdefault(group, _Window(nanoseconds(threshold.within)))
            window.add(event, values)
            if window.size >= threshold.count:
                yield _Due(window.spend(), group)


class _Window:
    """The unspent matches of one group in the last so many nanoseconds, both ends included."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._matches: deque[tuple[LogEvent, tuple[str, ...] | None]] = deque()
        self._values: Counter[str] = Counter()
        self._counts_values = False

    def add(self, event: LogEvent, values: tuple[str, ...] | None) -> None:
        """Take in a match, with its distinct values when those are counted; forget what is too old."""
        self._counts_values = values is not None
        self._matches.append((event, values))
        self._values.update(values or ())
        while _time_of(self._matches[0][0]) < _time_of(event) - self._length:
            _, old = self._matches.popleft()
            self._values.subtract(old or ())
            self._values = +self._values if old else self._values

    @property
    def size(self) -> int:
        """How many matches, or distinct values, the window holds."""
        return len(self._values) if self._counts_values else len(self._matches)

    def spend(self) -> tuple[LogEvent, ...]:
        """The window's events; it is empty afterwards."""
        events = tuple(event for event, _ in self._matches)
        self._matches.clear()
        self._values.clear()
        return events


def _new_terms(new_terms: NewTerms, found: Iterator[LogEvent]) -> Iterator[_Due]:
    """One alert per combination of values that no earlier match had in the history before the event."""
    key = _group_getter(new_terms.fields)
    history = nanoseconds(new_terms.history)
    last_seen: dict[Group, int] = {}
    for event in found:
        time = _time_of(event)
        for terms in key(event.data):
            seen = last_seen.get(terms)
            if seen is None or seen < time - history:
                yield _Due((event,), terms)
            last_seen[terms] = time


def _group_getter(paths: Sequence[FieldPath]) -> Callable[[Any], list[Group]]:
    """Every combination of the paths' values, as text, each once; none if a path has no value."""
    getters = [path_getter(path) for path in paths]

    def groups(event: Any) -> list[Group]:
        texts = [[text_of(value) for value in get(event)] for get in getters]
        return list(dict.fromkeys(itertools.product(*texts)))

    return groups


def _time_of(event: LogEvent) -> int:
    return 0 if event.time is None else event.time
