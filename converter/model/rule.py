"""The canonical rule: its parts as frozen structs. Reading and writing YAML is in load.py and dump.py."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, TypeAlias

import msgspec

from converter.model.expressions import (
    Expression,
    Function,
    Not,
    Subject,
    absolute_fields,
    all_of,
    any_of,
    fields_of,
    renamed_subject,
)
from converter.model.measures import GroupCondition
from converter.model.paths import FieldPath

JsonObject: TypeAlias = dict[str, Any]
"""A decoded JSON object, such as a log event."""


class Level(enum.StrEnum):
    """A rule's severity, lowest first."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Status(enum.StrEnum):
    """How far a rule is on its way into production."""

    STABLE = "stable"
    TEST = "test"
    EXPERIMENTAL = "experimental"
    DEPRECATED = "deprecated"


class MissingKeys(enum.StrEnum):
    """What becomes of a match without a value in a ``by`` field: not counted, or in the group of those."""

    SKIP = "skip"
    GROUP = "group"


class WindowStart(enum.StrEnum):
    """When a window of time begins: at every moment, or at a group's first match outside of the last one."""

    SLIDING = "sliding"
    FIRST_MATCH = "first_match"


class Alternative(msgspec.Struct, frozen=True, kw_only=True):
    """What a :class:`Choice` is where all the conditions of ``when`` hold: the values of a subject, changed
    by the functions. A literal text is a :class:`~converter.model.expressions.Concat` of it alone.
    """

    subject: Subject
    functions: tuple[Function, ...] = ()
    when: tuple[Expression, ...] = ()


class Choice(msgspec.Struct, frozen=True):
    """A group key that is the first of its alternatives whose conditions hold."""

    alternatives: tuple[Alternative, ...]


def renamed_choice(
    choice: Choice, path: Callable[[FieldPath], FieldPath], condition: Callable[[Expression], Expression]
) -> Choice:
    """The choice with every field and every condition replaced by what the functions give for it."""
    return Choice(
        tuple(
            msgspec.structs.replace(
                each,
                subject=renamed_subject(each.subject, path),
                when=tuple(condition(term) for term in each.when),
            )
            for each in choice.alternatives
        )
    )


def choice_fields(choice: Choice) -> Iterator[FieldPath]:
    """The fields that a choice reads."""
    for alternative in choice.alternatives:
        yield from fields_of(alternative.subject)
        yield from absolute_fields(all_of(*alternative.when))


class Threshold(msgspec.Struct, frozen=True, kw_only=True):
    """At least ``count`` matches, or values of ``distinct``, of one group within a window.

    The window slides, unless ``window`` has it begin at a group's first match, or ``every`` says when it is
    looked at. ``having``: tests of the group's matches in the window that must all hold as well.
    ``choices``: group keys beside those in ``by`` that are no plain fields.
    """

    within: timedelta
    count: int = 1
    by: tuple[FieldPath, ...] = ()
    distinct: FieldPath | None = None
    window: WindowStart = WindowStart.SLIDING
    every: timedelta | None = None
    missing_keys: MissingKeys = MissingKeys.SKIP
    having: tuple[GroupCondition, ...] = ()
    choices: tuple[Choice, ...] = ()

    @property
    def is_simple(self) -> bool:
        """Whether it is plain and its window slides."""
        return self.is_plain and self.window is WindowStart.SLIDING

    @property
    def is_plain(self) -> bool:
        """Whether it is a count of groups with all their keys, fields, not by the clock, and nothing more."""
        whole = self.missing_keys is MissingKeys.SKIP and not self.choices
        return whole and not self.having and self.every is None


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a sequence: an event condition with its own log sources and join keys.

    ``absent``: no such event may occur there. ``repeat``: so many consecutive events of the step.
    An empty ``logsource`` means the rule's own.
    """

    name: str | None = None
    logsource: tuple[str, ...] = ()
    indicators: tuple[Expression, ...] = ()
    exclusions: tuple[Expression, ...] = ()
    by: tuple[FieldPath, ...] = ()
    absent: bool = False
    repeat: int = 1

    @property
    def condition(self) -> Expression:
        """Indicators and not exclusions, as one tree."""
        return condition(self.indicators, self.exclusions)


class Sequence(msgspec.Struct, frozen=True, kw_only=True):
    """Steps that follow one another for equal join keys, all ``within`` so much time of the first."""

    steps: tuple[Step, ...]
    within: timedelta | None = None


class NewTerms(msgspec.Struct, frozen=True, kw_only=True):
    """A combination of the fields' values that no match had in the ``history`` before."""

    fields: tuple[FieldPath, ...]
    history: timedelta


class OutputField(msgspec.Struct, frozen=True):
    """A field that the alert carries, under ``alias`` if given."""

    field: FieldPath
    alias: str | None = None

    @property
    def name(self) -> str:
        """The name under which the alert shows the field."""
        return self.alias or str(self.field)


class AlertSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How matches become alerts: ``title`` is literal texts and fields in turn; grouping and suppression."""

    title: tuple[str | FieldPath, ...] = ()
    group_by: tuple[FieldPath, ...] = ()
    suppress_for: timedelta | None = None


class AttackTag(msgspec.Struct, frozen=True, order=True):
    """A MITRE ATT&CK reference, ``TA0007:T1613``; a tactic alone has no technique."""

    tactic: str
    technique: str | None = None

    def __str__(self) -> str:
        return self.tactic if self.technique is None else f"{self.tactic}:{self.technique}"


class Risk(msgspec.Struct, frozen=True, kw_only=True):
    """Impact and confidence, 0 to 100; the score is their product over 100, rounded half up."""

    impact: int
    confidence: int

    @property
    def score(self) -> int:
        """0 to 100."""
        return (self.impact * self.confidence + 50) // 100


class RuleTest(msgspec.Struct, frozen=True, kw_only=True):
    """A labelled example. One of three expectations:

    ``expect: match`` or ``expect: no_match`` for one event (``alerts`` is None, ``match`` is set), or
    ``expect: {alerts: n}`` for a stream of events in log order (``alerts`` is set).
    """

    name: str
    events: tuple[JsonObject, ...]
    match: bool | None = None
    alerts: int | None = None


class Place(msgspec.Struct, frozen=True):
    """Where a rule was read: the file as the user named it, and the line its mapping starts at (from 1)."""

    file: str
    line: int = 1


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A detection rule, authored once. Either ``indicators`` or ``sequence`` is set.

    ``platforms`` holds what a team sets per platform and what never changes the condition.
    """

    id: str
    title: str
    logsource: tuple[str, ...]
    description: str = ""
    severity: Level = Level.MEDIUM
    status: Status = Status.TEST
    indicators: tuple[Expression, ...] = ()
    exclusions: tuple[Expression, ...] = ()
    threshold: Threshold | None = None
    sequence: Sequence | None = None
    new_terms: NewTerms | None = None
    attack: tuple[AttackTag, ...] = ()
    output: tuple[OutputField, ...] = ()
    alert: AlertSettings = AlertSettings()
    false_positives: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    runbook: str | None = None
    author: str | None = None
    created: str | None = None
    updated: str | None = None
    tags: tuple[str, ...] = ()
    risk: Risk | None = None
    platforms: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)
    tests: tuple[RuleTest, ...] = ()
    place: Place | None = None

    @property
    def condition(self) -> Expression:
        """Indicators and not exclusions, as one tree. For a sequence rule ask its steps instead."""
        return condition(self.indicators, self.exclusions)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The sequence's steps with their log sources filled in; a rule without one is a single step."""
        if self.sequence is None:
            return (Step(logsource=self.logsource, indicators=self.indicators, exclusions=self.exclusions),)
        return tuple(
            step if step.logsource else msgspec.structs.replace(step, logsource=self.logsource)
            for step in self.sequence.steps
        )


def condition(indicators: tuple[Expression, ...], exclusions: tuple[Expression, ...]) -> Expression:
    """All indicators hold and no exclusion does."""
    if not exclusions:
        return all_of(*indicators)
    return all_of(*indicators, Not(any_of(*exclusions)))
