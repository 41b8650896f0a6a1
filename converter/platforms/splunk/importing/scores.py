"""Sums of choices among constants against a number: which of the choices suffice to reach it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from typing import Final, TypeAlias

from converter.model.expressions import FALSE, TRUE, Expression, all_of, any_of, negated
from converter.platforms.splunk.spl import syntax as s
from converter.platforms.splunk.spl.errors import SplError

Choice: TypeAlias = Sequence[tuple[Expression, Fraction]]
"""What an addend can be, and when; the conditions exclude one another, and one of them holds."""

_MOST_STEPS: Final = 400


def addends_of(node: s.EvalNode) -> list[s.EvalNode]:
    """The operands of a sum, however nested; a lone one for everything else."""
    found: list[s.EvalNode] = []
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, s.Operation) and current.operator == "+":
            waiting += [current.right, current.left]
        else:
            found.append(current)
    return found


def compared(choices: Sequence[Choice], sign: str, number: Fraction) -> Expression:
    """When the sum of the choices stands so to a number. Raises SplError when too many of them do."""
    match sign:
        case ">=":
            return _reaches(choices, number, strictly=False)
        case ">":
            return _reaches(choices, number, strictly=True)
        case "<":
            return negated(_reaches(choices, number, strictly=False))
        case "<=":
            return negated(_reaches(choices, number, strictly=True))
    equal = all_of(
        _reaches(choices, number, strictly=False), negated(_reaches(choices, number, strictly=True))
    )
    return equal if sign == "==" else negated(equal)


def _reaches(choices: Sequence[Choice], number: Fraction, strictly: bool) -> Expression:
    """When the sum reaches (passes) a number: asked only of what adds more than each addend's least."""
    least = [min(weight for _, weight in choice) for choice in choices]
    above = [
        [(when, weight - low) for when, weight in choice if weight > low]
        for choice, low in zip(choices, least, strict=True)
    ]
    most = [Fraction()]
    for choice in reversed(above):
        most.append(most[-1] + max((weight for _, weight in choice), default=Fraction()))
    most.reverse()

    def met(wanted: Fraction) -> bool:
        return wanted < 0 or (wanted == 0 and not strictly)

    @cache
    def size(place: int, wanted: Fraction) -> int:
        if met(wanted) or not met(wanted - most[place]):
            return 1
        return sum(size(place + 1, wanted - weight) for _, weight in above[place]) + size(place + 1, wanted)

    def rest(place: int, wanted: Fraction) -> Expression:
        if met(wanted):
            return TRUE
        if not met(wanted - most[place]):
            return FALSE
        terms = [all_of(when, rest(place + 1, wanted - weight)) for when, weight in above[place]]
        return any_of(*terms, rest(place + 1, wanted))

    wanted = number - sum(least, Fraction())
    if size(0, wanted) > _MOST_STEPS:
        raise SplError("a sum of too many choices", 0, "spl-arithmetic")
    return rest(0, wanted)
