"""An event (or an element of a list of objects) that gives conditions the verdicts that are asked for.

The atoms of a model fall into groups by the path they look at. Groups are solved on their own and put
together; comparisons between fields (``same_as``, ``concat``) are made true afterwards. Every event is put to
the reference evaluator before it is handed out, and a search that fails is a proof only if nothing in it was
left unsolved.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from converter.check.constraints.answers import IMPOSSIBLE, Answer, Found, Unsolved
from converter.check.constraints.atoms import (
    asked_of_objects,
    asked_of_value,
    asks_both,
    excludes,
    keys_of,
    looks_inside,
    place,
)
from converter.check.constraints.choices import Goal, Model, Search, Theory
from converter.check.constraints.combinations import solve_condition
from converter.check.constraints.construction import Construction
from converter.check.constraints.crossing import crossed
from converter.check.constraints.groups import Asked, Keys, solve_group
from converter.check.constraints.values import solve_value
from converter.check.placing import FieldLookup
from converter.check.texts.limits import Budget, TooLarge
from converter.check.verdicts import VALUE, holds, plain
from converter.logsources.forms import form_of
from converter.logsources.pack import Field, FieldType
from converter.model.expressions import Expression, ForSome, Operator, Predicate, predicates
from converter.model.paths import FieldPath
from converter.model.rule import JsonObject

_MOST_CHOICES = 2_000
_MOST_FAILURES = 20
_MOST_STEPS = 400_000
_OBJECTS = (FieldType.OBJECT, FieldType.NESTED)


class EventSolver:
    """Solves goals over events of one log source. What was solved once is remembered."""

    def __init__(self, lookup: FieldLookup) -> None:
        """``lookup``: what the log source declares of a path."""
        self._lookup = lookup
        self._budget = Budget(_MOST_STEPS)
        self._solved: dict[tuple[frozenset[Goal], Keys], Answer] = {}
        self._groups: dict[tuple[frozenset[Goal], Keys, Keys, bool], Answer] = {}

    def solve(
        self, goals: Iterable[Goal], prefix: Keys = (), present: frozenset[Keys] = frozenset()
    ) -> Answer:
        """An object that reaches all goals. ``prefix``: the keys that lead to it, for an element of a list.
        ``present``: paths at which a value is preferred to none.
        """
        wanted = tuple(Goal(plain(goal.condition), goal.wanted) for goal in goals)
        key = frozenset(wanted), prefix
        if present:
            return _Scope(self, prefix, present).solve(wanted)
        if key not in self._solved:
            self._solved[key] = _Scope(self, prefix, present).solve(wanted)
        return self._solved[key]

    def group(self, atoms: Iterable[Goal], prefix: Keys, keys: Keys, present: bool = False) -> Answer:
        """What stands at the path ``keys`` below ``prefix``, for atoms that look there and nowhere else."""
        asked = tuple(atoms)
        key = frozenset(asked), prefix, keys, present
        if key not in self._groups:
            self._groups[key] = self._group(asked, prefix, keys, present)
        return self._groups[key]

    def _group(self, atoms: tuple[Goal, ...], prefix: Keys, keys: Keys, present: bool) -> Answer:
        field = self._lookup(FieldPath(prefix + keys))
        listed = None if field is None else field.is_list
        kind = None if field is None else field.type
        wrapped = listed is None and any(map(_of_list, atoms))
        if any(map(asks_both, atoms)):
            return Unsolved("a list holds both objects and values")
        if any(map(looks_inside, atoms)) or kind in _OBJECTS:
            asked = [each for atom in atoms for each in asked_of_objects(atom)]
            if any(_is_of_value(each.condition) for each in asked):
                return IMPOSSIBLE if kind in _OBJECTS else Unsolved("a list holds both objects and values")
            below = prefix + keys
            return solve_group(
                asked, lambda each: self._object(each, below), listed, present, wrapped=listed is None
            )
        asked = list(map(asked_of_value, atoms))
        return solve_group(asked, lambda each: self._value(each, field), listed, present, wrapped)

    def _value(self, asked: Iterable[Asked], field: Field | None) -> Answer:
        goals = dict.fromkeys(Goal(each.condition, each.wanted) for each in asked)
        form = form_of(field)
        if form is not None:
            goals[Goal(Predicate(VALUE, Operator.REGEX, (form,)), True)] = None
        kind = None if field is None else field.type
        return solve_condition(goals, lambda literals: solve_value(literals, kind, self._budget))

    def _object(self, asked: Iterable[Asked], prefix: Keys) -> Answer:
        return self.solve([Goal(each.condition, each.wanted) for each in asked], prefix)


def _is_of_value(condition: Expression) -> bool:
    return any(predicate.subject == VALUE for predicate in predicates(condition))


def _of_list(atom: Goal) -> bool:
    return place(atom).bracketed or isinstance(atom.condition, ForSome)


class _Scope:
    """One object under construction."""

    def __init__(self, solver: EventSolver, prefix: Keys, present: frozenset[Keys]) -> None:
        self._solver = solver
        self._prefix = prefix
        self._present = present
        self._doubt: Unsolved | None = None
        self._failures = 0

    def solve(self, goals: tuple[Goal, ...]) -> Answer:
        """The object; every goal is checked on it."""
        self._goals = goals
        search = Search(Theory(clash=self._clash, close=self._closed), _MOST_CHOICES)
        try:
            found = search.run(goals)
        except TooLarge as limit:
            return Unsolved(str(limit))
        if found:
            return Found(search.found)
        return self._doubt or IMPOSSIBLE

    def _clash(self, model: Model, added: list[Goal]) -> Iterable[Goal] | None:
        """The atoms that cannot stand together because of new ones, if there are such."""
        groups, _ = _grouped(model)
        for keys in dict.fromkeys(map(keys_of, added)):
            if keys is None:
                continue
            for other in groups:
                if other != keys and (other[: len(keys)] == keys or keys[: len(other)] == other):
                    for pair in itertools.product(groups[keys], groups[other]):
                        if excludes(pair[0], keys, pair[1], other):
                            return pair
            answer = self._solver.group(groups[keys], self._prefix, keys)
            if isinstance(answer, Unsolved):
                self._doubt = answer
            if not isinstance(answer, Found):
                return groups[keys]
        return None

    def _closed(self, model: Model) -> JsonObject | None:
        """The object of a model; None, with a doubt, if it does not pass."""
        groups, across = _grouped(model)

        def solve(keys: Keys, atoms: Iterable[Goal]) -> Answer:
            return self._solver.group(atoms, self._prefix, keys, keys in self._present)

        built = Construction(groups, solve)
        crossed(built, across)
        data = built.data()
        if all(holds(condition, data) is wanted for condition, wanted in self._goals):
            return data
        self._doubt = self._doubt or Unsolved("conditions on several paths depend on one another")
        self._failures += 1
        if self._failures == _MOST_FAILURES:
            raise TooLarge(self._doubt.reason)
        return None


def _grouped(model: Model) -> tuple[dict[Keys, list[Goal]], list[Goal]]:
    """The atoms by the path that they look at, and those that compare several."""
    groups: dict[Keys, list[Goal]] = {}
    across: list[Goal] = []
    for atom in model:
        keys = keys_of(atom)
        if keys is None:
            across.append(atom)
        else:
            groups.setdefault(keys, []).append(atom)
    return groups, across
