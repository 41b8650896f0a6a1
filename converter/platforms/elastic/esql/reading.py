"""What an ES|QL query says, and the threshold that it amounts to under a schedule."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from converter.model.diagnostics import Diagnostic, Fidelity, Severity
from converter.model.expressions import Expression, Operator
from converter.model.measures import (
    Edge,
    GroupCondition,
    GroupTest,
    Measure,
    MeasureKind,
    group_tests,
    measures,
    only_grows,
)
from converter.model.paths import FieldPath
from converter.model.rule import Choice, MissingKeys, Threshold
from converter.platforms.elastic.esql import tree
from converter.platforms.elastic.esql.atoms import Tick

UNREAD = "esql-unread"
EXACT_DISTINCT = 3000
"""Up to which number COUNT_DISTINCT is close to exact without a precision of its own."""


def diagnostic(
    code: str,
    message: str,
    effect: Fidelity | None = None,
    place: tree.Place | None = None,
    *,
    note: bool = False,
) -> Diagnostic:
    """A finding about a query. Without an effect it is an error, or a ``note``."""
    lossy = effect not in (None, Fidelity.REFUSED)
    return Diagnostic(
        code=code,
        severity=Severity.NOTE if note else Severity.WARNING if lossy else Severity.ERROR,
        message=message,
        effect=effect,
        line=place.line if place else None,
        column=place.column if place else None,
        platform="elastic",
    )


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """What a query itself says of the time that it looks at.

    ``slices``: it counts in slices of the clock of that length. ``recent``: it looks no further back.
    ``since`` and ``until``: it looks at what is from this tick of the clock on, and before that one.
    """

    slices: timedelta | None = None
    recent: timedelta | None = None
    since: Tick | None = None
    until: Tick | None = None

    @property
    def ticks(self) -> tuple[timedelta, timedelta] | None:
        """How often the clock ticks, and how far before a tick it looks; None where it is not so exact."""
        if self.since is None or self.until is None or self.until != Tick(self.since.every):
            return None
        if self.since.offset:
            return (self.since.every,) * 2 if self.slices == self.since.every else None
        return self.since.every, self.since.back

    def schedule_findings(self, interval: timedelta) -> tuple[Diagnostic, ...]:
        """Where runs every ``interval`` do not judge each tick of the clock once: what ended since another
        time than the last run is left out, or judged again.
        """
        if self.since is None:
            return ()
        if self.ticks is None:
            message = "a run begins and ends at ticks of the clock that do not go with its slices"
            return (diagnostic("window", message, Fidelity.NARROWER),)
        covered = self.since.offset or self.since.every
        if covered == interval:
            return ()
        effect = Fidelity.NARROWER if covered < interval else Fidelity.WIDER
        message = f"a run, every {interval}, judges what ended in the last {covered}"
        return (diagnostic("window", message, effect),)


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What a query says.

    ``condition``: of one event, over stored names. ``grouped``: whether there is a STATS; then ``by`` and
    ``choices`` are its groups, ``missing_keys`` says whether rows without a key make groups as well, and
    ``having`` are the tests of a group, all of which hold (none: one row is enough). ``kept``: the columns of
    the last KEEP; ``shown``: those of them that are stored fields. ``full_text``: the conditions in it that
    look at words of analysed fields; all others look at the whole text. ``residue``: the parts that were left
    out, as written; ``diagnostics``: why, where, and in which direction the reading errs for it.
    """

    indices: tuple[str, ...]
    metadata: tuple[str, ...] = ()
    condition: Expression
    grouped: bool = False
    by: tuple[FieldPath, ...] = ()
    choices: tuple[Choice, ...] = ()
    missing_keys: MissingKeys = MissingKeys.SKIP
    having: tuple[GroupCondition, ...] = ()
    window: Window = Window()
    kept: tuple[str, ...] = ()
    full_text: tuple[Expression, ...] = ()
    residue: tuple[str, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()

    shown: tuple[str, ...] = ()

    def threshold(self, look_back: timedelta, interval: timedelta) -> Threshold | None:
        """The groups as a threshold, for runs every ``interval`` over ``look_back``; None without STATS.

        Enough within one run is enough within any span as long as a run looks back. What must not be too
        much, and groups that nothing is asked of, are judged run by run.
        """
        if not self.grouped:
            return None
        count, distinct, having = _counted(self.having)
        within, every = min(look_back, self.window.recent or look_back), None
        if self.window.ticks is not None:
            every, within = self.window.ticks
        elif self.window.slices is not None:
            within = every = self.window.slices
        elif not self.having or not all(map(only_grows, self.having)) or _asks_for_the_end(self.having):
            every = interval
        return Threshold(
            within=within,
            count=count,
            by=self.by,
            choices=self.choices,
            distinct=distinct,
            every=every,
            missing_keys=self.missing_keys,
            having=having,
        )

    def window_findings(self, look_back: timedelta) -> tuple[Diagnostic, ...]:
        """Where slices of the clock are not judged whole: a run sees the parts of them within its time."""
        slices = self.window.slices
        if slices is None or self.window.ticks is not None:
            return ()
        if slices > look_back:
            message = f"no run, over {look_back}, sees a whole slice of {slices}"
            return (diagnostic("window", message, Fidelity.WIDER),)
        if all(map(only_grows, self.having)):
            return ()
        message = f"a run also judges slices of {slices} of which it sees a part"
        return (diagnostic("window", message, Fidelity.NARROWER),)


def estimates(having: tuple[GroupCondition, ...]) -> tuple[Diagnostic, ...]:
    """A note where distinct values are counted so far that ES|QL estimates (COUNT_DISTINCT, "Counts are
    approximate").
    """
    tests = (test for one in having for test in group_tests(one) if test.measure.kind is MeasureKind.DISTINCT)
    bounds = (bound for test in tests for _, bound in test.bounds)
    if not any(isinstance(bound, int | float) and bound > EXACT_DISTINCT for bound in bounds):
        return ()
    message = f"more than {EXACT_DISTINCT} distinct values are estimated there, and counted here"
    return (diagnostic("distinct", message, note=True),)


def _asks_for_the_end(having: tuple[GroupCondition, ...]) -> bool:
    return any(Edge.END in (one.start.edge, one.stop.edge) for one in measures(having))


def _counted(
    having: tuple[GroupCondition, ...],
) -> tuple[int, FieldPath | None, tuple[GroupCondition, ...]]:
    """The tests with the plainest as a threshold's own count: of rows, or else of a field's values."""
    counts: list[tuple[GroupCondition, int, FieldPath | None]] = []
    for test in having:
        match test:
            case GroupTest(
                Measure(kind, field, (), ()), ((Operator.GTE | Operator.GT as sign, int() as bound),)
            ):
                least = bound + (sign is Operator.GT)
                if kind in (MeasureKind.COUNT, MeasureKind.DISTINCT) and least >= 1:
                    counts.append((test, least, field))
    rows = max((one for one in counts if one[2] is None), key=lambda one: one[1], default=None)
    values = max((one for one in counts if one[2] is not None), key=lambda one: one[1], default=None)
    kept = values if rows is None or (values is not None and values[1] >= rows[1]) else rows
    if kept is None:
        return 1, None, having
    test, least, field = kept
    implied = {id(one) for one, other, path in counts if other <= least and path in (None, field)}
    return least, field, tuple(one for one in having if one is not test and id(one) not in implied)
