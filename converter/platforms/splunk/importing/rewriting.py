"""Eval expressions in a plainer form that gives the same: constants worked out, roundabout tests made direct.

Null stays null: a rewritten condition is true, false and null for the same rows as the one it stands for.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Final

from converter.platforms.splunk.spl import syntax as s
from converter.platforms.splunk.spl.errors import SplError

BLANKS: Final = " \t"
"""What trim takes off unless it is told (Search Reference, "Text functions")."""
NULL: Final = s.Call("null", ())
MIRRORED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
ARITHMETIC: Final = frozenset({"+", "-", "*", "/", "%"})
_MOST_VALUES: Final = 1000


def number_in(text: str) -> int | float | None:
    """The number that a text is in eval; None for what is none."""
    try:
        number = float(text)
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() and "." not in text and "e" not in text.lower() else number


def normal(node: s.EvalNode) -> s.EvalNode:
    """One node whose operands are in normal form: arithmetic of constants worked out, a place counted from
    the end named as such.
    """
    match node:
        case s.Call("null", ()):
            return NULL
        case s.Operation(sign, s.Literal(left), s.Literal(right)) if sign in ARITHMETIC:
            return _worked_out(sign, left, right) or node
        case s.Operation(".", s.Literal(left), s.Literal(right)):
            return s.Literal(f"{left}{right}")
        case s.Operation(sign, left, right) if sign in ARITHMETIC and NULL in (left, right):
            return NULL
        case s.Call("lower", (s.Literal(str(text)),)):
            return s.Literal(text.lower())
        case s.Call("upper", (s.Literal(str(text)),)):
            return s.Literal(text.upper())
        case s.Call("trim", (s.Literal(str(text)),)):
            return s.Literal(text.strip(BLANKS))
        case s.Call("len", (s.Literal(str(text)),)):
            return s.Literal(len(text))
        case s.Call("tonumber", (s.Literal(value),)):
            number = number_in(value) if isinstance(value, str) else value
            return NULL if number is None else s.Literal(number)
        case s.Call(
            "mvindex", (inner, s.Operation("-", s.Call("mvcount", (counted,)), s.Literal(int(back)))), at
        ):
            return s.Call("mvindex", (inner, s.Literal(-back)), at) if back > 0 and inner == counted else node
        case s.Call(("spath" | "json_extract"), (s.FieldName("_raw"), s.Literal(str(path)))):
            return s.FieldName(path, True)
    return node


def _worked_out(sign: str, left: str | int | float, right: str | int | float) -> s.EvalNode | None:
    if isinstance(left, str) or isinstance(right, str):
        both = isinstance(left, str) and isinstance(right, str)
        return s.Literal(f"{left}{right}") if both and sign == "+" else None
    try:
        match sign:
            case "+":
                return s.Literal(left + right)
            case "-":
                return s.Literal(left - right)
            case "*":
                return s.Literal(left * right)
            case "/":
                value = left / right
                return s.Literal(int(value) if value.is_integer() else value)
            case _:
                return s.Literal(left % right)
    except (ArithmeticError, ValueError):
        return NULL


def rewritten(node: s.EvalNode) -> s.EvalNode | None:
    """A condition in a plainer form, if it has one. Raises SplError for one that is known to have none."""
    if not isinstance(node, s.Operation) or node.operator not in MIRRORED:
        return None
    sign, left, right = node.operator, node.left, node.right
    if isinstance(left, s.Literal):
        sign, left, right = MIRRORED[sign], right, left
    number = right.value if isinstance(right, s.Literal) else None
    if isinstance(number, str):
        number = number_in(number)
    if number is None:
        return None
    match left:
        case s.Call("mvcount", (inner,)):
            return _counted(inner, sign, number, node.at)
        case s.Operation(operator) if operator in ARITHMETIC:
            return _solved(left, sign, number, node.at)
    return None


def _counted(inner: s.EvalNode, sign: str, number: int | float, at: int) -> s.EvalNode | None:
    """``mvcount(x)`` against a number: whether there is a value at the place that decides."""
    if sign == "!=":
        equal = _counted(inner, "==", number, at)
        return None if equal is None else s.Inverted("not", equal)
    least = {">": math.floor(number) + 1, ">=": math.ceil(number), "==": math.ceil(number)}.get(sign, 1)
    most = {"<": math.ceil(number) - 1, "<=": math.floor(number), "==": math.floor(number)}.get(sign)
    match inner:
        case s.Call("mvfilter"):
            if least == 1 and most is None:
                return _where_present(inner, s.Call("true", ()))
            return None
        case s.Call("split", (value, s.Literal(str()))):
            there = value
        case s.FieldName():
            there = inner
        case _:
            return None
    if max(least, most or 0) > _MOST_VALUES:
        return None
    tests: list[s.EvalNode] = []
    if most is not None and most < least:
        tests.append(s.Call("false", ()))
    if least > 1:
        tests.append(s.Call("isnotnull", (s.Call("mvindex", (inner, s.Literal(least - 1)), at),), at))
    if most is not None and most >= least:
        tests.append(s.Call("isnull", (s.Call("mvindex", (inner, s.Literal(most)), at),), at))
    whole: s.EvalNode = tests[0] if tests else s.Call("true", ())
    for test in tests[1:]:
        whole = s.Operation("and", whole, test)
    return _where_present(there, whole)


def _where_present(value: s.EvalNode, test: s.EvalNode) -> s.EvalNode:
    return s.Call("if", (s.Call("isnotnull", (value,)), test, NULL))


def _solved(node: s.EvalNode, sign: str, number: int | float, at: int) -> s.EvalNode | None:
    """Arithmetic of one value with constants, against a number: the value itself against another number."""
    bound = Fraction(number)
    while isinstance(node, s.Operation) and node.operator in ARITHMETIC:
        fixed = next((one for one in (node.right, node.left) if isinstance(one, s.Literal)), None)
        if fixed is None or isinstance(fixed.value, str) or not math.isfinite(fixed.value):
            return None
        constant, on_right = Fraction(fixed.value), fixed is node.right
        match node.operator:
            case "+":
                bound -= constant
            case "-" if on_right:
                bound += constant
            case "-":
                bound, sign = constant - bound, MIRRORED[sign]
            case "*" | "/" if constant and (on_right or node.operator == "*"):
                bound = bound / constant if node.operator == "*" else bound * constant
                sign = MIRRORED[sign] if constant < 0 else sign
            case _:
                return None
        node = node.left if on_right else node.right
    if isinstance(node, s.FieldName) and node.name.startswith("_"):
        return None
    if Fraction(float(bound)) != bound:
        raise SplError("arithmetic whose bound is no number of the platform's", at, "spl-arithmetic")
    value = int(bound) if bound.denominator == 1 else float(bound)
    return s.Operation(sign, s.Call("tonumber", (node,), at), s.Literal(value), at)
