"""One mistake in a threshold, as a rendering or its reading might make: what made streams have to show."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec

from converter.model.measures import (
    AllTests,
    AnyTest,
    Bound,
    GroupCondition,
    GroupTest,
    MeasureKind,
    Multiple,
    NotTest,
)
from converter.model.rule import MissingKeys, Threshold, WindowStart

_MILLISECOND = timedelta(milliseconds=1)
_OTHER = {MissingKeys.SKIP: MissingKeys.GROUP, MissingKeys.GROUP: MissingKeys.SKIP}


def slips(threshold: Threshold) -> Iterator[tuple[str, Threshold]]:
    """The threshold with one part left out, or changed by the least there is; named."""

    def slip(name: str, **changes: Any) -> tuple[str, Threshold]:
        return name, msgspec.structs.replace(threshold, **changes)

    if threshold.by:
        yield slip("missing keys", missing_keys=_OTHER[threshold.missing_keys])
        yield slip("one group for all", by=(), choices=())
    for number in range(len(threshold.choices)):
        others = threshold.choices[:number] + threshold.choices[number + 1 :]
        yield slip(f"without choice {number + 1}", choices=others)
    if threshold.count > 1 or not threshold.having:
        yield slip("a greater count", count=threshold.count + 1)
    if threshold.count > 1:
        yield slip("a lesser count", count=threshold.count - 1)
    yield slip("a longer window", within=threshold.within + _MILLISECOND)
    if threshold.window is WindowStart.FIRST_MATCH:
        yield slip("a sliding window", window=WindowStart.SLIDING)
    for number, test in enumerate(threshold.having):
        before, after = threshold.having[:number], threshold.having[number + 1 :]
        yield slip(f"without test {number + 1}", having=(*before, *after))
        for name, changed in _changed(test):
            yield slip(f"test {number + 1}, {name}", having=(*before, changed, *after))


def _changed(test: GroupCondition) -> Iterator[tuple[str, GroupCondition]]:
    match test:
        case GroupTest(measure, bounds):
            for number, (sign, bound) in enumerate(bounds):
                around = bounds[:number], bounds[number + 1 :]
                for more in _stepped(bound):
                    yield f"{sign} {_text(more)}", GroupTest(measure, (*around[0], (sign, more), *around[1]))
            if measure.where and measure.kind is not MeasureKind.MET:
                yield "without its filter", GroupTest(msgspec.structs.replace(measure, where=()), bounds)
        case NotTest(term):
            yield "without not", term
            for name, one in _changed(term):
                yield name, NotTest(one)
        case AllTests(terms) | AnyTest(terms):
            kind = type(test)
            for number, term in enumerate(terms):
                before, after = terms[:number], terms[number + 1 :]
                if len(terms) > 1:
                    yield f"without part {number + 1}", kind((*before, *after))
                for name, one in _changed(term):
                    yield f"part {number + 1}, {name}", kind((*before, one, *after))


def _text(bound: Bound) -> str:
    return f"{bound.times} times" if isinstance(bound, Multiple) else str(bound)


def _stepped(bound: Bound) -> list[Bound]:
    match bound:
        case Multiple(measure, times):
            return [Multiple(measure, times * 2)]
        case timedelta():
            return [bound + _MILLISECOND]
        case int():
            return [bound + 1, bound - 1]
    return [bound + 0.5]
