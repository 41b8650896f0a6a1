"""What Python's comparisons mean between abstract values, types taken into account."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import msgspec

from converter.evaluate.operators import TESTS
from converter.model.expressions import (
    ORDER_OPERATORS,
    Concat,
    Function,
    FunctionName,
    Operator,
    Reference,
    Scalar,
    comparison,
    reference,
)
from converter.model.paths import FieldPath
from converter.model.regex import RegexError, parse, render
from converter.platforms.panther import abstract as a
from converter.platforms.panther.abstract import Condition, UnreadableError, Value
from converter.platforms.panther.fields import Kind

KindOf: TypeAlias = Callable[[a.Lookup], Kind]
"""What a looked-up field is declared to hold."""

_ORDER: Final = {ast.Gt: Operator.GT, ast.GtE: Operator.GTE, ast.Lt: Operator.LT, ast.LtE: Operator.LTE}
_TURNED: Final = {ast.Gt: ast.Lt, ast.GtE: ast.LtE, ast.Lt: ast.Gt, ast.LtE: ast.GtE}
_NEGATIVE: Final = {ast.NotEq: ast.Eq, ast.NotIn: ast.In, ast.IsNot: ast.Is}
_BLANKS: Final = " \t\r\n\f\v"
_VERSIONS: Final = {4: "v4", 6: "v6"}


def compared(
    left: Value, operator: type[ast.cmpop], right: Value, kind_of: KindOf, node: ast.AST
) -> Condition:
    """The condition that a comparison is."""
    if operator in _NEGATIVE:
        return a.opposite(compared(left, _NEGATIVE[operator], right, kind_of, node), node)
    if operator is ast.In:
        return _contained(left, right, kind_of, node)
    if operator in (ast.Eq, ast.Is):
        if isinstance(left, a.Constant) and not isinstance(right, a.Constant):
            left, right = right, left
        return _equal(left, right, kind_of, node)
    if isinstance(left, (a.Constant, a.Moment)) and operator in _TURNED:
        left, operator, right = right, _TURNED[operator], left
    if operator in _ORDER:
        return _ordered(left, _ORDER[operator], right, node)
    raise UnreadableError(f"the comparison {operator.__name__}", node)


def _equal(left: Value, right: Value, kind_of: KindOf, node: ast.AST) -> Condition:
    match left, right:
        case a.Constant(value=one), a.Constant(value=other):
            return a.ALWAYS if one == other else a.NEVER
        case a.Lookup(), a.Constant(value=value):
            return _lookup_is(left, value, kind_of)
        case a.LookupText() | a.Element() | a.Joining(), a.Constant(value=str() as text):
            return text_test(left, "equal", text, node)
        case a.Element(source=a.Gathered(kind="number")), a.Constant(value=int() | float() as number):
            return element_test(left, Operator.IS, number)
        case a.Version(element=element), a.Constant(value=int() as number) if number in _VERSIONS:
            return element_test(element, Operator.IP, _VERSIONS[number])
        case a.Match(found), a.Constant(value=None):
            return a.opposite(found, node)
        case a.Element() | a.LookupText(), a.Constant():
            return a.NEVER
        case _:
            raise UnreadableError(f"{type(left).__name__} == {type(right).__name__}", node)


def _lookup_is(lookup: a.Lookup, value: Any, kind_of: KindOf) -> Condition:
    """``event.get(…) == value``: the same value of the same type; of a missing field, the default."""
    missing = lookup.default == value and type(lookup.default) is type(value)
    if value is None:
        exists = a.predicate(lookup.scope, lookup.path, Operator.EXISTS)
        return a.opposite(exists) if missing else a.NEVER
    kind = kind_of(lookup)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    fits = {
        Kind.TEXT: isinstance(value, str),
        Kind.NUMBER: is_number,
        Kind.BOOLEAN: isinstance(value, bool) or value in (0, 1),
        Kind.UNKNOWN: True,
    }[kind]
    if not fits:
        return a.or_missing(a.NEVER, lookup, missing)
    operator, operand = a.text_equals(value) if isinstance(value, str) else (Operator.IS, value)
    if kind is Kind.BOOLEAN:
        operand = bool(operand)
    return a.or_missing(a.predicate(lookup.scope, lookup.path, operator, (operand,)), lookup, missing)


def _contained(left: Value, right: Value, kind_of: KindOf, node: ast.AST) -> Condition:
    match left, right:
        case _, a.Several(items):
            return a.either([_equal(left, item, kind_of, node) for item in items])
        case a.Element(), a.Element():
            return pair_test(right, Operator.CONTAINS, left, node)
        case a.Constant(value=str() as part), a.LookupText() | a.Element() | a.Joining():
            return text_test(right, "contains", part, node)
        case a.Constant(value=value), a.Gathered(scope, subject, kind, functions):
            if kind == "text" and isinstance(value, str):
                operator, operand = a.text_equals(value)
                return a.predicate(scope, subject, operator, (operand,), functions=functions)
            if kind == "number" and isinstance(value, (int, float)):
                return a.predicate(scope, subject, Operator.IS, (value,), functions=functions)
            return a.NEVER
        case _:
            raise UnreadableError(f"{type(left).__name__} in {type(right).__name__}", node)


def _ordered(left: Value, operator: Operator, right: Value, node: ast.AST) -> Condition:
    match left, right:
        case a.Element(source=a.Gathered(kind="number")), a.Constant(value=int() | float() as number):
            return element_test(left, operator, number)
        case a.Element(source=a.Gathered(kind="moment")), a.Moment(text):
            return element_test(left, operator, text)
        case a.Ordering(one, other), a.Constant(value=0):
            return pair_test(one, operator, other, node)
        case _:
            raise UnreadableError(f"the order of {type(left).__name__} and {type(right).__name__}", node)


def element_test(element: a.Element, operator: Operator, operand: Scalar) -> Condition:
    """A predicate on one element of a list."""
    source = element.source
    return a.predicate(
        source.scope,
        source.subject,
        operator,
        (operand,),
        functions=source.functions,
        variables=element.open,
    )


_OF_VALUES: Final = frozenset({Operator.SAME_AS}) | ORDER_OPERATORS
"""The operators that look at values as they are, not at their texts."""


def pair_test(
    one: a.Element, operator: Operator, other: a.Element, node: ast.AST, ignore_case: bool = False
) -> Condition:
    """A comparison of an element of one list with an element of another."""
    sides: list[Reference] = []
    for source in (one.source, other.source):
        kinds = ("raw", "text", "number") if operator in _OF_VALUES else ("text",)
        if source.scope != one.source.scope or source.kind not in kinds:
            raise UnreadableError(f"{operator} of these values", node)
        subject = source.subject
        if isinstance(subject, FieldPath) and source.kind == "text" and operator in _OF_VALUES:
            subject = subject if source.functions else Concat((subject,))
        sides.append(reference(subject, source.functions))
    found = comparison(sides[0], operator, sides[1], ignore_case)
    return a.Condition(found, one.open | other.open, frozenset({one.source.scope}))


_OPERATORS: Final = {
    "startswith": Operator.STARTS_WITH,
    "endswith": Operator.ENDS_WITH,
    "contains": Operator.CONTAINS,
    "like": Operator.LIKE,
    "search": Operator.REGEX,
}


def text_test(value: Value, form: str, operand: str, node: ast.AST | None = None) -> Condition:
    """A test of a text. ``form``: equal, startswith, endswith, contains, like, or search (an RE2 pattern)."""
    operator, given = (a.text_equals(operand)) if form == "equal" else (_OPERATORS[form], operand)
    match value:
        case a.LookupText(lookup, functions):
            default = _applied(str(lookup.default), functions)
            found = _if_operand(
                a.predicate(lookup.scope, lookup.path, operator, (given,), functions=functions),
                lookup,
                operator,
                given,
                functions,
            )
            return a.or_missing(found, lookup, _holds(default, form, operand))
        case a.Element(source=a.Gathered(scope, subject, "text" | "number" as kind, functions)):
            if kind == "number":
                raise UnreadableError("a text test of a number", node)
            found = a.predicate(scope, subject, operator, (given,), functions=functions, variables=value.open)
            return (
                found
                if operand or operator in (Operator.IS, Operator.REGEX, Operator.LIKE)
                else msgspec.structs.replace(found, expression=_exists(found))
            )
        case a.Joining(parts):
            elements = [part for part in parts if isinstance(part, a.Element)]
            scope = elements[0].source.scope if elements else 0
            variables = frozenset(variable for element in elements for variable in element.open)
            return a.predicate(scope, a.joined_subject(parts), operator, (given,), variables=variables)
        case a.Constant(value=str() as text):
            return a.ALWAYS if _holds(text, form, operand) else a.NEVER
        case _:
            raise UnreadableError(f"a text test of a {type(value).__name__}", node)


def _if_operand(
    found: Condition, lookup: a.Lookup, operator: Operator, operand: str, functions: tuple[Function, ...]
) -> Condition:
    """An empty operand is in every text; canonically it is none, so the field merely exists."""
    if operand or operator in (Operator.IS, Operator.REGEX, Operator.LIKE):
        return found
    return a.predicate(lookup.scope, lookup.path, Operator.EXISTS, functions=functions)


def _exists(found: Condition) -> Any:
    predicate: Any = found.expression
    return msgspec.structs.replace(predicate, operator=Operator.EXISTS, values=())


def _holds(text: str, form: str, operand: str) -> bool:
    match form:
        case "equal":
            return text == operand
        case "contains":
            return operand in text
        case "startswith":
            return text.startswith(operand)
        case "endswith":
            return text.endswith(operand)
        case _:
            return TESTS[_OPERATORS[form]](operand, False)(text)


def _applied(text: str, functions: tuple[Function, ...]) -> str:
    for function in functions:
        match function.name:
            case FunctionName.LOWER:
                text = text.lower()
            case FunctionName.UPPER:
                text = text.upper()
            case FunctionName.TRIM:
                text = text.strip(_BLANKS)
            case _:
                raise UnreadableError(f"{function.name} of a default")
    return text


def re2_pattern(pattern: a.Pattern, method: str, node: ast.AST) -> str:
    """The RE2 pattern that finds what ``search``, ``match`` or ``fullmatch`` of a Python pattern finds."""
    text = pattern.text
    if method in ("match", "fullmatch"):
        text = rf"\A(?:{text}\n)" if "VERBOSE" in pattern.flags else rf"\A(?:{text})"
        text += r"\Z" if method == "fullmatch" else ""
    letters = "".join(_FLAGS[flag] for flag in sorted(pattern.flags))
    if leading := re.match(r"\\A\(\?:(\(\?[aimsxu]+\))", text):
        text = leading[1] + text.replace(leading[1], "", 1)
    try:
        return render(parse(f"(?{letters}){text}" if letters else text, "python"), "re2")
    except RegexError as error:
        raise UnreadableError(f"the regex {pattern.text!r}: {error}", node) from error


_FLAGS: Final = {
    "IGNORECASE": "i",
    "I": "i",
    "DOTALL": "s",
    "S": "s",
    "MULTILINE": "m",
    "M": "m",
    "ASCII": "a",
    "A": "a",
}
