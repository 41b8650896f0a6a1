"""Expressions as one line for people: in reports, explanations and diagnostics. Not a file format."""

from __future__ import annotations

import json

from converter.model.expressions import (
    All,
    AnyOf,
    Concat,
    Expression,
    ForSome,
    Function,
    Not,
    Operator,
    Predicate,
    Scalar,
)
from converter.model.paths import FieldPath


def describe(expression: Expression) -> str:
    """The expression as text, with full parentheses."""
    match expression:
        case All(terms):
            return " and ".join(map(_nested, terms)) or "always"
        case AnyOf(terms):
            return " or ".join(map(_nested, terms)) or "never"
        case Not(Predicate(subject, Operator.EXISTS)):
            return f"{_subject(subject)} does not exist"
        case Not(term):
            return f"not {_nested(term)}"
        case ForSome(path, term):
            return f"some of {path}: {_nested(term)}"
        case Predicate():
            return _predicate(expression)


def _nested(expression: Expression) -> str:
    text = describe(expression)
    return text if isinstance(expression, Predicate | Not) else f"({text})"


def _predicate(predicate: Predicate) -> str:
    subject = _subject(predicate.subject)
    for function in predicate.functions:
        subject = f"{function.name}({subject}{_arguments(function)})"
    if predicate.operator is Operator.EXISTS:
        return f"{subject} exists"
    joiner = " and " if predicate.all_of else " or "
    operands = joiner.join(_operand(value) for value in predicate.values)
    many = len(predicate.values) > 1
    case = " (any case)" if predicate.ignore_case else ""
    return f"{subject} {predicate.operator.replace('_', ' ')} {f'({operands})' if many else operands}{case}"


def _subject(subject: FieldPath | Concat) -> str:
    if isinstance(subject, FieldPath):
        return str(subject)
    return " + ".join(
        str(part) if isinstance(part, FieldPath) else json.dumps(part) for part in subject.parts
    )


def _arguments(function: Function) -> str:
    return "" if function.separator is None else f", {json.dumps(function.separator)}, {function.index}"


def _operand(value: Scalar | FieldPath) -> str:
    return str(value) if isinstance(value, FieldPath) else json.dumps(value, ensure_ascii=False)
