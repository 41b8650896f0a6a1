"""For each predicate of a condition a pair of events that it tells apart, or why there is none.

Most events are found cheaply: one that satisfies the condition shows that every term of its ``all`` decides
when true, and changing the one field of such an event shows that it decides when false. Only what is left is
constructed from scratch, and only a construction that fails for good proves that a predicate cannot decide.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from converter.check.constraints.answers import Answer, Found, Impossible, Unsolved
from converter.check.constraints.choices import Goal
from converter.check.constraints.events import EventSolver
from converter.check.constraints.groups import Keys, place_of
from converter.check.decisions import Decision, Decisions, Occurrence
from converter.check.placing import ABSENT, FieldLookup, copied, put
from converter.check.verdicts import plain
from converter.evaluate.values import nodes_at
from converter.model.expressions import (
    Expression,
    fields_asked,
    references,
)
from converter.model.paths import FieldPath
from converter.model.rule import JsonObject


class Pair(msgspec.Struct, frozen=True):
    """An event in which a predicate is true and decides, and one in which it is false and decides. ``alone``:
    no other predicate differs between them (unique-cause); else what differs is masked.
    """

    true: JsonObject
    false: JsonObject
    alone: bool


class Uncovered(msgspec.Struct, frozen=True):
    """There is no pair: ``proved`` that there cannot be one, or not found within the limits."""

    proved: bool
    reason: str


class Coverer:
    """Finds the pairs of one condition."""

    def __init__(
        self, condition: Expression, lookup: FieldLookup, context: Iterable[Expression] = ()
    ) -> None:
        """``lookup``: what the log source declares of a path. ``context``: what else is to hold of every
        event, as far as that is possible.
        """
        self.decisions = Decisions(condition)
        condition = self.decisions.condition
        self._solver = EventSolver(lookup)
        self._examples: dict[Decision, JsonObject] = {}
        self._failed: dict[Decision, Answer] = {}
        self._context: list[Goal] = []
        answer = self._solver.solve([Goal(condition, True)])
        self.unsatisfiable = isinstance(answer, Impossible)
        """Whether it is proved that nothing satisfies the condition."""
        for asked in context:
            more = [*self._context, Goal(plain(asked), True)]
            if isinstance(self._solver.solve([Goal(condition, True), *more]), Found):
                self._context = more
        for verdict in (True, False):
            self._learn(self._solved([Goal(condition, verdict)]))

    def example(self, decision: Decision) -> JsonObject | None:
        """An event in which a predicate decides with that truth; None if none is found."""
        if decision not in self._examples:
            self._flip(decision)
        if decision not in self._examples and decision not in self._failed:
            answer = self._solved(self.decisions.goals(decision), self._present(decision))
            self._learn(answer)
            self._failed[decision] = answer
        return self._examples.get(decision)

    def pair(self, occurrence: Occurrence) -> Pair | Uncovered:
        """The pair of a predicate."""
        number = occurrence.number
        true, false = self.example(Decision(number, True)), self.example(Decision(number, False))
        if true is None or false is None:
            return self._uncovered(number)
        true, false = self._closer(occurrence, true, false)
        return Pair(true, false, self._alone(occurrence, true, false))

    def _solved(self, goals: list[Goal], present: frozenset[Keys] = frozenset()) -> Answer:
        """An event that reaches the goals: in context, or else any."""
        if self._context:
            answer = self._solver.solve([*goals, *self._context], present=present)
            if isinstance(answer, Found):
                return answer
        return self._solver.solve(goals, present=present)

    def _learn(self, answer: Answer) -> None:
        """Remember who decides an event that was found."""
        if isinstance(answer, Found):
            for decision in self.decisions.of(answer.value)[1]:
                self._examples.setdefault(decision, answer.value)

    def _present(self, decision: Decision) -> frozenset[Keys]:
        keys = _own_keys(self.decisions.occurrences[decision.number])
        return frozenset(() if keys is None else (keys,))

    def _flip(self, decision: Decision) -> None:
        """Turn round a predicate that decides by changing its field alone, where that is found at once."""
        base = self._examples.get(Decision(decision.number, not decision.holds))
        keys = _own_keys(self.decisions.occurrences[decision.number])
        if base is None or keys is None:
            return
        truths = self.decisions.truths(base)
        goals = [
            Goal(other.predicate, truths[other.number] is not (other.number == decision.number))
            for other in self.decisions.occurrences
            if _own_keys(other) == keys
        ]
        answer = self._solver.solve(goals, present=frozenset((keys,)))
        if isinstance(answer, Found):
            self._learn(Found(_grafted(base, answer.value, [keys])))

    def _closer(
        self, occurrence: Occurrence, true: JsonObject, false: JsonObject
    ) -> tuple[JsonObject, JsonObject]:
        """A pair that differs in the predicate's own fields only, where the two give one."""
        keys = _all_keys(occurrence)
        for decision, into, source in (
            (Decision(occurrence.number, False), true, false),
            (Decision(occurrence.number, True), false, true),
        ):
            changed = _grafted(into, source, keys)
            if changed != source and decision in self.decisions.of(changed)[1]:
                return (changed, false) if decision.holds else (true, changed)
        return true, false

    def _alone(self, occurrence: Occurrence, true: JsonObject, false: JsonObject) -> bool:
        one, other = self.decisions.truths(true), self.decisions.truths(false)
        return not occurrence.lists and all(
            a is b or number == occurrence.number
            for number, (a, b) in enumerate(zip(one, other, strict=True))
        )

    def _uncovered(self, number: int) -> Uncovered:
        failed = [self._failed.get(Decision(number, holds)) for holds in (True, False)]
        impossible = [isinstance(answer, Impossible) for answer in failed]
        if any(impossible):
            if self.unsatisfiable:
                return Uncovered(True, "the condition can never hold")
            return Uncovered(True, _PROOFS[impossible[0], impossible[1]])
        reasons = [answer.reason for answer in failed if isinstance(answer, Unsolved)]
        return Uncovered(False, reasons[0] if reasons else "no event was found in which it decides")


_PROOFS = {
    (True, True): "it never decides: the rest of the condition settles every event",
    (True, False): "it is never true where it would decide: false in its place leaves the rule as it is",
    (False, True): "it is always true where it would decide: true in its place leaves the rule as it is",
}
"""By whether it is proved that it never decides when true, and when false."""


def _own_keys(occurrence: Occurrence) -> Keys | None:
    """The keys of a predicate's only field, where they lead straight to its values."""
    subject = occurrence.predicate.subject
    if occurrence.lists or not isinstance(subject, FieldPath) or references(occurrence.predicate):
        return None
    place = place_of(subject)
    return None if place is None or place.rest is not None else place.keys


def _all_keys(occurrence: Occurrence) -> list[Keys]:
    """The keys of the lists or values that a predicate looks at, from the root of the event."""
    if occurrence.lists:
        paths: tuple[FieldPath, ...] = occurrence.lists[:1]
    else:
        paths = fields_asked(occurrence.predicate)
    return [_leading(path) for path in paths]


def _leading(path: FieldPath) -> Keys:
    keys: list[str] = []
    for step in path.steps:
        if not isinstance(step, str):
            break
        keys.append(step)
    return tuple(keys)


def _grafted(event: JsonObject, source: JsonObject, paths: Iterable[Keys]) -> JsonObject:
    """A copy of an event with what another one has at some paths."""
    made = copied(event)
    for keys in paths:
        content = next(nodes_at(source, keys), ABSENT)
        put(made, FieldPath(keys), content, None)
    return made
