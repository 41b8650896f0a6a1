"""From the tree of a condition to when it is true and when it is false; in between it is null.

Sources, in Elasticsearch's ES|QL reference: "null values" (three-valued AND, OR, NOT), CASE (the first
condition that is true decides; null counts as false), COALESCE, STARTS_WITH, ENDS_WITH, CONTAINS, CIDR_MATCH,
MV_CONTAINS and MV_INTERSECTS (never null), KQL and ``:`` (true or false, any value of the field).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta

import msgspec

from converter.evaluate import compile_expression
from converter.logsources.pack import FieldType, PlatformField
from converter.model.expressions import (
    TRUE,
    Expression,
    Not,
    Operator,
    Predicate,
    Scalar,
    all_of,
    any_of,
    children,
    negated,
)
from converter.model.paths import FieldPath
from converter.model.regex import Node
from converter.model.regex.nodes import ANY_TEXT
from converter.platforms.elastic.esql import tree
from converter.platforms.elastic.esql.arithmetic import computed, lapse
from converter.platforms.elastic.esql.atoms import (
    NULL,
    Atom,
    Bucket,
    Constant,
    Duration,
    Labels,
    Now,
    Term,
    Tick,
    Unknown,
    UnreadableError,
    Value,
    Values,
    always,
    has_value,
    some_row,
)
from converter.platforms.elastic.esql.compare import (
    asks,
    compared,
    distributed,
    equals,
    in_networks,
    like,
    rlike,
    tested,
)
from converter.platforms.elastic.esql.derived import AFFIXES, fits, texts
from converter.platforms.elastic.esql.group_tests import has_label
from converter.platforms.elastic.esql.nulls import is_null
from converter.platforms.elastic.esql.operands import FAMILIES, Family
from converter.platforms.elastic.esql.pairs import of_two, same_as
from converter.platforms.elastic.esql.scalars import applied, span_of
from converter.platforms.elastic.kql.literals import quoted as kql_quoted
from converter.platforms.elastic.kql.literals import wildcard as kql_pattern
from converter.platforms.three_valued import Truth, never_null, ternary_and, ternary_not, ternary_or

KqlReader = Callable[[str], Expression]
"""From KQL text to a condition on stored fields. Raises ValueError for what it cannot read."""

_AFFIXES = {
    "STARTS_WITH": Operator.STARTS_WITH,
    "ENDS_WITH": Operator.ENDS_WITH,
    "CONTAINS": Operator.CONTAINS,
}


class Scope:
    """The columns at one place of a query: those that EVAL, STATS or RENAME made, and behind them the fields.

    ``fields``: stored name → what is stored there; a field that is not in it is taken for single-valued and
    of unknown type. ``kql`` reads the text of KQL(…); without it a condition with one is unreadable.
    """

    def __init__(self, fields: Mapping[str, PlatformField], kql: KqlReader | None = None) -> None:
        self._fields = fields
        self._kql = kql
        self.columns: dict[str, Value] = {}
        self.unknown_below: dict[str, str] = {}
        """Beginnings of the names of columns of which nothing is known, and why."""
        self.full_text: list[Expression] = []
        """The conditions that KQL was asked for, which looks at words of analysed fields."""

    def of_columns(self, columns: dict[str, Value]) -> Scope:
        """Other columns over the same fields."""
        other = Scope(self._fields, self._kql)
        other.columns = columns
        return other

    def field(self, name: str) -> Term:
        """A stored field as a term."""
        field = self._fields.get(name)
        if field is None:
            return Term(FieldPath((name,)))
        return Term(FieldPath((name,)), family=FAMILIES.get(field.type), many=field.is_list)

    def is_declared(self, term: Term) -> bool:
        """Whether it is said what is stored in the field."""
        return term.family is not None

    # -- values

    def value(self, node: tree.Node) -> Value:
        """What an expression is."""
        match node:
            case tree.Literal(None):
                return NULL
            case tree.Literal(value):
                return always(Constant(value)) if value is not None else NULL
            case tree.Column(name):
                return self._column(name)
            case tree.Call(name, arguments):
                return self._call(node, name, arguments)
            case tree.Arithmetic(text, operator, left, right):
                return computed(operator, self.value(left), self._operand(right), text)
            case tree.Unread(text):
                return always(Unknown(text))
            case tree.Timespan():
                return always(Unknown("a span of time"))
            case _:
                return _as_value(lambda: self.truth(node))

    def _column(self, name: str) -> Value:
        if name in self.columns:
            return self.columns[name]
        why = next((why for start, why in self.unknown_below.items() if name.startswith(start)), None)
        return always(self.field(name) if why is None else Unknown(why))

    def _operand(self, node: tree.Node) -> Value:
        """The right side of a sum: a value, or a span of time."""
        span = span_of(node) if isinstance(node, tree.Timespan) else None
        return always(Duration(span)) if span is not None else self.value(node)

    def _call(self, node: tree.Call, name: str, arguments: tuple[tree.Node, ...]) -> Value:
        if name == "CASE":
            return self._case(arguments)
        if name == "COALESCE":
            return self._coalesce(arguments)
        if name in ("DATE_TRUNC", "BUCKET"):
            return self._bucket(arguments)
        if name == "TBUCKET":
            return self._bucket((*arguments, tree.Column("@timestamp")))
        if name == "NOW" and not arguments:
            return always(Now())
        if name in _TRUTHS:
            return _as_value(lambda: self.truth(node))
        if name == "JSON_EXTRACT":
            return self._of_source(arguments)
        if name == "DATE_DIFF" and len(arguments) == 3:
            return lapse(arguments[0], *map(self.value, arguments[1:]))
        return applied(name, tuple(map(self.value, arguments)))

    def _case(self, arguments: tuple[tree.Node, ...]) -> Value:
        found: Value = ()
        earlier: list[Expression] = []
        pairs = len(arguments) // 2
        try:
            for position in range(pairs):
                condition, result = arguments[2 * position : 2 * position + 2]
                truth = self.truth(condition).true
                others = (one for one in earlier if not self._exclude(one, truth))
                open_ = all_of(*map(negated, others), truth)
                found += tuple((all_of(open_, guard), atom) for guard, atom in self.value(result))
                earlier.append(truth)
                if not _is_bounded(found):
                    return always(Unknown("a CASE of too many conditions"))
        except UnreadableError as error:
            return always(Unknown(str(error)))
        if len(arguments) % 2:
            rest = all_of(*map(negated, earlier))
            found += tuple((all_of(rest, guard), atom) for guard, atom in self.value(arguments[-1]))
        return found if _is_bounded(found) else always(Unknown("a CASE of too many conditions"))

    def _exclude(self, first: Expression, second: Expression) -> bool:
        """Whether two conditions, as their shape shows, never hold for one row: on one field of one value."""
        match first, second:
            case Predicate(FieldPath() as path), Predicate(other) if path == other and len(path.steps) == 1:
                asked, by = (first, second) if first.operator is Operator.IS else (second, first)
                if asked.operator is not Operator.IS or self.field(str(path.steps[0])).many:
                    return False
                if asked.functions != by.functions or (asked.ignore_case and not by.ignore_case):
                    return False
                holds = compile_expression(msgspec.structs.replace(by, functions=()))
                return not any(holds({path.steps[0]: value}) for value in asked.values)
        return False

    def _coalesce(self, arguments: tuple[tree.Node, ...]) -> Value:
        found: Value = ()
        missing: list[Expression] = []
        try:
            for argument in arguments:
                value = self.value(argument)
                found += tuple((all_of(*missing, guard), atom) for guard, atom in value)
                missing.append(is_null(value))
                if not _is_bounded(found):
                    return always(Unknown("a COALESCE of too many conditions"))
        except UnreadableError as error:
            return always(Unknown(str(error)))
        return found

    def _of_source(self, arguments: tuple[tree.Node, ...]) -> Value:
        """JSON_EXTRACT of the document's source is a field of it, as text."""
        match arguments:
            case (tree.Column("_source"), tree.Literal(str() as path)) if _PLAIN_PATH.fullmatch(path):
                term = self.field(path.removeprefix("$."))
                return always(msgspec.structs.replace(term, family=Family.TEXT))
        return always(Unknown("the function JSON_EXTRACT of a field"))

    def _bucket(self, arguments: tuple[tree.Node, ...]) -> Value:
        """DATE_TRUNC and BUCKET cut the clock into slices counted from 1970 (of a week: from a Monday)."""
        for argument in arguments:
            span = span_of(argument)
            if span is None or span % _WEEK == timedelta():
                continue
            if tree.Column("@timestamp") in arguments:
                return always(Bucket(span))
            match self.value(arguments[1]):
                case ((_, Now(offset)),):
                    return always(Tick(span, offset))
        return always(Unknown("a time bucket of no fixed length, or not of @timestamp"))

    # -- conditions

    def truth(self, node: tree.Node) -> Truth:
        """When a condition is true and when false. Raises UnreadableError."""
        match node:
            case tree.Negation(operand):
                return ternary_not(self.truth(operand))
            case tree.Junction(every, operands):
                join = ternary_and if every else ternary_or
                return join(*map(self.truth, operands))
            case tree.Comparison("=~"):
                raise UnreadableError("the operator =~")
            case tree.Comparison(sign, left, right):
                return compared(sign, self.value(left), self.value(right))
            case tree.InList(operand, items):
                return self._in(self.value(operand), items)
            case tree.Like(operand, patterns, regex):
                return self._patterns(self.value(operand), patterns, regex)
            case tree.IsNull(operand):
                return never_null(is_null(self.value(operand)))
            case tree.Match(operand, value):
                return self.matched(operand, value)
            case tree.Call("COALESCE", (first, tree.Literal(bool() as default))):
                return _defaulted(self.truth(first), default)
            case tree.Call(name, arguments) if name in _TRUTHS:
                return _TRUTHS[name](self, arguments)
            case _:
                return _boolean(self.value(node))

    def _in(self, operand: Value, items: tuple[tree.Node, ...]) -> Truth:
        values = [self.value(item) for item in items]
        constants = [atom.value for value in values for _, atom in value if isinstance(atom, Constant)]
        plain = [value for value in constants if not isinstance(value, tuple)]
        match operand:
            case ((guard, Term() as term),) if len(plain) == len(values) and term.family not in _TYPED:
                return distributed([(guard, tested(term, asks(term, Operator.IS, *plain)))])
        return ternary_or(*(compared("==", operand, value) for value in values))

    def _patterns(self, operand: Value, patterns: tuple[str, ...], regex: bool) -> Truth:
        test = rlike if regex else like
        return ternary_or(
            *(distributed((guard, test(atom, pattern)) for guard, atom in operand) for pattern in patterns)
        )

    def matched(self, operand: tree.Node, value: tree.Node) -> Truth:
        """``:`` on a field that is not analysed is equality with any of its values; of an analysed one it
        finds some of the words, as KQL does that are not quoted.
        """
        match self.sole(operand), value:
            case Term(FieldPath(steps), ()), tree.Literal(str() as word) if self._is_analysed(str(steps[0])):
                if word.isascii() and word.isalnum():
                    return never_null(self.kql(f'{steps[0]}: "{word}"'))
                if (words := kql_pattern((word,))) is not None:
                    return never_null(self.kql(f"{steps[0]}: {words}"))
                raise UnreadableError("a full-text match of these words")
            case Term(FieldPath(), (), family) as term, tree.Literal(bool() | int() | str() as wanted):
                if family is not None:
                    return never_null(equals(term, wanted))
        raise UnreadableError("a full-text match")

    def phrase(self, operand: tree.Node, value: tree.Node) -> Truth:
        """MATCH_PHRASE: all words in a row on an analysed field, else the same."""
        match self.sole(operand), value:
            case Term(FieldPath(steps), ()), tree.Literal(str() as text) if self._is_analysed(str(steps[0])):
                return never_null(self.kql(f"{steps[0]}: {kql_quoted(text)}"))
        return self.matched(operand, value)

    def _is_analysed(self, name: str) -> bool:
        return name in self._fields and self._fields[name].type is FieldType.TEXT

    def sole(self, node: tree.Node) -> Atom:
        """An argument that is one and the same atom for every event."""
        match self.value(node):
            case ((guard, atom),) if guard == TRUE:
                if isinstance(atom, Unknown):
                    raise UnreadableError(atom.reason)
                return atom
        raise UnreadableError("a function of something that differs from event to event")

    def term(self, node: tree.Node) -> Term:
        """An argument that must be a field or functions of one."""
        atom = self.sole(node)
        if not isinstance(atom, Term):
            raise UnreadableError("a function of something else than a field")
        return atom

    def each_term(
        self, node: tree.Node, test: Callable[[Term], Expression], asked: Node | None = None
    ) -> Truth:
        """A single-value test of an argument that is, whatever the event, a field or functions of one.

        ``asked``: the same as a pattern of the whole text.
        """
        found: list[tuple[Expression, Truth]] = []
        for guard, atom in self.value(node):
            if isinstance(atom, Unknown):
                raise UnreadableError(atom.reason)
            text = None if asked is None else texts(atom)
            if text is not None and asked is not None:
                found.append((guard, fits(text, asked)))
            elif isinstance(atom, Term):
                found.append((guard, tested(atom, test(atom))))
            else:
                raise UnreadableError("a function of something else than a field")
        return distributed(found)

    def constants(self, node: tree.Node) -> tuple[Scalar, ...]:
        """An argument that must be a constant, of one or several values."""
        atom = self.sole(node)
        if not isinstance(atom, Constant):
            raise UnreadableError("a function with something else than a constant")
        return atom.value if isinstance(atom.value, tuple) else (atom.value,)

    def kql(self, text: str) -> Expression:
        """The condition that KQL text stands for."""
        if self._kql is None:
            raise UnreadableError("the function KQL")
        try:
            found = self._kql(text)
        except ValueError as error:
            raise UnreadableError(f"KQL: {error}") from None
        self.full_text.append(found)
        return found


_WEEK = timedelta(weeks=1)
_PLAIN_PATH = re.compile(r"(?:\$\.)?[\w@-]+(?:\.[\w@-]+)*")
_TYPED = (Family.IP, Family.DATE)
_MOST_NODES = 4_000
"""Of the conditions under which a column has its values: columns made of columns double them each time."""


def _is_bounded(value: Value) -> bool:
    waiting = [guard for guard, _ in value]
    for _ in range(_MOST_NODES):
        if not waiting:
            return True
        waiting.extend(children(waiting.pop()))
    return False


def _as_value(truth: Callable[[], Truth]) -> Value:
    try:
        found = truth()
    except UnreadableError as error:
        return always(Unknown(str(error)))
    return ((found.true, Constant(True)), (found.false, Constant(False)))


def _boolean(value: Value) -> Truth:
    """A value that stands for a condition: a boolean field or column."""
    return compared("==", value, always(Constant(True)))


def _defaulted(truth: Truth, default: bool) -> Truth:
    """COALESCE(condition, true or false)."""
    return never_null(truth.true) if not default else Truth(negated(truth.false), truth.false)


def _affix(name: str) -> Callable[[Scope, tuple[tree.Node, ...]], Truth]:
    def truth(scope: Scope, arguments: tuple[tree.Node, ...]) -> Truth:
        operator, other = _AFFIXES[name], scope.sole(arguments[1])
        if isinstance(other, Term):
            return of_two(scope.term(arguments[0]), operator, other)
        wanted = scope.constants(arguments[1])
        if len(wanted) != 1 or not isinstance(wanted[0], str):
            raise UnreadableError(f"{name} with something else than text")
        text = wanted[0]
        return scope.each_term(
            arguments[0],
            lambda term: asks(term, operator, text) if text else has_value(term),
            AFFIXES[operator](text) if text else ANY_TEXT,
        )

    return truth


def _cidr_match(scope: Scope, arguments: tuple[tree.Node, ...]) -> Truth:
    networks = [value for argument in arguments[1:] for value in scope.constants(argument)]
    return scope.each_term(arguments[0], lambda term: in_networks(term, networks))


def _mv_contains(scope: Scope, arguments: tuple[tree.Node, ...]) -> Truth:
    """Every value of the second is one of the first; null has no values, so it is in everything."""
    match scope.sole(arguments[0]), scope.sole(arguments[1]):
        case Term() as term, Constant():
            wanted = scope.constants(arguments[1])
            return never_null(all_of(*(equals(term, value) for value in wanted)))
        case Values() | Labels() as values, Constant():
            return never_null(all_of(*(_has(values, one) for one in scope.constants(arguments[1]))))
        case Term() as term, Term(many=False) as other:
            return never_null(any_of(Not(has_value(other)), same_as(term, other)))
        case Constant(), Term(many=False) as term:
            allowed = scope.constants(arguments[0])
            return never_null(any_of(Not(has_value(term)), *(equals(term, value) for value in allowed)))
    raise UnreadableError("MV_CONTAINS of these arguments")


def _mv_intersects(scope: Scope, arguments: tuple[tree.Node, ...]) -> Truth:
    match scope.sole(arguments[0]), scope.sole(arguments[1]):
        case Term() as term, Constant():
            return never_null(any_of(*(equals(term, value) for value in scope.constants(arguments[1]))))
        case Values() | Labels() as values, Constant():
            return never_null(any_of(*(_has(values, one) for one in scope.constants(arguments[1]))))
        case Constant(), Term() as term:
            return never_null(any_of(*(equals(term, value) for value in scope.constants(arguments[0]))))
        case Term() as term, Term() as other:
            return never_null(same_as(term, other))
    raise UnreadableError("MV_INTERSECTS of these arguments")


def _has(values: Values | Labels, wanted: Scalar) -> Expression:
    """Some row of a group has the value."""
    if isinstance(values, Labels):
        return has_label(values.options, wanted)
    return some_row(all_of(values.where, equals(values.term, wanted)))


def _kql(scope: Scope, arguments: tuple[tree.Node, ...]) -> Truth:
    if len(arguments) != 1:
        raise UnreadableError("the function KQL with options")
    return never_null(scope.kql("".join(map(str, scope.constants(arguments[0])))))


def _full_text(
    name: str, matched: Callable[[Scope, tree.Node, tree.Node], Truth]
) -> Callable[[Scope, tuple[tree.Node, ...]], Truth]:
    def truth(scope: Scope, arguments: tuple[tree.Node, ...]) -> Truth:
        if len(arguments) != 2:
            raise UnreadableError(f"the function {name} with options")
        return matched(scope, *arguments)

    return truth


_TRUTHS: dict[str, Callable[[Scope, tuple[tree.Node, ...]], Truth]] = {
    "STARTS_WITH": _affix("STARTS_WITH"),
    "ENDS_WITH": _affix("ENDS_WITH"),
    "CONTAINS": _affix("CONTAINS"),
    "CIDR_MATCH": _cidr_match,
    "MV_CONTAINS": _mv_contains,
    "MV_INTERSECTS": _mv_intersects,
    "KQL": _kql,
    "MATCH": _full_text("MATCH", Scope.matched),
    "MATCH_PHRASE": _full_text("MATCH_PHRASE", Scope.phrase),
}
