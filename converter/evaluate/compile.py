"""From an expression to a function of one event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

from converter.evaluate.operators import RELATIONS, TESTS, Test, cidr_of_any, equal, fold
from converter.evaluate.values import (
    elements_getter,
    holds_something,
    json_nodes_getter,
    nodes_getter,
    number_of,
    subject_getter,
    text_of,
)
from converter.model.expressions import (
    All,
    AnyOf,
    Expression,
    ForSome,
    FunctionName,
    Not,
    Operator,
    Predicate,
    Scalar,
    changes_of,
    constants,
    references,
    separated,
)
from converter.model.paths import FieldPath

Condition: TypeAlias = Callable[[Any], bool]
"""A compiled expression: from an event to its verdict. Never raises on a decoded JSON value."""


def compile_expression(expression: Expression) -> Condition:
    """The verdict of an expression, as a function of one decoded event.

    Raises ValueError for an operand outside its operator's language (a regex that is not RE2, say).
    """
    match expression:
        case All(terms):
            conditions = tuple(compile_expression(term) for term in terms)
            return conditions[0] if len(conditions) == 1 else _every(conditions)
        case AnyOf(terms):
            conditions = tuple(compile_expression(term) for term in _joined(terms))
            return conditions[0] if len(conditions) == 1 else _some(conditions)
        case Not(term):
            condition = compile_expression(term)
            return lambda event: not condition(event)
        case ForSome(path, term):
            elements, condition = elements_getter(path, term), compile_expression(term)
            return lambda event: any(map(condition, elements(event)))
        case Predicate():
            return compile_predicate(expression)


def matches(expression: Expression, event: Any) -> bool:
    """Whether the expression holds for one event. Compile it instead when there are many events."""
    return compile_expression(expression)(event)


def compile_predicate(predicate: Predicate) -> Condition:
    """The verdict of a predicate: some value satisfies some operand (or, with ``all_of``, each operand)."""
    if predicate.operator is Operator.EXISTS:
        return _exists(predicate)
    if references(predicate):
        apart = separated(predicate)
        return _referring(predicate) if apart is predicate else compile_expression(apart)
    get = subject_getter(predicate.subject, predicate.functions)
    tests = _tests(predicate)
    if len(tests) == 1:
        test = tests[0]
        return lambda event: any(map(test, get(event)))
    return lambda event: _all_of(tests, get(event))


def _joined(terms: tuple[Expression, ...]) -> list[Expression]:
    """The terms of an ``any``, those that ask the same of the same values as one with all their operands:
    long lists of operands are looked up (4.19).
    """
    found: list[Expression] = []
    places: dict[tuple[Any, ...], int] = {}
    for term in terms:
        if not isinstance(term, Predicate) or term.all_of or not term.values or references(term):
            found.append(term)
            continue
        place = places.setdefault((term.subject, term.operator, term.ignore_case, term.functions), len(found))
        if place == len(found):
            found.append(term)
            continue
        first = found[place]
        assert isinstance(first, Predicate)
        found[place] = msgspec.structs.replace(first, values=first.values + term.values)
    return found


def _every(conditions: tuple[Condition, ...]) -> Condition:
    def every(event: Any) -> bool:
        for condition in conditions:
            if not condition(event):
                return False
        return True

    return every


def _some(conditions: tuple[Condition, ...]) -> Condition:
    def some(event: Any) -> bool:
        for condition in conditions:
            if condition(event):
                return True
        return False

    return some


def _exists(predicate: Predicate) -> Condition:
    subject = predicate.subject
    if isinstance(subject, FieldPath) and not predicate.functions:
        nodes = nodes_getter(subject)
        return lambda event: any(map(holds_something, nodes(event)))
    if predicate.functions and predicate.functions[-1].name is FunctionName.JSON:
        before = subject_getter(subject, predicate.functions[:-1])
        inside = json_nodes_getter(predicate.functions[-1])
        return lambda event: any(node is not None for node in inside(before(event)))
    get = subject_getter(subject, predicate.functions)
    return lambda event: bool(get(event))


def _referring(predicate: Predicate) -> Condition:
    """Some value of the subject and some value that the operand has in the event pass the operator's test."""
    get = subject_getter(predicate.subject, predicate.functions)
    try:
        relation = RELATIONS[predicate.operator]
    except KeyError:
        raise ValueError(f"{predicate.operator} takes no value of the event") from None
    (operand,) = references(predicate)
    others = subject_getter(*changes_of(operand))
    ignore_case = predicate.ignore_case
    return lambda event: any(
        relation(value, other, ignore_case)
        for found in (others(event),)
        if found
        for value in get(event)
        for other in found
    )


def _tests(predicate: Predicate) -> tuple[Test, ...]:
    """One test that any operand satisfies, or with ``all_of`` a test per operand."""
    operands = list(constants(predicate))
    make = TESTS[predicate.operator]
    tests = tuple(make(operand, predicate.ignore_case) for operand in operands)
    if predicate.all_of or len(tests) == 1:
        return tests
    if predicate.operator is Operator.IS:
        return (_one_of(operands, predicate.ignore_case),)
    if predicate.operator is Operator.CIDR:
        return (cidr_of_any(operands),)
    return (lambda value: any(test(value) for test in tests),)


def _one_of(operands: list[Scalar], ignore_case: bool) -> Test:
    """``is`` with many operands: the same verdicts as one test after the other, by look-up."""
    texts = frozenset(fold(text_of(operand), ignore_case) for operand in operands)
    numbers = tuple(operand for operand in operands if number_of(operand) is not None)
    if not numbers:
        return lambda value: fold(text_of(value), ignore_case) in texts
    return lambda value: (
        fold(text_of(value), ignore_case) in texts
        or any(equal(value, number, ignore_case) for number in numbers)
    )


def _all_of(tests: tuple[Test, ...], values: list[Scalar]) -> bool:
    return all(any(map(test, values)) for test in tests)
