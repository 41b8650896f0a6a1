"""Sequences: steps that follow one another, as Elastic's EQL defines them.

Source: Elastic, EQL syntax reference, "Sequences" (state machine, maxspan, with runs, missing events).
A step takes the latest earlier in-flight match of its key and drops that one and the older ones.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from converter.evaluate.compile import Condition
from converter.evaluate.timestamps import nanoseconds
from converter.evaluate.values import path_getter, text_of
from converter.model.rule import Step

if TYPE_CHECKING:
    from converter.evaluate.stream import LogEvent

Key: TypeAlias = tuple[str, ...]


class StepMatcher:
    """A step, compiled: which events it takes, and under which join keys."""

    def __init__(self, step: Step, condition: Condition) -> None:
        self.step = step
        self.condition = condition
        self._getters = [path_getter(path) for path in step.by]

    def takes(self, event: LogEvent) -> bool:
        """Whether the event is of the step's log sources and satisfies its condition."""
        return event.is_from(self.step.logsource) and self.condition(event.data)

    def keys(self, event: LogEvent) -> list[Key]:
        """The event's join keys: every combination of the key fields' values; none if one has none."""
        texts = [[text_of(value) for value in get(event.data)] for get in self._getters]
        return list(dict.fromkeys(itertools.product(*texts)))


class Found(msgspec.Struct, frozen=True):
    """A completed sequence: the events of its present steps in order, and their join key."""

    events: tuple[LogEvent, ...]
    key: Key


class _Partial(msgspec.Struct, frozen=True):
    """A sequence on its way: the events so far, and the position of the last in the stream."""

    events: tuple[LogEvent, ...]
    positions: tuple[int, ...]


class _Absence(msgspec.Struct, frozen=True):
    """An absent step and its place: after how many of the present events (repeats counted)."""

    after: int
    matcher: StepMatcher


class SequenceMachine:
    """Runs the steps over one ordered stream."""

    def __init__(self, matchers: Sequence[StepMatcher], within: timedelta | None) -> None:
        self._within = None if within is None else nanoseconds(within)
        self._stages: list[StepMatcher] = []
        self._absences: list[_Absence] = []
        for matcher in matchers:
            if matcher.step.absent:
                self._absences.append(_Absence(len(self._stages), matcher))
            else:
                self._stages.extend([matcher] * matcher.step.repeat)

    def run(self, events: Sequence[LogEvent]) -> Iterator[Found]:
        """Every sequence in the stream, in the order of its last event."""
        waiting: list[dict[Key, list[_Partial]]] = [defaultdict(list) for _ in self._stages]
        forbidden = [self._occurrences(absence.matcher, events) for absence in self._absences]
        for position, event in enumerate(events):
            taken: dict[StepMatcher, list[Key]] = {}
            for stage in range(len(self._stages) - 1, -1, -1):  # an event never follows itself
                matcher = self._stages[stage]
                if stage and not waiting[stage]:
                    continue
                if matcher not in taken:
                    taken[matcher] = matcher.keys(event) if matcher.takes(event) else []
                for key in taken[matcher]:
                    grown = self._grown(waiting, stage, key, event, position)
                    if grown is None:
                        continue
                    if stage + 1 < len(self._stages):
                        waiting[stage + 1][key].append(grown)
                    elif not self._violated(grown, key, events, forbidden):
                        yield Found(grown.events, key)

    def _grown(
        self, waiting: list[dict[Key, list[_Partial]]], stage: int, key: Key, event: LogEvent, position: int
    ) -> _Partial | None:
        """The partial sequence that the event makes or continues at a stage; None if it continues none."""
        if stage == 0:
            return _Partial((event,), (position,))
        candidates = waiting[stage].pop(key, [])
        if not candidates:
            return None
        latest = candidates[-1]
        if self._within is not None and _time(event) - _time(latest.events[0]) > self._within:
            return None
        return _Partial((*latest.events, event), (*latest.positions, position))

    def _occurrences(self, matcher: StepMatcher, events: Sequence[LogEvent]) -> dict[Key, list[int]]:
        """Positions of the events that an absent step forbids, by key."""
        found: dict[Key, list[int]] = defaultdict(list)
        for position, event in enumerate(events):
            if matcher.takes(event):
                for key in matcher.keys(event):
                    found[key].append(position)
        return found

    def _violated(
        self,
        sequence: _Partial,
        key: Key,
        events: Sequence[LogEvent],
        forbidden: list[dict[Key, list[int]]],
    ) -> bool:
        """Whether a forbidden event of the same key stands where an absent step says that none may."""
        for absence, occurrences in zip(self._absences, forbidden, strict=True):
            positions = occurrences.get(key, [])
            after = absence.after
            low = sequence.positions[after - 1] if after else -1
            high = sequence.positions[after] if after < len(sequence.positions) else len(events)
            for position in positions[bisect_right(positions, low) : bisect_left(positions, high)]:
                time = _time(events[position])
                if (
                    after == 0
                    and self._within is not None
                    and time < _time(sequence.events[-1]) - self._within
                ):
                    continue
                if (
                    after == len(sequence.positions)
                    and self._within is not None
                    and time > _time(sequence.events[0]) + self._within
                ):
                    continue
                return True
        return False


def _time(event: LogEvent) -> int:
    return 0 if event.time is None else event.time
