"""Expressions and tests of groups as one line for people: in reports and diagnostics. Not a file format."""

from __future__ import annotations

import json
from datetime import timedelta

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
    Reference,
    Scalar,
    changes_of,
)
from converter.model.measures import (
    AllTests,
    AnyTest,
    Bound,
    Edge,
    GroupCondition,
    GroupTest,
    Measure,
    MeasureKind,
    Moment,
    Multiple,
    NotTest,
)
from converter.model.paths import FieldPath
from converter.model.scalars_in import format_span


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


def describe_test(condition: GroupCondition) -> str:
    """A test of a group as text, with full parentheses."""
    match condition:
        case AllTests(terms):
            return " and ".join(map(_nested_test, terms))
        case AnyTest(terms):
            return " or ".join(map(_nested_test, terms))
        case NotTest(term):
            return f"not {_nested_test(term)}"
        case GroupTest(measure, bounds):
            name = describe_measure(measure)
            return " and ".join(f"{name} {_SIGNS[sign]} {_bound(bound)}" for sign, bound in bounds)


def describe_tests(having: tuple[GroupCondition, ...]) -> str:
    """Tests that must all hold, as text."""
    return describe_test(having[0] if len(having) == 1 else AllTests(having))


def describe_measure(measure: Measure) -> str:
    """A measure of a group as text."""
    if measure.kind is MeasureKind.MET:
        return f"number met of ({'; '.join(map(describe, measure.where))})"
    if measure.kind is MeasureKind.SPAN:
        return f"time from {_moment(measure.start)} to {_moment(measure.stop)}"
    subject = "matches"
    if measure.field is not None:
        subject = _applied(str(measure.field), measure.functions)
    return f"{measure.kind} of {subject}{_where(measure.where)}"


def _nested_test(condition: GroupCondition) -> str:
    text = describe_test(condition)
    is_one = isinstance(condition, NotTest) or (
        isinstance(condition, GroupTest) and len(condition.bounds) == 1
    )
    return text if is_one else f"({text})"


def _moment(moment: Moment) -> str:
    if moment.edge is Edge.END:
        return "the end of the window"
    return f"the {moment.edge} match{_where(moment.where)}"


def _where(conditions: tuple[Expression, ...]) -> str:
    return f" where {_nested(All(conditions))}" if conditions else ""


def _bound(bound: Bound) -> str:
    match bound:
        case timedelta():
            return format_span(bound)
        case Multiple(measure, times):
            return describe_measure(measure) if times == 1 else f"{times} times {describe_measure(measure)}"
    return str(bound)


_SIGNS = {
    Operator.IS: "=",
    Operator.GT: ">",
    Operator.GTE: ">=",
    Operator.LT: "<",
    Operator.LTE: "<=",
}


def _applied(subject: str, functions: tuple[Function, ...]) -> str:
    for function in functions:
        subject = f"{function.name}({subject}{_arguments(function)})"
    return subject


def _nested(expression: Expression) -> str:
    text = describe(expression)
    return text if isinstance(expression, Predicate | Not) else f"({text})"


def describe_parts(predicate: Predicate) -> tuple[str, tuple[str, ...], str]:
    """A predicate as subject and operator, its operands, and what is said of letters' case."""
    subject = _applied(_subject(predicate.subject), predicate.functions)
    operator = "exists" if predicate.operator is Operator.EXISTS else predicate.operator.replace("_", " ")
    case = " (any case)" if predicate.ignore_case else ""
    return f"{subject} {operator}", tuple(map(_operand, predicate.values)), case


def _predicate(predicate: Predicate) -> str:
    asked, operands, case = describe_parts(predicate)
    if predicate.operator is Operator.EXISTS:
        return asked
    text = (" and " if predicate.all_of else " or ").join(operands)
    return f"{asked} {f'({text})' if len(operands) > 1 else text}{case}"


def _subject(subject: FieldPath | Concat) -> str:
    if isinstance(subject, FieldPath):
        return str(subject)
    return " + ".join(json.dumps(part) if isinstance(part, str) else _operand(part) for part in subject.parts)


def _arguments(function: Function) -> str:
    return "".join(f", {json.dumps(argument)}" for argument in function.arguments)


def _operand(value: Scalar | Reference) -> str:
    if not isinstance(value, Reference):
        return json.dumps(value, ensure_ascii=False)
    subject, functions = changes_of(value)
    return _applied(_subject(subject), functions)
