"""Why a rule did or did not match an event: the verdict of every node, with the values it saw."""

from __future__ import annotations

from typing import Any

import msgspec

from converter.evaluate.compile import compile_expression
from converter.evaluate.values import elements_getter, subject_getter
from converter.model.expressions import (
    Expression,
    ForSome,
    Not,
    Operator,
    Predicate,
    Scalar,
    children,
)


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """A node's verdict. ``values``: what a predicate looked at. ``decisive``: the verdict of the whole tree
    rests on this node (a true term of a true ``any``, a false term of a false ``all``, and so on down).
    """

    expression: Expression
    holds: bool
    decisive: bool
    values: tuple[Scalar, ...] = ()
    children: tuple[Verdict, ...] = ()


def explain(expression: Expression, event: Any, decisive: bool = True) -> Verdict:
    """The tree of verdicts of an expression on one event."""
    holds = compile_expression(expression)(event)
    return Verdict(
        expression=expression,
        holds=holds,
        decisive=decisive,
        values=_values(expression, event),
        children=tuple(_explained_children(expression, event, holds, decisive)),
    )


def deciding_predicates(verdict: Verdict) -> tuple[Verdict, ...]:
    """The leaves on which the whole verdict rests, left to right."""
    if not verdict.decisive:
        return ()
    if not verdict.children:
        return (verdict,)
    return tuple(leaf for child in verdict.children for leaf in deciding_predicates(child))


def _explained_children(expression: Expression, event: Any, holds: bool, decisive: bool) -> list[Verdict]:
    if isinstance(expression, ForSome):
        return _explained_elements(expression, event, holds, decisive)
    verdicts = [explain(term, event, decisive) for term in children(expression)]
    if isinstance(expression, Not):
        return verdicts
    return [
        verdict if verdict.holds is holds or not decisive else explain(verdict.expression, event, False)
        for verdict in verdicts
    ]


def _explained_elements(expression: ForSome, event: Any, holds: bool, decisive: bool) -> list[Verdict]:
    elements = elements_getter(expression.path, expression.term)
    verdicts = [explain(expression.term, element, decisive) for element in elements(event)]
    return [verdict for verdict in verdicts if verdict.holds is holds]


def _values(expression: Expression, event: Any) -> tuple[Scalar, ...]:
    if not isinstance(expression, Predicate):
        return ()
    functions = () if expression.operator is Operator.EXISTS else expression.functions
    return tuple(subject_getter(expression.subject, functions)(event))
