"""The writer's own small tree of three-valued conditions: leaves of finished text, AND, OR and negation.

A WHERE keeps the rows for which its condition is true; a condition on a null field is null, and so is its
NOT. So every leaf knows which columns make it null when they are, and a negation says so.
Source: Elasticsearch, "ES|QL null values": comparisons and functions of null are null, WHERE drops null.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec


class Leaf(msgspec.Struct, frozen=True):
    """A test: its text, the text of its opposite (null for the same rows), and what makes both null.

    ``guards``: texts; the test is null exactly when one of them is null. None: null in other cases as well.
    """

    text: str
    opposite: str
    guards: tuple[str, ...] | None = ()


class Joint(msgspec.Struct, frozen=True):
    """AND (``every``) or OR of the terms; no terms: true or false."""

    every: bool
    terms: tuple[Condition, ...]


Condition: TypeAlias = Leaf | Joint

TRUE = Leaf("true", "false")
FALSE = Leaf("false", "true")


def joint(every: bool, terms: list[Condition]) -> Condition:
    """AND or OR, with nested ones of the same kind spliced in and constants worked out."""
    neutral, absorbing = (TRUE, FALSE) if every else (FALSE, TRUE)
    flat: list[Condition] = []
    for term in terms:
        parts = term.terms if isinstance(term, Joint) and term.every is every else (term,)
        flat.extend(part for part in parts if part != neutral and part not in flat)
    if absorbing in flat:
        return absorbing
    if not flat:
        return neutral
    return flat[0] if len(flat) == 1 else Joint(every, tuple(flat))


def negate(condition: Condition) -> Condition:
    """True for exactly the rows for which ``condition`` is not true."""
    if isinstance(condition, Joint):
        return joint(not condition.every, [negate(term) for term in condition.terms])
    if condition.guards is None:
        return Leaf(f"NOT COALESCE({condition.text}, false)", f"COALESCE({condition.text}, false)")
    opposite = Leaf(condition.opposite, condition.text, condition.guards)
    missing: list[Condition] = [null_test(guard) for guard in condition.guards]
    return joint(False, [*missing, opposite])


def inverse(condition: Condition) -> Condition:
    """ES|QL's own NOT: null for the rows for which ``condition`` is null."""
    if isinstance(condition, Joint):
        return joint(not condition.every, [inverse(term) for term in condition.terms])
    return Leaf(condition.opposite, condition.text, condition.guards)


def null_test(text: str) -> Leaf:
    """``text IS NULL``."""
    return Leaf(f"{text} IS NULL", f"{text} IS NOT NULL")


def present_test(text: str) -> Leaf:
    """``text IS NOT NULL``."""
    return Leaf(f"{text} IS NOT NULL", f"{text} IS NULL")


def conjuncts(condition: Condition) -> tuple[Condition, ...]:
    """What is joined by AND at the top."""
    return condition.terms if isinstance(condition, Joint) and condition.every else (condition,)


def printed(condition: Condition, *, nested: bool = False) -> str:
    """The text; ``nested`` puts a junction in parentheses."""
    if isinstance(condition, Leaf):
        return condition.text
    text = (" AND " if condition.every else " OR ").join(
        printed(term, nested=True) for term in condition.terms
    )
    return f"({text})" if nested else text
