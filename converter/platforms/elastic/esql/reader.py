"""ES|QL queries → what they ask of events, and what they count.

The commands are followed from FROM on: EVAL adds columns, WHERE conditions, STATS turns rows into groups.
What a condition says about events goes into an expression with the language's exact meaning (null, lists);
a part that cannot be read is left out with a diagnostic that says so, never silently.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from converter.logsources.pack import PlatformField
from converter.model.diagnostics import Diagnostic, Fidelity, RuleError
from converter.model.expressions import (
    FALSE,
    TRUE,
    All,
    AnyOf,
    Expression,
    Operator,
    Predicate,
    Subject,
    absolute_fields,
    all_of,
    negated,
)
from converter.model.measures import GroupCondition
from converter.model.paths import FieldPath
from converter.model.rule import Choice, MissingKeys
from converter.platforms.elastic.esql import tree
from converter.platforms.elastic.esql.added import added_columns
from converter.platforms.elastic.esql.aggregates import AGGREGATES, TIMESTAMP, aggregate
from converter.platforms.elastic.esql.atoms import (
    Bucket,
    Now,
    Term,
    Tick,
    Unknown,
    UnreadableError,
    Value,
    always,
)
from converter.platforms.elastic.esql.conditions import KqlReader, Scope
from converter.platforms.elastic.esql.derived import made
from converter.platforms.elastic.esql.dissect import dissected, doubles_differ
from converter.platforms.elastic.esql.grok import grokked
from converter.platforms.elastic.esql.having import conjuncts, is_of_group, tests_of
from converter.platforms.elastic.esql.keys import choice_of, has_always
from converter.platforms.elastic.esql.nulls import is_null
from converter.platforms.elastic.esql.parse import parse_condition, parse_query
from converter.platforms.elastic.esql.reading import UNREAD, Reading, Window, diagnostic, estimates
from converter.platforms.elastic.esql.regroup import regrouped
from converter.platforms.elastic.esql.signs import FLIPPED

_REFUSED = "esql-command"


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
        raise RuleError(f"ES|QL: {message}", [diagnostic(UNREAD, message)]) from None


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


class _Reader:
    def __init__(self, fields: Mapping[str, PlatformField], kql: KqlReader | None) -> None:
        self._scope = Scope(fields, kql)
        self._conditions: list[Expression] = []
        self._last_where: tuple[Expression, ...] = ()
        self._guards: tuple[Expression, ...] = ()
        self._by: tuple[FieldPath, ...] = ()
        self._choices: tuple[Choice, ...] = ()
        self._chosen: list[Expression] = []
        self._grouped = False
        self._having: list[GroupCondition] = []
        self._window = Window()
        self._limit: int | None = None
        self._from = tree.From(())
        self._kept: tuple[str, ...] = ()
        self._found: list[Diagnostic] = []
        self._residue: list[str] = []
        self._expanded: dict[Subject, tuple[tree.Place, bool]] = {}

    def reading(self) -> Reading:
        self._check_expanded()
        if self._limit is not None:
            message = f"LIMIT {self._limit} may leave rows out"
            self._found.append(diagnostic("esql-limit", message, note=True))
        asked = [*self._conditions, *self._guards]
        open_keys = any(not any(_needs(term, path) for term in asked) for path in self._by)
        open_keys |= any(not set(conjuncts(there)) <= set(asked) for there in self._chosen)
        if open_keys:
            self._conditions.extend(self._guards)
        return Reading(
            indices=self._from.indices,
            metadata=self._from.metadata,
            condition=_without_repeats(all_of(*self._conditions)),
            grouped=self._grouped,
            by=self._by,
            choices=self._choices,
            missing_keys=MissingKeys.GROUP if open_keys else MissingKeys.SKIP,
            having=tuple(dict.fromkeys(self._having)),
            window=self._window,
            kept=self._kept,
            shown=tuple(name for name in self._kept if self._is_stored(name)),
            full_text=tuple(self._scope.full_text),
            residue=tuple(self._residue),
            diagnostics=(*self._found, *estimates(tuple(self._having))),
        )

    def follow(self, command: tree.Command) -> None:
        """Take one command into account."""
        if self._limit is not None and isinstance(command, tree.Where | tree.Stats):
            message = f"LIMIT {self._limit} leaves rows out that later commands do not see"
            self._found.append(diagnostic("esql-limit", message, Fidelity.WIDER))
            self._limit = None
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
                for group in command.by:
                    self._scope.columns[group.name] = self._scope.value(group.expression)
                for assignment in command.aggregates:
                    self._scope.columns[assignment.name] = always(Unknown("a result of INLINE STATS"))
            case tree.Stats():
                self._stats(command)
            case tree.Keep(patterns):
                self._kept = patterns
            case tree.Rename(names):
                self._rename(names)
            case tree.Extract():
                self._scope.columns.update(self._extracted(command))
            case tree.Limit(rows):
                self._limit = rows
            case tree.MvExpand(column, place):
                self._expand(column, place)
            case tree.Other(name, place):
                self._other(name, place)
            case tree.Drop() | tree.Sort():
                pass
        self._last_where = ()

    def _extracted(self, command: tree.Extract) -> dict[str, Value]:
        """The columns of GROK, DISSECT or COMPLETION."""
        found = {name: always(Unknown(f"a column made by {command.command}")) for name in command.columns}
        make = {"DISSECT": dissected, "GROK": grokked}.get(command.command)
        if make is None or len(command.patterns) != 1 or command.source is None:
            return found
        (pattern,) = command.patterns
        source = self._scope.value(command.source)
        for name, step in make(pattern).items():
            cut = [(guard, made(atom, step)) for guard, atom in source]
            if all(atom is not None for _, atom in cut):
                found[name] = tuple((guard, atom) for guard, atom in cut if atom is not None)
        if make is dissected and doubles_differ(pattern):
            message = "a text in which a separator stands twice in a row is cut otherwise there"
            self._found.append(diagnostic("dissect", message, place=command.place, note=True))
        return found

    def _other(self, name: str, place: tree.Place) -> None:
        """A command that only adds columns hurts where they are asked."""
        added = added_columns(place.text)
        if added is None:
            _refuse(f"the command {name} cannot be read", place)
        elif added.below:
            self._scope.unknown_below[f"{added.names[0]}."] = f"a column made by {name}"
        else:
            self._scope.columns.update(
                (column, always(Unknown(f"a column made by {name}"))) for column in added.names
            )

    def _expand(self, column: str, place: tree.Place) -> None:
        """MV_EXPAND makes a row of every value; a column that holds one value stays as it is."""
        match self._scope.value(tree.Column(column)):
            case ((guard, Term(FieldPath(), (), many=many) as term),) if guard == TRUE:
                if many or not self._scope.is_declared(term):
                    one = msgspec.structs.replace(term, many=False)
                    self._scope.columns[column] = always(one)
                    self._expanded[term.subject] = (place, many)
            case _:
                _refuse(f"MV_EXPAND {column} makes a row of every value", place)

    def _check_expanded(self) -> None:
        """A row of every value is the event itself where one of them is asked for, and nothing else of them.

        Of a list with that value exactly one row is left. A column that nobody declares has one value.
        """
        for subject, (place, is_list) in self._expanded.items():
            asked = [term for term in self._conditions if subject in tuple(absolute_fields(term))]
            match asked:
                case [Predicate(path, Operator.IS, (_,), functions=())] if path == subject:
                    continue
            if is_list:
                _refuse(f"MV_EXPAND {subject} makes a row of every value", place)
            if self._grouped:
                message = f"a row of each value of {subject} is counted there, and the event once here"
                self._found.append(diagnostic("multi-value", message, Fidelity.NARROWER, place))

    # -- conditions

    def _where(self, conditions: tuple[tree.Conjunct, ...]) -> None:
        """Each part of the conjunction by itself, so that one unreadable part does not hide the others."""
        found: list[Expression] = []
        for part in conditions:
            try:
                if not self._is_of_time(part.condition):
                    found.extend(conjuncts(self._scope.truth(part.condition).true))
            except UnreadableError as error:
                self._leave_out(UNREAD, f"a condition on {error} is left out", part.place)
        self._last_where = tuple(term for term in found if not is_of_group(term))
        self._conditions.extend(self._last_where)
        for term in found:
            if is_of_group(term):
                tests = tests_of(term)
                self._having.extend(tests or ())
                if tests is None:
                    self._conditions.append(FALSE)

    def _is_of_time(self, node: tree.Node) -> bool:
        """Whether the condition says which time the query looks at; then it is taken down.

        The latest rows need no test: a run sees no row from after it.
        """
        if isinstance(node, tree.Call) and node.name == "TRANGE" and len(node.arguments) == 1:
            since = tree.Arithmetic("", "-", tree.Call("NOW"), node.arguments[0])
            node = tree.Comparison(">", tree.Column("@timestamp"), since)
        if not isinstance(node, tree.Comparison) or node.operator not in FLIPPED:
            return False
        sides = self._scope.value(node.left), self._scope.value(node.right)
        sign = node.operator
        if _is_timestamp(sides[1]):
            sides, sign = (sides[1], sides[0]), FLIPPED[sign]
        if not _is_timestamp(sides[0]):
            return False
        window = self._window
        match sign, sides[1]:
            case (">" | ">=", ((_, Now(offset)),)) if offset > timedelta():
                recent = min(offset, window.recent or offset)
                self._window = msgspec.structs.replace(window, recent=recent)
            case ("<" | "<=", ((_, Now(offset)),)) if not offset:
                pass
            case (">=", ((_, Tick() as tick),)) if window.since is None:
                self._window = msgspec.structs.replace(window, since=tick)
            case ("<", ((_, Tick() as tick),)) if window.until is None:
                self._window = msgspec.structs.replace(window, until=tick)
            case _:
                return False
        return True

    # -- groups

    def _stats(self, stats: tree.Stats) -> None:
        if self._grouped:
            self._regroup(stats)
            return
        self._take_guards(stats)
        columns: dict[str, Value] = {}
        by: list[FieldPath] = []
        choices: list[Choice] = []
        for group in stats.by:
            value = self._scope.value(group.expression)
            match value:
                case ((guard, Term(FieldPath() as path, ()) as term),) if guard == TRUE:
                    by.append(path)
                    columns[group.name] = value
                    if term.many:
                        columns[group.name] = always(Unknown(f"the group {group.name}, one value of a list"))
                case ((_, Bucket(span)),):
                    self._window = msgspec.structs.replace(self._window, slices=span)
                    columns[group.name] = always(Unknown("a time slice"))
                case _ if (choice := choice_of(value)) is not None:
                    choices.append(choice)
                    columns[group.name] = value
                    if not has_always(choice):
                        self._chosen.append(negated(is_null(value)))
                case _:
                    message = f"groups by {group.name}, no field, are left out"
                    self._leave_out("group-by", message, group.place)
                    columns[group.name] = always(Unknown(f"the group {group.name}"))
        for assignment in stats.aggregates:
            columns[assignment.name] = self._aggregate(assignment)
        self._scope.columns = columns
        self._grouped = True
        self._by, self._choices = tuple(by), tuple(choices)

    def _regroup(self, stats: tree.Stats) -> None:
        """A second STATS puts groups together that agree in some of their keys."""
        kept: dict[str, Value] = {}
        by: list[FieldPath] = []
        for group in stats.by:
            value = self._scope.value(group.expression)
            match value:
                case ((guard, Term(FieldPath() as path, ())),) if guard == TRUE and path in self._by:
                    kept[group.name] = value
                    by.append(path)
        if len(kept) < len(stats.by) or self._having or self._choices or self._window.slices is not None:
            _refuse("a second STATS groups what is grouped already", stats.place)
        self._conditions.extend(self._guards)
        self._guards = ()
        dropped = [path for path in self._by if path not in by]
        there = len(dropped) == 1 and any(_needs(term, dropped[0]) for term in self._conditions)
        columns = dict(kept)
        for assignment in stats.aggregates:
            columns[assignment.name] = self._regrouped(assignment, dropped[0] if there else None)
        self._scope.columns = columns
        self._by = tuple(by)

    def _regrouped(self, assignment: tree.Assignment, dropped: FieldPath | None) -> Value:
        call = assignment.expression
        if not isinstance(call, tree.Call) or assignment.where is not None:
            return always(Unknown(f"the aggregate {assignment.name} of groups"))
        argument = self._scope.value(call.arguments[0]) if call.arguments else None
        return regrouped(call.name, argument, dropped)

    def _take_guards(self, stats: tree.Stats) -> None:
        """Set apart a WHERE right before STATS that asks for the groups to be there and nothing else.

        It is about the groups then, not about the event.
        """
        terms = self._last_where
        groups = (group.expression for group in stats.by if isinstance(group.expression, tree.Column))
        asked = {term for group in groups for term in self._presence(group)}
        if terms and asked.issuperset(terms):
            del self._conditions[-len(terms) :]
            self._guards = terms

    def _presence(self, group: tree.Column) -> tuple[Expression, ...]:
        """What says that the group is there; nothing where it is read as no group."""
        value = self._scope.value(group)
        return () if choice_of(value) is None else tuple(conjuncts(negated(is_null(value))))

    def _aggregate(self, assignment: tree.Assignment) -> Value:
        """An aggregate function, or a function of such (``ROUND(AVG(x))``, ``MV_COUNT(VALUES(x))``)."""
        try:
            where = TRUE if assignment.where is None else self._scope.truth(assignment.where).true
        except UnreadableError as error:
            return always(Unknown(str(error)))
        results: dict[str, Value] = {}

        def aggregated(call: tree.Call) -> tree.Column:
            name = f"\0{len(results)}"
            argument = self._scope.value(call.arguments[0]) if call.arguments else None
            results[name] = aggregate(call.name, argument, where)
            return tree.Column(name)

        outer = _with_columns(assignment.expression, aggregated)
        if not results:
            return always(Unknown(f"the aggregate {assignment.name}"))
        return self._scope.of_columns(results).value(outer)

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

    def _leave_out(self, code: str, message: str, place: tree.Place) -> None:
        """Drop a part of a conjunction, or a finer grouping: more is alerted on."""
        self._found.append(diagnostic(code, message, Fidelity.WIDER, place))
        self._residue.append(place.text)


def _with_columns(node: Any, column: Callable[[tree.Call], tree.Column]) -> Any:
    """The expression with columns in the place of its aggregate functions."""
    if isinstance(node, tree.Call) and node.name in AGGREGATES:
        return column(node)
    if isinstance(node, tuple):
        return tuple(_with_columns(part, column) for part in node)
    if not isinstance(node, msgspec.Struct):
        return node
    parts = msgspec.structs.asdict(node)
    return msgspec.structs.replace(
        node, **{name: _with_columns(part, column) for name, part in parts.items()}
    )


def _refuse(message: str, place: tree.Place) -> None:
    raise RuleError(f"ES|QL: {message}", [diagnostic(_REFUSED, message, Fidelity.REFUSED, place)])


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


def _is_timestamp(value: Value) -> bool:
    match value:
        case ((guard, Term(subject, ())),):
            return guard == TRUE and subject == TIMESTAMP
    return False


def _without_repeats(condition: Expression) -> Expression:
    """The same conjunction with each part once."""
    return all_of(*dict.fromkeys(condition.terms)) if isinstance(condition, All) else condition
