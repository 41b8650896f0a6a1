"""Query text with the precedence of its outermost operator, so that parentheses go exactly where needed.

KQL and EQL agree: ``not`` binds tighter than ``and``, ``and`` tighter than ``or`` (Elastic, KQL page,
"Combine multiple queries"; EQL syntax reference, "Logical operators").
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import NamedTuple


class Binding(enum.IntEnum):
    """How tightly the outermost operator of a text binds."""

    OR = 0
    AND = 1
    NOT = 2
    ATOM = 3


class Clause(NamedTuple):
    """Query text and the binding of its outermost operator."""

    text: str
    binding: Binding = Binding.ATOM

    def within(self, binding: Binding) -> str:
        """The text as an operand of an operator that binds like ``binding``."""
        return self.text if self.binding >= binding else f"({self.text})"


def conjunction(clauses: Sequence[Clause]) -> Clause:
    """``a and b``; a single clause stays itself. There must be one."""
    if len(clauses) == 1:
        return clauses[0]
    return Clause(" and ".join([c.within(Binding.AND) for c in clauses]), Binding.AND)


def disjunction(clauses: Sequence[Clause]) -> Clause:
    """``a or b``; a single clause stays itself. There must be one."""
    if len(clauses) == 1:
        return clauses[0]
    return Clause(" or ".join([c.within(Binding.OR) for c in clauses]), Binding.OR)


def negation(clause: Clause) -> Clause:
    """``not a``, with parentheses around everything but a plain comparison."""
    return Clause(f"not {clause.within(Binding.ATOM)}", Binding.NOT)
