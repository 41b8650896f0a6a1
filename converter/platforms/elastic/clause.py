"""Query text with the precedence of its outermost operator, so that parentheses go exactly where needed.

KQL and EQL agree: ``not`` binds tighter than ``and``, ``and`` tighter than ``or`` (Elastic, KQL page,
"Combine multiple queries"; EQL syntax reference, "Logical operators").
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Final, NamedTuple

WIDTH: Final = 100
"""Longer queries and lists are broken into lines; white space means nothing between their parts."""


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


def on_lines(clause: Clause, terms: Sequence[Clause], indent: str) -> str:
    """The conjunction ``clause`` of ``terms``, a line each where it is too long for one."""
    if len(clause.text) <= WIDTH or len(terms) < 2:
        return clause.text
    return f"\n{indent}and ".join([term.within(Binding.AND) for term in terms])


def listed(items: Sequence[str], separator: str, indent: str = "    ") -> str:
    """Items with a separator between them, on several lines where they are too long for one."""
    text = separator.join(items)
    if len(text) <= WIDTH + WIDTH // 2:
        return text
    lines = [items[0]]
    for item in items[1:]:
        if len(lines[-1]) + len(separator) + len(item) > WIDTH:
            lines[-1] += separator.rstrip()
            lines.append(item)
        else:
            lines[-1] += separator + item
    return f"\n{indent}".join(lines)


def disjunction(clauses: Sequence[Clause]) -> Clause:
    """``a or b``; a single clause stays itself. There must be one."""
    if len(clauses) == 1:
        return clauses[0]
    return Clause(" or ".join([c.within(Binding.OR) for c in clauses]), Binding.OR)


def negation(clause: Clause) -> Clause:
    """``not a``, with parentheses around everything but a plain comparison."""
    return Clause(f"not {clause.within(Binding.ATOM)}", Binding.NOT)
