"""One value that gives conditions the verdicts asked for, where they are more than single predicates."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from converter.check.constraints.answers import IMPOSSIBLE, Answer, Found, Literal, Unsolved
from converter.check.constraints.choices import Goal, Model, Search, Theory
from converter.check.texts.limits import TooLarge
from converter.model.expressions import Predicate

_MOST_CHOICES = 500


def solve_condition(goals: Iterable[Goal], solve: Callable[[tuple[Literal, ...]], Answer]) -> Answer:
    """A value that reaches all goals; ``solve`` finds one that gives predicates their verdicts."""
    asked = tuple(goals)
    literals = [Literal(each, wanted) for each, wanted in asked if isinstance(each, Predicate)]
    if len(literals) == len(asked):
        return solve(tuple(literals))
    return _Combination(solve).found(asked)


class _Combination(msgspec.Struct):
    """The search for the terms to make hold; ``doubt`` is what one of the values tried left unsolved."""

    solve: Callable[[tuple[Literal, ...]], Answer]
    doubt: Unsolved | None = None

    def found(self, goals: tuple[Goal, ...]) -> Answer:
        """The value, or why there is none."""
        search = Search(Theory(clash=self._clash, close=self._closed), _MOST_CHOICES)
        try:
            if search.run(goals):
                assert isinstance(search.found, Found)
                return search.found
        except TooLarge as limit:
            return Unsolved(str(limit))
        return self.doubt or IMPOSSIBLE

    def _clash(self, model: Model, added: list[Goal]) -> Iterable[Goal] | None:
        return None if not added or self._closed(model) is not None else tuple(model)

    def _closed(self, model: Model) -> Found | None:
        answer = self.solve(
            tuple(Literal(each, wanted) for each, wanted in model if isinstance(each, Predicate))
        )
        if isinstance(answer, Unsolved):
            self.doubt = answer
        return answer if isinstance(answer, Found) else None
