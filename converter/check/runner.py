"""Running every derived form of every rule, and comparing it with the reference evaluator.

A form is run by the reader of its language with the reference evaluator, and by the platform's own engines
where they are installed; over the rule's tests, the tests of the other rules of its log source, sample
logs, and events and streams made from the rule. Each event is first put into the shape that the platform
stores.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from converter.check.comparison import ConditionCheck, StreamCheck, stored_event
from converter.check.report import Pair, Report, summarised
from converter.check.samples import SamplePool
from converter.check.second_opinion import SecondOpinion, opinion_for
from converter.check.tools import by_tools, missing_engine
from converter.check.windows import WindowCheck, comparable
from converter.events.records import packs_of
from converter.logsources.guard import guard
from converter.logsources.pack import Pack
from converter.model.diagnostics import ConverterError, Diagnostic, Fidelity, MissingExtraError
from converter.model.expressions import Expression
from converter.model.rule import JsonObject, Rule, Step
from converter.platforms.base import Artifact, Context, Counting, Engine, Platform, Skip, StoredEvent
from converter.platforms.losses import STREAM_CODES, UNREAD_CODES
from converter.platforms.processes import spread

READER = "reader"
"""The engine that every platform has: its language's reader, then the reference evaluator."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What to run. ``engines``: also the platforms' own; ``tools``: also the vendors' programs; ``made``:
    also events and streams made from rules; ``limit``: at most so many shared events per rule and step;
    ``jobs``: processes that share the rules, which changes nothing else.
    """

    engines: bool = True
    tools: bool = False
    made: bool = True
    limit: int = 5_000
    jobs: int = 1


def check_rules(
    rules: Sequence[Rule],
    platforms: Sequence[Platform],
    contexts: Mapping[str, Context],
    logs: Iterable[JsonObject] = (),
    options: Options | None = None,
) -> Report:
    """Check every rule on every platform. ``contexts``: per platform name, as for rendering."""
    options = options or Options()
    if not platforms or not rules:
        return summarised([])
    pool = SamplePool(rules, contexts[platforms[0].name].packs, logs)
    diagnostics: tuple[Diagnostic, ...] = ()
    if options.engines:
        diagnostics = installed_engines(platforms)[1] + _opinions(platforms, contexts)[1]
    pairs: list[Pair] = []
    rendered: dict[str, list[tuple[Pair, Artifact]]] = {}
    setting = (rules, platforms, contexts, pool, options)
    for found in spread(_Checker, setting, range(len(rules)), options.jobs):
        for form in found:
            pairs += form.pairs
            if form.artifact is not None:
                rendered.setdefault(form.pairs[0].platform, []).append((form.pairs[0], form.artifact))
    if options.tools:
        by_programs, missing = by_tools(platforms, rendered)
        return summarised([*pairs, *by_programs], (*diagnostics, *missing))
    return summarised(pairs, diagnostics)


class _Form(msgspec.Struct, frozen=True):
    """A rule's form on a platform: its pairs, the reader's first, and for the tools the form itself."""

    pairs: list[Pair]
    artifact: Artifact | None


class _Checker:
    """Checks one rule (by its number) after the other; in each process there is one, with its own engines."""

    def __init__(
        self,
        rules: Sequence[Rule],
        platforms: Sequence[Platform],
        contexts: Mapping[str, Context],
        pool: SamplePool,
        options: Options,
    ) -> None:
        self._rules, self._platforms, self._contexts = rules, platforms, contexts
        self._pool, self._options = pool, options
        self._engines = installed_engines(platforms)[0] if options.engines else {}
        self._opinions = _opinions(platforms, contexts)[0] if options.engines else {}

    def __call__(self, number: int) -> list[_Form]:
        rule = self._rules[number]
        packs = self._contexts[self._platforms[0].name].packs
        checked = RuleUnderCheck(rule, packs, self._pool, self._options)
        return [self._form(rule, checked, platform) for platform in self._platforms]

    def _form(self, rule: Rule, checked: RuleUnderCheck, platform: Platform) -> _Form:
        context = self._contexts[platform.name]
        artifact = platform.render(rule, context)
        pairs = checked.pairs(platform, artifact, context, self._engines.get(platform.name, ()))
        if platform.name in self._opinions:
            pairs.append(checked.opinion(self._opinions[platform.name], pairs[0]))
        return _Form(pairs, artifact if self._options.tools else None)


def installed_engines(
    platforms: Sequence[Platform],
) -> tuple[dict[str, list[Engine]], tuple[Diagnostic, ...]]:
    """By platform, the engines that are installed; and a note for each that is not."""
    found: dict[str, list[Engine]] = {}
    missing: list[Diagnostic] = []
    for platform in platforms:
        for factory in platform.engines():
            try:
                found.setdefault(platform.name, []).append(factory())
            except MissingExtraError as error:
                missing.append(missing_engine(platform, error))
    return found, tuple(missing)


def _opinions(
    platforms: Sequence[Platform], contexts: Mapping[str, Context]
) -> tuple[dict[str, SecondOpinion], tuple[Diagnostic, ...]]:
    """By platform, whose second opinion is heard; and a note for each that is not installed."""
    found: dict[str, SecondOpinion] = {}
    missing: list[Diagnostic] = []
    for platform in platforms:
        try:
            opinion = opinion_for(platform, contexts[platform.name])
        except MissingExtraError as error:
            missing.append(missing_engine(platform, error))
            continue
        if opinion is not None:
            found[platform.name] = opinion
    return found, tuple(missing)


class RuleUnderCheck:
    """A rule with its samples: gathered once, run against each of its derived forms."""

    def __init__(
        self, rule: Rule, packs: Mapping[str, Pack], pool: SamplePool, options: Options | None = None
    ) -> None:
        options = options or Options()
        self.rule = rule
        self._pack_of = [packs[step.logsource[0]] for step in rule.steps]
        packs_of(rule, packs)
        self._samples = [
            pool.step_samples(rule, index, options.made, options.limit) for index in range(len(rule.steps))
        ]
        self._streams = pool.streams(rule, self._samples, options.made)
        self._packs = packs
        self._stored: dict[str, list[list[StoredEvent]]] = {}

    def pairs(
        self, platform: Platform, artifact: Artifact, context: Context, engines: Sequence[Engine]
    ) -> list[Pair]:
        """One pair for the reader, and one for each engine; of a refused rule the reader's alone."""
        first = self.pair(platform, artifact, context)
        if artifact.fidelity is Fidelity.REFUSED:
            return [first]
        return [first, *(self.pair(platform, artifact, context, engine) for engine in engines)]

    def pair(
        self, platform: Platform, artifact: Artifact, context: Context, engine: Engine | None = None
    ) -> Pair:
        """The artifact run by an engine, or without one by the platform's reader."""
        place = self.rule.place
        blank = Pair(
            rule=self.rule.id,
            title=self.rule.title,
            platform=platform.name,
            fidelity=artifact.fidelity,
            engine=READER if engine is None else f"{engine.name} {engine.version}".strip(),
            language=artifact.language,
            losses=tuple(dict.fromkeys(d.code for d in artifact.diagnostics if d.effect is not None)),
            file=place.file if place else None,
            line=place.line if place else None,
            diagnostics=artifact.diagnostics if engine is None else (),
        )
        if artifact.fidelity is Fidelity.REFUSED:
            return blank
        if engine is None:
            return self._by_reader(blank, platform, artifact, context)
        return self._by_engine(blank, platform, artifact, engine)

    def opinion(self, second: SecondOpinion, of_reader: Pair) -> Pair:
        """The rule's conditions as somebody else's writer has them."""
        return second.pair(of_reader, self.rule, self._samples)

    def _stored_on(self, platform: Platform) -> list[list[StoredEvent]]:
        """The samples of each step as the platform stores them."""
        if platform.name not in self._stored:
            self._stored[platform.name] = [
                [platform.project(sample.event.data, pack) for sample in samples]
                for pack, samples in zip(self._pack_of, self._samples, strict=True)
            ]
        return self._stored[platform.name]

    def _guard(self, step: Step, platform: Platform) -> Expression:
        """What the platform's form of a step has to ask beside its condition."""
        return guard([self._packs[name] for name in step.logsource], platform.name)

    def _by_reader(self, blank: Pair, platform: Platform, artifact: Artifact, context: Context) -> Pair:
        try:
            reading = platform.read_back(artifact, context)
        except ConverterError as error:
            return _with(blank, problem=f"its own text cannot be read back: {error}")
        written, read = _unrolled(self.rule), [step for _, step in _unrolled(reading)]
        if len(written) != len(read):
            return _with(blank, problem=f"{len(written)} steps were written, {len(read)} are read")
        on_events, on_streams = _allowed(artifact)
        stored = self._stored_on(platform)
        disagreements, events = [], 0
        shown: dict[Fidelity, str] = {}
        compared: set[tuple[int, str]] = set()
        for (index, step), other in zip(written, read, strict=True):
            pair = index, repr(other.condition)
            if pair in compared:
                continue
            compared.add(pair)
            check = ConditionCheck(step.condition, on_events, self._guard(step, platform))
            disagreements += check.by_condition(other.condition, self._samples[index], stored[index])
            shown = check.shown | shown
            events += len(self._samples[index])
        stream_check = StreamCheck(self.rule, reading, on_streams)
        for stream in self._streams:
            disagreements += stream_check.run(stream, platform.project, self._packs)
        shown = stream_check.shown | shown
        codes = {diagnostic.code for diagnostic in artifact.diagnostics if diagnostic.effect is not None}
        if isinstance(platform, Counting) and comparable(self.rule, codes, bool(on_events)):
            window_check = WindowCheck(
                self.rule,
                reading,
                platform.windows(self.rule, artifact, context),
                lambda event: stored_event(event, platform.project, self._packs),
                on_streams,
                conditions_differ=bool(on_events),
            )
            disagreements += window_check.run(self._streams)
            shown = window_check.shown | shown
        return _with(
            blank,
            events=events,
            streams=len(self._streams),
            disagreements=tuple(disagreements),
            shown=shown,
        )

    def _by_engine(self, blank: Pair, platform: Platform, artifact: Artifact, engine: Engine) -> Pair:
        on_events, _ = _allowed(artifact)
        stored = self._stored_on(platform)
        disagreements, events = [], 0
        skipped: Counter[str] = Counter()
        for index, step in enumerate(self.rule.steps):
            try:
                verdicts = engine.verdicts(artifact, stored[index], index)
            except ConverterError as error:
                return _with(blank, problem=str(error))
            check = ConditionCheck(step.condition, on_events, self._guard(step, platform))
            disagreements += check.by_verdicts(self._samples[index], verdicts)
            skipped.update(verdict.reason for verdict in verdicts if isinstance(verdict, Skip))
            events += len(verdicts)
        return _with(
            blank,
            events=events - skipped.total(),
            skipped=dict(skipped),
            disagreements=tuple(disagreements),
        )


def _unrolled(rule: Rule) -> list[tuple[int, Step]]:
    """The steps with repeats written out, each with its place in the rule."""
    return [(index, step) for index, step in enumerate(rule.steps) for _ in range(step.repeat)]


def _with(pair: Pair, **changes: Any) -> Pair:
    return msgspec.structs.replace(pair, **changes)


def _allowed(artifact: Artifact) -> tuple[frozenset[Fidelity], frozenset[Fidelity]]:
    """The directions in which single verdicts may differ, and those in which alerts may."""
    losses = [d for d in artifact.diagnostics if d.effect is not None and d.code not in UNREAD_CODES]
    on_events = {d.effect for d in losses if d.code not in STREAM_CODES}
    on_streams = {d.effect for d in losses}
    return frozenset(filter(None, on_events)), frozenset(filter(None, on_streams))
