"""ES|QL queries → what they ask of events, and what they count.

The commands are followed from FROM on: EVAL adds columns, WHERE conditions, STATS turns rows into groups.
What a condition says about events goes into an expression with the language's exact meaning (null, lists);
a part that cannot be read is left out with a diagnostic that says so, never silently.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import msgspec

from converter.logsources.pack import PlatformField
from converter.model.diagnostics import Diagnostic, Fidelity, RuleError, Severity
from converter.model.expressions import TRUE, All, AnyOf, Expression, Predicate, all_of
from converter.model.paths import FieldPath
from converter.model.rule import Threshold
from converter.platforms.elastic.esql import tree
from converter.platforms.elastic.esql.atoms import (
    Aggregate,
    Atom,
    Bucket,
    Constant,
    Term,
    Unknown,
    UnreadableError,
    Value,
    always,
    exists,
    has_value,
)
from converter.platforms.elastic.esql.conditions import KqlReader, Scope
from converter.platforms.elastic.esql.parse import parse_condition, parse_query

_REFUSED = "esql-command"
_UNREAD = "esql-unread"


class Counted(msgspec.Struct, frozen=True):
    """One test of a group: at least ``least`` rows, or distinct values of ``distinct``."""

    least: int
    distinct: FieldPath | None = None


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What a query says.

    ``condition``: of one event, over stored names. ``grouped``: whether there is a STATS; then ``by`` are
    its groups, ``counts`` the tests of a group (all must hold; none: one row is enough) and ``bucket`` the
    length of the time slices that it counts in. ``kept``: the columns of the last KEEP;
    ``shown``: those of them that are stored fields. ``residue``: the parts that were left out, as
    written; ``diagnostics``: why, where, and in which direction the reading errs for it.
    """

    indices: tuple[str, ...]
    metadata: tuple[str, ...] = ()
    condition: Expression
    grouped: bool = False
    by: tuple[FieldPath, ...] = ()
    counts: tuple[Counted, ...] = ()
    bucket: timedelta | None = None
    kept: tuple[str, ...] = ()
    residue: tuple[str, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()

    shown: tuple[str, ...] = ()

    def with_one_count(self) -> Reading:
        """The reading with the count that asks for the most, and a finding for others that it does not imply.

        As many distinct values need as many rows.
        """
        if len(self.counts) < 2:
            return self
        kept = max(self.counts, key=lambda test: (test.distinct is not None, test.least))
        others = [
            test
            for test in self.counts
            if test.least > kept.least or test.distinct not in (None, kept.distinct)
        ]
        lost = [_also(test) for test in others]
        found = [_diagnostic(_UNREAD, f"{text} is left out", Fidelity.WIDER) for text in lost]
        return msgspec.structs.replace(
            self,
            counts=(kept,),
            residue=(*self.residue, *lost),
            diagnostics=(*self.diagnostics, *found),
        )

    def threshold(self, within: timedelta) -> Threshold | None:
        """The count as a rule's threshold over ``within``; None when one row is enough.

        Raises RuleError when a group must pass several tests, which a threshold cannot say.
        """
        if len(self.counts) > 1:
            message = "a group must pass several counts"
            raise RuleError(f"ES|QL: {message}", [_diagnostic(_UNREAD, message)])
        if not self.counts:
            return None
        test = self.counts[0]
        return Threshold(count=test.least, within=self.bucket or within, by=self.by, distinct=test.distinct)


def read_condition(
    text: str, fields: Mapping[str, PlatformField] | None = None, kql: KqlReader | None = None
) -> Expression:
    """What a WHERE expression asks of an event. ``fields``: stored name → what is stored there.

    Raises RuleError: ``esql-syntax``, or ``esql-unread`` for what cannot be said of events.
    """
    try:
        return Scope(fields or {}, kql).truth(parse_condition(text)).true
    except UnreadableError as error:
        message = f"cannot read {error}"
        raise RuleError(f"ES|QL: {message}", [_diagnostic(_UNREAD, message)]) from None


def read_query(
    text: str,
    fields: Mapping[str, PlatformField] | None = None,
    kql: KqlReader | None = None,
    *,
    strict: bool = True,
) -> Reading:
    """What a query says. With ``strict`` anything left out raises RuleError instead.

    Raises RuleError: ``esql-syntax``; ``esql-command`` for a command that changes rows in a way no rule
    can say (MV_EXPAND, LOOKUP JOIN, …).
    """
    reader = _Reader(fields or {}, kql)
    for command in parse_query(text):
        reader.follow(command)
    reading = reader.reading()
    if strict:
        lost = [diagnostic for diagnostic in reading.diagnostics if diagnostic.effect is not None]
        if lost:
            raise RuleError(f"ES|QL: {lost[0].message}", lost)
    return reading


def indices_of(text: str) -> tuple[str, ...]:
    """The index patterns that a query reads; none where it does not parse."""
    try:
        return next((command.indices for command in parse_query(text) if isinstance(command, tree.From)), ())
    except RuleError:
        return ()


def _diagnostic(
    code: str,
    message: str,
    effect: Fidelity | None = None,
    place: tree.Place | None = None,
    *,
    note: bool = False,
) -> Diagnostic:
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


class _Reader:
    def __init__(self, fields: Mapping[str, PlatformField], kql: KqlReader | None) -> None:
        self._scope = Scope(fields, kql)
        self._conditions: list[Expression] = []
        self._last_where: tuple[Expression, ...] = ()
        self._by: tuple[FieldPath, ...] = ()
        self._grouped = False
        self._bucket: timedelta | None = None
        self._counts: list[Counted] = []
        self._counted: Expression = TRUE
        self._from = tree.From(())
        self._kept: tuple[str, ...] = ()
        self._found: list[Diagnostic] = []
        self._residue: list[str] = []
        self._open_groups: list[tuple[FieldPath, tree.Place]] = []

    def reading(self) -> Reading:
        for path, place in self._open_groups:
            if not self._asks_for(path):
                message = f"rows without {path.steps[0]} are a group of their own in ES|QL"
                self._lose("group-by", message, Fidelity.NARROWER, place)
        return Reading(
            indices=self._from.indices,
            metadata=self._from.metadata,
            condition=_without_repeats(all_of(*self._conditions)),
            grouped=self._grouped,
            by=self._by,
            counts=tuple(self._counts),
            bucket=self._bucket,
            kept=self._kept,
            shown=tuple(name for name in self._kept if self._is_stored(name)),
            residue=tuple(self._residue),
            diagnostics=tuple(self._found),
        )

    def follow(self, command: tree.Command) -> None:
        """Take one command into account."""
        match command:
            case tree.From():
                self._from = command
            case tree.Where(conditions):
                self._where(conditions)
                return
            case tree.Eval(assignments):
                for assignment in assignments:
                    self._scope.columns[assignment.name] = self._scope.value(assignment.expression)
            case tree.Stats(inline=True):
                for assignment in command.aggregates:
                    self._scope.columns[assignment.name] = always(Unknown("a result of INLINE STATS"))
            case tree.Stats():
                self._stats(command)
            case tree.Keep(patterns):
                self._kept = patterns
            case tree.Rename(names):
                self._rename(names)
            case tree.Extract(name, columns):
                for column in columns:
                    self._scope.columns[column] = always(Unknown(f"a column made by {name}"))
            case tree.Limit(rows):
                self._found.append(_diagnostic("esql-limit", f"LIMIT {rows} may leave rows out", note=True))
            case tree.MvExpand(column, place):
                self._expand(column, place)
            case tree.Other(name, place):
                _refuse(f"the command {name} cannot be read", place)
            case tree.Drop() | tree.Sort():
                pass
        self._last_where = ()

    def _expand(self, column: str, place: tree.Place) -> None:
        """MV_EXPAND makes a row of every value; a column that holds one value stays as it is."""
        match self._scope.value(tree.Column(column)):
            case ((guard, Term(many=False)),) if guard == TRUE:
                return
            case _:
                _refuse(f"MV_EXPAND {column} makes a row of every value", place)

    # -- conditions

    def _where(self, conditions: tuple[tree.Conjunct, ...]) -> None:
        """Each part of the conjunction by itself, so that one unreadable part does not hide the others."""
        found: list[Expression] = []
        for part in conditions:
            try:
                if self._grouped and self._group_test(part):
                    continue
                found.append(self._scope.truth(part.condition).true)
            except UnreadableError as error:
                self._leave_out(_UNREAD, f"a condition on {error} is left out", part.place)
        self._last_where = tuple(found)
        self._conditions.extend(found)

    def _group_test(self, part: tree.Conjunct) -> bool:
        """A test of a count; False when the part is about something else."""
        node = part.condition
        if not isinstance(node, tree.Comparison):
            return False
        match self._scope.value(node.left), self._scope.value(node.right):
            case ((_, Aggregate() as aggregate),), ((_, Constant(int() as number)),):
                least = {">=": number, ">": number + 1}.get(node.operator)
            case ((_, Constant(int() as number)),), ((_, Aggregate() as aggregate),):
                least = {"<=": number, "<": number + 1}.get(node.operator)
            case _:
                return False
        if least is None:
            raise UnreadableError("a count that must not be reached")
        if self._counts and aggregate.counted != self._counted:
            raise UnreadableError("several counts of different rows")
        if not self._counts and aggregate.counted != TRUE:
            self._conditions.append(aggregate.counted)
        self._counted = aggregate.counted
        self._counts.append(Counted(least, aggregate.distinct))
        if self._bucket is not None and least > 1:
            message = f"it counts in slices of {self._bucket}; the reading, in any span of that length"
            self._lose("window", message, Fidelity.WIDER, part.place)
        return True

    # -- groups

    def _stats(self, stats: tree.Stats) -> None:
        if self._grouped:
            _refuse("a second STATS groups what is grouped already", stats.place)
        guarded = self._presence_guard(stats)
        columns: dict[str, Value] = {}
        by: list[FieldPath] = []
        for group in stats.by:
            value = self._scope.value(group.expression)
            match value:
                case ((guard, Term(FieldPath() as path, ()) as term),) if guard == TRUE:
                    by.append(path)
                    columns[group.name] = value
                    if path not in guarded:
                        self._open_groups.append((path, group.place))
                    if term.many:
                        columns[group.name] = always(Unknown(f"the group {group.name}, one value of a list"))
                case ((_, Bucket(span)),):
                    self._bucket = span
                    columns[group.name] = always(Unknown("a time slice"))
                case _:
                    message = f"groups by {group.name}, no field, are left out"
                    self._leave_out("group-by", message, group.place)
                    columns[group.name] = always(Unknown(f"the group {group.name}"))
        for assignment in stats.aggregates:
            columns[assignment.name] = always(self._aggregate(assignment))
        self._scope.columns = columns
        self._grouped = True
        self._by = tuple(by)

    def _presence_guard(self, stats: tree.Stats) -> frozenset[FieldPath]:
        """The fields that a WHERE right before STATS asks to be there.

        Only if it asks nothing else and they are groups: it is about the groups then, not about the event.
        """
        terms = self._last_where
        paths = frozenset(path for term in terms if (path := _asked_presence(term)) is not None)
        columns = (group.expression for group in stats.by)
        groups = {FieldPath((column.name,)) for column in columns if isinstance(column, tree.Column)}
        if not terms or len(paths) != len(terms) or not paths <= groups:
            return frozenset()
        del self._conditions[-len(terms) :]
        return paths

    def _asks_for(self, path: FieldPath) -> bool:
        """Whether the condition holds for no event without the field."""
        return any(_needs(condition, path) for condition in self._conditions)

    def _aggregate(self, assignment: tree.Assignment) -> Atom:
        call = assignment.expression
        if not isinstance(call, tree.Call):
            return Unknown(f"the aggregate {assignment.name}")
        try:
            counted = TRUE if assignment.where is None else self._scope.truth(assignment.where).true
            if call.name == "COUNT":
                if not call.arguments or isinstance(call.arguments[0], tree.Literal):
                    return Aggregate(counted)
                term = self._scope.term(call.arguments[0])
                if not term.many:
                    return Aggregate(all_of(counted, has_value(term)))
            if call.name == "COUNT_DISTINCT":
                term = self._scope.term(call.arguments[0])
                if isinstance(term.subject, FieldPath) and not term.functions:
                    return Aggregate(counted, term.subject)
        except UnreadableError as error:
            return Unknown(str(error))
        return Unknown(f"the aggregate {call.name}")

    def _rename(self, names: tuple[tuple[str, str], ...]) -> None:
        scope = self._scope
        moved = {new: scope.value(tree.Column(old)) for old, new in names}
        for old, _ in names:
            scope.columns[old] = always(Unknown(f"the renamed column {old}"))
        scope.columns.update(moved)

    # -- findings

    def _is_stored(self, name: str) -> bool:
        """Whether a column of the last KEEP is a field of the event, under its own name."""
        if "*" in name or name in self._from.metadata:
            return False
        match self._scope.columns.get(name):
            case None:
                return not self._grouped
            case ((_, Term(FieldPath(steps), ())),):
                return steps == (name,)
        return False

    def _lose(self, code: str, message: str, effect: Fidelity, place: tree.Place) -> None:
        self._found.append(_diagnostic(code, message, effect, place))

    def _leave_out(self, code: str, message: str, place: tree.Place) -> None:
        """Drop a part of a conjunction, or a finer grouping: more is alerted on."""
        self._lose(code, message, Fidelity.WIDER, place)
        self._residue.append(place.text)


def _refuse(message: str, place: tree.Place) -> None:
    raise RuleError(f"ES|QL: {message}", [_diagnostic(_REFUSED, message, Fidelity.REFUSED, place)])


def _also(test: Counted) -> str:
    what = "rows" if test.distinct is None else f"distinct values of {test.distinct.steps[0]}"
    return f"at least {test.least} {what} of a group"


def _needs(condition: Expression, path: FieldPath) -> bool:
    """Whether the condition is false for every event without the field, as far as its shape shows."""
    match condition:
        case Predicate(subject):
            return subject == path
        case All(terms):
            return any(_needs(term, path) for term in terms)
        case AnyOf(terms):
            return bool(terms) and all(_needs(term, path) for term in terms)
    return False


def _without_repeats(condition: Expression) -> Expression:
    """The same conjunction with each part once."""
    return all_of(*dict.fromkeys(condition.terms)) if isinstance(condition, All) else condition


def _asked_presence(term: Expression) -> FieldPath | None:
    if isinstance(term, Predicate) and isinstance(term.subject, FieldPath) and term == exists(term.subject):
        return term.subject
    return None
