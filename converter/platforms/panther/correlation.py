"""A sequence as a Panther correlation rule over one signal rule per step.

Panther documentation, Correlation Rules and Correlation Rule Reference: ``Sequence`` lists rules whose
signals follow one another, ``Transitions`` say within which time and on which equal value, ``Absence`` and
``MinMatchCount`` modify an entry; all of it is looked for on a ``Schedule`` in a ``LookbackWindowMinutes``.
A transition matches on one value only, and list against list by intersection, so a step's join key is put
into its alert context as a list of texts, one per combination of the key fields' values.
"""

from __future__ import annotations

import itertools
import re
from typing import Any, Final

import msgspec

from converter.logsources.lookup import known
from converter.logsources.results import keeps
from converter.model.diagnostics import Fidelity
from converter.model.rule import OutputField, Step
from converter.platforms.base import Artifact, File
from converter.platforms.naming import slug
from converter.platforms.panther.alerting import SEQUENCE_KEY
from converter.platforms.panther.metadata import metadata
from converter.platforms.panther.settings import allowed_name
from converter.platforms.panther.windows import whole_minutes
from converter.platforms.panther.writer import PLATFORM_NAME, Detection, PantherWriter, fill

_SCHEDULES: Final = ((30, 15), (720, 60), (None, 1440))
"""(sequences of up to so many minutes, minutes between two runs); the last is for all others."""

_TIMEOUT_MINUTES: Final = 5
_UNBOUNDED_LOOKBACK: Final = 2160
_LONGEST_STEP_NAME: Final = 24


class _Signal(msgspec.Struct, frozen=True):
    """A step as the correlation rule refers to it."""

    id: str
    rule_id: str
    absent: bool
    repeat: int


class _Transition(msgspec.Struct, frozen=True):
    id: str
    start: str
    end: str
    minutes: int | None
    on: str | None


def write_sequence(writer: PantherWriter) -> Artifact:
    """The correlation rule, then the files of each step in order. Losses are in the writer's collection."""
    rule, sequence = writer.rule, writer.rule.sequence
    assert sequence is not None
    shared = metadata(rule, writer.settings, ())
    signals = [_signal(shared["rule_id"], number, step) for number, step in enumerate(rule.steps, 1)]
    files = [
        file
        for signal, step in zip(signals, rule.steps, strict=True)
        for file in _signal_files(writer, signal, step, shared)
    ]
    minutes = None if sequence.within is None else whole_minutes(sequence.within)
    _losses(writer, minutes)
    rate, lookback = _schedule(minutes)
    on = f"p_alert_context.{SEQUENCE_KEY}" if any(step.by for step in rule.steps) else None
    transitions = [
        _Transition(f"{one.id} FOLLOWED BY {other.id}", one.id, other.id, minutes, on)
        for one, other in itertools.pairwise(signals)
    ]
    folder = (rule.logsource or rule.steps[0].logsource)[0]
    values: dict[str, Any] = {
        **shared,
        "steps": signals,
        "transitions": transitions,
        "rate": rate,
        "lookback": lookback,
        "timeout": _TIMEOUT_MINUTES,
    }
    correlation = File(f"{folder}/{slug(rule)}.yml", fill("correlation.yml.j2", values))
    return writer.artifact((correlation, *files))


def _signal(rule_id: str, number: int, step: Step) -> _Signal:
    name = f"{number} {allowed_name(step.name)}" if step.name else f"Step {number}"
    return _Signal(name, f"{rule_id}.{number}", step.absent, step.repeat)


def _signal_files(
    writer: PantherWriter, signal: _Signal, step: Step, shared: dict[str, Any]
) -> tuple[File, ...]:
    """A rule that makes a signal and no alert, with the join key in its context."""
    packs = writer.packs(step.logsource)
    if not packs:
        return ()
    types = writer.log_types(packs)
    body = Detection(writer, packs)
    sections = [body.rule_function(step.condition)]
    output = [
        OutputField(body.path(field.field), field.name)
        for field in writer.rule.output
        if all(known(pack, field.field) is not None for pack in packs)
        and keeps(field.field, packs, PLATFORM_NAME, writer.context.keep_unmapped)
    ]
    keys = [body.path(path) for path in step.by]
    if keys:
        sections.append(body.alerts.sequence_context(output, keys))
    elif output:
        sections.append(body.alerts.context(output))
    number = signal.rule_id.rpartition(".")[2]
    words = re.sub(r"[^a-z0-9]+", "_", (step.name or "").lower())[:_LONGEST_STEP_NAME].strip("_")
    name = "_".join(filter(None, (slug(writer.rule)[:48].strip("_"), "step", number, words)))
    values: dict[str, Any] = {
        **shared,
        "rule_id": signal.rule_id,
        "display_name": allowed_name(f"{writer.rule.title} - {signal.id}"),
        "create_alert": False,
        "severity": "Info",
        "description": f"Step {number} of the correlation rule {shared['rule_id']}; makes signals only.",
        "runbook": "",
        "summary_attributes": [],
        "filename": f"{name}.py",
        "log_types": types,
        "dedup_minutes": None,
        "threshold": None,
        "tests": [],
    }
    path = f"{step.logsource[0]}/{name}"
    return File(f"{path}.yml", fill("rule.yml.j2", values)), File(f"{path}.py", body.file(sections))


def _schedule(minutes: int | None) -> tuple[int, int]:
    """Minutes between runs, and how far each looks back: at least one and a half times as far, and far
    enough that a sequence across the boundary of two runs is seen whole by the later one.
    """
    if minutes is None:
        return 1440, _UNBOUNDED_LOOKBACK
    rate = next(rate for limit, rate in _SCHEDULES if limit is None or minutes <= limit)
    return rate, max(rate * 3 // 2, rate + minutes)


def _losses(writer: PantherWriter, minutes: int | None) -> None:
    """What a correlation rule changes about a sequence."""
    sequence, losses = writer.rule.sequence, writer.losses
    assert sequence is not None
    rate, lookback = _schedule(minutes)
    losses.lose(
        "sequence",
        Fidelity.NARROWER,
        f"a correlation rule looks for its signals every {rate} minutes in the last {lookback}; sequences "
        "that one run finds are reported together, and which of several signals it pairs is not documented",
    )
    if any(step.absent for step in sequence.steps):
        losses.lose(
            "sequence",
            Fidelity.WIDER,
            "an absent step is looked for within the run's window; one that comes later is not waited for",
        )
    if sequence.within is None or minutes is None:
        losses.lose(
            "window",
            Fidelity.NARROWER,
            f"a sequence without `within` is looked for in the last {lookback} minutes only",
        )
        return
    if minutes * 60 != sequence.within.total_seconds():
        losses.lose(
            "window",
            Fidelity.WIDER,
            f"`within` is lengthened to {minutes} minutes: Panther's transitions take whole minutes",
        )
    if len(sequence.steps) > 2 or any(step.repeat > 1 for step in sequence.steps):
        losses.lose(
            "window",
            Fidelity.WIDER,
            f"each transition may take {minutes} minutes, so the whole may take longer than `within`",
        )
