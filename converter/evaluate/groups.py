"""From the matches of a threshold rule to the groups that pass its tests, window by window."""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from converter.evaluate.compile import compile_expression
from converter.evaluate.measures import Contribution, GroupTests, Value
from converter.evaluate.timestamps import nanoseconds
from converter.evaluate.values import Getter, path_getter, subject_getter, text_of
from converter.model.expressions import Scalar, all_of
from converter.model.paths import FieldPath
from converter.model.rule import Choice, MissingKeys, Threshold, WindowStart

if TYPE_CHECKING:
    from converter.evaluate.stream import LogEvent

Group: TypeAlias = tuple[str | None, ...]
"""The values of a group's keys, as text; None for one that its matches lack."""


class Passed(msgspec.Struct, frozen=True):
    """A window of a group that passes: its matches in time order, and the group's key."""

    events: tuple[LogEvent, ...]
    group: Group


class _Match(msgspec.Struct, frozen=True):
    """A match with what it adds to each meter."""

    event: LogEvent
    time: int
    parts: tuple[Contribution, ...]


def group_getter(
    paths: Sequence[FieldPath], missing: MissingKeys = MissingKeys.SKIP, choices: Sequence[Choice] = ()
) -> Callable[[Any], list[Group]]:
    """Every combination of the paths' values and of what the choices come to, as text, each once.

    Where a path has no value there is none; or, when the missing ones are to be grouped, that key is None.
    """
    getters = [*map(path_getter, paths), *map(_choice_getter, choices)]
    instead: list[str | None] = [None] if missing is MissingKeys.GROUP else []

    def groups(event: Any) -> list[Group]:
        texts = [[text_of(value) for value in get(event)] or instead for get in getters]
        return list(dict.fromkeys(itertools.product(*texts)))

    return groups


def _choice_getter(choice: Choice) -> Getter:
    """The values of the first alternative whose conditions hold."""
    alternatives = [
        (compile_expression(all_of(*each.when)), subject_getter(each.subject, each.functions))
        for each in choice.alternatives
    ]

    def get(event: Any) -> list[Scalar]:
        return next((values(event) for holds, values in alternatives if holds(event)), [])

    return get


class PassingGroups:
    """A threshold, compiled once: the windows of matches that pass."""

    def __init__(self, threshold: Threshold) -> None:
        self._threshold = threshold
        self._counting = _Counting(threshold)

    def of(self, found: Iterable[LogEvent]) -> Iterator[Passed]:
        """The windows in the order in which it is known that they pass. ``found``: matches in time order."""
        threshold = self._threshold
        if threshold.every is not None:
            return _ticking(self._counting, nanoseconds(threshold.every), found)
        if threshold.window is WindowStart.FIRST_MATCH:
            return _from_first(self._counting, found)
        return _sliding(self._counting, bool(threshold.having), found)


class _Counting:
    """What all windows of a threshold share."""

    def __init__(self, threshold: Threshold) -> None:
        self.tests = GroupTests(threshold)
        self.keys = group_getter(threshold.by, threshold.missing_keys, threshold.choices)
        self.within = nanoseconds(threshold.within)

    def match(self, event: LogEvent) -> _Match:
        time = event.time or 0
        return _Match(event, time, tuple(gauge.part(event.data, time) for gauge in self.tests.gauges))


class _Window:
    """The matches of one group that are looked at together."""

    def __init__(self, counting: _Counting, group: Group) -> None:
        self._tests = counting.tests
        self._group = group
        self.spend()

    def spend(self) -> None:
        """Forget all matches."""
        self._matches: deque[_Match] = deque()
        self._meters = [gauge.new() for gauge in self._tests.gauges]
        self._may_pass: bool | None = None

    def add(self, match: _Match) -> None:
        """Take in the newest match."""
        self._may_pass = None
        self._matches.append(match)
        for meter, part in zip(self._meters, match.parts, strict=True):
            meter.add(part)

    def drop_before(self, time: int) -> bool:
        """Let go of the matches before ``time``; whether there were any."""
        dropped = False
        while self._matches and self._matches[0].time < time:
            match = self._matches.popleft()
            dropped, self._may_pass = True, None
            for meter, part in zip(self._meters, match.parts, strict=True):
                meter.remove(part)
        return dropped

    def __bool__(self) -> bool:
        return bool(self._matches)

    @property
    def oldest(self) -> int:
        """The time of the first match."""
        return self._matches[0].time

    @property
    def may_pass(self) -> bool:
        """Whether there is an end at which the window may pass, as long as its matches are these."""
        if self._may_pass is None:
            self._may_pass = bool(self._matches) and self._tests.may_hold(self._values(0))
        return self._may_pass

    def passed(self, end: int) -> Passed | None:
        """The window that ends at ``end``, if it passes the tests."""
        if not self.may_pass or not self._tests.hold(self._values(end)):
            return None
        return Passed(tuple(match.event for match in self._matches), self._group)

    def _values(self, end: int) -> list[Value]:
        return [meter.value(end) for meter in self._meters]


def _sliding(counting: _Counting, watches_leaving: bool, found: Iterable[LogEvent]) -> Iterator[Passed]:
    """The tests are asked as each match comes in, and (where fewer matches can help) as each has left."""
    windows: dict[Group, _Window] = {}
    leaving: deque[tuple[int, Group]] = deque()

    def left(until: int | None) -> Iterator[Passed]:
        """What passes because matches from before ``until`` (None: all) are no longer in their windows."""
        while leaving and (until is None or leaving[0][0] < until):
            time, group = leaving.popleft()
            window = windows[group]
            if window.drop_before(time + 1) and (passed := window.passed(time + counting.within)):
                window.spend()
                yield passed

    for event in found:
        match = counting.match(event)
        yield from left(match.time - counting.within)
        for group in counting.keys(event.data):
            window = windows.setdefault(group, _Window(counting, group))
            window.drop_before(match.time - counting.within)
            window.add(match)
            passed = window.passed(match.time)
            if passed is not None:
                window.spend()
                yield passed
            elif watches_leaving:
                leaving.append((match.time, group))
    yield from left(None)


def _from_first(counting: _Counting, found: Iterable[LogEvent]) -> Iterator[Passed]:
    """The tests are asked as each match comes into the window that a first one began, until they pass."""
    windows: dict[Group, _Window] = {}
    ends: dict[Group, int] = {}
    for event in found:
        match = counting.match(event)
        for group in counting.keys(event.data):
            if match.time >= ends.get(group, match.time):
                ends[group] = match.time + counting.within
                windows[group] = _Window(counting, group)
            window = windows.get(group)
            if window is None:  # it has passed: its later matches belong to that alert
                continue
            window.add(match)
            passed = window.passed(match.time)
            if passed is not None:
                del windows[group]
                yield passed


def _ticking(counting: _Counting, every: int, found: Iterable[LogEvent]) -> Iterator[Passed]:
    """Each window that ends at a multiple of ``every``, of all groups in the order of those ends."""
    groups: dict[Group, list[_Match]] = {}
    for event in found:
        match = counting.match(event)
        for group in counting.keys(event.data):
            groups.setdefault(group, []).append(match)
    by_group = [
        _ticks(_Window(counting, group), matches, counting.within, every) for group, matches in groups.items()
    ]
    return (passed for _, passed in heapq.merge(*by_group, key=lambda one: one[0]))


def _ticks(
    window: _Window, matches: Sequence[_Match], within: int, every: int
) -> Iterator[tuple[int, Passed]]:
    """The windows of one group that pass, with their ends: from ``within`` before, up to and without it."""
    taken, tick = 0, 0
    while taken < len(matches) or window:
        if not window:
            tick = max(tick, _next_multiple(matches[taken].time, every))
        while taken < len(matches) and matches[taken].time < tick:
            window.add(matches[taken])
            taken += 1
        window.drop_before(tick - within)
        if window.may_pass:
            passed = window.passed(tick)
            if passed is not None:
                yield tick, passed
            tick += every
        elif window:
            changes = [window.oldest + within, *(match.time for match in matches[taken : taken + 1])]
            tick = _next_multiple(min(changes), every)


def _next_multiple(time: int, every: int) -> int:
    return (time // every + 1) * every
