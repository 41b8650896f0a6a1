"""``for_some`` on a platform that stores a list of objects as one flat multivalue field per key.

``a{}.k=x a{}.v=y`` may be met by two different elements (SEMANTICS, Splunk 8). One predicate, or a choice
between predicates, needs no binding and stays exact, and so do conditions on one value of a plain list;
anything else is widened and named.
"""

from __future__ import annotations

from collections.abc import Iterator

from converter.model.diagnostics import Fidelity
from converter.model.expressions import (
    TRUE,
    All,
    AnyOf,
    Expression,
    ForSome,
    Not,
    Predicate,
    children,
    fields_of,
    predicates,
    references,
)
from converter.model.losses import Losses
from converter.model.paths import FieldPath


def without_for_some(expression: Expression, losses: Losses) -> Expression:
    """The same tree without :class:`ForSome` but of plain values; where that loses the binding, a
    ``same-element`` loss.
    """
    match expression:
        case All(terms):
            return All(tuple(without_for_some(term, losses) for term in terms))
        case AnyOf(terms):
            return AnyOf(tuple(without_for_some(term, losses) for term in terms))
        case Not(term):
            with losses.flipped():
                return Not(without_for_some(term, losses))
        case ForSome(path, term) if of_values(path, term):
            return expression if _binds(term) else term
        case ForSome(path, term):
            return _loosened(term, str(path.steps[0]), losses)
        case _:
            return expression


def of_values(path: FieldPath, term: Expression) -> bool:
    """Whether a term asks nothing but the values of a list, one by one, which ``mvfilter`` can do: its
    condition may speak of one field (Splunk Search Reference, Multivalue eval functions).
    """
    return (
        len(path.steps) == 1
        and not any(isinstance(each, ForSome) for each in _nodes(term))
        and all(predicate.subject == path and _asks_constants(predicate) for predicate in predicates(term))
        and any(True for _ in predicates(term))
    )


def _asks_constants(predicate: Predicate) -> bool:
    return not references(predicate)


def _nodes(expression: Expression) -> Iterator[Expression]:
    yield expression
    for child in children(expression):
        yield from _nodes(child)


def _binds(term: Expression) -> bool:
    """Whether it matters that one and the same value is asked."""
    match term:
        case AnyOf(terms):
            return any(map(_binds, terms))
        case Predicate():
            return term.all_of and len(term.values) > 1
        case _:
            return True


def _loosened(term: Expression, name: str, losses: Losses) -> Expression:
    match term:
        case AnyOf(terms):
            return AnyOf(tuple(_loosened(inner, name, losses) for inner in terms))
        case All((only,)):
            return _loosened(only, name, losses)
        case All(terms) if terms:
            _lose(name, losses)
            return All(tuple(_loosened(inner, name, losses) for inner in terms))
        case ForSome(path, inner):
            return _loosened(inner, str(path.steps[0]), losses)
        case Predicate():
            if _looks_at_several(term):
                _lose(name, losses)
            return term
        case _:
            _lose(name, losses)
            return TRUE


def _looks_at_several(predicate: Predicate) -> bool:
    """Whether the predicate compares or joins several values of one element."""
    return (
        bool(references(predicate))
        or len(fields_of(predicate.subject)) > 1
        or (predicate.all_of and len(predicate.values) > 1)
    )


def _lose(name: str, losses: Losses) -> None:
    losses.lose(
        "same-element",
        Fidelity.WIDER,
        f"conditions on one element of {name} may be met by different elements: Splunk flattens the list",
    )
