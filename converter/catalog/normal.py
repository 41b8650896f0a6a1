"""The normal form of a rule: equal for two rules that ask the same, however they arrange it.

Negations stand at the predicates (there are two truth values, so De Morgan's laws hold), a predicate of
several operands is the disjunction of its single ones (with ``all_of`` their conjunction), nested
conjunctions and disjunctions are flattened, and their terms are sorted and kept once. Predicates are told by
their keys, so letters' case and list steps do not part two rules. Equal forms mean equal questions; rules
that mean the same by a longer argument may still have different forms.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from converter.catalog.keys import folded, keys_of
from converter.catalog.wording import correlation_text
from converter.model.expressions import All, AnyOf, Expression, ForSome, Not, Predicate
from converter.model.paths import FieldPath
from converter.model.rule import Rule

_Form: TypeAlias = tuple[str, tuple[object, ...]]
"""A kind of node and its parts: ``all`` and ``any`` with forms, the others with texts."""


def normal_form(rule: Rule) -> str:
    """The normal form of all steps, and of how they add up to an alert, as one text."""
    steps = [
        (step.absent, step.repeat, tuple(map(str, step.by)), _form(step.condition, True, None))
        for step in rule.steps
    ]
    return repr((steps, correlation_text(rule)))


def _form(expression: Expression, positive: bool, base: FieldPath | None) -> _Form:
    match expression:
        case Not(term):
            return _form(term, not positive, base)
        case All(terms) | AnyOf(terms):
            kind = "all" if isinstance(expression, All) is positive else "any"
            return _joined(kind, (_form(term, positive, base) for term in terms))
        case ForSome(path, term):
            whole = path if base is None else base.joined(path)
            return "some" if positive else "none", (str(whole), _form(term, True, whole))
        case Predicate():
            kind = "all" if expression.all_of is positive else "any"
            sign = "is" if positive else "not"
            return _joined(kind, ((sign, folded(key)) for key in keys_of(expression, base)))
    raise AssertionError(expression)


def _joined(kind: str, forms: Iterable[_Form]) -> _Form:
    flat: set[object] = set()
    for form in forms:
        flat.update(form[1] if form[0] == kind else (form,))
    if len(flat) == 1:
        (only,) = flat
        assert isinstance(only, tuple)
        return only
    return kind, tuple(sorted(flat, key=repr))
