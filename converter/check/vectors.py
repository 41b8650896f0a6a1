"""Test vectors made from a rule itself, with modified condition/decision coverage.

For every predicate there is an event in which it is true and decides the verdict, and one in which it is
false and decides; as a rule they differ in its field alone. A predicate without such a pair is either proved
unable to decide, or said to be unsolved, with the reason. Around each pair lie the values at the edges: other
case, one character more or less, first and last element, missing, null, empty.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from converter.check.coverage import Coverer, Uncovered
from converter.check.deciding import deciding_events, variants
from converter.check.decisions import Decision, Occurrence
from converter.check.placing import FieldLookup, put
from converter.check.skeletons import dressed
from converter.evaluate import compile_expression
from converter.events.records import packs_of, source_reader
from converter.logsources.guard import guard
from converter.logsources.lookup import known
from converter.logsources.pack import Field, Pack
from converter.model.describe import describe
from converter.model.expressions import absolute_fields, predicates
from converter.model.paths import FieldPath
from converter.model.rule import JsonObject, Rule, Step
from converter.platforms.processes import spread

__all__ = [
    "Coverage",
    "FieldLookup",
    "Status",
    "Vector",
    "Vectors",
    "all_vectors",
    "coverer_of",
    "deciding_events",
    "field_lookup",
    "put",
    "vectors",
]

_MOST_EDGES = 60
"""So many events around one predicate's pair: of a long list of operands not every one is tried."""


class Status(enum.StrEnum):
    """What is known of a predicate: shown to decide both ways, proved unable to, or neither."""

    COVERED = "covered"
    PROVED = "proved"
    UNSOLVED = "unsolved"


class Vector(msgspec.Struct, frozen=True, kw_only=True):
    """A made event.

    ``verdict``: the reference evaluator's, on the condition of ``step`` (from 0; 0 for a rule without a
    sequence). ``predicate``: the number of the predicate that it is about. ``edge``: whether it lies around
    a pair, and is not of one.
    """

    event: JsonObject
    verdict: bool
    label: str
    step: int = 0
    predicate: int | None = None
    edge: bool = False


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """One predicate, by its ``number`` (from 0) within the step.

    ``pair``: the positions among the vectors of the event in which it is true and of the one in which it is
    false. ``alone``: whether no other predicate differs between the two (unique-cause, else masking).
    """

    step: int
    number: int
    predicate: str
    status: Status
    pair: tuple[int, int] | None = None
    alone: bool = False
    reason: str | None = None


class Vectors(msgspec.Struct, frozen=True, kw_only=True):
    """A rule's made events and what they cover.

    ``unsatisfiable``: it is proved that the condition (of a step that must occur) can never hold.
    """

    rule: str
    title: str
    events: tuple[Vector, ...]
    coverage: tuple[Coverage, ...]
    unsatisfiable: bool = False


def vectors(rule: Rule, packs: Mapping[str, Pack], edges: bool = True) -> Vectors:
    """Made events for every step of a rule. ``edges``: also the values around each predicate's pair.

    Raises RuleError for a log source that no pack describes.
    """
    packs_of(rule, packs)
    coverage: list[Coverage] = []
    events: list[Vector] = []
    unsatisfiable = False
    for number, step in enumerate(rule.steps):
        made = _StepVectors(step, number, packs[step.logsource[0]], events)
        coverage.extend(made.cover())
        unsatisfiable = unsatisfiable or (made.coverer.unsatisfiable and not step.absent)
        if edges:
            made.add_edges()
    return Vectors(
        rule=rule.id,
        title=rule.title,
        events=tuple(events),
        coverage=tuple(coverage),
        unsatisfiable=unsatisfiable,
    )


def all_vectors(
    rules: Sequence[Rule], packs: Mapping[str, Pack], edges: bool = True, jobs: int = 1
) -> Iterator[Vectors]:
    """Those of many rules, in their order, made in so many processes."""
    return spread(_Maker, (packs, edges), rules, jobs)


class _Maker:
    """Makes the events of one rule after the other, in one process."""

    def __init__(self, packs: Mapping[str, Pack], edges: bool) -> None:
        self._packs, self._edges = packs, edges

    def __call__(self, rule: Rule) -> Vectors:
        return vectors(rule, self._packs, self._edges)


def field_lookup(pack: Pack) -> FieldLookup:
    """What a log source declares of a path."""

    def lookup(path: FieldPath) -> Field | None:
        found = known(pack, path)
        return None if found is None or found.rest else found.field

    return lookup


def coverer_of(step: Step, pack: Pack) -> Coverer:
    """Who finds the pairs of a step's condition, in events of its log source."""
    guards = [guard([pack], platform) for platform in pack.platforms]
    return Coverer(step.condition, field_lookup(pack), [pack.select, *guards])


class _StepVectors:
    """The vectors of one step, added to those of the rule."""

    def __init__(self, step: Step, number: int, pack: Pack, events: list[Vector]) -> None:
        self.coverer = coverer_of(step, pack)
        self._number = number
        self._pack = pack
        self._reader = source_reader(pack)
        self._events = events
        self._positions: dict[bytes, int] = {}
        self._holds = compile_expression(step.condition)
        self._texts = tuple(map(describe, predicates(step.condition)))
        self._fields = tuple(dict.fromkeys(absolute_fields(step.condition)))

    def cover(self) -> Iterator[Coverage]:
        """Add each predicate's pair, and say what is covered."""
        for occurrence in self.coverer.decisions.occurrences:
            text = self._texts[occurrence.number]
            pair = self.coverer.pair(occurrence)
            if isinstance(pair, Uncovered):
                yield Coverage(
                    step=self._number,
                    number=occurrence.number,
                    predicate=text,
                    status=Status.PROVED if pair.proved else Status.UNSOLVED,
                    reason=pair.reason,
                )
                continue
            true = self._add(pair.true, occurrence, f"{text}: true, and decides")
            false = self._add(pair.false, occurrence, f"{text}: false, and decides")
            yield Coverage(
                step=self._number,
                number=occurrence.number,
                predicate=text,
                status=Status.COVERED,
                pair=(true, false),
                alone=pair.alone,
            )

    def add_edges(self) -> None:
        """Add the events around each predicate's pair."""
        for occurrence in self.coverer.decisions.occurrences:
            base = self.coverer.example(Decision(occurrence.number, True))
            if base is None:
                continue
            around = variants(base, occurrence.predicate, occurrence.lists, field_lookup(self._pack))
            label = f"{self._texts[occurrence.number]}: at the edge"
            for _, event in zip(range(_MOST_EDGES), around, strict=False):
                self._add(event, occurrence, label, edge=True)

    def _add(self, event: JsonObject, occurrence: Occurrence, label: str, edge: bool = False) -> int:
        """Add an event unless it is there already; its position."""
        bare = event
        event = dressed(event, self._pack, self._fields)
        verdict = self._verdict(event)
        if verdict is not self._holds(bare):
            event, verdict = bare, self._verdict(bare)
        identity = msgspec.json.encode(event)
        if identity not in self._positions:
            self._positions[identity] = len(self._events)
            self._events.append(
                Vector(
                    event=event,
                    verdict=verdict,
                    label=label,
                    step=self._number,
                    predicate=occurrence.number,
                    edge=edge,
                )
            )
        return self._positions[identity]

    def _verdict(self, event: JsonObject) -> bool:
        """The condition's verdict on an event, read as the log source is read."""
        return self._holds(self._reader.event(event, 0).data)
