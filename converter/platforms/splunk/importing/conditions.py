"""Conditions of other people's searches, as when they are true and when they are false.

A part that the rule language cannot say is taken for unknown: it may be true and it may be false. What is
built around it then holds for every event that the search finds, and perhaps for more. Each such part is
recorded in ``failures``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import msgspec

from converter.evaluate import matches
from converter.model.expressions import (
    FALSE,
    TRUE,
    All,
    AnyOf,
    Expression,
    ForSome,
    Not,
    Operator,
    Predicate,
    all_of,
    any_of,
    mapped,
    negated,
)
from converter.model.paths import FieldPath
from converter.platforms.splunk.importing.scope import NULL, OPAQUE, Scope
from converter.platforms.splunk.spl import syntax as s
from converter.platforms.splunk.spl.errors import SplError
from converter.platforms.splunk.spl.read_search import LOCATION_FIELDS, SearchReader
from converter.platforms.splunk.spl.read_where import Value, WhereReader
from converter.platforms.three_valued import Truth, never_null, ternary_and, ternary_not, ternary_or

UNKNOWN: Final = Truth(TRUE, TRUE)
_PLACE: Final = FieldPath(("value",))
_CHOICES: Final = frozenset({"if", "case", "coalesce", "nullif"})
_MOST_BRANCHES: Final = 48
_MOST_NODES: Final = 20_000


REX: Final = "\0rex"
"""A call of this name stands for a group that ``rex`` takes out of a value: value, pattern, group."""

ELEMENT: Final = "\0element"
"""A call of this name stands for one value of a field that ``mvexpand`` has made rows of."""

_PRESENT: Final = "\0present"
_KEEPS_PRESENCE: Final = frozenset(
    {
        "trim",
        "ltrim",
        "rtrim",
        "replace",
        "mvdedup",
        "mvsort",
        "tostring",
        "mvjoin",
        "lower",
        "upper",
        "len",
        "urldecode",
        "split",
        "md5",
        "sha1",
        "sha256",
        ELEMENT,
    }
)
"""Functions of text that are null when, and only when, their first operand is."""

_TESTS: Final = frozenset({"like", "match", "in", "cidrmatch"})
_WANTS_ALL: Final = frozenset({"mvzip"})


def always_captured(pattern: str, group: str) -> bool:
    """Whether a named group takes part in every match: it is inside no choice and nothing optional."""
    found = re.search(rf"\(\?P?<{re.escape(group)}>", pattern)
    if found is None:
        return False
    depth, position, inside = 0, 0, False
    spans: list[tuple[int, int]] = []
    opened: list[int] = []
    choices: list[int] = []
    while position < len(pattern):
        character = pattern[position]
        if character == "\\":
            position += 1
        elif inside:
            inside = character != "]" or pattern[position - 1 : position] == "["
        elif character == "[":
            inside = True
        elif character == "(":
            opened.append(position)
        elif character == ")" and opened:
            spans.append((opened.pop(), position))
        elif character == "|":
            choices.append(position)
        position += 1
    del depth
    around = [(start, end) for start, end in spans if start <= found.start() and found.start() < end]
    for start, end in around:
        if pattern[end + 1 : end + 2] in ("?", "*", "{"):
            return False
        if start != found.start() and any(start < choice < end for choice in choices):
            return False
        if start != found.start() and pattern[start : start + 3] in ("(?!", "(?="):
            return False
    own = [span for span in spans if span[0] == found.start()]
    if not own:
        return False
    outer = [c for c in choices if not any(start < c < end for start, end in spans)]
    return not outer


class Failure(msgspec.Struct, frozen=True):
    """A part that could not be read: why, and where in the expanded text (0: not known)."""

    code: str
    message: str
    at: int = 0


def simplified(expression: Expression) -> Expression:
    """The same condition without terms that always or never hold, and without repeated terms."""
    match expression:
        case All(terms):
            inner = dict.fromkeys(simplified(term) for term in terms)
            never = FALSE in inner or any(isinstance(one, Not) and one.term in inner for one in inner)
            return FALSE if never else all_of(*inner)
        case AnyOf(terms):
            inner = dict.fromkeys(simplified(term) for term in terms)
            always = TRUE in inner or any(isinstance(one, Not) and one.term in inner for one in inner)
            return TRUE if always else any_of(*inner)
        case Not(term):
            one = simplified(term)
            return FALSE if one == TRUE else TRUE if one == FALSE else negated(one)
        case ForSome(path, term):
            return ForSome(path, simplified(term))
        case _:
            return expression


def size(expression: Expression) -> int:
    """How many nodes the tree has."""
    count, waiting = 0, [expression]
    while waiting and count <= _MOST_NODES:
        current = waiting.pop()
        count += 1
        match current:
            case All(terms) | AnyOf(terms):
                waiting.extend(terms)
            case Not(term) | ForSome(_, term):
                waiting.append(term)
    return count


class Where(WhereReader):
    """``where`` conditions whose fields are already stored ones."""

    def __init__(self) -> None:
        self.failures: list[Failure] = []
        self._strict = 0

    def condition(self, node: s.EvalNode) -> Truth:
        """When the condition is true and when it is false, unknown parts being either."""
        truth = self.read(node)
        truth = Truth(simplified(truth.true), simplified(truth.false))
        if size(truth.true) + size(truth.false) > _MOST_NODES:
            raise SplError("the condition is too large once its fields are put in", 0, "spl-size")
        return truth

    def exactly(self, node: s.EvalNode) -> Truth:
        """The same; a part that cannot be read raises SplError."""
        self._strict += 1
        try:
            return self.condition(node)
        finally:
            self._strict -= 1

    def read(self, node: s.EvalNode) -> Truth:
        """See :meth:`WhereReader.read`; a choice among its operands is read branch by branch."""
        try:
            return self._read(node)
        except SplError as error:
            if self._strict or error.code == "spl-size":
                raise
            self.failures.append(Failure(error.code, error.message, error.offset))
            return UNKNOWN

    def _read(self, node: s.EvalNode) -> Truth:
        match node:
            case s.Operation(">=", s.Call("mvfind", (field, pattern), at), s.Literal(0)):
                # The place of the first value that the regex finds; null when it finds none.
                return Truth(self._read(s.Call("match", (field, pattern), at)).true, FALSE)
            case s.Call("isnull", (inner,)):
                return ternary_not(never_null(self.present(inner)))
            case s.Call("isnotnull", (inner,)) if not _is_mvtest(inner):
                return never_null(self.present(inner))
            case s.Call(name, (inner,), at) if name == _PRESENT:
                node = s.Call("isnotnull", (inner,), at)
        constant = self._constant(node)
        if constant is not None:
            return constant
        split = self._split(node)
        if split is None:
            return super().read(node)
        true: list[Expression] = []
        false: list[Expression] = []
        for when, inner in split:
            truth = self._read(inner)
            true.append(all_of(when, truth.true))
            false.append(all_of(when, truth.false))
        return Truth(simplified(any_of(*true)), simplified(any_of(*false)))

    def _constant(self, node: s.EvalNode) -> Truth | None:
        """A test of a literal, which is true or false whatever the event."""
        if not isinstance(node, s.Call) or node.name not in _TESTS:
            return None
        position = 1 if node.name == "cidrmatch" else 0
        value = _folded(node.arguments[position]) if len(node.arguments) > position else None
        if not isinstance(value, s.Literal):
            return None
        field = s.FieldName("value", True)
        arguments = (*node.arguments[:position], field, *node.arguments[position + 1 :])
        truth = super().read(msgspec.structs.replace(node, arguments=arguments))
        return never_null(TRUE if matches(truth.true, {"value": value.value}) else FALSE)

    def _split(self, node: s.EvalNode) -> list[tuple[Expression, s.EvalNode]] | None:
        """A test of if(), case() or coalesce() as the same test of each branch, and when that is taken."""
        match node:
            case s.Operation(operator, left, right, at) if operator not in ("and", "or", "xor"):
                for position, operand in enumerate((left, right)):
                    if _is_choice(operand):
                        return [
                            (
                                when,
                                s.Operation(operator, *((leaf, right) if not position else (left, leaf)), at),
                            )
                            for when, leaf in self.branches(operand)
                        ]
            case s.Call(name, arguments, at) if name not in _CHOICES:
                for position, operand in enumerate(arguments):
                    if _is_choice(operand):
                        return [
                            (
                                when,
                                s.Call(name, (*arguments[:position], leaf, *arguments[position + 1 :]), at),
                            )
                            for when, leaf in self.branches(operand)
                        ]
                    if isinstance(operand, s.Call) and operand.name in ("lower", "upper", "len", "tonumber"):
                        inner = operand.arguments[0] if operand.arguments else NULL
                        if _is_choice(inner):
                            lifted = [
                                (when, msgspec.structs.replace(operand, arguments=(leaf,)))
                                for when, leaf in self.branches(inner)
                            ]
                            return [
                                (
                                    when,
                                    s.Call(
                                        name, (*arguments[:position], leaf, *arguments[position + 1 :]), at
                                    ),
                                )
                                for when, leaf in lifted
                            ]
            case s.Call(name, _, at) if name in ("if", "case"):
                return self.branches(node)
            case s.Inverted("-", _):
                raise SplError("the result of a minus sign is computed", 0, "spl-arithmetic")
        return None

    def branches(self, node: s.EvalNode) -> list[tuple[Expression, s.EvalNode]]:
        """The values that a choice can have and when it has each; the conditions exclude one another."""
        if not _is_choice(node):
            return [(TRUE, node)]
        assert isinstance(node, s.Call)
        arguments = node.arguments
        choices: list[tuple[Expression, s.EvalNode]] = []
        if node.name == "coalesce":
            choices = [(self.present(one), one) for one in arguments]
        elif node.name == "nullif" and len(arguments) == 2:
            equal = self.exactly(s.Operation("==", arguments[0], arguments[1])).true
            choices = [(equal, NULL), (TRUE, arguments[0])]
        elif node.name == "if" and len(arguments) == 3:
            choices = [(self.exactly(arguments[0]).true, arguments[1]), (TRUE, arguments[2])]
        elif node.name == "case" and len(arguments) % 2 == 0:
            choices = [
                (self.exactly(arguments[place]).true, arguments[place + 1])
                for place in range(0, len(arguments), 2)
            ]
        else:
            raise SplError(f"{node.name} has other arguments than expected", node.at, "spl-function")
        found: list[tuple[Expression, s.EvalNode]] = []
        before: list[Expression] = []
        for when, value in [*choices, (TRUE, NULL)]:
            for inner, leaf in self.branches(value):
                condition = simplified(all_of(*before, when, inner))
                if condition != FALSE:
                    found.append((condition, leaf))
            if when == TRUE:
                break
            before.append(negated(when))
        if len(found) > _MOST_BRANCHES or sum(size(when) for when, _ in found) > _MOST_NODES:
            raise SplError("too many branches", node.at, "spl-size")
        return found

    def present(self, node: s.EvalNode) -> Expression:
        """When the value is not null. Raises SplError if that cannot be said."""
        match node:
            case s.Literal():
                return TRUE
            case s.Call(name, (inner, *_)) if name in _KEEPS_PRESENCE:
                return self.present(inner)
            case s.Call(name, arguments) if name == REX:
                return self._captured(arguments)
            case s.Call(name, arguments) if name in _WANTS_ALL:
                return simplified(all_of(*(self.present(one) for one in arguments)))
            case s.Call("now" | "time" | "true" | "false" | "random", ()):
                return TRUE
            case s.Call("mvappend" | "coalesce", arguments):
                return simplified(any_of(*(self.present(one) for one in arguments)))
            case s.Operation(".", left, right):
                return simplified(all_of(self.present(left), self.present(right)))
        return self.exactly(s.Call(_PRESENT, (node,))).true

    def _captured(self, arguments: tuple[s.EvalNode, ...]) -> Expression:
        """When ``rex`` fills a named group: the pattern is found, and every way to find it has the group."""
        source, pattern, name = arguments
        assert isinstance(pattern, s.Literal) and isinstance(name, s.Literal)
        if not always_captured(str(pattern.value), str(name.value)):
            raise SplError("a group of rex that need not take part in a match", 0, "regex-construct")
        return self.exactly(s.Call("match", (source, s.Literal(pattern.value)))).true

    def _value(self, node: s.EvalNode) -> Value:
        match node:
            case s.Call(name, (s.Literal(reason), *_)) if name == OPAQUE:
                raise SplError(str(reason), 0, "spl-computed")
            case s.Call(name, (_, _, s.Literal(group))) if name == REX:
                raise SplError(f"{group} is a part of a text that rex takes out", 0, "spl-computed")
            case s.Call(name) if name == ELEMENT:
                raise SplError("one value of a list that mvexpand takes apart", 0, "multi-value")
            case s.Call("mvindex", (inner, s.Literal(index))) if isinstance(inner, s.FieldName):
                return (
                    Value(FieldPath((inner.name, int(index))))
                    if isinstance(index, int)
                    else super()._value(node)
                )
        return super()._value(node)

    def _compared(self, operator: str, left: s.EvalNode, right: s.EvalNode, at: int) -> Truth:
        left, right = _folded(left), _folded(right)
        if NULL in (left, right):
            return Truth(FALSE, FALSE)
        if isinstance(left, s.Literal) and isinstance(right, s.Literal):
            one, other = _number(left.value), _number(right.value)
            if one is not None and other is not None:
                left, right = s.Literal(one), s.Literal(other)
        return super()._compared(operator, left, right, at)


def _number(value: str | int | float) -> int | float | None:
    if not isinstance(value, str):
        return value
    try:
        return float(value) if "." in value else int(value)
    except ValueError:
        return None


def _folded(node: s.EvalNode) -> s.EvalNode:
    """A literal in place of a change of letters of one."""
    match node:
        case s.Call(("lower" | "upper") as name, (inner,)):
            value = _folded(inner)
            if isinstance(value, s.Literal) and isinstance(value.value, str):
                return s.Literal(value.value.lower() if name == "lower" else value.value.upper())
    return node


def _is_mvtest(node: s.EvalNode) -> bool:
    return isinstance(node, s.Call) and node.name in ("mvfilter", "mvfind", "null")


def _is_choice(node: s.EvalNode) -> bool:
    return isinstance(node, s.Call) and node.name in _CHOICES


class Filter(SearchReader):
    """``search`` conditions over the fields of a row."""

    def __init__(self, scope: Scope, where: Where) -> None:
        super().__init__()
        self._scope = scope
        self._where = where
        self._unbound = False

    def condition(self, node: s.SearchNode) -> Truth:
        """When the search finds a row and when not, unknown parts being either."""
        truth = self._truth(node)
        return Truth(simplified(truth.true), simplified(truth.false))

    def _truth(self, node: s.SearchNode) -> Truth:
        match node:
            case s.Both(terms):
                return ternary_and(*(self._truth(term) for term in terms))
            case s.Either(terms):
                return ternary_or(*(self._truth(term) for term in terms))
            case s.Negated(term):
                return ternary_not(self._truth(term))
            case s.Macro(name) if name.endswith("_filter"):
                return never_null(TRUE)
        try:
            return never_null(self._leaf(node))
        except SplError as error:
            if error.code == "spl-size":
                raise
            self._where.failures.append(Failure(error.code, error.message, error.offset))
            return UNKNOWN

    def _leaf(self, node: s.SearchNode) -> Expression:
        field = node.field if isinstance(node, s.Compared | s.Listed) else None
        if field is None or field.lower() in LOCATION_FIELDS:
            return self.read(node)
        found = self._scope.resolve(field)
        if isinstance(found, s.FieldName):
            return self.read(msgspec.structs.replace(node, field=found.name))
        return self._on(found, lambda: self.read(msgspec.structs.replace(node, field="value")))

    def _on(self, node: s.EvalNode, test: Callable[[], Expression]) -> Expression:
        """A test of a computed field: of the value that each of its branches gives."""
        expression = test()
        terms: list[Expression] = []
        for when, leaf in self._where.branches(node):
            terms.append(all_of(when, self._of_leaf(leaf, expression)))
        return simplified(any_of(*terms))

    def _of_leaf(self, leaf: s.EvalNode, expression: Expression) -> Expression:
        if isinstance(leaf, s.Literal):
            return TRUE if matches(expression, {"value": leaf.value}) else FALSE
        if leaf in (NULL, s.Call("null", ())):
            return TRUE if matches(expression, {}) else FALSE
        if isinstance(leaf, s.Call) and leaf.name in ("true", "false") and not leaf.arguments:
            return TRUE if matches(expression, {"value": leaf.name.title()}) else FALSE
        if expression == Predicate(_PLACE, Operator.EXISTS):
            return self._where.present(leaf)
        value = self._where._value(leaf)
        if value.kind == "time":
            raise SplError("a time is searched for as text", getattr(leaf, "at", 0), "spl-comparison")

        def put(predicate: Predicate) -> Expression:
            functions = (*value.functions, *predicate.functions)
            return msgspec.structs.replace(predicate, subject=value.subject, functions=functions)

        return mapped(expression, put)
