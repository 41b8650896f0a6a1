"""From Sigma's documents to canonical rules.

A document is read over Sigma's own field names, then its fields are mapped back through the log source's
packs. Nothing is executed, nothing recurses without bound, and whatever cannot be read is a located finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from converter.logsources.canonicalise import canonicalise
from converter.logsources.pack import Pack
from converter.logsources.recognise import find_packs
from converter.model.diagnostics import Diagnostic, Fidelity, Severity, fidelity_of
from converter.model.expressions import (
    FALSE,
    All,
    AnyOf,
    Expression,
    Not,
    Operator,
    Predicate,
    all_of,
    any_of,
    negated,
)
from converter.model.measures import MeasureKind
from converter.model.paths import FieldPath
from converter.model.rule import Rule, Step
from converter.model.rule import Sequence as RuleSequence
from converter.platforms.base import ReadContext, ReadRule, Source, without_logic
from converter.platforms.sigma import metadata
from converter.platforms.sigma.conditions import (
    Condition,
    ConditionError,
    Junction,
    Name,
    Negation,
    Selector,
    parse_condition,
)
from converter.platforms.sigma.correlations import Correlation, CorrelationProblem, read_correlation
from converter.platforms.sigma.detections import Detections, Steps
from converter.platforms.sigma.documents import NAME, Doc, Text, beside
from converter.platforms.sigma.sources import RAW, LogText, contains, log_text, logsource, names_of

_NOT_DETECTIONS: Final = frozenset({"condition", "timeframe"})


def read(source: Source, context: ReadContext) -> list[ReadRule]:
    """Every rule of a text. A text that is no YAML gives one refused rule; never raises."""
    text = Text(source.file, source.text)
    if text.problems or not text.documents:
        problems = text.problems or (text.plain_finding("empty", "no rule in this text", line=1, column=1),)
        return [_refused(source.file, Path(source.file).stem, "", problems)]
    return list(_Reading(text, context).rules())


def read_stored(text: str, file: str, context: ReadContext, home: str) -> list[ReadRule]:
    """The rules of a text over Sigma's own field names; ``home``: the log source, where several would do."""
    return list(_Reading(Text(file, text), context, stored_names=True, home=home).rules())


def _refused(
    file: str, title: str, kind: str, diagnostics: tuple[Diagnostic, ...], own: str = ""
) -> ReadRule:
    return ReadRule(
        source=file,
        platform=NAME,
        id=own,
        title=title,
        kind=kind,
        fidelity=Fidelity.REFUSED,
        diagnostics=diagnostics,
    )


class _Logic(msgspec.Struct, frozen=True):
    """What a rule document asks of one event, over Sigma's field names, and where it looks."""

    packs: tuple[Pack, ...]
    condition: Expression


class _Findings:
    """The findings about one document, each with its place."""

    def __init__(self, doc: Doc) -> None:
        self.found: list[Diagnostic] = []
        self._doc = doc

    def of(self, doc: Doc) -> _Findings:
        """The same collection, for places in another document."""
        other = _Findings(doc)
        other.found = self.found
        return other

    def refuse(self, code: str, message: str, at: Steps, hint: str | None = None) -> None:
        self.add(code, message, at, hint, Severity.ERROR, Fidelity.REFUSED)

    def note(self, code: str, message: str, key: str, hint: str | None = None) -> None:
        self.add(code, message, (key,), hint, Severity.NOTE, None)

    def add(
        self,
        code: str,
        message: str,
        at: Steps,
        hint: str | None,
        severity: Severity,
        effect: Fidelity | None,
        offset: tuple[str, int] | None = None,
    ) -> None:
        line, column = self._doc.text.position(self._doc.index, at, offset)
        self.found.append(
            Diagnostic(
                code=code,
                severity=severity,
                message=message,
                hint=hint,
                file=self._doc.text.file,
                line=line,
                column=column,
                platform=NAME,
                effect=effect,
            )
        )


class _Reading:
    """Reads the documents of one text."""

    def __init__(self, text: Text, context: ReadContext, stored_names: bool = False, home: str = "") -> None:
        self._text = text
        self._file = text.file
        self._context = context
        self._stored_names = stored_names
        self._home = home
        self._filters = [doc for doc in (*text.documents, *beside(context.beside)) if doc.kind == "filter"]

    def rules(self) -> Iterator[ReadRule]:
        correlations = {
            doc.index: self._correlation_of(doc) for doc in self._text.documents if doc.kind == "correlation"
        }
        parts = {
            reference
            for one in correlations.values()
            if isinstance(one, Correlation) and not one.generate
            for reference in one.rules
        }
        for doc in self._text.documents:
            if doc.kind == "rule" and any(map(doc.is_called, parts)):
                continue  # the correlation that names it alerts in its place
            if doc.kind == "filter":
                if len(self._text.documents) == 1:
                    yield self._lone_filter(doc)
                continue
            yield self._rule(doc, correlations.get(doc.index))

    def _lone_filter(self, doc: Doc) -> ReadRule:
        findings = _Findings(doc)
        message = "a filter is no rule by itself; it is applied to the rules that it lies beside"
        findings.refuse("filter", message, ("filter",), "read it together with its rules")
        _, own = metadata.identity(doc.data, self._file, doc.index)
        return _refused(
            self._file, metadata.title(doc.data, self._file), "filter", tuple(findings.found), own
        )

    def _rule(self, doc: Doc, correlation: Correlation | CorrelationProblem | None) -> ReadRule:
        findings = _Findings(doc)
        rule_id, own = metadata.identity(doc.data, self._file, doc.index)
        title = metadata.title(doc.data, self._file)
        described = metadata.fields(doc.data, findings.note)
        kind = "rule"
        logic: dict[str, Any] = {}
        if not doc.is_mapping:
            findings.refuse("not-a-rule", "expected a mapping with a detection", ())
        elif correlation is None:
            logic = self._plain(doc, findings)
        elif isinstance(correlation, CorrelationProblem):
            kind = "correlation"
            findings.refuse(
                correlation.code, str(correlation), ("correlation", *correlation.at), correlation.hint
            )
        else:
            kind = correlation.type
            logic = self._correlated(doc, correlation, findings)
        rule = None
        if fidelity_of(findings.found) is not Fidelity.REFUSED and logic:
            rule = self._named(Rule(id=rule_id, title=title, **described, **logic), findings)
        found = tuple(
            msgspec.structs.replace(one, rule_id=rule_id, file=one.file or self._file)
            for one in findings.found
        )
        fidelity = fidelity_of(found)
        outline: Rule | None = None
        if fidelity is Fidelity.REFUSED and doc.is_mapping:
            packs = self._packs(logsource(doc.data.get("logsource")))
            outline = without_logic(Rule(id=rule_id, title=title, logsource=names_of(packs), **described))
        return ReadRule(
            source=self._file,
            platform=NAME,
            id=own,
            title=title,
            kind=kind,
            rule=None if fidelity is Fidelity.REFUSED else rule,
            described=outline,
            fidelity=fidelity,
            diagnostics=found,
        )

    def _named(self, rule: Rule, findings: _Findings) -> Rule:
        """The rule with canonical field names, unless stored ones are asked for."""
        if self._stored_names:
            return rule
        names = dict.fromkeys(name for step in rule.steps for name in step.logsource)
        named, found = canonicalise(rule, [self._context.packs[name] for name in names], NAME)
        findings.found.extend(found)
        return named

    # -- one event

    def _plain(self, doc: Doc, findings: _Findings) -> dict[str, Any]:
        logic = self._logic(doc, findings)
        indicators, exclusions = _parted(logic.condition)
        return {"logsource": names_of(logic.packs), "indicators": indicators, "exclusions": exclusions}

    def _logic(self, doc: Doc, findings: _Findings) -> _Logic:
        """What a rule document asks, with the filters that apply to it."""
        own = logsource(doc.data.get("logsource"))
        if not own:
            findings.refuse("logsource", "a rule needs a logsource with a category, product or service", ())
        packs = self._packs(own)
        fields = log_text(packs, own)
        condition = _condition(doc, "detection", fields, findings)
        for applied in self._filters:
            if _applies(applied, doc, own):
                condition = all_of(condition, _condition(applied, "filter", fields, findings.of(applied)))
        return _Logic(packs, condition)

    def _packs(self, own: Mapping[str, str]) -> tuple[Pack, ...]:
        found = find_packs(NAME, own, self._context.packs)
        if self._home in self._context.packs and (not found or self._home in names_of(found)):
            return (self._context.packs[self._home],)
        return tuple(found) or (self._context.packs[RAW],)

    # -- several events

    def _correlated(self, doc: Doc, correlation: Correlation, findings: _Findings) -> dict[str, Any]:
        parts: list[_Logic] = []
        for number, reference in enumerate(correlation.rules):
            part = self._referenced(reference)
            at: Steps = ("correlation", "rules", number)
            if part is None:
                message = f"the rule {reference!r} is neither in this text nor beside it"
                findings.refuse("rule-missing", message, at)
            elif part.kind == "correlation":
                findings.refuse("correlation", "a correlation of correlations has no counterpart", at)
            else:
                parts.append(self._logic(part, findings.of(part)))
        if len(parts) < len(correlation.rules):
            return {}
        if not correlation.ordered and _together(parts, correlation):
            return _counted(parts, correlation, findings)
        if correlation.kind is not MeasureKind.MET or not correlation.asks_for_all:
            message = "events of different log sources, or groups, cannot be counted together"
            findings.refuse("correlation", message, ("correlation", "rules"))
            return {}
        if not correlation.ordered:
            findings.add(
                "order",
                "the rules may match in any order; read as the order in which they are named",
                ("correlation", "type"),
                "add a correlation of type temporal_ordered for each other order",
                Severity.WARNING,
                Fidelity.NARROWER,
            )
        return _sequence(parts, correlation)

    def _correlation_of(self, doc: Doc) -> Correlation | CorrelationProblem:
        try:
            return read_correlation(doc.data["correlation"], self._means)
        except CorrelationProblem as problem:
            return problem

    def _means(self, reference: str, other: str) -> bool:
        """Whether two references, a name and an id for example, are to the same rule."""
        if reference == other:
            return True
        found = self._referenced(reference)
        return found is not None and found.is_called(other)

    def _referenced(self, reference: str) -> Doc | None:
        """The document that a reference means: of this text, of a folder given, or of the text's own."""
        own = [Path(self._file).parent] if Path(self._file).is_file() else []
        for docs in (self._text.documents, beside(self._context.beside), beside(own)):
            found = next((doc for doc in docs if doc.kind != "filter" and doc.is_called(reference)), None)
            if found is not None:
                return found
        return None


def _together(parts: Sequence[_Logic], correlation: Correlation) -> bool:
    """Whether the rules' events are of the same log sources, grouped by the same fields."""
    return len({names_of(part.packs) for part in parts}) == 1 and len(set(correlation.by)) == 1


def _counted(parts: Sequence[_Logic], correlation: Correlation, findings: _Findings) -> dict[str, Any]:
    """A threshold over the matches of several rules."""
    conditions = dict(zip(correlation.rules, (part.condition for part in parts), strict=True))
    try:
        threshold = correlation.threshold(conditions)
    except CorrelationProblem as problem:
        findings.refuse(problem.code, str(problem), ("correlation", *problem.at))
        return {}
    indicators, exclusions = _parted(any_of(*(part.condition for part in parts)))
    return {
        "logsource": names_of(parts[0].packs),
        "indicators": indicators,
        "exclusions": exclusions,
        "threshold": threshold,
    }


def _sequence(parts: Sequence[_Logic], correlation: Correlation) -> dict[str, Any]:
    """A sequence of the rules; log sources stand at its steps where they are not all the same."""
    sources = [names_of(part.packs) for part in parts]
    shared = sources[0] if len(set(sources)) == 1 else ()
    steps = []
    for part, own, reference, by in zip(parts, sources, correlation.rules, correlation.by, strict=True):
        indicators, exclusions = _parted(part.condition)
        steps.append(
            Step(
                name=metadata.line(reference) or None,
                logsource=() if shared else own,
                indicators=indicators,
                exclusions=exclusions,
                by=tuple(FieldPath((name,)) for name in by),
            )
        )
    return {"logsource": shared, "sequence": RuleSequence(steps=tuple(steps), within=correlation.within)}


def _applies(applied: Doc, doc: Doc, own: Mapping[str, str]) -> bool:
    """Whether a filter is for a rule: its log source covers the rule's, and it names the rule or any."""
    if not contains(logsource(applied.data.get("logsource")), own):
        return False
    block = applied.data["filter"]
    rules = block.get("rules") if isinstance(block, dict) else None
    if isinstance(rules, str):
        return rules.lower() == "any" or doc.is_called(rules)
    if isinstance(rules, list):
        return not rules or any(doc.is_called(str(reference)) for reference in rules)
    return False


# -- conditions


def _condition(doc: Doc, key: str, text: LogText | None, findings: _Findings) -> Expression:
    """What a detection (or a filter) asks, over Sigma's field names."""
    block = doc.data.get(key)
    if not isinstance(block, dict):
        findings.refuse("detection", f"expected a mapping under {key}", (key,) if key in doc.data else ())
        return FALSE
    skipped = _NOT_DETECTIONS if key == "detection" else {*_NOT_DETECTIONS, "rules"}
    definitions = {name: value for name, value in block.items() if name not in skipped}
    if "timeframe" in block:
        findings.note("timeframe", "a timeframe without an aggregation means nothing", key)
    detections = Detections(definitions, (key,), findings.refuse, text.fields if text else ())
    texts = block.get("condition")
    if isinstance(texts, list) and texts:
        terms = [
            _of_text(one, detections, (key, "condition", number), findings)
            for number, one in enumerate(texts)
        ]
        condition = any_of(*terms)
    else:
        condition = _of_text(texts, detections, (key, "condition"), findings)
    if text is not None and detections.sought:
        _tell_keywords(text, detections, key, findings)
    return condition


def _tell_keywords(text: LogText, detections: Detections, key: str, findings: _Findings) -> None:
    """Say where values without a field are looked for, and what that misses."""
    names = " and ".join(text.fields)
    if text.whole:
        findings.note("keywords", f"values without a field are looked for in {names}, the log's text", key)
        return
    for below_not in sorted(detections.sought):
        findings.add(
            "keywords",
            f"values without a field are looked for in {names} alone, not in the whole text of the log",
            (key,),
            "name the field that holds it in the log source's pack: platforms: {sigma: {message: FIELD}}",
            Severity.WARNING,
            Fidelity.WIDER if below_not else Fidelity.NARROWER,
        )


def _of_text(text: Any, detections: Detections, at: Steps, findings: _Findings) -> Expression:
    if not isinstance(text, str | int) or isinstance(text, bool):
        findings.refuse("condition", "expected a condition", at if text is not None else at[:1])
        return FALSE
    try:
        return _evaluated(parse_condition(str(text)), detections)
    except ConditionError as error:
        findings.add(
            error.code,
            str(error),
            at,
            error.hint,
            Severity.ERROR,
            Fidelity.REFUSED,
            (str(text), error.offset),
        )
        return FALSE


def _evaluated(condition: Condition, detections: Detections, negated_here: bool = False) -> Expression:
    """The condition with each name replaced by what its detection asks. Raises ConditionError."""
    match condition:
        case Name(name, offset):
            if name not in detections.names:
                raise ConditionError("condition", f"there is no detection {name[:60]!r}", offset)
            return detections.expression(name, negated_here)
        case Selector(pattern, every, offset):
            names = condition.names(detections.names)
            if not names:
                raise ConditionError("condition", f"no detection is called {pattern[:60]!r}", offset)
            terms = [detections.expression(name, negated_here) for name in names]
            return all_of(*terms) if every else any_of(*terms)
        case Negation(term):
            return negated(_evaluated(term, detections, not negated_here))
        case Junction(terms, every):
            read = [_evaluated(one, detections, negated_here) for one in terms]
            return all_of(*read) if every else any_of(*read)


def _parted(condition: Expression) -> tuple[tuple[Expression, ...], tuple[Expression, ...]]:
    """Indicators and exclusions: the terms of a conjunction, those that are negated apart."""
    terms = condition.terms if isinstance(condition, All) else (condition,)
    indicators: list[Expression] = []
    exclusions: list[Expression] = []
    for term in terms:
        if isinstance(term, Not) and isinstance(term.term, AnyOf):
            exclusions.extend(term.term.terms)
        elif isinstance(term, Not) and not _asks_missing(term):
            exclusions.append(term.term)
        else:
            indicators.append(term)
    if not indicators:
        return terms, ()
    return tuple(indicators), tuple(exclusions)


def _asks_missing(term: Not) -> bool:
    """``exists: false`` reads better where it stands."""
    return isinstance(term.term, Predicate) and term.term.operator is Operator.EXISTS
