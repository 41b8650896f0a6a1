"""Which terms of a condition to make hold: a search that learns from conflicts how far to go back.

What follows from the goals is taken first; of an ``any`` that must hold (or an ``all`` that must not) one
term after the other is tried. A theory says whether the atoms gathered so far can stand together. If they
cannot, the search returns to the latest choice that had part in it (conflict-directed backjumping, Prosser
1993), so that an exhausted search is a proof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import msgspec

from converter.check.texts.limits import TooLarge
from converter.model.expressions import (
    All,
    AnyOf,
    Expression,
    ForSome,
    Not,
    Predicate,
    references,
    separated,
)


class Goal(NamedTuple):
    """A condition and the verdict that it shall have."""

    condition: Expression
    wanted: bool


Model = dict[Goal, int]
"""Atoms (predicates and ``for_some``) and the verdicts they shall have, with the level that brought each."""

Conflict = frozenset[int]
"""The levels of the choices that cannot stand together."""


class Choice(NamedTuple):
    """Goals of which one must be reached, and the level that brought them."""

    options: tuple[Goal, ...]
    level: int


class Theory(msgspec.Struct, frozen=True):
    """``clash``: atoms of the model that cannot stand together, if any, because of the new ones among them.
    ``close``: what to do with a model whose choices are all made; None if it is of no use after all.
    """

    clash: Callable[[Model, list[Goal]], Iterable[Goal] | None]
    close: Callable[[Model], object | None]


class Search:
    """One search over the choices that some goals leave."""

    def __init__(self, theory: Theory, most: int) -> None:
        """``most``: so many choices are tried before the search gives up with TooLarge."""
        self._theory = theory
        self._left = most
        self.found: object | None = None

    def run(self, goals: Iterable[Goal]) -> bool:
        """Whether a model was found; what ``close`` made of it is in ``found``."""
        return self._explored({}, [], [(goal, 0) for goal in goals], 0) is None

    def _explored(
        self, model: Model, choices: list[Choice], new: list[tuple[Goal, int]], level: int
    ) -> Conflict | None:
        """None: found. Else why not."""
        self._left -= 1
        if self._left < 0:
            raise TooLarge("budget: the condition leaves too many choices")
        model, choices = dict(model), list(choices)
        conflict = self._followed(model, choices, new)
        if conflict is not None:
            return conflict
        chosen = _narrowest(model, choices)
        if chosen is None:
            self.found = self._theory.close(model)
            return None if self.found is not None else frozenset(model.values())
        choices.remove(chosen)
        reasons = {chosen.level}
        for option in chosen.options:
            conflict = self._explored(model, choices, [(option, level + 1)], level + 1)
            if conflict is None:
                return None
            if level + 1 not in conflict:
                return conflict
            reasons |= conflict - {level + 1}
        return frozenset(reasons)

    def _followed(self, model: Model, choices: list[Choice], new: list[tuple[Goal, int]]) -> Conflict | None:
        """Take what follows from new goals into the model and the choices."""
        todo = new[::-1]
        added: list[Goal] = []
        while todo:
            goal, level = todo.pop()
            step = _step(goal)
            if isinstance(step, Goal):
                if step in model:
                    continue
                model[step] = level
                added.append(step)
                opposite = Goal(step.condition, not step.wanted)
                if opposite in model:
                    return frozenset((level, model[opposite]))
            elif isinstance(step, Choice):
                if not step.options:
                    return frozenset((level,))
                choices.append(Choice(step.options, level))
            else:
                todo.extend((each, level) for each in step[::-1])
        clash = self._theory.clash(model, added)
        return None if clash is None else frozenset(model[each] for each in clash)


def _step(goal: Goal) -> Goal | Choice | list[Goal]:
    """What a goal comes to: an atom, a choice, or further goals, all of which must be reached."""
    condition, wanted = goal
    match condition:
        case Not(term):
            return [Goal(term, not wanted)]
        case All(terms) | AnyOf(terms):
            goals = [Goal(term, wanted) for term in terms]
            if isinstance(condition, All) is wanted:
                return goals
            return goals if len(goals) == 1 else Choice(tuple(goals), 0)
        case Predicate(values=values, all_of=True) if len(values) > 1:
            return _step(Goal(All(tuple(_parts(condition))), wanted))
        case Predicate(values=values) if len(values) > 1 and references(condition):
            return _step(Goal(separated(condition), wanted))
        case Predicate() | ForSome():
            return goal
    raise TypeError(f"not a condition: {condition!r}")


def _parts(predicate: Predicate) -> Iterator[Predicate]:
    for value in predicate.values:
        yield msgspec.structs.replace(predicate, values=(value,), all_of=False)


def _narrowest(model: Model, choices: list[Choice]) -> Choice | None:
    """The choice with the fewest terms left that is not made already by what holds anyway."""
    open_choices = [
        choice for choice in choices if not any(_atom(option) in model for option in choice.options)
    ]
    return min(open_choices, key=lambda choice: len(choice.options), default=None)


def _atom(goal: Goal) -> Goal:
    """The goal without what turns it round."""
    while isinstance(goal.condition, Not):
        goal = Goal(goal.condition.term, not goal.wanted)
    return goal
