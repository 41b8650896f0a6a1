"""From tests of groups and the times of runs to conditions and a threshold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

import msgspec

from converter.model.diagnostics import Fidelity
from converter.model.expressions import FALSE, Expression, Operator, Predicate
from converter.model.measures import (
    AllTests,
    AnyTest,
    GroupCondition,
    GroupTest,
    Measure,
    MeasureKind,
    Multiple,
    NotTest,
    only_grows,
)
from converter.model.paths import FieldPath
from converter.model.rule import Choice, MissingKeys, Threshold
from converter.platforms.splunk.importing.counting import Group
from converter.platforms.splunk.importing.quantities import NEVER, all_tests
from converter.platforms.splunk.importing.schedule import DEFAULT_PERIOD, Runs
from converter.platforms.splunk.spl.errors import SplError

_DAY: Final = timedelta(days=1)
_ENOUGH: Final = frozenset({MeasureKind.COUNT, MeasureKind.DISTINCT})


class Loss(msgspec.Struct, frozen=True):
    """A finding about windows and groups, as a Diagnostic has it."""

    code: str
    message: str
    effect: Fidelity | None = None


class Grouping(msgspec.Struct, frozen=True):
    """What groups are made of: stored fields, whether missing values of them were filled in, choices beside
    them, and the slices of time. ``always``: there is a group even when there is no match.
    """

    group: Group
    by: tuple[FieldPath, ...] = ()
    choices: tuple[Choice, ...] = ()
    filled: bool = False
    always: bool = False


class Settled(msgspec.Struct, frozen=True):
    """Tests of groups as parts of a rule: ``conditions`` of each match, and a threshold if one is left."""

    conditions: tuple[Expression, ...] = ()
    threshold: Threshold | None = None
    losses: tuple[Loss, ...] = ()


def settled(tests: Sequence[GroupCondition], grouping: Grouping, runs: Runs) -> Settled:
    """The parts of a rule that say the tests, all of which must hold.

    Raises SplError where the time that a run looks at is not known.
    """
    test = all_tests(tests)
    if test == NEVER:
        return Settled((FALSE,))
    terms = test.terms if isinstance(test, AllTests) else (test,)
    conditions: tuple[Expression, ...] = ()
    alone = _enough(terms[0]) if len(terms) == 1 else None
    if alone is not None:
        measure, least = alone
        conditions = measure.where
        if measure.kind is MeasureKind.DISTINCT and least == 1 and measure.field is not None:
            conditions = (*conditions, Predicate(measure.field, Operator.EXISTS, functions=measure.functions))
        if least == 1:
            return Settled(conditions)
        bare = msgspec.structs.replace(measure, where=())
        terms = (GroupTest(bare, ((Operator.GTE, least),)),)
    if not runs.known and not grouping.group.timed:
        raise SplError("a threshold over a time that cannot be said", 0, "window")
    within, every, losses = _window(grouping.group, runs, all(map(only_grows, terms)))
    if grouping.always and _holds_for_nothing(AllTests(terms)):
        message = "a run without any match passes there; here there is no group to judge"
        losses = (*losses, Loss("empty-group", message, Fidelity.NARROWER))
    count, distinct, having = _parted(terms)
    threshold = Threshold(
        count=count,
        distinct=distinct,
        within=within,
        every=every,
        by=grouping.by,
        choices=grouping.choices,
        missing_keys=MissingKeys.GROUP if grouping.filled else MissingKeys.SKIP,
        having=having,
    )
    return Settled(conditions, threshold, losses)


def _enough(test: GroupCondition) -> tuple[Measure, int] | None:
    """The measure and the number, for a test that there are so many matches, or values."""
    match test:
        case GroupTest(measure, ((Operator.GTE, int(least)),)) if measure.kind in _ENOUGH:
            return measure, least
    return None


def _parted(
    terms: Sequence[GroupCondition],
) -> tuple[int, FieldPath | None, tuple[GroupCondition, ...]]:
    """The number of the threshold, what it counts, and the tests beside it."""
    for place, term in enumerate(terms):
        found = _enough(term)
        if found is not None and not found[0].where and not found[0].functions:
            return found[1], found[0].field, (*terms[:place], *terms[place + 1 :])
    return 1, None, tuple(terms)


def _holds_for_nothing(test: GroupCondition) -> bool:
    """Whether a test would hold of no matches at all: counts are nought, other measures have no value."""
    compare: dict[Operator, Callable[[float], bool]] = {
        Operator.IS: lambda bound: bound == 0,
        Operator.LT: lambda bound: bound > 0,
        Operator.LTE: lambda bound: bound >= 0,
        Operator.GT: lambda bound: bound < 0,
        Operator.GTE: lambda bound: bound <= 0,
    }
    match test:
        case AllTests(terms):
            return all(map(_holds_for_nothing, terms))
        case AnyTest(terms):
            return any(map(_holds_for_nothing, terms))
        case NotTest(term):
            return not _holds_for_nothing(term)
        case GroupTest(measure, bounds):
            return measure.kind in _ENOUGH and all(
                compare[sign](0 if isinstance(bound, Multiple | timedelta) else bound)
                for sign, bound in bounds
            )


# -- windows


def _window(group: Group, runs: Runs, grows: bool) -> tuple[timedelta, timedelta | None, tuple[Loss, ...]]:
    """How long the window is, how often it is looked at (None: it slides), and what that loses."""
    if group.timed:
        return _slices(group, runs)
    every = runs.every or min(runs.length, DEFAULT_PERIOD)
    if runs.off == timedelta():
        return runs.length, every, ()
    far = "at times that are not known" if runs.off is None else f"{runs.off} off the clock's multiples"
    wider = Loss("window", f"what a run sees is counted there, {far}; here {{}}", Fidelity.WIDER)
    if grows:
        return runs.length, None, (_filled(wider, "in a sliding window of that length"),)
    looked = _filled(wider, f"at the multiples of {every}")
    return runs.length, every, (looked, msgspec.structs.replace(looked, effect=Fidelity.NARROWER))


def _filled(loss: Loss, text: str) -> Loss:
    return msgspec.structs.replace(loss, message=loss.message.format(text))


def _slices(group: Group, runs: Runs) -> tuple[timedelta, timedelta | None, tuple[Loss, ...]]:
    if not group.seconds:
        message = "matches of one instant are counted there, of one second here"
        return timedelta(seconds=1), None, (Loss("window", message, Fidelity.WIDER),)
    length = timedelta(seconds=group.seconds)
    losses: list[Loss] = []
    if _DAY % length and length % _DAY:
        message = f"slices of {length} begin anew each day there, and go on here"
        losses.append(Loss("window", message, Fidelity.WIDER))
    elif length > _DAY:
        message = f"slices of {length} are counted from another day there"
        losses.append(Loss("window", message, Fidelity.WIDER))
    if runs.told and _cut(length, runs):
        message = f"slices of {length} are cut where what a run sees ends ({runs.length}), and whole here"
        losses.append(Loss("window", message, Fidelity.WIDER))
    return length, length, tuple(losses)


def _cut(length: timedelta, runs: Runs) -> bool:
    """Whether a run sees only a part of some slice, and no other run sees it whole."""
    if not runs.known or runs.off is None or runs.length % length or runs.off % length:
        return True
    return runs.every is not None and (runs.every > runs.length or bool(runs.every % length))
