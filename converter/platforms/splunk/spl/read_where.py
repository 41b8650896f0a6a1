"""What a where expression means, in SQL's three truth values, as pairs of ordinary expressions.

Facts (Splunk Search Reference): comparisons keep case; ``like`` is anchored, ``match`` searches; a null
operand gives null and only true keeps a row; ``if`` takes its last value unless its condition is true;
``mvfilter`` keeps the values that its condition is true for and is null when there are none. A comparison
with a multivalue field holds when some value satisfies it (not documented; seen in practice).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

import msgspec

from converter.model.expressions import (
    FALSE,
    ORDER_OPERATORS,
    TRUE,
    Concat,
    Expression,
    ForSome,
    Function,
    FunctionName,
    Operator,
    Predicate,
    Reference,
    Scalar,
    Subject,
    all_of,
    any_of,
    comparison,
    mapped,
    negated,
    predicates,
    reference,
)
from converter.model.paths import ELEMENT, FieldPath
from converter.model.regex import RegexError, parse, render
from converter.platforms.settled import without_constants
from converter.platforms.splunk.spl import relations, times
from converter.platforms.splunk.spl import syntax as s
from converter.platforms.splunk.spl.addresses import class_of
from converter.platforms.splunk.spl.errors import SplError
from converter.platforms.splunk.spl.read_search import SearchReader
from converter.platforms.splunk.spl.unify import same, unified
from converter.platforms.three_valued import Truth, never_null, ternary_and, ternary_not, ternary_or

_ORDER: Final = {">": Operator.GT, ">=": Operator.GTE, "<": Operator.LT, "<=": Operator.LTE}
_MIRRORED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_REPLACEMENTS: Final = {
    r"^[ \t\r\n\f\v]+|[ \t\r\n\f\v]+\z": FunctionName.TRIM,
    r"^\s+|\s+$": FunctionName.TRIM,
    r"(?s)^.*[/\\]": FunctionName.BASENAME,
    r"^.*[/\\]": FunctionName.BASENAME,
}
_LOWER: Final = (Function(FunctionName.LOWER),)
_UPPER: Final = (Function(FunctionName.UPPER),)
_EPOCH: Final = "1970-01-01T00:00:00Z"
NULL: Final = Truth(FALSE, FALSE)


class Value(msgspec.Struct, frozen=True):
    """A value that a condition looks at.

    ``kind``: ``text``, ``number`` (through tonumber: null unless the text is a number) or ``time`` (through
    strptime: null unless it is a timestamp). ``loose``: its tests hold for more events than they should.
    """

    subject: Subject
    functions: tuple[Function, ...] = ()
    kind: str = "text"
    loose: bool = False

    def asks(self, operator: Operator, *values: Scalar | Reference, ignore_case: bool = False) -> Expression:
        """A test of it."""
        return Predicate(self.subject, operator, values, ignore_case=ignore_case, functions=self.functions)

    @property
    def present(self) -> Expression:
        """When it is not null."""
        if self.kind == "text":
            return self.asks(Operator.EXISTS)
        origin: Scalar = 0 if self.kind == "number" else _EPOCH
        return any_of(self.asks(Operator.GTE, origin), self.asks(Operator.LT, origin))


def tested(value: Value, predicate: Expression) -> Truth:
    """A test that is null when its value is; the predicate implies that the value is there."""
    if value.loose:
        return Truth(predicate, value.present)
    return Truth(predicate, all_of(value.present, negated(predicate)))


class WhereReader:
    """Translates eval conditions. Fields in them are stored ones: the caller has put assignments in place."""

    def value_of(self, node: s.EvalNode) -> Value:
        """What an expression gives. Raises SplError for one that no condition can look at."""
        return self._value(node)

    # -- conditions

    def read(self, node: s.EvalNode) -> Truth:
        """When the condition is true and when it is false. Raises SplError."""
        pair = relations.recognised(node)
        if pair is not None:
            relation, whole, part = pair
            return self._of_two(self._value(whole), relation, self._value(part), getattr(node, "at", 0))
        match node:
            case s.Operation("and", left, right):
                return self._and(node, left, right)
            case s.Operation("or", left, right):
                return ternary_or(self.read(left), self.read(right))
            case s.Operation("xor", left, right):
                one, other = self.read(left), self.read(right)
                return ternary_or(ternary_and(one, ternary_not(other)), ternary_and(ternary_not(one), other))
            case s.Operation(operator, left, right, at) if operator in _MIRRORED:
                return self._compared(operator, left, right, at)
            case s.Inverted("not", operand):
                return ternary_not(self.read(operand))
            case s.Call(name, arguments, at):
                return self._call(name, arguments, at)
            case s.FieldName(name, _, at):
                raise SplError(f"the field {name} is used as a condition", at, "spl-condition")
            case s.Macro(name, at):
                raise SplError(f"the macro {name} is not defined", at, "spl-macro")
        raise SplError("this is no condition", getattr(node, "at", 0), "spl-condition")

    def _and(self, node: s.EvalNode, left: s.EvalNode, right: s.EvalNode) -> Truth:
        address = self._address_class(node)
        return address if address is not None else ternary_and(self.read(left), self.read(right))

    def _address_class(self, node: s.EvalNode) -> Truth | None:
        """An address in some networks and outside of others, where that is a class with a name."""
        found = unified("__inside AND if(__outside, 1, 0)==0", node)
        if found is None:
            return None
        inside, outside = _networks(found["inside"]), _networks(found["outside"])
        if inside is None or outside is None or not same(inside[0], outside[0]):
            return None
        name = class_of(frozenset(inside[1]), frozenset(outside[1]))
        if name is None:
            return None
        value = self._value(inside[0])
        return tested(value, value.asks(Operator.IP, name))

    def _call(self, name: str, arguments: tuple[s.EvalNode, ...], at: int) -> Truth:
        reader = _CONDITIONS.get(name)
        if reader is None:
            raise SplError(f"the function {name} is not read as a condition", at, "spl-function")
        try:
            return reader(self, arguments, at)
        except (IndexError, ValueError) as error:
            if isinstance(error, SplError):
                raise
            raise SplError(f"{name} has other arguments than expected", at, "spl-function") from error

    def _like(self, arguments: tuple[s.EvalNode, ...], at: int) -> Truth:
        value, pattern = self._value(arguments[0]), _text(arguments[1], at)
        operator, operand = _from_like(pattern)
        return tested(value, value.asks(operator, operand))

    def _match(self, arguments: tuple[s.EvalNode, ...], at: int) -> Truth:
        value, pattern = self._value(arguments[0]), _text(arguments[1], at)
        return tested(value, value.asks(Operator.REGEX, _re2(pattern, at)))

    def _cidrmatch(self, arguments: tuple[s.EvalNode, ...], at: int) -> Truth:
        value = self._value(arguments[1])
        return tested(value, value.asks(Operator.CIDR, _network(_text(arguments[0], at), at)))

    def _in(self, arguments: tuple[s.EvalNode, ...], at: int) -> Truth:
        value = self._value(arguments[0])
        operands = [argument.value for argument in arguments[1:] if isinstance(argument, s.Literal)]
        if len(operands) < len(arguments) - 1:
            raise SplError("in() with something other than literals", at, "spl-function")
        return tested(value, value.asks(Operator.IS, *operands))

    def _is_null(self, arguments: tuple[s.EvalNode, ...], at: int) -> Truth:
        return ternary_not(self._is_not_null(arguments, at))

    def _is_not_null(self, arguments: tuple[s.EvalNode, ...], at: int) -> Truth:
        match arguments[0]:
            case s.Call("mvfilter", (condition,), inner_at):
                return never_null(self._some_value(condition, inner_at))
            case s.Call("mvfind", (field, pattern), inner_at):
                value = self._value(field)
                return never_null(value.asks(Operator.REGEX, _re2(_text(pattern, inner_at), inner_at)))
            case s.Call("null", ()):
                return never_null(FALSE)
            case s.Literal():
                return never_null(TRUE)
        return never_null(self._value(arguments[0]).present)

    def _is_number(self, arguments: tuple[s.EvalNode, ...], at: int) -> Truth:
        value = self._value(arguments[0])
        return never_null(msgspec.structs.replace(value, kind="number").present)

    def _search_match(self, arguments: tuple[s.EvalNode, ...], at: int) -> Truth:
        from converter.platforms.splunk.spl.parse import parse_search

        return never_null(SearchReader().read(parse_search(_text(arguments[0], at), at)))

    def _some_value(self, condition: s.EvalNode, at: int) -> Expression:
        """Some value of a multivalue field satisfies a condition."""
        match condition:
            case s.Operation("or", left, right):
                return any_of(self._some_value(left, at), self._some_value(right, at))
            case s.Operation("and", _, _):
                address = self._address_class(condition)
                if address is not None:
                    return address.true
        asked = self.read(condition).true
        return asked if isinstance(asked, Predicate) else _of_one_value(asked, at)

    # -- comparisons

    def _compared(self, operator: str, left: s.EvalNode, right: s.EvalNode, at: int) -> Truth:
        for one, other, sign in ((left, right, operator), (right, left, _MIRRORED[operator])):
            if isinstance(one, s.Call) and one.name in ("if", "case"):
                return self._chosen(one, other, sign, at)
        if isinstance(left, s.Literal):
            if isinstance(right, s.Literal):
                return never_null(TRUE if _holds(operator, left.value, right.value) else FALSE)
            left, right, operator = right, left, _MIRRORED[operator]
        if isinstance(left, s.Call) and left.name == "null":
            return NULL
        common = self._common_value(operator, left, right)
        if common is not None:
            return common
        value = self._value(left)
        if isinstance(right, s.Literal):
            return self._to_literal(operator, value, right.value, at)
        if isinstance(right, s.Call) and right.name == "null":
            return NULL
        return self._to_field(operator, value, self._value(right), at)

    def _chosen(self, call: s.Call, other: s.EvalNode, operator: str, at: int) -> Truth:
        """A comparison of if() or case(): of whichever value is chosen."""
        arguments = call.arguments
        if call.name == "if":
            if len(arguments) != 3:
                raise SplError("if wants three arguments", at, "spl-function")
            pairs: list[tuple[s.EvalNode | None, s.EvalNode]]
            pairs = [(arguments[0], arguments[1]), (None, arguments[2])]
        else:
            if len(arguments) % 2:
                raise SplError("case wants pairs of arguments", at, "spl-function")
            pairs = [(arguments[i], arguments[i + 1]) for i in range(0, len(arguments), 2)]
        before: Expression = TRUE
        true: list[Expression] = []
        false: list[Expression] = []
        for condition, value in pairs:
            when = TRUE if condition is None else self.read(condition).true
            outcome = self._compared(operator, value, other, at)
            if outcome.true != FALSE:
                true.append(all_of(before, when, outcome.true))
            if outcome.false != FALSE:
                false.append(all_of(before, when, outcome.false))
            before = all_of(before, negated(when))
        return Truth(any_of(*true), any_of(*false))

    def _common_value(self, operator: str, left: s.EvalNode, right: s.EvalNode) -> Truth | None:
        """Two multivalue fields that have fewer distinct values together than apart share one."""
        if operator != "<":
            return None
        found = unified(
            "mvcount(mvdedup(mvappend(__a, __b))) < mvcount(mvdedup(__a)) + mvcount(mvdedup(__b))",
            s.Operation("<", left, right),
        )
        if found is None:
            return None
        one, other = self._value(found["a"]), self._value(found["b"])
        return self._to_field("==", one, other, 0)

    def _to_literal(self, operator: str, value: Value, operand: Scalar, at: int) -> Truth:
        if value.kind == "time":
            if isinstance(operand, str):
                raise SplError("a time compared with a text", at, "spl-comparison")
            try:
                operand = times.iso(float(operand))
            except (ValueError, OverflowError, OSError) as error:
                raise SplError("a time that no calendar has", at, "spl-comparison") from error
        if operator in ("==", "!="):
            truth = tested(value, value.asks(Operator.IS, operand))
            return truth if operator == "==" else ternary_not(truth)
        if isinstance(operand, str) and value.kind != "time":
            raise SplError(f"an order of texts, against {operand!r}", at, "text-order")
        return tested(value, value.asks(_ORDER[operator], operand))

    def _to_field(self, operator: str, left: Value, right: Value, at: int) -> Truth:
        if operator in ("==", "!="):
            truth = self._of_two(left, Operator.SAME_AS, right, at)
            return truth if operator == "==" else ternary_not(truth)
        if left.kind != right.kind or not (_is_measured(left) and _is_measured(right)):
            raise SplError("two fields are compared by order", at, "field-order")
        return self._of_two(left, _ORDER[operator], right, at)

    def _of_two(self, left: Value, operator: Operator, right: Value, at: int) -> Truth:
        """A test of two values of the event, null where one of them is."""
        for value in (left, right):
            if type(value) is not Value or (value.kind != "text" and operator not in ORDER_OPERATORS):
                raise SplError("two computed values are compared", at, "spl-comparison")
        one, other = (reference(value.subject, value.functions) for value in (left, right))
        if left.functions[-1:] == right.functions[-1:] == _UPPER and operator is Operator.SAME_AS:
            one, other = (reference(v.subject, (*v.functions[:-1], *_LOWER)) for v in (left, right))
        found = comparison(one, operator, other)
        there = all_of(left.present, right.present)
        converted = all_of(*(value.present for value in (left, right) if value.kind != "text"))
        return Truth(all_of(converted, found), all_of(there, negated(found)))

    # -- values

    def _value(self, node: s.EvalNode) -> Value:
        """The value of an eval expression. Raises SplError for one that the rule language cannot name."""
        match node:
            case s.FieldName(name):
                return Value(FieldPath((name,)))
            case s.Operation(".", _, _):
                return Value(Concat(tuple(self._parts(node))))
            case s.Call(name, arguments, at):
                return self._called(name, arguments, at)
            case s.Operation(operator, _, _, at):
                raise SplError(f"the result of {operator} is computed", at, "spl-arithmetic")
        raise SplError("this value is computed", getattr(node, "at", 0), "spl-arithmetic")

    def _called(self, name: str, arguments: tuple[s.EvalNode, ...], at: int) -> Value:
        match name, arguments:
            case (("lower" | "upper"), (inner,)):
                return self._with(inner, Function(FunctionName(name)))
            case "len", (inner,):
                return self._with(inner, Function(FunctionName.LENGTH))
            case "replace", (inner, s.Literal(str(pattern)), s.Literal("")) if pattern in _REPLACEMENTS:
                return self._with(inner, Function(_REPLACEMENTS[pattern]))
            case "mvindex", (s.Call("split", (inner, s.Literal(str(separator)))), index):
                number = _integer(index, at)
                return self._with(inner, Function(FunctionName.SPLIT, separator, number))
            case "mvindex", (inner, index):
                path = _plain(self._value(inner))
                if path is None:
                    raise SplError("mvindex of a computed value", at, "spl-function")
                return Value(FieldPath((*path.steps, _integer(index, at))))
            case "tonumber", (inner,):
                return msgspec.structs.replace(self._value(inner), kind="number")
            case (("tostring" | "mvdedup"), (inner,)):
                return self._value(inner)
            case "strptime", (inner, s.Literal(str(form))):
                if not times.is_timestamp(form):
                    raise SplError(f"times of the form {form!r} are not read", at, "spl-function")
                return msgspec.structs.replace(self._value(inner), kind="time")
            case "coalesce", (first, *others):
                value = self._value(first)
                if value.kind == "time" and all(self._value(other) == value for other in others):
                    if {_form(one) for one in arguments} != set(times.FORMATS):
                        raise SplError("some forms of a timestamp are not looked for", at, "spl-function")
                    return value
        raise SplError(f"the function {name} is not read", at, "spl-function")

    def _with(self, node: s.EvalNode, function: Function) -> Value:
        value = self._value(node)
        return msgspec.structs.replace(value, functions=(*value.functions, function))

    def _parts(self, node: s.EvalNode) -> list[Reference | str]:
        match node:
            case s.Operation(".", left, right):
                return [*self._parts(left), *self._parts(right)]
            case s.Literal(literal):
                return [str(literal)]
        value = self._value(node)
        if type(value) is not Value or value.kind != "text" or not isinstance(value.subject, FieldPath):
            raise SplError("a computed value is joined to a text", getattr(node, "at", 0), "spl-function")
        return [reference(value.subject, value.functions)]


def _form(node: s.EvalNode) -> str | None:
    """The format of a call of ``strptime``."""
    match node:
        case s.Call("strptime", (_, s.Literal(str(form)))):
            return form
    return None


def _plain(value: Value) -> FieldPath | None:
    """The field that a value is, as it stands; None for one that is made of it."""
    made = type(value) is not Value or value.functions or value.kind != "text"
    return None if made or not isinstance(value.subject, FieldPath) else value.subject


def _is_measured(value: Value) -> bool:
    """Whether a value is a number or a time, and no text of which nothing is known."""
    return value.kind != "text" or value.functions[-1:] == (Function(FunctionName.LENGTH),)


_Reader = Callable[[WhereReader, tuple[s.EvalNode, ...], int], Truth]
_CONDITIONS: Final[dict[str, _Reader]] = {
    "like": WhereReader._like,
    "match": WhereReader._match,
    "cidrmatch": WhereReader._cidrmatch,
    "in": WhereReader._in,
    "isnull": WhereReader._is_null,
    "isnotnull": WhereReader._is_not_null,
    "isnum": WhereReader._is_number,
    "searchmatch": WhereReader._search_match,
    "true": lambda reader, arguments, at: never_null(TRUE),
    "false": lambda reader, arguments, at: never_null(FALSE),
}


def _of_one_value(asked: Expression, at: int) -> Expression:
    """Several conditions on one and the same value of a field, which is there without saying."""
    subjects = {predicate.subject for predicate in predicates(asked)}
    path = next(iter(subjects), None)
    if len(subjects) != 1 or not isinstance(path, FieldPath) or len(path.steps) > 1:
        raise SplError("tests of a value of a multivalue field beside others", at, "multi-value")
    if any(predicate.operator is Operator.SAME_AS for predicate in predicates(asked)):
        raise SplError("a value of a multivalue field against another field", at, "multi-value")
    there = Predicate(path, Operator.EXISTS)
    term = without_constants(mapped(asked, lambda each: TRUE if each == there else each), path)
    if term in (TRUE, FALSE):
        return there if term == TRUE else FALSE
    return ForSome(path, mapped(term, lambda each: msgspec.structs.replace(each, subject=ELEMENT)))


def _text(node: s.EvalNode, at: int) -> str:
    if isinstance(node, s.Literal) and isinstance(node.value, str):
        return node.value
    raise SplError("a text in quotes is expected", at, "spl-function")


def _integer(node: s.EvalNode, at: int) -> int:
    if isinstance(node, s.Literal) and isinstance(node.value, int):
        return node.value
    raise SplError("a whole number is expected", at, "spl-function")


def _holds(operator: str, left: Scalar, right: Scalar) -> bool:
    if operator in ("==", "!="):
        return (left == right) == (operator == "==")
    if isinstance(left, str) or isinstance(right, str):
        left, right = str(left), str(right)
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[operator]  # type: ignore[operator]


def _from_like(pattern: str) -> tuple[Operator, str]:
    """A pattern of like() as the operator that says it most plainly."""
    inner = pattern.strip("%")
    if "%" not in inner and "_" not in inner and inner:
        start, end = pattern.startswith("%"), pattern.endswith("%")
        if pattern.count("%") == start + end:
            if start and end:
                return Operator.CONTAINS, inner
            if start or end:
                return (Operator.ENDS_WITH if start else Operator.STARTS_WITH), inner
    wild = {"%": "*", "_": "?", "*": "\\*", "?": "\\?", "\\": "\\\\"}
    return Operator.LIKE, "".join(wild.get(character, character) for character in pattern)


def _re2(pattern: str, at: int) -> str:
    try:
        return _translated(pattern)
    except RegexError as error:
        raise SplError(f"the regex {pattern!r} has no linear form: {error}", at, "regex-construct") from error


@lru_cache(maxsize=256)
def _translated(pattern: str) -> str:
    """The pattern as RE2 has it. A chain of commands may ask one pattern thousands of times."""
    return render(parse(pattern, "pcre"), "re2")


def _network(text: str, at: int) -> str:
    import ipaddress

    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError as error:
        raise SplError(f"{text!r} is no network", at, "spl-function") from error


def _networks(node: s.EvalNode) -> tuple[s.EvalNode, list[str]] | None:
    """A chain of OR over cidrmatch() of one value: the value and the networks."""
    match node:
        case s.Operation("or", left, right):
            one, other = _networks(left), _networks(right)
            if one is None or other is None or not same(one[0], other[0]):
                return None
            return one[0], one[1] + other[1]
        case s.Call("cidrmatch", (s.Literal(network), value)) if isinstance(network, str):
            return value, [network]
    return None
