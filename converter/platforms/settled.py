"""A condition as a rule file can hold it: without parts that are always or never true, and not too deep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from converter.model.diagnostics import RuleError
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
    children,
    negated,
)
from converter.model.paths import FieldPath
from converter.model.tables import MAX_EXPRESSION_DEPTH

TOO_DEEP: Final = "the rule is nested too deeply"


def without_constants(condition: Expression, field: FieldPath) -> Expression:
    """The same without parts that are always or never true; TRUE or FALSE where nothing else is left.

    Below a ForSome something has to be asked: there ``field``, whatever it holds, says such a whole.
    """
    match condition:
        case All(terms):
            kept = [without_constants(term, field) for term in terms]
            return FALSE if FALSE in kept else all_of(*(term for term in kept if term != TRUE))
        case AnyOf(terms):
            kept = [without_constants(term, field) for term in terms]
            return TRUE if TRUE in kept else any_of(*(term for term in kept if term != FALSE))
        case Not(term):
            inner = without_constants(term, field)
            if inner in (TRUE, FALSE):
                return TRUE if inner == FALSE else FALSE
            return negated(inner)
        case ForSome(path, term):
            return ForSome(path, settled(term, field))
    return condition


def settled(condition: Expression, field: FieldPath) -> Expression:
    """The same without parts that are always or never true; such a whole is said by ``field``."""
    found = without_constants(condition, field)
    if found not in (TRUE, FALSE):
        return found
    asked = Predicate(field, Operator.EXISTS)
    return AnyOf((asked, Not(asked))) if found == TRUE else All((asked, Not(asked)))


def parted(condition: Expression) -> tuple[tuple[Expression, ...], tuple[Expression, ...]]:
    """Indicators and exclusions: the negated parts of a conjunction apart, where something else is left."""
    terms = condition.terms if isinstance(condition, All) else (condition,)
    positive = tuple(term for term in terms if not isinstance(term, Not))
    if not positive:
        return terms, ()
    return positive, tuple(term.term for term in terms if isinstance(term, Not))


def check_depth(terms: Sequence[Expression]) -> None:
    """Raises RuleError for conditions nested deeper than a rule file may be."""
    level: list[Expression] = list(terms)
    for _ in range(MAX_EXPRESSION_DEPTH - 2):
        level = [child for term in level for child in children(term)]
        if not level:
            return
    raise RuleError(TOO_DEEP)
