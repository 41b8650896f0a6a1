"""What rows are grouped by: stored fields, and choices of what is made of them."""

from __future__ import annotations

from converter.model.expressions import TRUE, Concat, Expression
from converter.model.paths import FieldPath
from converter.model.rule import Alternative, Choice
from converter.platforms.splunk.importing.conditions import Where
from converter.platforms.splunk.importing.derived import Derived
from converter.platforms.splunk.importing.rewriting import NULL
from converter.platforms.splunk.spl import syntax as s
from converter.platforms.splunk.spl.errors import SplError
from converter.platforms.splunk.spl.keys import path_of


def key_of(node: s.EvalNode, where: Where) -> tuple[FieldPath, bool] | Choice:
    """A stored field, and whether missing values of it were filled in; else a choice. Raises SplError.

    A choice has an alternative for each value that the expression can have, but none for null: rows without
    a value of a BY field are dropped (Search Reference, "stats").
    """
    try:
        return path_of(node)
    except SplError:
        branches = where.branches(node)
    return Choice(
        tuple(
            _alternative(leaf, () if when == TRUE else (when,), where)
            for when, leaf in branches
            if leaf != NULL
        )
    )


def _alternative(leaf: s.EvalNode, when: tuple[Expression, ...], where: Where) -> Alternative:
    if isinstance(leaf, s.Literal):
        return Alternative(subject=Concat((str(leaf.value),)), when=when)
    failed = len(where.failures)
    value = where.value_of(leaf)
    if isinstance(value, Derived) or value.kind != "text":
        del where.failures[failed:]
        raise SplError("it is counted by a computed value", 0, "spl-computed")
    return Alternative(subject=value.subject, functions=value.functions, when=when)
