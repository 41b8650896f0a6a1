"""Streams on the edges of a threshold's tests of the group, its windows of the clock and missing keys.

A group is made that has as many matches, and as many different values, as its tests ask for at least. Then
one match of one kind is taken away or added, bounds are reached and exceeded, and the whole is moved over the
edges of the window, squeezed together and turned round. What no such stream shows is looked for.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta

from converter.check.deciding import deciding_events
from converter.check.placing import FieldLookup, placed
from converter.check.slips import slips
from converter.check.variants import Example, Timed, Variants
from converter.evaluate import LogEvent, StreamEvaluator, compile_expression
from converter.evaluate.groups import PassingGroups
from converter.evaluate.timestamps import nanoseconds
from converter.model.expressions import Expression, Operator, all_of, any_of, fields_of
from converter.model.measures import FIELD_KINDS, GroupTest, Measure, MeasureKind, group_tests, measures
from converter.model.paths import FieldPath
from converter.model.rule import MissingKeys, Rule, Threshold, WindowStart

_MOST_KINDS = 6
_LARGEST_BOUND = 400
_SEVERAL = 3
"""Matches for a sum, an extreme or a mean."""
_MOST_MOVED = 4
_MOST_TRIES = 400
_MOST_TRIED = 40
"""Matches in a stream that is tried out."""
_MOST_JUDGED = 100_000
"""Matches of streams, for each slip that they are judged by: so many on purpose, and so many by trying."""
_MILLISECOND = timedelta(milliseconds=1)
Plan = tuple[str, list[Example]]


def group_plans(
    rule: Rule, threshold: Threshold, example: Example, lookup: FieldLookup, start: int
) -> Iterator[tuple[str, list[Timed]]]:
    """Named streams. ``start``: the time (ns) from which their offsets count; ``example``: a match.

    First those that are made on purpose; then, for every slip that none of them shows, one that was found by
    trying (the same ones at every run).
    """
    makers = _Makers(rule, threshold, Variants(rule.steps[0], example, lookup), lookup)
    begin, length = _window(threshold, start)
    search = _Search(rule, threshold, start)
    for name, timed in _on_purpose(makers, begin, length, search.alerts):
        search.tell(timed)
        yield name, timed
    yield from search.found(_Tries(makers, threshold, begin, length))


def _on_purpose(
    makers: _Makers, begin: timedelta, length: timedelta, alerts: Callable[[Sequence[Timed]], bool]
) -> Iterator[tuple[str, list[Timed]]]:
    """``alerts``: whether the rule alerts on a stream; a few of those are moved over the window's edges."""
    moved = 0
    for name, events in makers.plans():
        if not events:
            continue
        over = _at(events, begin, length)
        yield f"{name}, over the window", over
        yield f"{name}, at once", _at(events, begin + length / 2, timedelta())
        if moved < _MOST_MOVED and alerts(over):
            moved += 1
            yield f"{name}, in reverse", _at(events[::-1], begin, length)
            yield f"{name}, up to the end", _at(events, begin + _MILLISECOND, length)
            yield f"{name}, from before", _at(events, begin - _MILLISECOND, length)
            yield f"{name}, twice", [*over, *_at(events, begin + 3 * length, length)]
    for first, last, span in makers.spans():
        for more in (-_MILLISECOND, timedelta(), _MILLISECOND, 2 * _MILLISECOND):
            timed = sorted([(begin, first), (begin + span + more, last)], key=lambda one: one[0])
            yield f"{span + more} apart", timed
    half = makers.in_two_groups()
    if half:
        yield "two groups mixed", _at(half, begin, length)


class _Search:
    """Which slips in a threshold show on the streams so far, and streams for the others."""

    def __init__(self, rule: Rule, threshold: Threshold, start: int) -> None:
        self._rule = StreamEvaluator(rule)
        self._start = start
        self._left = _MOST_JUDGED
        self._windows = PassingGroups(threshold)
        self._open = {name: PassingGroups(slip) for name, slip in slips(threshold)}

    def tell(self, timed: Sequence[Timed]) -> list[str]:
        """Take note of a stream; the slips that it is the first to show."""
        costs = len(timed) * (len(self._open) + 1)
        if not self._open or len(timed) > _LARGEST_BOUND or costs > self._left:
            return []
        self._left -= costs
        holds = self._rule.condition
        found = sorted(
            (event for event in self._events(timed) if holds(event.data)), key=lambda event: event.time or 0
        )
        expected = list(self._windows.of(found))
        shown = [name for name, slip in self._open.items() if list(slip.of(found)) != expected]
        for name in shown:
            del self._open[name]
        return shown

    def alerts(self, timed: Sequence[Timed]) -> bool:
        """Whether the rule alerts on a stream."""
        return bool(self._rule.alerts(self._events(timed)))

    def _events(self, timed: Sequence[Timed]) -> list[LogEvent]:
        return [
            LogEvent(data=one.data, time=self._start + nanoseconds(at), id=number, sources=one.sources)
            for number, (at, one) in enumerate(timed)
        ]

    def found(self, tries: Iterable[list[Timed]]) -> Iterator[tuple[str, list[Timed]]]:
        """Of the tries those that are the first to show a slip."""
        self._left = _MOST_JUDGED
        for timed in tries:
            if not self._open:
                return
            shown = self.tell(timed)
            if shown:
                yield f"found for {', '.join(shown)}", timed


class _Tries:
    """Streams by chance, the same at every run: matches of every kind at the edges of the window."""

    def __init__(self, makers: _Makers, threshold: Threshold, begin: timedelta, length: timedelta) -> None:
        self._makers = makers
        spans = [
            bound
            for one in threshold.having
            for test in group_tests(one)
            for _, bound in test.bounds
            if isinstance(bound, timedelta)
        ]
        end = begin + length
        edges = [begin, end, *(begin + span for span in spans), *(end - span for span in spans)]
        near = (-2 * _MILLISECOND, -_MILLISECOND, timedelta(), _MILLISECOND, 2 * _MILLISECOND)
        self._times = [edge + more for edge in edges for more in near]
        self._begin, self._length = begin, length

    def __iter__(self) -> Iterator[list[Timed]]:
        chance = random.Random(0)  # noqa: S311 (the same streams at every run)
        pool = self._makers.pool()
        sizes = [1, 2, 3, 4, *self._makers.sizes()]
        for _ in range(_MOST_TRIES):
            few = chance.sample(pool, min(len(pool), chance.choice((1, 2, 3, 8))))
            times = chance.sample(self._times, min(len(self._times), chance.choice((1, 2, 4))))
            even = chance.random() < 0.5
            timed = [
                (
                    self._begin + chance.randrange(0, max(1, self._length // _MILLISECOND)) * _MILLISECOND
                    if even and chance.random() < 0.5
                    else chance.choice(times),
                    chance.choice(few),
                )
                for _ in range(chance.choice(sizes))
            ]
            yield sorted(timed, key=lambda one: one[0])


def _window(threshold: Threshold, start: int) -> tuple[timedelta, timedelta]:
    """From when on, and how long, matches are all in one window: of the clock, up to a millisecond before its
    end; as long as a sliding one; or from a first one on up to a millisecond before its end.
    """
    if threshold.window is WindowStart.FIRST_MATCH:
        return timedelta(), max(threshold.within - _MILLISECOND, timedelta())
    if threshold.every is None:
        return timedelta(), threshold.within
    every = nanoseconds(threshold.every)
    first = start + nanoseconds(threshold.within)
    end = -(-first // every) * every
    begin = timedelta(microseconds=(end - start) // 1_000) - threshold.within
    return begin, max(threshold.within - _MILLISECOND, timedelta())


def _at(events: Sequence[Example], begin: timedelta, length: timedelta) -> list[Timed]:
    """The events at even distances, in whole milliseconds."""
    gaps = max(len(events) - 1, 1)
    steps = length // _MILLISECOND
    return [
        (begin // _MILLISECOND * _MILLISECOND + steps * index // gaps * _MILLISECOND, event)
        for index, event in enumerate(events)
    ]


class _Makers:
    """Groups of matches around what the tests of one threshold ask."""

    def __init__(self, rule: Rule, threshold: Threshold, maker: Variants, lookup: FieldLookup) -> None:
        self._threshold, self._maker, self._lookup = threshold, maker, lookup
        self._tests = [test for one in threshold.having for test in group_tests(one)]
        self._tests.append(
            GroupTest(
                Measure(MeasureKind.COUNT)
                if threshold.distinct is None
                else Measure(MeasureKind.DISTINCT, threshold.distinct),
                ((Operator.GTE, threshold.count),),
            )
        )
        self._first = maker.first(threshold.by)
        wheres = self._wheres()
        self._verdicts = [compile_expression(where) for where in wheres]
        self._kinds = self._kinds_of_match(rule, wheres)
        self._fields = tuple(
            dict.fromkeys(
                test.measure.field
                for test in self._tests
                if test.measure.field is not None and test.measure.kind in FIELD_KINDS
            )
        )

    def plans(self) -> Iterator[Plan]:
        """Groups by name, the one that the tests ask for first."""
        asked = self._asked()
        yield "as asked", asked
        yield "one match less", asked[:-1]
        yield "one match more", [*asked, self._kinds[0]]
        for number, kind in enumerate(self._kinds):
            yield f"one more of kind {number + 1}", [*asked, kind]
            yield f"one more of kind {number + 1}, with new values", [*asked, self._fresh(kind, "w0")]
            if kind in asked or len(self._kinds) > 1:
                yield f"without kind {number + 1}", [one for one in asked if not self._is_like(one, number)]
        for index in range(min(len(asked), 12)):
            yield f"without match {index + 1}", asked[:index] + asked[index + 1 :]
        for bound, (kind, several) in itertools.product(
            self._bounds(), itertools.product(self._kinds[:3], (False, True))
        ):
            for size in (bound - 1, bound, bound + 1):
                if size > 0:
                    yield f"{size} matches", [self._nth(kind, n) if several else kind for n in range(size)]
        yield from self._without_keys(asked)
        yield from self._with_numbers(asked)

    def in_two_groups(self) -> list[Example]:
        """The matches that the tests ask for, every other one in another group; none where that cannot be."""
        asked = self._asked()
        by = self._threshold.by
        if not self._group_fields() or (by and self._maker.second(by) is None):
            return []
        return [self._other_group(one) if index % 2 else one for index, one in enumerate(asked)]

    def _other_group(self, event: Example) -> Example:
        for path in self._group_fields():
            changed = self._maker.changed(event, [path], "k2")
            if changed is not None:
                return self._kept(event, changed)
        return event

    def _group_fields(self) -> list[FieldPath]:
        """The fields whose values make the groups."""
        chosen = (each.subject for choice in self._threshold.choices for each in choice.alternatives)
        return [*self._threshold.by, *(path for subject in chosen for path in fields_of(subject))]

    def spans(self) -> Iterator[tuple[Example, Example, timedelta]]:
        """For a test of a span: a match at its start, one at its end, and what it is compared with."""
        for test in self._tests:
            for _, bound in test.bounds:
                if isinstance(bound, timedelta):
                    first, last = self._fitting(test.measure)
                    yield first, last, bound

    def pool(self) -> list[Example]:
        """Matches of every kind, with several values, in two groups, and without a key."""
        found: list[Example] = []
        for kind in self._kinds:
            found += [kind, *(self._nth(kind, number) for number in range(1 + max(self.sizes(), default=2)))]
        found += [self._other_group(one) for one in found[:4]]
        found += [one for _, plan in self._without_keys(self._kinds) for one in plan]
        found += [one for _, plan in self._with_numbers(self._kinds) for one in plan[:1]]
        return found[:200]

    def sizes(self) -> list[int]:
        """How many matches are around what the tests compare with."""
        return sorted(
            {size for bound in self._bounds() for size in (bound - 1, bound, bound + 1) if 0 < size <= 40}
        )

    # -- kinds of match

    def _kinds_of_match(self, rule: Rule, wheres: Sequence[Expression]) -> list[Example]:
        """Matches that differ in which conditions of the tests they meet."""
        if not wheres:
            return [self._first]
        condition = rule.steps[0].condition
        holds = compile_expression(condition)
        asked = all_of(condition, any_of(*wheres))
        found: dict[tuple[bool, ...], Example] = {}
        bases = [self._first.data]
        made = itertools.islice(deciding_events(asked, bases, self._lookup), 2_000)
        for data in itertools.chain(bases, made):
            if holds(data):
                found.setdefault(
                    tuple(verdict(data) for verdict in self._verdicts),
                    Example(data=data, sources=self._first.sources),
                )
        kinds = sorted(found, key=sum, reverse=True)
        return [found[kind] for kind in kinds[:_MOST_KINDS]]

    def _wheres(self) -> tuple[Expression, ...]:
        found: list[Expression] = []
        for one in measures(self._threshold.having):
            if one.kind is MeasureKind.MET:
                found.extend(one.where)
            found.extend(all_of(*where) for where in (one.where, one.start.where, one.stop.where) if where)
        return tuple(dict.fromkeys(found))

    def _is_like(self, event: Example, number: int) -> bool:
        """Whether an event meets the same conditions as a kind of match."""
        kind = self._kinds[number].data
        return all(verdict(event.data) is verdict(kind) for verdict in self._verdicts)

    # -- groups

    def _asked(self) -> list[Example]:
        """So many matches, of each kind and with so many values, as the tests ask for at least."""
        found: list[Example] = []
        for test in self._tests:
            least = max((number for sign, number in _numbers(test) if sign in _LOWER), default=1)
            if test.measure.kind not in _COUNTS:
                least = _SEVERAL
            for kind in self._fitting(test.measure):
                found += [self._nth(kind, n) for n in range(min(int(least), _LARGEST_BOUND))]
        return found

    def _fitting(self, measure: Measure) -> list[Example]:
        """A kind of match that a measure looks at; of a span or of conditions, one for each."""
        if measure.kind is MeasureKind.MET:
            wanted = list(measure.where)
        elif measure.kind is MeasureKind.SPAN:
            wanted = [all_of(*measure.start.where), all_of(*measure.stop.where)]
        else:
            wanted = [all_of(*measure.where)]
        holding: list[Callable[[object], bool]] = [compile_expression(one) for one in wanted]
        return [next((kind for kind in self._kinds if holds(kind.data)), self._kinds[0]) for holds in holding]

    def _nth(self, kind: Example, number: int) -> Example:
        return self._fresh(kind, f"v{number}")

    def _fresh(self, kind: Example, key: str) -> Example:
        """The match with other values in the fields that are measured, as far as it then is of its kind."""
        for path in self._fields:
            kind = self._kept(kind, self._maker.changed(kind, [path], key))
        return kind

    def _kept(self, kind: Example, changed: Example | None) -> Example:
        if changed is None:
            return kind
        if any(verdict(changed.data) is not verdict(kind.data) for verdict in self._verdicts):
            return kind
        return changed

    def _bounds(self) -> list[int]:
        """The numbers of matches or values that tests compare with."""
        counts = [test for test in self._tests if test.measure.kind in _COUNTS]
        found = {int(number) for test in counts for _, number in _numbers(test) if number <= _LARGEST_BOUND}
        return sorted(found)[:6]

    def _without_keys(self, asked: Sequence[Example]) -> Iterator[Plan]:
        missing = self._maker.without(self._threshold.by)
        if missing is None:
            return
        path = self._threshold.by[-1]
        bare = [
            Example(data=placed(one.data, path, None, self._lookup(path)), sources=one.sources)
            for one in asked
        ]
        yield "no group key", bare
        if self._threshold.missing_keys is MissingKeys.GROUP:
            yield (
                "every other one without a group key",
                [pair[index % 2] for index, pair in enumerate(zip(asked, bare, strict=True))],
            )

    def _with_numbers(self, asked: Sequence[Example]) -> Iterator[Plan]:
        """Values just below, at and above what sums and extremes are compared with."""
        for test in self._tests:
            path, kind = test.measure.field, test.measure.kind
            if path is None or kind in (MeasureKind.DISTINCT, MeasureKind.COUNT):
                continue
            for sign, number in _numbers(test):
                for value in (number - 1, number, number + 1):
                    changed = [self._with_number(one, path, value) for one in asked[:1]]
                    yield f"{kind} {sign} {number}: {value}", changed
                    yield f"{kind} {sign} {number}: {value} and others", [*changed, *asked[1:]]

    def _with_number(self, event: Example, path: FieldPath, value: float) -> Example:
        data = placed(event.data, path, value, self._lookup(path))
        return Example(data=data, sources=event.sources)


_COUNTS = (MeasureKind.COUNT, MeasureKind.DISTINCT, MeasureKind.MET)
_LOWER = (Operator.GT, Operator.GTE, Operator.IS)


def _numbers(test: GroupTest) -> list[tuple[Operator, int | float]]:
    """What a test compares with, where that is a number; a GT asks for one more."""
    return [
        (sign, bound + 1 if sign is Operator.GT and isinstance(bound, int) else bound)
        for sign, bound in test.bounds
        if isinstance(bound, int | float)
    ]
