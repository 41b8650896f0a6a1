"""How platforms count over time, simulated: what a named loss does, and whether it is all that differs.

A threshold's window slides. A platform may count otherwise: from a group's first match on (Panther), over
all that a scheduled run looks back on (Elastic), in fixed slices of the clock. A sequence may have its time
from step to step (Panther), and runs may see it, or the history of new terms, in part (Elastic). Such a loss
has a name, and a name alone would hide any larger error in its direction. So two things are compared on
every stream:

- the rule counted in the platform's way, with the tightest length that this way allows, against what the
  rendering says, counted likewise: they must give the same alerts;
- the rendering counted in the platform's way against the rule: they may differ in the named directions
  alone, and the first stream that shows a direction is kept.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from converter.check.comparison import uncovered
from converter.check.counting import (
    Alerts,
    Matches,
    evaluated,
    from_first,
    phases,
    run_by_run,
    runs,
    slices,
    step_by_step,
)
from converter.check.report import Disagreement
from converter.check.samples import Stream
from converter.evaluate import Condition, LogEvent, compile_expression
from converter.evaluate.timestamps import nanoseconds
from converter.model.diagnostics import Fidelity
from converter.model.rule import AlertSettings, Rule, Threshold
from converter.platforms.base import WindowKind, Windows

_SECOND = timedelta(seconds=1)
_LONG = timedelta(days=36_500)
_MOST_SHOWN = 5


def tightest(windows: Windows, threshold: Threshold) -> timedelta:
    """The length that loses least of those that the platform's way of counting can have."""
    if windows.kind is WindowKind.RUNS:
        assert windows.interval is not None
        needed = _whole(threshold.within + windows.interval, windows.unit)
    elif threshold.distinct is not None:
        needed = _whole(threshold.within, windows.unit) + windows.distinct_more
    elif windows.kind is WindowKind.SLIDING:
        needed = threshold.within
    else:
        needed = _whole(threshold.within, windows.unit)
    return min(max(needed, windows.shortest), windows.longest)


def in_its_way(rule: Rule, windows: Windows) -> Rule:
    """The rule with the platform's own windows in place of its own: what a good rendering says."""
    changes: dict[str, Any] = {"alert": AlertSettings()}
    if rule.threshold is not None:
        changes["threshold"] = msgspec.structs.replace(
            rule.threshold, within=tightest(windows, rule.threshold)
        )
    elif rule.sequence is not None and rule.sequence.within is not None:
        within = _whole(rule.sequence.within, windows.sequence_unit)
        changes["sequence"] = msgspec.structs.replace(rule.sequence, within=within)
    elif rule.new_terms is not None and windows.forgets:
        history = min(rule.new_terms.history // windows.unit * windows.unit, windows.longest)
        suppress = max(history, windows.shortest)
        changes |= {
            "new_terms": None,
            "alert": AlertSettings(group_by=rule.new_terms.fields, suppress_for=suppress),
        }
    elif rule.new_terms is not None:
        history = _whole(rule.new_terms.history, windows.history_unit)
        changes["new_terms"] = msgspec.structs.replace(rule.new_terms, history=history)
    elif is_plain(rule) and windows.forgets:
        asked = rule.alert.suppress_for
        kept = _LONG if asked is None else _whole(asked, windows.unit)
        if asked is not None:
            kept = min(max(kept, windows.shortest), windows.longest)
        changes["alert"] = AlertSettings(group_by=rule.alert.group_by, suppress_for=kept)
    return msgspec.structs.replace(rule, **changes)


def is_plain(rule: Rule) -> bool:
    """Whether a rule alerts on each match."""
    return rule.threshold is None and rule.sequence is None and rule.new_terms is None


def _whole(span: timedelta, unit: timedelta) -> timedelta:
    return -(-span // unit) * unit


def edge_streams(streams: Sequence[Stream], threshold: Threshold, length: timedelta) -> list[Stream]:
    """Made streams with their matches moved to where the platform's windows end: as far apart as its length
    allows, and around the end of a period that a single match began.
    """
    found: list[Stream] = []
    for stream in streams:
        events = stream.events
        if not stream.origin.startswith("made: ") or len(events) < threshold.count or len(events) < 2:
            continue
        before = max(1, min(threshold.count - 2, len(events) // 2))
        gaps = len(events) - 1
        even = [(length - _SECOND) * place / gaps for place in range(len(events))]
        around = [timedelta(), *(length + _SECOND * (place - before) for place in range(gaps))]
        for name, offsets in (("spread over the platform's window", even), ("around a period's end", around)):
            if sorted(offsets) == offsets:
                found.append(Stream(_moved(events, offsets), f"{stream.origin}, {name}"))
    return found


def spaced_streams(streams: Sequence[Stream], gaps: Mapping[str, timedelta], fewest: int) -> list[Stream]:
    """Made streams of so many events at least, with each of the named gaps from event to event."""
    return [
        Stream(
            _moved(stream.events, [gap * place for place in range(len(stream.events))]),
            f"{stream.origin}, {name}",
        )
        for stream in streams
        if stream.origin.startswith("made: ") and len(stream.events) >= fewest
        for name, gap in gaps.items()
    ]


def _moved(events: Sequence[LogEvent], offsets: Sequence[timedelta]) -> tuple[LogEvent, ...]:
    start = events[0].time or 0
    return tuple(
        msgspec.structs.replace(event, time=start + nanoseconds(offset))
        for event, offset in zip(events, offsets, strict=True)
    )


class WindowCheck:
    """One rule against its rendering as it is read back, counted in the platform's way."""

    def __init__(
        self,
        rule: Rule,
        reading: Rule,
        windows: Windows,
        stored: Callable[[LogEvent], LogEvent],
        allowed: frozenset[Fidelity],
        *,
        conditions_differ: bool,
    ) -> None:
        """``stored``: an event as the platform stores it; ``allowed``: the named directions.

        ``conditions_differ``: single verdicts differ by a named loss; then those of the rendering are taken
        for both, so that only the counting is compared.
        """
        self._stored, self._windows, self._allowed = stored, windows, allowed
        self._takes: Condition | None = None
        self._is_plain = is_plain(rule)
        self._is_compared = windows.forgets or not self._is_plain
        if windows.forgets and self._is_plain and rule.alert.suppress_for is None:
            reading = msgspec.structs.replace(
                reading, alert=AlertSettings(group_by=reading.alert.group_by, suppress_for=_LONG)
            )
        elif not windows.forgets or (rule.new_terms is None and not self._is_plain):
            reading = msgspec.structs.replace(reading, alert=AlertSettings())
        if conditions_differ:
            self._takes = compile_expression(reading.condition)
            rule, reading = _counting_alone(rule), _counting_alone(reading)
        self._rule = msgspec.structs.replace(rule, alert=AlertSettings())
        self._reading = reading
        self._ideal = in_its_way(rule, windows)
        self.shown: dict[Fidelity, str] = {}
        """Named direction → the first stream on which the named loss shows."""

    def run(self, streams: Sequence[Stream]) -> list[Disagreement]:
        """Both comparisons on every stream; at most a handful of disagreements is kept.

        A rule that alerts on each match is compared where an alert is kept open for a group's further ones.
        """
        if not self._is_compared:
            return []
        streams = [*streams, *self._at_edges(streams)]
        found: list[Disagreement] = []
        for stream in streams:
            if any(event.time is None for event in stream.events):
                continue
            found += self._compared(stream)
            if len(found) >= _MOST_SHOWN:
                break
        return found

    def _at_edges(self, streams: Sequence[Stream]) -> list[Stream]:
        """Streams at the edges of the platform's own windows, where those are not the rule's."""
        ideal, windows = self._ideal, self._windows
        if ideal.threshold is not None and self._reading.threshold is not None:
            return edge_streams(streams, ideal.threshold, self._reading.threshold.within)
        if ideal.sequence is not None and ideal.sequence.within is not None and windows.each_step:
            within = ideal.sequence.within
            gaps = {"for each step": within, "too long for each step": within + _SECOND}
            return spaced_streams(streams, gaps, 3)
        if ideal.new_terms is not None and windows.look_back is not None:
            known = ideal.new_terms.history - windows.look_back - _SECOND
            return spaced_streams(streams, {"as far back as every run knows": known}, 2)
        if self._is_plain and ideal.alert.suppress_for not in (None, _LONG):
            assert ideal.alert.suppress_for is not None
            until = ideal.alert.suppress_for
            gaps = {"while the alert is open": until - _SECOND, "as the alert is closed": until}
            return spaced_streams(streams, gaps, 2)
        return []

    def _compared(self, stream: Stream) -> list[Disagreement]:
        both = [(event, self._stored(event)) for event in stream.events]
        taken = [pair for pair in both if self._takes is None or self._takes(pair[1].data)]
        events, stored = [event for event, _ in taken], [event for _, event in taken]
        expected, got = self._alerts(self._ideal, events), self._alerts(self._reading, stored)
        if expected != got:
            return [_disagreement(stream, f"{stream.origin}, counted as the platform does", expected, got)]
        if self._is_plain:
            return []
        reference = evaluated(self._rule, events)
        missed, extra = uncovered(reference, got[0]), uncovered(got[-1], reference)
        differs = {Fidelity.NARROWER: missed, Fidelity.WIDER: extra}
        for direction, differing in differs.items():
            if differing and direction in self._allowed:
                self.shown.setdefault(direction, stream.origin)
        if any(differing and direction not in self._allowed for direction, differing in differs.items()):
            return [_disagreement(stream, f"{stream.origin}, run as the platform does", [reference], got)]
        return []

    def _alerts(self, rule: Rule, events: Sequence[LogEvent]) -> list[Alerts]:
        """The alerts as the platform counts. Of a schedule, which may lie anywhere: those of every one, then
        those of any.
        """
        windows = self._windows
        if rule.threshold is None:
            return self._of_order(rule, events)
        matches, length = Matches.of(rule, events), rule.threshold.within
        match windows.kind:
            case WindowKind.SLIDING:
                return [evaluated(rule, events)]
            case WindowKind.PERIOD:
                return [matches.alerts(from_first(length))]
            case WindowKind.SLICES:
                return [matches.alerts(slices(length))]
            case WindowKind.RUNS:
                interval = _interval(windows)
                return _wherever(
                    matches.alerts(runs(length, interval, phase))
                    for phase in phases(matches.events, interval)
                )

    def _of_order(self, rule: Rule, events: Sequence[LogEvent]) -> list[Alerts]:
        """Those of a sequence or of new terms."""
        windows = self._windows
        if windows.kind is WindowKind.RUNS and windows.look_back is not None:
            look_back, interval = windows.look_back, _interval(windows)
            return _wherever(
                run_by_run(rule, events, look_back, interval, phase) for phase in phases(events, interval)
            )
        if windows.each_step and rule.sequence is not None:
            return [step_by_step(rule, events)]
        return [evaluated(rule, events)]


def _interval(windows: Windows) -> timedelta:
    assert windows.interval is not None
    return windows.interval


def _wherever(by_phase: Iterable[Alerts]) -> list[Alerts]:
    """Of the alerts of schedules that lie differently: those of every one, then those of any."""
    every = list(by_phase)
    found = list(itertools.chain(*every))
    certain = [alert for alert in found if all(not uncovered([alert], alerts) for alerts in every)]
    return [sorted(dict.fromkeys(certain), key=str), sorted(set(found), key=str)]


def comparable(rule: Rule, codes: Iterable[str], conditions_differ: bool) -> bool:
    """Whether a rendering with these losses can be compared: its groups, and (of a sequence) its steps'
    conditions are the rule's. Of a rule that alerts on each match there is something to compare if it groups
    its alerts.
    """
    if is_plain(rule):
        return bool(rule.alert.group_by) or rule.alert.suppress_for is not None
    if rule.threshold is not None and not rule.threshold.is_simple:
        return False
    return not (conditions_differ and rule.sequence is not None) and _OF_GROUPS.isdisjoint(codes)


_OF_GROUPS = frozenset({"group-by", "distinct"})


def _counting_alone(rule: Rule) -> Rule:
    """The rule without its condition on single events."""
    return msgspec.structs.replace(rule, indicators=(), exclusions=())


def _disagreement(
    stream: Stream, origin: str, expected: Sequence[Alerts], got: Sequence[Alerts]
) -> Disagreement:
    return Disagreement(
        origin=origin,
        event=[event.data for event in stream.events],
        expected=[list(alert) for alert in expected[0]],
        got=[list(alert) for alert in got[0]],
    )
