"""Verdicts of many conditions on many events: what is compiled once is kept, and shared between paths."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import msgspec

from converter.evaluate import Condition, compile_expression
from converter.evaluate.timestamps import parse_text
from converter.evaluate.values import (
    number_of,
    path_getter,
    subject_getter,
    text_of,
)
from converter.model.expressions import (
    ORDER_OPERATORS,
    All,
    AnyOf,
    Expression,
    ForSome,
    Not,
    Operator,
    Predicate,
    Scalar,
    changes_of,
    constants,
    mapped,
    references,
)
from converter.model.paths import FieldPath

VALUE: Final = FieldPath(("value",))
"""The subject of a predicate that is asked of a value by itself."""


def plain(expression: Expression) -> Expression:
    """The same condition with ``true`` and ``false`` among its operands as texts, which mean the same (4.2).

    To Python, True is 1: tables of conditions would take the one for the other.
    """
    return mapped(expression, _plain)


def _plain(predicate: Predicate) -> Predicate:
    if not any(isinstance(value, bool) for value in predicate.values):
        return predicate
    values = tuple(text_of(value) if isinstance(value, bool) else value for value in predicate.values)
    return msgspec.structs.replace(predicate, values=values)


@lru_cache(maxsize=4096)
def compiled(predicate: Predicate) -> Condition:
    """A plain predicate as a function of one event; alike ones share what is costly to compile."""
    path = predicate.subject
    whole = predicate.operator is Operator.EXISTS or references(predicate)
    if path == VALUE or whole or not isinstance(path, FieldPath) or predicate.all_of:
        return compile_expression(predicate)
    get = path_getter(path)
    holds = compiled(of_value(predicate))
    return lambda event: any(holds({"value": value}) for value in get(event))


def is_ordered(value: Scalar) -> bool:
    """Whether the operators of order take the value: a number, or a text that is one or a timestamp."""
    return number_of(value) is not None or (isinstance(value, str) and parse_text(value) is not None)


def resolved(predicate: Predicate, event: Any) -> Predicate:
    """The predicate with the values that its references have in an event in their place.

    Of operands of an order those that are in one: numbers and timestamps.
    """
    operands = references(predicate)
    if not operands:
        return predicate
    there = (value for each in operands for value in subject_getter(*changes_of(each))(event))
    if predicate.operator in ORDER_OPERATORS:
        there = (value for value in there if is_ordered(value))
    operator = Operator.IS if predicate.operator is Operator.SAME_AS else predicate.operator
    return msgspec.structs.replace(
        predicate, operator=operator, values=(*constants(predicate), *dict.fromkeys(there))
    )


@lru_cache(maxsize=8192)
def of_value(predicate: Predicate) -> Predicate:
    """The predicate, asked of a value by itself."""
    return msgspec.structs.replace(predicate, subject=VALUE)


def holds(expression: Expression, event: Any) -> bool:
    """The verdict of a plain expression on one event."""
    match expression:
        case Predicate():
            return compiled(expression)(event)
        case Not(term):
            return not holds(term, event)
        case All(terms):
            return all(holds(term, event) for term in terms)
        case AnyOf(terms):
            return any(holds(term, event) for term in terms)
        case ForSome():
            return compile_expression(expression)(event)
