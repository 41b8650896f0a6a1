"""Questions whether a field is there that another condition answers.

``stats … by`` drops the rows without a value of one of its fields; of most of these the search asks more.
"""

from __future__ import annotations

from collections.abc import Sequence

from converter.model.expressions import (
    All,
    AnyOf,
    Expression,
    Operator,
    Predicate,
    all_of,
    fields_asked,
)
from converter.model.paths import FieldPath


def without_implied(terms: Sequence[Expression]) -> tuple[Expression, ...]:
    """The terms, all of which must hold, without those ``exists`` that follow from another one."""
    flat = [inner for term in terms for inner in (term.terms if isinstance(term, All) else (term,))]
    telling = [term for term in flat if not _asks_presence(term)]

    def kept(term: Expression) -> Expression:
        if isinstance(term, All):
            return all_of(*map(kept, term.terms))
        follows = (
            isinstance(term, Predicate)
            and _asks_presence(term)
            and isinstance(term.subject, FieldPath)
            and any(_needs(other, term.subject) for other in telling)
        )
        return all_of() if follows else term

    return tuple(left for term in terms if (left := kept(term)) != all_of() or term == all_of())


def _asks_presence(term: Expression) -> bool:
    return isinstance(term, Predicate) and term.operator is Operator.EXISTS and not term.functions


def _needs(expression: Expression, path: FieldPath) -> bool:
    """Whether the expression can only hold where the field has a value."""
    match expression:
        case Predicate():
            return path in fields_asked(expression)
        case All(terms):
            return any(_needs(term, path) for term in terms)
        case AnyOf(terms):
            return bool(terms) and all(_needs(term, path) for term in terms)
    return False
