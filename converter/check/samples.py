"""The events and streams on which a rule's derived forms are run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from converter.check.constraints.answers import Found
from converter.check.constraints.choices import Goal
from converter.check.constraints.events import EventSolver
from converter.check.streams import deciding_streams
from converter.check.variants import Example
from converter.check.vectors import FieldLookup, deciding_events
from converter.evaluate import LogEvent, compile_expression
from converter.evaluate.values import nodes_at
from converter.events.records import log_events, packs_of
from converter.logsources.derived import underived, with_derived
from converter.logsources.guard import guard
from converter.logsources.lookup import known
from converter.logsources.pack import Field, Pack
from converter.logsources.stand_ins import by_what_tells
from converter.model.expressions import Expression, absolute_fields, all_of
from converter.model.paths import FieldPath
from converter.model.rule import JsonObject, Rule, Step

_MOST_BASES = 3


class Sample(msgspec.Struct, frozen=True):
    """One canonical event and where it comes from: a test, another rule's test, a log, or made.

    ``foreign``: it was made out of an event of the log source and is none any more, so that it says
    something only of a platform that has to keep such events out by itself.
    """

    event: LogEvent
    origin: str
    foreign: bool = False


class Stream(msgspec.Struct, frozen=True):
    """A stream of canonical events and where it comes from."""

    events: tuple[LogEvent, ...]
    origin: str


class SamplePool:
    """All events at hand, by log source: every rule's tests and the sample logs."""

    def __init__(
        self, rules: Sequence[Rule], packs: Mapping[str, Pack], logs: Iterable[JsonObject] = ()
    ) -> None:
        self._packs = packs
        self._by_source: dict[str, list[Sample]] = {}
        self._own: dict[tuple[str, bytes], list[list[Sample]]] = {}
        for rule in rules:
            self._own[_identity(rule)] = self._tests_of(rule)
        used = [
            packs[name]
            for name in sorted({n for rule in rules for step in rule.steps for n in step.logsource})
        ]
        for event in log_events(logs, used):
            self._share(Sample(event, f"log record {event.id}"))

    def step_samples(self, rule: Rule, index: int, made: bool, limit: int) -> list[Sample]:
        """For one step of a rule: its own tests, then made events, then what other rules and logs have."""
        step = rule.steps[index]
        tests = self._own[_identity(rule)]
        own = [sample for test in tests for sample in test if sample.event.is_from(step.logsource)]
        shared = [sample for name in step.logsource for sample in self._by_source.get(name, ())]
        mine = {id(sample) for sample in own}
        others = [sample for sample in shared if id(sample) not in mine]
        return own + (self._made(rule, step, own) if made else []) + others[:limit]

    def streams(self, rule: Rule, samples: Sequence[Sequence[Sample]], made: bool) -> list[Stream]:
        """The rule's tests that are streams, and made ones. ``samples``: those of each step."""
        tests = [
            Stream(tuple(sample.event for sample in events), f"test {test.name!r}")
            for test, events in zip(rule.tests, self._own[_identity(rule)], strict=True)
            if test.alerts is not None
        ]
        if not made:
            return tests
        bare = self._bare(rule)
        examples = [_example(step, own) for step, own in zip(rule.steps, samples, strict=True)]
        return tests + [
            Stream(tuple(map(self._well_formed, stream.events)), f"made: {stream.name}")
            for stream in deciding_streams(by_what_tells(rule, self._packs), examples, self._lookup)
            if not any(_has_list(event.data, bare) for event in stream.events)
        ]

    def _well_formed(self, event: LogEvent) -> LogEvent:
        """The event with its derived fields as its others say."""
        data = event.data
        for name in event.sources or ():
            data = with_derived(self._packs[name], data, anew=True)
        return msgspec.structs.replace(event, data=data)

    def _tests_of(self, rule: Rule) -> list[list[Sample]]:
        packs = packs_of(rule, self._packs)
        tests = [
            [Sample(event, f"test {test.name!r}") for event in log_events(test.events, packs, trusted=True)]
            for test in rule.tests
        ]
        for sample in (sample for test in tests for sample in test):
            self._share(Sample(sample.event, f"{sample.origin} of rule {rule.id}"))
        return tests

    def _share(self, sample: Sample) -> None:
        for name in sample.event.sources or ():
            self._by_source.setdefault(name, []).append(sample)

    def _lookup(self, step: Step) -> FieldLookup:
        pack = self._packs[step.logsource[0]]

        def lookup(path: FieldPath) -> Field | None:
            found = known(pack, path)
            return None if found is None or found.rest else found.field

        return lookup

    def _made(self, rule: Rule, step: Step, own: Sequence[Sample]) -> list[Sample]:
        pack = self._packs[step.logsource[0]]
        condition = underived(step.condition, pack)
        asked = all_of(*(guard([pack], platform) for platform in pack.platforms), condition)
        holds, belongs = compile_expression(step.condition), compile_expression(pack.select)
        matching = [sample.event.data for sample in own if holds(sample.event.data)]
        missing = [sample.event.data for sample in own if not holds(sample.event.data)]
        bases = [*matching[: _MOST_BASES - 1], *missing[:1]] or self._base(step, asked)
        proven, bare = all(map(belongs, bases)), self._bare(rule)
        made = (
            with_derived(pack, data, anew=True) for data in deciding_events(asked, bases, self._lookup(step))
        )
        return [
            Sample(
                LogEvent(data=data, time=None, id=number, sources=frozenset((pack.name,))),
                "made",
                foreign=proven and not belongs(data),
            )
            for number, data in enumerate(made)
            if not _has_list(data, bare)
        ]

    def _bare(self, rule: Rule) -> list[FieldPath]:
        """The paths of the rule where nothing, neither ``[]`` nor the log source, says that there is a list.

        Splunk stores a list under another name than a value. What a rule says of the one is nothing that it
        says of the other, so that no list is made there.
        """
        paths = {
            path: step
            for step in rule.steps
            for path in (*absolute_fields(step.condition), *_grouping(rule, step))
            if isinstance(path.steps[-1], str)
        }
        return [path for path, step in paths.items() if self._lookup(step)(path) is None]

    def _base(self, step: Step, asked: Expression) -> list[JsonObject]:
        """For a step without tests an event of its log source, one that satisfies it if possible."""
        pack = self._packs[step.logsource[0]]
        solver = EventSolver(self._lookup(step))
        for goals in ([Goal(asked, True), Goal(pack.select, True)], [Goal(pack.select, True)]):
            answer = solver.solve(goals)
            if isinstance(answer, Found):
                return [answer.value]
        return []


def _grouping(rule: Rule, step: Step) -> tuple[FieldPath, ...]:
    """The fields that matches are told apart by."""
    threshold, new_terms = rule.threshold, rule.new_terms
    return (
        *step.by,
        *(() if threshold is None else threshold.by),
        *(() if threshold is None or threshold.distinct is None else (threshold.distinct,)),
        *(() if new_terms is None else new_terms.fields),
        *rule.alert.group_by,
    )


def _has_list(event: JsonObject, paths: Iterable[FieldPath]) -> bool:
    return any(isinstance(node, list) for path in paths for node in nodes_at(event, path.steps))


def _identity(rule: Rule) -> tuple[str, bytes]:
    """What tells a rule's tests from others': rules of several collections may have one id."""
    return rule.id, msgspec.json.encode(rule.tests)


def _example(step: Step, samples: Iterable[Sample]) -> Example | None:
    """An event of its log source that satisfies the step, from its samples."""
    holds = compile_expression(step.condition)
    for sample in samples:
        if not sample.foreign and holds(sample.event.data):
            return Example(data=sample.event.data, sources=sample.event.sources)
    return None
