"""Conditions bound to one element of a list, on fields that are stored flattened.

Elasticsearch flattens lists of objects unless they are mapped as ``nested`` (Elasticsearch reference,
"Nested field type"): which values belong together is lost.
"""

from __future__ import annotations

from converter.model.diagnostics import Fidelity
from converter.model.expressions import All, AnyOf, Expression, ForSome, Not, Predicate
from converter.model.losses import Losses
from converter.model.paths import FieldPath
from converter.platforms.elastic.describe import stored_name


def report_unbound(path: FieldPath, term: Expression, losses: Losses) -> None:
    """Record what it costs to ask the flattened list instead of one element of it.

    Nothing for one condition or several alternatives: some element satisfies them, or none does.
    """
    wider, narrower = _wider(term), _has_negation(term)
    name = stored_name(path)
    if wider or narrower:
        losses.lose(
            "same-element",
            Fidelity.WIDER,
            f"the conditions on one element of {name} may be met by different elements",
        )
    if narrower:
        losses.lose(
            "same-element",
            Fidelity.NARROWER,
            f"a negated condition on one element of {name} must hold for all of its elements",
        )


def _wider(term: Expression) -> bool:
    match term:
        case Predicate():
            return term.all_of and len(term.values) > 1
        case AnyOf(terms):
            return any(map(_wider, terms))
        case All(terms):
            return len(terms) != 1 or _wider(terms[0])
        case _:
            return True


def _has_negation(term: Expression) -> bool:
    match term:
        case Not():
            return True
        case All(terms) | AnyOf(terms):
            return any(map(_has_negation, terms))
        case ForSome(_, inner):
            return _has_negation(inner)
        case _:
            return False
