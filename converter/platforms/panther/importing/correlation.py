"""Correlation rules as sequences and thresholds.

Panther documentation, "Correlation Rules" and "Correlation Rule Reference": a ``Sequence`` lists rules whose
signals follow one another, ``Transitions`` say within which time and on which equal values; a ``Group`` asks
for its rules in any order, ``MatchCriteria`` for an equal value of each. Signals are looked for on a
``Schedule``, in the last ``LookbackWindowMinutes``. They are a rule's matches, whatever its threshold.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, TypeAlias

import msgspec

from converter.model.diagnostics import Diagnostic, Fidelity
from converter.model.paths import FieldPath
from converter.model.rule import Sequence as RuleSequence
from converter.model.rule import Step, Threshold
from converter.model.tables import MAX_DURATION_DAYS
from converter.platforms.base import ReadContext
from converter.platforms.panther.alerting import SEQUENCE_KEY
from converter.platforms.panther.importing import metadata
from converter.platforms.panther.importing.beside import Surroundings
from converter.platforms.panther.importing.documents import Document, Steps
from converter.platforms.panther.importing.findings import Findings
from converter.platforms.panther.importing.keys import KeyProblem, key_path
from converter.platforms.panther.importing.logic import Logic, names_of, read_logic

_CONTEXT: Final = "p_alert_context."
_DEFAULT_LOOKBACK: Final = 1440
_AT: Final[Steps] = ("Detection", 0)
_FLIPPED: Final = {Fidelity.WIDER: Fidelity.NARROWER, Fidelity.NARROWER: Fidelity.WIDER}

Join: TypeAlias = tuple[FieldPath, ...]


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a correlation, and the rule that it refers to."""

    name: str
    rule_id: str
    logic: Logic
    absent: bool
    least: int


class _BrokenError(ValueError):
    """A correlation that has no canonical form."""

    def __init__(self, code: str, message: str, at: Steps, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.at = at
        self.hint = hint


def read_correlation(
    document: Document, context: ReadContext, findings: Findings
) -> tuple[dict[str, Any], tuple[Logic, ...]]:
    """The parts of a canonical rule that a correlation rule is, and the logic of each rule that it names.

    Both are empty where it cannot be read, which is a finding.
    """
    try:
        return _Correlation(document, context, findings).read()
    except _BrokenError as problem:
        findings.refuse(problem.code, str(problem), problem.at, problem.hint)
        return {}, ()


class _Correlation:
    def __init__(self, document: Document, context: ReadContext, findings: Findings) -> None:
        self._document = document
        self._context = context
        self._findings = findings
        self._data: Mapping[str, Any] = {}

    def read(self) -> tuple[dict[str, Any], tuple[Logic, ...]]:
        detection = self._document.data.get("Detection")
        blocks = detection if isinstance(detection, list) else [detection]
        if len(blocks) != 1 or not isinstance(blocks[0], Mapping):
            raise _BrokenError("correlation", "one Sequence or Group is expected", ("Detection",))
        self._data = blocks[0]
        kind = next((key for key in ("Sequence", "Group") if isinstance(self._data.get(key), list)), None)
        if kind is None or not self._data[kind]:
            raise _BrokenError("correlation", "a Sequence or Group with rules is expected", _AT)
        parts = [self._part(entry, (*_AT, kind, n)) for n, entry in enumerate(self._data[kind])]
        found = self._sequence(parts) if kind == "Sequence" else self._group(parts)
        self._scheduled(found)
        return found, tuple(part.logic for part in parts)

    # -- the rules it names

    def _part(self, entry: Any, at: Steps) -> _Part:
        rule_id = entry.get("RuleID") if isinstance(entry, Mapping) else None
        if not isinstance(rule_id, str):
            raise _BrokenError("correlation", "an entry needs a RuleID", at)
        around = Surroundings(self._document.file, self._context.beside)
        document = around.specification(rule_id)
        if document is None:
            hint = "read the folder that holds both, or name its folder with --helpers"
            raise _BrokenError("rule-missing", f"the rule {rule_id[:80]} is not beside this one", at, hint)
        if document.kind != "rule":
            message = f"{rule_id[:80]} is a {document.kind or 'nothing'}, whose matches are no log events"
            raise _BrokenError("correlation", message, at)
        if entry.get("MaxMatchCount") is not None:
            self._findings.leave_out(
                "max-count", "at most so many signals cannot be asked for", at, f"MaxMatchCount of {rule_id}"
            )
        absent = entry.get("Absence") is True
        logic = self._logic_of(document, absent)
        if logic is None:
            raise _BrokenError("rule-missing", f"the rule {rule_id[:80]} cannot be read", at)
        return _Part(
            name=metadata.line(entry.get("ID")) or rule_id,
            rule_id=rule_id,
            logic=logic,
            absent=absent,
            least=metadata.minutes(entry.get("MinMatchCount")) or 1,
        )

    def _logic_of(self, document: Document, absent: bool) -> Logic | None:
        """What a named rule asks; what its reading changes changes the opposite where it must not match."""
        inner = Findings(document, "")
        logic = read_logic(document, None, self._context, inner)
        if document.data.get("Enabled") is False:
            inner.note(
                "disabled", "a rule of a correlation that is not enabled makes no signals", ("Enabled",)
            )
        self._findings.residue.extend(inner.residue)
        self._findings.add(_turned(one) if absent else one for one in inner.diagnostics)
        return logic

    # -- sequences

    def _sequence(self, parts: Sequence[_Part]) -> dict[str, Any]:
        pairs = list(itertools.pairwise(parts))
        transitions = self._transitions(pairs)
        if len(parts) == 1:
            return self._counted(parts[0], ())
        joins = self._joins(parts, transitions)
        within = self._within(parts, transitions)
        if parts[-1].absent:
            self._findings.lose(
                "sequence",
                "an absent rule at the end is waited for; Panther alerts as soon as a run does not see it",
                _AT,
                Fidelity.NARROWER,
            )
        if self._data.get("EventEvaluationOrder") == "ReverseChronological":
            message = "signals are taken in the order of time, not the latest first"
            self._findings.note("sequence", message, (*_AT, "EventEvaluationOrder"))
        return _steps([_step(part, join) for part, join in zip(parts, joins, strict=True)], within)

    def _transitions(self, pairs: Sequence[tuple[_Part, _Part]]) -> list[Mapping[str, Any]]:
        """For each two neighbours the transition between them, or none; of others it is said."""
        given = self._data.get("Transitions") or []
        if not isinstance(given, list) or not all(isinstance(one, Mapping) for one in given):
            raise _BrokenError("correlation", "Transitions are a list of mappings", (*_AT, "Transitions"))
        by_ends = {(one.get("From"), one.get("To")): one for one in given}
        found = [by_ends.pop((first.name, second.name), {}) for first, second in pairs]
        for one in by_ends.values():
            at = (*_AT, "Transitions", given.index(one))
            ends = f"{one.get('From')} to {one.get('To')}"
            self._findings.leave_out(
                "transition", "a transition between rules that are no neighbours", at, ends
            )
        return found

    def _joins(self, parts: Sequence[_Part], transitions: Sequence[Mapping[str, Any]]) -> list[Join]:
        """The join key of each part: the same values all along the sequence."""
        ends = [_ends(one) for one in transitions]
        if not any(ends):
            return [() for _ in parts]
        keys: list[list[str]] = [[] for _ in parts]
        for number, pair in enumerate(ends):
            if pair is not None:
                keys[number].append(pair[0])
                keys[number + 1].append(pair[1])
        if all(ends) and all(len(set(one)) == 1 for one in keys):
            return [self._key(part, one[0]) for part, one in zip(parts, keys, strict=True)]
        self._findings.leave_out(
            "match-on",
            "values that are equal between some rules of a sequence only",
            (*_AT, "Transitions"),
            "; ".join(f"{pair[0]} = {pair[1]}" for pair in ends if pair is not None),
        )
        return [() for _ in parts]

    def _key(self, part: _Part, name: str) -> Join:
        """The fields that a name of a signal means: an entry of the alert's context, or a field."""
        if name == f"{_CONTEXT}{SEQUENCE_KEY}" and part.logic.join is not None:
            return part.logic.join
        if name.startswith(_CONTEXT):
            wanted = name.removeprefix(_CONTEXT)
            for field in part.logic.output:
                if field.name == wanted:
                    return (field.field,)
            message = f"{wanted} of the alert context of {part.rule_id} is no plain field of the event"
            raise _BrokenError("match-on", message, _AT)
        if name.startswith("p_"):
            message = f"{name} is gathered by Panther from several fields"
            raise _BrokenError("indicator-field", message, _AT)
        try:
            return (key_path(name),)
        except KeyProblem as problem:
            raise _BrokenError("match-on", str(problem), _AT) from problem

    def _within(self, parts: Sequence[_Part], transitions: Sequence[Mapping[str, Any]]) -> timedelta | None:
        spans = [metadata.minutes(one.get("WithinTimeFrameMinutes")) for one in transitions]
        own = self._document.data.get("RuleID")
        is_written = all(part.rule_id == f"{own}.{number}" for number, part in enumerate(parts, 1))
        if is_written and len(set(spans)) == 1:
            return None if spans[0] is None else _minutes(spans[0])
        repeated = any(part.least > 1 for part in parts)
        if len(spans) == 1 and spans[0] is not None and not repeated:
            return _minutes(spans[0])
        total = self._lookback()
        if None not in spans and not repeated:
            total = min(total, sum(span for span in spans if span is not None))
        if any(span is not None for span in spans):
            message = f"the times between the rules are read as {total} minutes for the whole sequence"
            self._findings.lose("window", message, (*_AT, "Transitions"), Fidelity.WIDER)
        return _minutes(total)

    # -- groups

    def _group(self, parts: Sequence[_Part]) -> dict[str, Any]:
        criteria = self._criteria(parts)
        least = metadata.minutes(self._data.get("MinMatchCount"))
        present = [(part, key) for part, key in zip(parts, criteria, strict=True) if not part.absent]
        absent = [(part, key) for part, key in zip(parts, criteria, strict=True) if part.absent]
        if not present:
            raise _BrokenError("correlation", "a group of nothing but absent rules", _AT)
        if least is not None and least < len(present):
            message = f"{least} of {len(present)} rules are enough; read as all of them"
            self._findings.lose("group", message, (*_AT, "MinMatchCount"), Fidelity.NARROWER)
        if len(present) == 1 and not absent:
            return self._counted(*present[0])
        if len(present) > 1:
            message = "the rules may match in any order; read as the order in which they are named"
            self._findings.lose("order", message, _AT, Fidelity.NARROWER)
        if absent:
            message = (
                f"read as: absent for {self._lookback()} minutes before and after, not in one run's window"
            )
            self._findings.lose("order", message, _AT, Fidelity.NARROWER)
        around = [_step(part, key) for part, key in absent]
        middle = [_step(part, key) for part, key in present]
        return _steps([*around, *middle, *around], _minutes(self._lookback()))

    def _criteria(self, parts: Sequence[_Part]) -> list[Join]:
        """The join key of each part: one field for each of the criteria, in their order."""
        given = self._data.get("MatchCriteria") or {}
        at = (*_AT, "MatchCriteria")
        keys: list[Join] = [() for _ in parts]
        for name, entries in given.items() if isinstance(given, Mapping) else ():
            named = {
                one.get("GroupID"): one.get("Match")
                for one in (entries if isinstance(entries, list) else ())
                if isinstance(one, Mapping)
            }
            found = [named.get(part.name) for part in parts]
            if not all(isinstance(one, str) for one in found):
                message = "values that are equal between some rules of a group only"
                self._findings.leave_out("match-on", message, at, str(name))
                continue
            keys = [
                (*key, *self._key(part, str(one))) for key, part, one in zip(keys, parts, found, strict=True)
            ]
        return keys

    def _counted(self, part: _Part, join: Join) -> dict[str, Any]:
        """A single rule: so many of its matches within the window of a run."""
        threshold = Threshold(count=part.least, within=_minutes(self._lookback()), by=join)
        self._findings.lose(
            "window",
            f"the matches are counted in any {self._lookback()} minutes, not in those that a run looks at",
            _AT,
            Fidelity.WIDER,
        )
        return {
            "logsource": names_of(part.logic.packs),
            "indicators": (part.logic.condition,),
            "threshold": threshold,
        }

    # -- the schedule

    def _lookback(self) -> int:
        return metadata.minutes(self._data.get("LookbackWindowMinutes")) or _DEFAULT_LOOKBACK

    def _scheduled(self, found: Mapping[str, Any]) -> None:
        """What it means that a run looks back only so far, where that can be missed."""
        schedule = self._data.get("Schedule")
        rate = metadata.minutes(schedule.get("RateMinutes")) if isinstance(schedule, Mapping) else None
        at = (*_AT, "Schedule")
        lookback = self._lookback()
        self._findings.note("schedule", f"Panther looks for this on a schedule, {lookback} minutes back", at)
        sequence: RuleSequence | None = found.get("sequence")
        within = sequence.within if sequence is not None else None
        if rate is None or within is None or within + timedelta(minutes=rate) <= timedelta(minutes=lookback):
            return
        message = (
            f"a run every {rate} minutes that looks {lookback} back does not see each sequence whole; here "
            "all are found"
        )
        self._findings.lose("schedule", message, at, Fidelity.WIDER)


def _minutes(count: int) -> timedelta:
    if count > MAX_DURATION_DAYS * 1440:
        raise _BrokenError("correlation", "a time of this length", _AT)
    return timedelta(minutes=count)


def _ends(transition: Mapping[str, Any]) -> tuple[str, str] | None:
    """The names of the values that are equal on both ends of a transition."""
    matches = transition.get("Match")
    match = matches[0] if isinstance(matches, list) and matches and isinstance(matches[0], Mapping) else {}
    first, second = match.get("From", match.get("On")), match.get("To", match.get("On"))
    return (first, second) if isinstance(first, str) and isinstance(second, str) else None


def _step(part: _Part, join: Join) -> Step:
    return Step(
        name=metadata.line(part.name) or None,
        logsource=names_of(part.logic.packs),
        indicators=(part.logic.condition,),
        by=join,
        absent=part.absent,
        repeat=1 if part.absent else part.least,
    )


def _steps(steps: Sequence[Step], within: timedelta | None) -> dict[str, Any]:
    """A sequence; log sources stand at its steps where they are not all the same."""
    sources = list(dict.fromkeys(step.logsource for step in steps))
    if len(sources) == 1:
        steps = [msgspec.structs.replace(step, logsource=()) for step in steps]
    return {
        "logsource": sources[0] if len(sources) == 1 else tuple(_all_of(sources)),
        "sequence": RuleSequence(steps=tuple(steps), within=within),
    }


def _all_of(sources: Sequence[tuple[str, ...]]) -> Iterator[str]:
    yield from dict.fromkeys(name for names in sources for name in names)


def _turned(one: Diagnostic) -> Diagnostic:
    effect = None if one.effect is None else _FLIPPED.get(one.effect, one.effect)
    return msgspec.structs.replace(one, effect=effect)
