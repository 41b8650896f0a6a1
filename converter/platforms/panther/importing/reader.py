"""From a text with Panther's detections to canonical rules.

A detection is read over the paths of the raw event, then its fields are mapped back through the packs of
its log types, and it is held to its own unit tests. Nothing is executed; what cannot be read is a located
finding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from converter.logsources import canonicalise
from converter.model.diagnostics import Diagnostic, Fidelity, RuleError, Severity
from converter.model.expressions import FALSE, Expression
from converter.model.paths import FieldPath
from converter.model.rule import (
    AlertSettings,
    Choice,
    MissingKeys,
    OutputField,
    Rule,
    Step,
    Threshold,
    WindowStart,
)
from converter.model.rule import Sequence as RuleSequence
from converter.model.tables import MAX_COUNT, MAX_DURATION_DAYS
from converter.model.yaml_in import YamlProblem
from converter.platforms.base import ReadContext, ReadRule, Source, without_logic
from converter.platforms.panther.importing import metadata
from converter.platforms.panther.importing.beside import Surroundings
from converter.platforms.panther.importing.classes import class_documents
from converter.platforms.panther.importing.correlation import read_correlation
from converter.platforms.panther.importing.documents import DETECTIONS, Document, is_yaml, specifications
from converter.platforms.panther.importing.findings import PLATFORM, Findings
from converter.platforms.panther.importing.logic import Logic, log_sources, names_of, read_logic, tests
from converter.platforms.panther.importing.own_tests import with_single_values, with_tests
from converter.platforms.panther.importing.python import PythonSource
from converter.platforms.panther.metadata import summary_attributes
from converter.platforms.panther.settings import Settings
from converter.platforms.settled import TOO_DEEP, check_depth, parted, settled, without_constants

SOME_FIELD: Final = FieldPath(("p_event_time",))
"""Every event in Panther has it (Panther documentation, "Standard Fields")."""

_DEFAULT_PERIOD: Final = 60
"""Minutes for which matches are counted where none are given (Panther documentation, "Rules")."""


def read(source: Source, context: ReadContext) -> list[ReadRule]:
    """Every detection of a text. A text that holds none gives one refused rule; never raises."""
    if not is_yaml(source.file):
        return list(_python(source, context))
    documents, problems = specifications(source.file, source.text)
    if problems:
        return [_refused(source.file, problems)]
    return [_Reading(document, context).rule() for document in documents]


def _refused(file: str, problems: Iterable[YamlProblem]) -> ReadRule:
    found = [
        Diagnostic(
            code=one.code,
            severity=Severity.ERROR,
            message=one.message,
            hint=one.hint,
            file=file,
            line=one.line,
            column=one.column,
            platform=PLATFORM,
            effect=Fidelity.REFUSED,
        )
        for one in problems
    ]
    return ReadRule(
        source=file,
        platform=PLATFORM,
        id="",
        title=Path(file).stem,
        fidelity=Fidelity.REFUSED,
        diagnostics=tuple(found),
    )


def _python(source: Source, context: ReadContext) -> Iterator[ReadRule]:
    """The classes of a Python text that are rules; or the module, with the specification that names it."""
    python = PythonSource(file=source.file, text=source.text)
    surroundings = Surroundings(source.file, context.beside)
    found = list(class_documents(python, surroundings, context))
    for document, own, problems in found:
        yield _Reading(document, context, own, problems).rule()
    if found:
        return
    specification = surroundings.naming(source.file)
    if specification is not None:
        yield _Reading(specification, context, python).rule()
        return
    data = {"AnalysisType": "rule", "RuleID": Path(source.file).stem, "Filename": Path(source.file).name}
    reading = _Reading(Document(source.file, source.text, data, places={}), context, python)
    reading.findings.note("no-specification", "no YAML beside it names this file; its log types are unknown")
    yield reading.rule()


class _Reading:
    """Reads one document."""

    def __init__(
        self,
        document: Document,
        context: ReadContext,
        python: PythonSource | None = None,
        problems: Iterable[Diagnostic] = (),
    ) -> None:
        self._document = document
        self._context = context
        self._python = python
        self._id, self._own = metadata.identity(document.data, document.file)
        self._title = metadata.title(document.data, document.file)
        self.findings = Findings(document, self._id)
        self.findings.add(problems)

    def rule(self) -> ReadRule:
        """The document as a rule: read, or refused with the reason."""
        rule: Rule | None = None
        try:
            if self._is_detection():
                rule = self._read()
        except RuleError as error:
            self.findings.refuse("too-deep", str(error))
        except RecursionError:
            self.findings.refuse("too-deep", TOO_DEEP)
        fidelity = self.findings.fidelity
        if rule is None and fidelity is not Fidelity.REFUSED:
            self.findings.refuse("python", "the detection cannot be read")
            fidelity = Fidelity.REFUSED
        refused = fidelity is Fidelity.REFUSED
        return ReadRule(
            source=self._document.file,
            platform=PLATFORM,
            id=self._own,
            title=self._title,
            kind=self._document.kind,
            rule=None if refused else rule,
            described=self._described() if refused else None,
            fidelity=fidelity,
            residue=() if refused else tuple(dict.fromkeys(self.findings.residue)),
            diagnostics=self.findings.diagnostics,
        )

    def _described(self) -> Rule:
        """What the document says of itself."""
        told = metadata.fields(self._document.data, lambda code, message, at: None)
        packs = log_sources(self._document, self._context)
        return without_logic(Rule(id=self._id, title=self._title, logsource=names_of(packs), **told))

    def _is_detection(self) -> bool:
        kind = self._document.kind
        if kind == "policy":
            self.findings.refuse("policy", "a policy looks at a resource, not at events", ("AnalysisType",))
        elif kind not in DETECTIONS:
            message = f"an analysis item of type {kind[:40] or 'none'} is no detection"
            self.findings.refuse("not-a-rule", message, ("AnalysisType",))
        return kind in DETECTIONS and kind != "policy"

    def _read(self) -> Rule | None:
        self._derive()
        if self._document.kind == "correlation_rule":
            return self._correlation()
        logic = read_logic(self._document, self._python, self._context, self.findings)
        if logic is None or self.findings.fidelity is Fidelity.REFUSED or not self._asks(logic.condition):
            return None
        if self._document.kind == "scheduled_rule":
            queries = ", ".join(metadata.texts(self._document.data.get("ScheduledQueries")))
            message = "the rule looks at the rows of a scheduled query, whose own conditions are not in it"
            self.findings.leave_out("scheduled-query", message, ("ScheduledQueries",), queries)
        indicators, exclusions = _parts(logic.condition)
        counting, alert = self._counting(logic)
        return self._made(
            (logic,),
            alert,
            logsource=names_of(logic.packs),
            indicators=indicators,
            exclusions=exclusions,
            threshold=counting,
        )

    def _derive(self) -> None:
        """A derived detection takes what it does not say itself from its base."""
        base = self._document.data.get("BaseDetection")
        if base is None:
            return
        found = Surroundings(self._document.file, self._context.beside).specification(str(base))
        if found is None or "BaseDetection" in found.data:
            message = f"the base {str(base)[:80]} of this derived detection is not beside it"
            self.findings.refuse("rule-missing", message, ("BaseDetection",))
            return
        self._document = self._document.over(found)
        self._title = metadata.title(self._document.data, self._document.file)

    def _asks(self, condition: Expression) -> bool:
        if without_constants(condition, SOME_FIELD) != FALSE:
            return True
        self.findings.refuse("never-matches", "the detection matches no event")
        return False

    def _correlation(self) -> Rule | None:
        parts, logics = read_correlation(self._document, self._context, self.findings)
        if not parts or self.findings.fidelity is Fidelity.REFUSED:
            return None
        if any(not self._asks(logic.condition) for logic in logics):
            return None
        if "sequence" in parts:
            sequence: RuleSequence = parts["sequence"]
            steps = tuple(_settled_step(step) for step in sequence.steps)
            parts["sequence"] = RuleSequence(steps=steps, within=sequence.within)
        else:
            parts["indicators"], parts["exclusions"] = _parts(logics[0].condition)
        if self._document.data.get("Tests"):
            self.findings.note("tests", "tests of correlation rules name signals, no events", ("Tests",))
        return self._made(logics, AlertSettings(), **parts)

    # -- counting and grouping

    def _counting(self, logic: Logic) -> tuple[Threshold | None, AlertSettings]:
        """Threshold and suppression: Panther has one period for both, from a group's first match."""
        data = self._document.data
        count = metadata.minutes(data.get("Threshold")) or 1
        period = metadata.minutes(data.get("DedupPeriodMinutes"))
        keys = logic.keys if logic.keys is not None else logic.group_by
        if not logic.group_by_known and logic.keys is None and (count > 1 or logic.distinct is not None):
            message = "matches are counted by a text made of something else than fields; here all together"
            self.findings.lose("group-by", message, ("Threshold",), Fidelity.WIDER)
        if count == 1 and logic.distinct is None:
            if not logic.group_by_known or (period or 0) > MAX_DURATION_DAYS * 1440:
                return None, AlertSettings(title=logic.title)
            suppress = None if period is None else timedelta(minutes=period)
            return None, AlertSettings(title=logic.title, group_by=logic.group_by, suppress_for=suppress)
        within = timedelta(minutes=min(period or _DEFAULT_PERIOD, MAX_DURATION_DAYS * 1440))
        threshold = Threshold(
            count=min(count, MAX_COUNT),
            within=within,
            by=tuple(key for key in keys if isinstance(key, FieldPath)),
            choices=tuple(key for key in keys if isinstance(key, Choice)),
            distinct=logic.distinct,
            window=WindowStart.FIRST_MATCH if count > 1 else WindowStart.SLIDING,
            missing_keys=logic.missing_keys if keys else MissingKeys.SKIP,
        )
        return threshold, AlertSettings(title=logic.title)

    # -- the rule

    def _made(self, logics: tuple[Logic, ...], alert: AlertSettings, **parts: Any) -> Rule:
        data = self._document.data
        described = metadata.fields(data, self.findings.note)
        first = logics[0]
        if first.severity is not None and len(logics) == 1:
            described["severity"] = first.severity
        if data.get("CreateAlert") is False:
            self.findings.note("signal", "the detection makes signals and no alerts", ("CreateAlert",))
        shown = tuple(dict.fromkeys(one for logic in logics for one in logic.output))
        threshold: Threshold | None = parts.get("threshold")
        grouped = threshold.by if threshold is not None else alert.group_by
        described["output"] = tuple(_shown(shown, described["output"], grouped))
        period = alert.suppress_for or (threshold.within if threshold is not None else None)
        described["platforms"] = metadata.settings(
            data,
            self._own,
            described["status"],
            {
                "log_types": _log_types(logics),
                "summary_attributes": summary_attributes(Settings(), grouped),
                "dedup_minutes": None if period is None else int(period / timedelta(minutes=1)),
            },
        )
        rule = Rule(id=self._id, title=self._title, alert=alert, **described, **parts)
        packs = {pack.name: pack for logic in logics for pack in logic.packs}
        named, found = canonicalise(rule, list(packs.values()), PLATFORM)
        self.findings.add(found)
        named = msgspec.structs.replace(named, output=tuple(_once_each(named.output)))
        if rule.sequence is None and self.findings.fidelity is not Fidelity.REFUSED:
            named = with_single_values(named, tests(data))
            named = with_tests(named, tests(data), self._context.packs, self.findings)
        return named


def _parts(condition: Expression) -> tuple[tuple[Expression, ...], tuple[Expression, ...]]:
    whole = settled(condition, SOME_FIELD)
    check_depth([whole])
    return parted(whole)


def _settled_step(step: Step) -> Step:
    indicators, exclusions = _parts(step.condition)
    return msgspec.structs.replace(step, indicators=indicators, exclusions=exclusions)


def _log_types(logics: Iterable[Logic]) -> list[str]:
    """The log types that the writer takes from the log sources."""
    names = [
        name
        for logic in logics
        for pack in logic.packs
        for name in pack.platforms.get(PLATFORM, {}).get("log_types", ())
    ]
    return list(dict.fromkeys(names))


def _shown(
    context: Iterable[OutputField], summary: Iterable[OutputField], grouped: Iterable[FieldPath]
) -> Iterator[OutputField]:
    """What the alert carries; the writer itself summarises what alerts are grouped by."""
    yield from context
    known = {path.without_indexes() for path in (*(one.field for one in context), *grouped)}
    yield from (one for one in summary if one.field not in known)


def _once_each(fields: Iterable[OutputField]) -> Iterator[OutputField]:
    """The fields, no two of one name; an alias that is the field's own name goes."""
    names: set[str] = set()
    for one in fields:
        if one.name not in names:
            names.add(one.name)
            yield OutputField(one.field) if one.alias == str(one.field) else one
