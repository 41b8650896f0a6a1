"""What every rule did at one time, kept, and what it does otherwise now.

A :class:`Baseline` holds for each rule and platform the fidelity, a digest of the files, and the verdicts
and alerts of the rendering as it is read back, together with the events they are about. Comparing runs
today's renderings over those events.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import msgspec

from converter import __version__
from converter.check.report import Change
from converter.check.samples import Sample, SamplePool, Stream
from converter.evaluate import LogEvent, StreamEvaluator, compile_expression
from converter.logsources.pack import Pack
from converter.model.diagnostics import ConverterError, Fidelity, RuleError
from converter.model.rule import JsonObject, Rule
from converter.platforms.base import Artifact, Context, File, Platform
from converter.platforms.output import write_files

FILE_NAME: Final = "baseline.json"
EVENTS_NAME: Final = "events.json.gz"


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """One rule on one platform. ``outputs``: a digest of its files. ``verdicts``: for each step a 0 or 1 per
    event; ``alerts``: for each stream its alerts, as positions of events. Neither, of a refused rule.
    """

    fidelity: Fidelity
    language: str = ""
    losses: tuple[str, ...] = ()
    outputs: str = ""
    verdicts: tuple[str, ...] = ()
    alerts: tuple[tuple[tuple[int, ...], ...], ...] = ()


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A rule: the digests of each step's events and of the streams, and its forms by platform."""

    title: str
    events: tuple[tuple[str, ...], ...]
    streams: tuple[str, ...]
    forms: dict[str, Form]


class Timed(msgspec.Struct, frozen=True, array_like=True):
    """An event of a stream: its digest, when it happened (ns since the epoch), and its log sources."""

    event: str
    time: int | None = None
    sources: tuple[str, ...] | None = None


class Events(msgspec.Struct, frozen=True, kw_only=True):
    """All events and streams by digest."""

    events: dict[str, JsonObject] = msgspec.field(default_factory=dict)
    streams: dict[str, tuple[Timed, ...]] = msgspec.field(default_factory=dict)

    def add(self, event: JsonObject) -> str:
        """Keep an event; its digest."""
        name = _digest(event)
        self.events.setdefault(name, event)
        return name

    def add_stream(self, stream: Sequence[LogEvent]) -> str:
        """Keep a stream; its digest."""
        timed = tuple(
            Timed(
                self.add(event.data),
                event.time,
                None if event.sources is None else tuple(sorted(event.sources)),
            )
            for event in stream
        )
        name = _digest(timed)
        self.streams.setdefault(name, timed)
        return name

    def stream(self, name: str) -> list[LogEvent]:
        """A stream by its digest, its events numbered from 0."""
        return [
            LogEvent(
                data=self.events[timed.event],
                time=timed.time,
                id=number,
                sources=None if timed.sources is None else frozenset(timed.sources),
            )
            for number, timed in enumerate(self.streams[name])
        ]


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """Every rule by id, as the version ``tool`` of this package had it."""

    tool: str
    rules: dict[str, Entry]


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """A rule with its artifact and context on each platform, by name."""

    rule: Rule
    artifacts: dict[str, Artifact]
    contexts: Mapping[str, Context]


class _Reading:
    """A rendering as it is read back, run over canonical events."""

    def __init__(self, rule: Rule, platform: Platform, artifact: Artifact, context: Context) -> None:
        self._rule, self._platform, self._packs = rule, platform, context.packs
        self._read = platform.read_back(artifact, context)

    @cached_property
    def _conditions(self) -> list[Any]:
        """The read condition of each of the rule's steps; a repeated one may be read as several."""
        unrolled = [step for step in self._read.steps for _ in range(step.repeat)]
        places, at = [], 0
        for step in self._rule.steps:
            places.append(min(at, len(unrolled) - 1))
            at += step.repeat
        return [compile_expression(unrolled[place].condition) for place in places]

    def verdicts(self, step: int, events: Iterable[JsonObject]) -> str:
        """A 0 or 1 for each event."""
        pack = self._packs[self._rule.steps[step].logsource[0]]
        holds, project = self._conditions[step], self._platform.project
        return "".join("1" if holds(project(event, pack)) else "0" for event in events)

    def alerts(self, stream: Sequence[LogEvent]) -> tuple[tuple[int, ...], ...]:
        """The alerts over a stream, as positions of events; none for a stream without times."""
        try:
            found = StreamEvaluator(self._read).alerts(self._stored(event) for event in stream)
        except RuleError:
            return ()
        return tuple(tuple(int(number) for number in alert.events) for alert in found)

    def _stored(self, event: LogEvent) -> LogEvent:
        pack = next((self._packs[name] for name in sorted(event.sources or ()) if name in self._packs), None)
        data = event.data if pack is None else dict(self._platform.project(event.data, pack))
        return msgspec.structs.replace(event, data=data)


class _Unreadable:
    """In place of a reading, where a rendering's own text cannot be read: neither a match nor none."""

    def verdicts(self, step: int, events: Iterable[JsonObject]) -> str:
        """A question mark for each event."""
        return "".join("?" for _ in events)

    def alerts(self, stream: Sequence[LogEvent]) -> tuple[tuple[int, ...], ...]:
        """None."""
        return ()


def _reading(one: Rendered, platform: Platform) -> _Reading | _Unreadable:
    try:
        return _Reading(one.rule, platform, one.artifacts[platform.name], one.contexts[platform.name])
    except ConverterError:
        return _Unreadable()


def render_all(
    rules: Iterable[Rule], platforms: Sequence[Platform], contexts: Mapping[str, Context]
) -> list[Rendered]:
    """Every rule on every platform."""
    return [
        Rendered(
            rule=rule,
            artifacts={p.name: p.render(rule, contexts[p.name]) for p in platforms},
            contexts=contexts,
        )
        for rule in rules
    ]


def same_now(before: Iterable[Rendered], after: Iterable[Rendered]) -> frozenset[str]:
    """The ids of the rules whose files and log sources are what they were: they need not be run."""
    then = {one.rule.id: one for one in before}
    return frozenset(one.rule.id for one in after if one.rule.id in then and _same(then[one.rule.id], one))


def _same(before: Rendered, after: Rendered) -> bool:
    sources = {name for one in (before, after) for step in one.rule.steps for name in step.logsource}
    return len(before.rule.steps) == len(after.rule.steps) and all(
        before.artifacts[name].files == artifact.files
        and all(
            before.contexts[name].packs.get(source) == after.contexts[name].packs.get(source)
            for source in sources
        )
        for name, artifact in after.artifacts.items()
    )


class Samples:
    """The events and streams on which rules are recorded: of tests, of other rules, and made ones."""

    def __init__(self, rules: Sequence[Rule], packs: Mapping[str, Pack], limit: int = 500) -> None:
        self._pool = SamplePool(rules, packs)
        self._limit = limit

    def of(self, rule: Rule) -> tuple[list[list[Sample]], list[Stream]]:
        """Those of each step, and the streams."""
        steps = [self._pool.step_samples(rule, i, True, self._limit) for i in range(len(rule.steps))]
        return steps, self._pool.streams(rule, steps, True)


def record(
    rendered: Iterable[Rendered],
    platforms: Sequence[Platform],
    samples: Sequence[Samples],
    beside: Mapping[str, Rule] | None = None,
    unchanged: Collection[str] = (),
) -> tuple[Baseline, Events]:
    """What the renderings do on the samples. ``beside``: another form of some rules, by id, whose samples of
    the second of ``samples`` are taken as well, where it has as many steps. ``unchanged``: the rules that are
    known to do the same now, which are run on nothing.
    """
    events = Events()
    entries: dict[str, Entry] = {}
    for one in rendered:
        steps: list[list[Sample]] = [[] for _ in one.rule.steps]
        streams: list[Stream] = []
        if one.rule.id not in unchanged:
            steps, streams = samples[0].of(one.rule)
        other = (beside or {}).get(one.rule.id)
        if other is not None and one.rule.id not in unchanged and len(other.steps) == len(steps):
            more, more_streams = samples[1].of(other)
            steps = [mine + theirs for mine, theirs in zip(steps, more, strict=True)]
            streams = streams + more_streams
        named = tuple(tuple(dict.fromkeys(events.add(s.event.data) for s in step)) for step in steps)
        named_streams = tuple(dict.fromkeys(events.add_stream(stream.events) for stream in streams))
        entry = Entry(title=one.rule.title, events=named, streams=named_streams, forms={})
        entry.forms.update({p.name: _form(one, p, entry, events) for p in platforms})
        entries[one.rule.id] = entry
    return Baseline(tool=__version__, rules=entries), events


def _form(one: Rendered, platform: Platform, entry: Entry, events: Events) -> Form:
    artifact = one.artifacts[platform.name]
    summary = _summary(artifact)
    if artifact.fidelity is Fidelity.REFUSED:
        return summary
    reading = _reading(one, platform)
    verdicts = [
        reading.verdicts(step, [events.events[name] for name in names])
        for step, names in enumerate(entry.events)
    ]
    alerts = [reading.alerts(events.stream(name)) for name in entry.streams]
    return msgspec.structs.replace(summary, verdicts=tuple(verdicts), alerts=tuple(alerts))


def _summary(artifact: Artifact) -> Form:
    """All of a form that takes no running."""
    files = [(file.path, file.text) for file in artifact.files]
    losses = sorted({d.code for d in artifact.diagnostics if d.effect is not None})
    return Form(
        fidelity=artifact.fidelity,
        language=artifact.language,
        losses=tuple(losses),
        outputs=_digest(sorted(files)) if files else "",
    )


def changes(
    old: Baseline, events: Events, rendered: Sequence[Rendered], platforms: Sequence[Platform]
) -> Iterator[Change]:
    """What is different now, rule by rule and platform by platform."""
    now = {one.rule.id: one for one in rendered}
    for rule_id, entry in old.rules.items():
        if rule_id not in now:
            yield Change(rule=rule_id, title=entry.title, kind="removed")
    for rule_id, one in now.items():
        if rule_id not in old.rules:
            yield _change(one, "added")
            continue
        entry = old.rules[rule_id]
        for platform in platforms:
            before = entry.forms.get(platform.name)
            if before is None:
                yield _change(one, "added", platform.name)
            else:
                yield from _form_changes(one, platform, entry, before, events)


def _form_changes(
    one: Rendered, platform: Platform, entry: Entry, before: Form, events: Events
) -> Iterator[Change]:
    artifact = one.artifacts[platform.name]
    after = _summary(artifact)
    if _said(before) != _said(after):
        yield _change(one, "fidelity", platform.name, _said(before), _said(after))
    if before.outputs != after.outputs:
        yield _change(one, "outputs", platform.name, before.outputs or "nothing", after.outputs or "nothing")
    if Fidelity.REFUSED in (before.fidelity, after.fidelity):
        return
    if len(entry.events) != len(one.rule.steps):
        counts = f"{len(entry.events)} steps", f"{len(one.rule.steps)} steps"
        yield _change(one, "verdicts", platform.name, *counts)
        return
    reading = _reading(one, platform)
    for step, (names, was) in enumerate(zip(entry.events, before.verdicts, strict=True)):
        got = reading.verdicts(step, [events.events[name] for name in names])
        different = next((i for i, (a, b) in enumerate(zip(was, got, strict=True)) if a != b), None)
        if different is not None:
            verdicts = _verdict(was[different]), _verdict(got[different])
            yield _change(one, "verdicts", platform.name, *verdicts, events.events[names[different]])
            return
    for name, alerts in zip(entry.streams, before.alerts, strict=True):
        found = reading.alerts(events.stream(name))
        if found != alerts:
            seen = [events.events[timed.event] for timed in events.streams[name]]
            yield _change(one, "alerts", platform.name, alerts, found, seen)
            return


def _change(
    one: Rendered, kind: str, platform: str = "", old: Any = None, new: Any = None, event: Any = None
) -> Change:
    place = one.rule.place
    return Change(
        rule=one.rule.id,
        title=one.rule.title,
        kind=kind,
        platform=platform,
        old=old,
        new=new,
        event=event,
        file=place.file if place else None,
        line=place.line if place else None,
    )


def _said(form: Form) -> str:
    losses = f" ({', '.join(form.losses)})" if form.losses else ""
    return f"{form.fidelity} {form.language}{losses}".strip()


def _verdict(digit: str) -> str:
    return {"1": "match", "0": "no match"}.get(digit, "unreadable")


def _digest(value: Any) -> str:
    encoded = msgspec.json.encode(value, order="deterministic")
    return hashlib.blake2b(encoded, digest_size=12).hexdigest()


def save(folder: Path, baseline: Baseline, events: Events) -> None:
    """Write a baseline into a folder. Raises RuleError for what the file system refuses."""
    text = msgspec.json.format(msgspec.json.encode(baseline, order="deterministic"), indent=1).decode()
    write_files(folder, [File(FILE_NAME, text + "\n")])
    packed = gzip.compress(msgspec.json.encode(events, order="deterministic"), mtime=0)
    try:
        (folder / EVENTS_NAME).write_bytes(packed)
    except OSError as error:
        raise RuleError(f"cannot write {folder / EVENTS_NAME}: {error}") from error


def stored(folder: Path) -> tuple[Baseline, Events]:
    """A baseline from its folder. Raises RuleError if there is none, or it is no baseline of this kind."""
    try:
        baseline = msgspec.json.decode((folder / FILE_NAME).read_bytes(), type=Baseline)
        events = msgspec.json.decode(gzip.decompress((folder / EVENTS_NAME).read_bytes()), type=Events)
        _check_whole(baseline, events)
    except (OSError, EOFError, ValueError, KeyError, gzip.BadGzipFile) as error:
        raise RuleError(
            f"{folder}: not a baseline that `convert check --save-baseline` wrote: {error}"
        ) from error
    return baseline, events


def _check_whole(baseline: Baseline, events: Events) -> None:
    """Raises ValueError or KeyError where the parts of a baseline do not fit one another."""
    for timed in (timed for stream in events.streams.values() for timed in stream):
        _ = events.events[timed.event]
    for rule_id, entry in baseline.rules.items():
        for name in (name for step in entry.events for name in step):
            _ = events.events[name]
        for name in entry.streams:
            _ = events.streams[name]
        for platform, form in entry.forms.items():
            fits = [len(names) for names in entry.events] == list(map(len, form.verdicts))
            if form.fidelity is not Fidelity.REFUSED and not (
                fits and len(entry.streams) == len(form.alerts)
            ):
                raise ValueError(f"the verdicts of rule {rule_id} on {platform} are incomplete")
