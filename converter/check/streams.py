"""Streams made from a rule itself, for what no single event shows: thresholds, sequences and new terms.

Each stream sits on an edge: the window just long enough and just too short, one match too few, two groups
mixed, steps out of order, another join key, a forbidden event in the gap. The reference evaluator says
what each of them means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import msgspec

from converter.check.group_streams import group_plans
from converter.check.placing import FieldLookup
from converter.check.variants import Example, Timed, Variants
from converter.evaluate import LogEvent
from converter.evaluate.timestamps import nanoseconds
from converter.model.rule import NewTerms, Rule, Step, Threshold

_START = nanoseconds(datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC))
_SECOND = timedelta(seconds=1)
_MOST_EVENTS = 2_000


class MadeStream(msgspec.Struct, frozen=True, kw_only=True):
    """A stream and what it is about."""

    name: str
    events: tuple[LogEvent, ...]


LookupFor: TypeAlias = Callable[[Step], FieldLookup]


def deciding_streams(
    rule: Rule, examples: Sequence[Example | None], lookup: LookupFor
) -> Iterator[MadeStream]:
    """Streams on the edges of a rule's threshold, sequence, new terms or groups of alerts.

    ``examples``: for each step of ``rule.steps`` an event that satisfies it; None where none is known, and
    then no stream is made.
    """
    if any(example is None for example in examples):
        return
    known = [example for example in examples if example is not None]
    if rule.threshold is not None and not rule.threshold.is_simple:
        plans = group_plans(rule, rule.threshold, known[0], lookup(rule.steps[0]), _START)
    elif rule.threshold is not None:
        plans = _threshold_plans(rule, rule.threshold, known[0], lookup(rule.steps[0]))
    elif rule.sequence is not None:
        plans = _sequence_plans(rule, known, lookup)
    elif rule.new_terms is not None:
        plans = _new_terms_plans(rule, rule.new_terms, known[0], lookup(rule.steps[0]))
    elif rule.alert.group_by or rule.alert.suppress_for is not None:
        plans = _alert_plans(rule, known[0], lookup(rule.steps[0]))
    else:
        return
    for name, timed in plans:
        if len(timed) <= _MOST_EVENTS:
            yield MadeStream(name=name, events=tuple(_events(timed)))


def _events(timed: list[Timed]) -> Iterator[LogEvent]:
    for index, (offset, example) in enumerate(timed):
        yield LogEvent(
            data=example.data, time=_START + nanoseconds(offset), id=index, sources=example.sources
        )


def _threshold_plans(
    rule: Rule, threshold: Threshold, example: Example, lookup: FieldLookup
) -> Iterator[tuple[str, list[Timed]]]:
    count, within = threshold.count, threshold.within
    maker = Variants(rule.steps[0], example, lookup)
    group = maker.first(threshold.by)
    counted = maker.distinct(group, threshold.distinct, count) if threshold.distinct else [group] * count
    yield "just enough, in just the window", _spread(counted, within)
    yield "just enough, window exceeded", _spread(counted, within + _SECOND)
    yield "one too few", _spread(counted[:-1], within)
    yield "twice as many at once", _spread(counted + counted, within)
    if threshold.distinct is not None:
        yield "enough events of one value", _spread([counted[0]] * count, within)
    other = maker.second(threshold.by)
    if other is not None and count > 1:
        half = [*counted[: count - 1], *([other] * (count - 1))]
        yield "two groups, each one short", _spread(half, within)
    missing = maker.without(threshold.by)
    if missing is not None:
        yield "no group key", _spread([missing] * count, within)


def _new_terms_plans(
    rule: Rule, new_terms: NewTerms, example: Example, lookup: FieldLookup
) -> Iterator[tuple[str, list[Timed]]]:
    history = new_terms.history
    maker = Variants(rule.steps[0], example, lookup)
    known = maker.first(new_terms.fields)
    zero = timedelta(0)
    yield "seen just within the history", [(zero, known), (history, known)]
    yield "seen just before the history", [(zero, known), (history + _SECOND, known)]
    other = maker.second(new_terms.fields)
    if other is not None:
        yield (
            "two terms, each twice",
            [(zero, known), (_SECOND, other), (2 * _SECOND, known), (3 * _SECOND, other)],
        )


def _alert_plans(rule: Rule, example: Example, lookup: FieldLookup) -> Iterator[tuple[str, list[Timed]]]:
    """Two matches of one group of alerts, and two that differ in one of its fields."""
    maker = Variants(rule.steps[0], example, lookup)
    paths = rule.alert.group_by
    group = maker.first(paths)
    yield "one group of alerts twice", [(timedelta(0), group), (_SECOND, group)]
    for path in paths:
        one, other = (
            maker.changed(group, [path], key) or maker.solved(group, path, key) for key in ("k1", "k2")
        )
        if one is not None and other is not None:
            yield f"two groups of alerts by {path}", [(timedelta(0), one), (_SECOND, other)]


def _sequence_plans(
    rule: Rule, examples: list[Example], lookup: LookupFor
) -> Iterator[tuple[str, list[Timed]]]:
    sequence = rule.sequence
    assert sequence is not None
    steps = rule.steps
    makers = [Variants(step, example, lookup(step)) for step, example in zip(steps, examples, strict=True)]
    keyed = [maker.keyed(step.by, "key") for maker, step in zip(makers, steps, strict=True)]
    present: list[tuple[int, Example]] = [
        (index, keyed[index])
        for index, step in enumerate(steps)
        for _ in range(0 if step.absent else step.repeat)
    ]
    within = sequence.within
    span = within or timedelta(minutes=1)
    order = [example for _, example in present]
    yield "in order, in just the time", _spread(order, span)
    yield "in reverse", _spread(order[::-1], span)
    yield "too late", _spread(order, span + _SECOND)
    yield "twice", _spread(order + order, span)
    for left_out in range(len(order)):
        yield f"without its event {left_out + 1}", _spread(order[:left_out] + order[left_out + 1 :], span)
    for index, step in enumerate(steps):
        if step.by and not step.absent:
            wrong = makers[index].keyed(step.by, "other")
            swapped = [wrong if position == index else example for position, example in present]
            yield f"step {index + 1} of another key", _spread(swapped, span)
        if step.absent:
            before = sum(1 for position, _ in present if position < index)
            yield (
                f"forbidden step {index + 1}",
                _spread([*order[:before], keyed[index], *order[before:]], span),
            )
            stranger = makers[index].keyed(step.by, "other")
            yield (
                f"forbidden step {index + 1} of another key",
                _spread([*order[:before], stranger, *order[before:]], span),
            )


def _spread(examples: list[Example], span: timedelta) -> list[Timed]:
    """The examples at even distances, the first at the start and the last after ``span`` (whole ms)."""
    gaps = max(len(examples) - 1, 1)
    return [
        (timedelta(milliseconds=round(span / timedelta(milliseconds=1) * index / gaps)), example)
        for index, example in enumerate(examples)
    ]
