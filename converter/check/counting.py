"""Ways to count over time, as platforms do: where a group's matches are cut, and what scheduled runs see."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any, TypeAlias

import msgspec

from converter.evaluate import LogEvent, StreamEvaluator, compile_expression
from converter.evaluate.groups import PassingGroups, group_getter
from converter.evaluate.timestamps import nanoseconds
from converter.evaluate.values import path_getter
from converter.model.diagnostics import RuleError
from converter.model.rule import Rule, Threshold, WindowStart

Alerts: TypeAlias = list[tuple[Any, ...]]
"""Of each alert the ids of its events."""

_LONG = timedelta(days=36_500)


def _keys(threshold: Threshold) -> Callable[[Any], list[Any]]:
    return group_getter(threshold.by, choices=threshold.choices)


class Matches(msgspec.Struct, frozen=True):
    """The matches of one rule on a stream, in time order, and its threshold over them."""

    events: tuple[LogEvent, ...]
    threshold: Threshold

    @classmethod
    def of(cls, rule: Rule, events: Iterable[LogEvent]) -> Matches:
        """Those that satisfy the condition and can be counted: with a group, and a value to count."""
        threshold = rule.threshold
        assert threshold is not None
        holds, groups = compile_expression(rule.condition), _keys(threshold)
        distinct = None if threshold.distinct is None else path_getter(threshold.distinct)
        found = [
            event
            for event in events
            if holds(event.data) and groups(event.data) and (distinct is None or distinct(event.data))
        ]
        return cls(tuple(sorted(found, key=lambda event: event.time or 0)), threshold)

    def alerts(self, cuts: Callable[[Sequence[LogEvent]], Iterator[list[LogEvent]]]) -> Alerts:
        """One alert for each stretch of a group's matches, as ``cuts`` makes them, that is enough."""
        keys = _keys(self.threshold)
        by_group: dict[Any, list[LogEvent]] = {}
        for event in self.events:
            for group in keys(event.data):
                by_group.setdefault(group, []).append(event)
        whole = PassingGroups(
            msgspec.structs.replace(
                self.threshold, within=_LONG, every=None, window=WindowStart.SLIDING, by=(), choices=()
            )
        )
        found: Alerts = []
        for events in by_group.values():
            for stretch in cuts(events):
                if next(whole.of(stretch), None) is not None:
                    found.append(tuple(event.id for event in stretch))
        return sorted(dict.fromkeys(found), key=str)


def from_first(length: timedelta) -> Callable[[Sequence[LogEvent]], Iterator[list[LogEvent]]]:
    """Periods that each start at the first match after the last one's end, which belongs to none."""

    def cut(events: Sequence[LogEvent]) -> Iterator[list[LogEvent]]:
        period: list[LogEvent] = []
        for event in events:
            if period and _time(event) >= _time(period[0]) + nanoseconds(length):
                yield period
                period = []
            period.append(event)
        yield period

    return cut


def slices(length: timedelta) -> Callable[[Sequence[LogEvent]], Iterator[list[LogEvent]]]:
    """Slices of the clock, counted from 1970."""

    def cut(events: Sequence[LogEvent]) -> Iterator[list[LogEvent]]:
        span = nanoseconds(length)
        for _, stretch in itertools.groupby(events, key=lambda event: _time(event) // span):
            yield list(stretch)

    return cut


def runs(
    length: timedelta, interval: timedelta, phase: int
) -> Callable[[Sequence[LogEvent]], Iterator[list[LogEvent]]]:
    """What each run sees, from ``length`` before it; runs are at ``phase`` and every ``interval`` after."""

    def cut(events: Sequence[LogEvent]) -> Iterator[list[LogEvent]]:
        for end in _run_ends(events, (length,), interval, phase):
            if seen := _since(events, end - nanoseconds(length), end):
                yield seen

    return cut


def _run_ends(
    events: Sequence[LogEvent], spans: Sequence[timedelta], interval: timedelta, phase: int
) -> list[int]:
    """The runs just before and after an event comes, and just before and after it is some span ago."""
    step = nanoseconds(interval)
    edges = {_time(event) + nanoseconds(span) for event in events for span in (timedelta(), *spans)}
    return sorted(
        {phase + ((edge - phase + step - 1) // step + more) * step for edge in edges for more in (-1, 0)}
    )


def _since(events: Sequence[LogEvent], start: int, end: int) -> list[LogEvent]:
    return [event for event in events if start < _time(event) <= end]


def run_by_run(
    rule: Rule, events: Sequence[LogEvent], look_back: timedelta, interval: timedelta, phase: int
) -> Alerts:
    """The alerts of a sequence or of new terms by runs that each see the events of ``look_back`` alone.

    A run knows of the values of its ``history`` too, and says which of those in its look-back are new.
    """
    reach = look_back if rule.new_terms is None else rule.new_terms.history
    found: Alerts = []
    evaluator = _evaluator(rule, endless=rule.new_terms is not None)
    for end in _run_ends(events, (look_back, reach), interval, phase):
        recent = {event.id for event in _since(events, end - nanoseconds(look_back), end)}
        seen = _since(events, end - nanoseconds(reach), end)
        found += [alert for alert in _alerts(evaluator, seen) if recent.issuperset(alert)]
    return sorted(dict.fromkeys(found), key=str)


def step_by_step(rule: Rule, events: Sequence[LogEvent]) -> Alerts:
    """The alerts of a sequence whose ``within`` is the time from each step to the next, not of the whole."""
    sequence = rule.sequence
    assert sequence is not None
    times = {event.id: _time(event) for event in events}
    longest = nanoseconds(sequence.within or _LONG)
    return [
        alert
        for alert in _alerts(_evaluator(rule, endless=True), events)
        if all(times[later] - times[event] <= longest for event, later in itertools.pairwise(alert))
    ]


def evaluated(rule: Rule, events: Sequence[LogEvent]) -> Alerts:
    """The alerts as the rule itself means it; none where an event lacks its time."""
    return _alerts(_evaluator(rule), events)


_RECENT: deque[tuple[Rule, bool, StreamEvaluator]] = deque(maxlen=8)
"""The evaluators last used: the same few rules are asked stream after stream."""


def _evaluator(rule: Rule, endless: bool = False) -> StreamEvaluator:
    """The evaluator of a rule. ``endless``: without the limits of its sequence's span or its history."""
    for one, is_endless, found in _RECENT:
        if one is rule and is_endless is endless:
            return found
    asked = rule
    if endless and rule.sequence is not None:
        asked = msgspec.structs.replace(rule, sequence=msgspec.structs.replace(rule.sequence, within=_LONG))
    elif endless and rule.new_terms is not None:
        new_terms = msgspec.structs.replace(rule.new_terms, history=_LONG)
        asked = msgspec.structs.replace(rule, new_terms=new_terms)
    made = StreamEvaluator(asked)
    _RECENT.append((rule, endless, made))
    return made


def _alerts(evaluator: StreamEvaluator, events: Sequence[LogEvent]) -> Alerts:
    try:
        return sorted((tuple(alert.events) for alert in evaluator.alerts(events)), key=str)
    except RuleError:
        return []


def phases(events: Sequence[LogEvent], interval: timedelta) -> list[int]:
    """Where a schedule may lie: with a run at the first or the last event, just before it, or between."""
    step = nanoseconds(interval)
    times = [_time(event) for event in (*events[:1], *events[-1:])]
    return sorted({edge % step for time in times for edge in (time, time - 1, time + step // 2)})


def _time(event: LogEvent) -> int:
    return event.time or 0
