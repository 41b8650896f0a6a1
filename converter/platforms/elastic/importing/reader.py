"""From a text with Elastic's rules to canonical rules.

A rule is read over stored names, then its fields are mapped back through the packs of its log sources.
Nothing is executed, nothing recurses without bound, and whatever cannot be read is a located finding.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any, Final

import msgspec

from converter.logsources import canonicalise
from converter.logsources.pack import Pack
from converter.model.diagnostics import Diagnostic, Fidelity, RuleError, Severity, fidelity_of
from converter.model.expressions import TRUE, absolute_fields
from converter.model.measures import measures
from converter.model.paths import FieldPath
from converter.model.rule import Rule, choice_fields
from converter.model.rule import Sequence as RuleSequence
from converter.platforms.base import ReadContext, ReadRule, Source, without_logic
from converter.platforms.elastic.fields import PLATFORM
from converter.platforms.elastic.importing import metadata
from converter.platforms.elastic.importing.beside import Beside
from converter.platforms.elastic.importing.documents import Document, documents
from converter.platforms.elastic.importing.exports import Problem
from converter.platforms.elastic.importing.findings import Findings
from converter.platforms.elastic.importing.known_fields import METADATA_FIELDS
from converter.platforms.elastic.importing.lists import with_lists
from converter.platforms.elastic.importing.logic import Logic, read_logic
from converter.platforms.elastic.importing.sources import log_sources
from converter.platforms.settled import TOO_DEEP, check_depth, parted, settled

_SOME_FIELD: Final = FieldPath(("@timestamp",))


def read(source: Source, context: ReadContext) -> list[ReadRule]:
    """Every rule of a text. A text that holds none gives one refused rule; never raises."""
    found, problems = documents(source.text)
    file = Path(source.file)
    beside = Beside((*context.beside, file.parent) if file.is_file() else context.beside)
    found = [msgspec.structs.replace(document, beside=beside) for document in found]
    rules = [_refused(source.file, problem) for problem in problems]
    return [*(_read_one(document, source.file, context) for document in found), *rules]


def _refused(file: str, problem: Problem) -> ReadRule:
    diagnostic = Diagnostic(
        code="elastic-rule",
        severity=Severity.ERROR,
        message=problem.message,
        file=file,
        line=problem.line,
        column=problem.column,
        platform=PLATFORM,
        effect=Fidelity.REFUSED,
    )
    return ReadRule(
        source=file,
        platform=PLATFORM,
        id="",
        title=PurePath(file).stem,
        fidelity=Fidelity.REFUSED,
        diagnostics=(diagnostic,),
    )


def _read_one(document: Document, file: str, context: ReadContext) -> ReadRule:
    rule_id, own = metadata.identity(document.rule, file)
    title = metadata.title(document.rule, file)
    findings = Findings(document, file, rule_id)
    rule: Rule | None = None
    told: dict[str, Any] = {}
    try:
        told = metadata.fields(document.rule, document.metadata, findings.note)
        logic = read_logic(document, lambda term: log_sources(_facts(document), term, context), findings)
        if logic is not None:
            rule = _named(
                Rule(id=rule_id, title=title, **_described(told, logic), **_logic(logic)),
                logic,
                findings,
            )
    except RuleError as error:
        findings.error(error)
    except RecursionError:
        findings.refuse("too-deep", TOO_DEEP, "query")
    fidelity = fidelity_of(findings.diagnostics)
    refused = fidelity is Fidelity.REFUSED
    outline: Rule | None = None
    if refused and told:
        packs = log_sources(_facts(document), TRUE, context)
        outline = without_logic(Rule(id=rule_id, title=title, logsource=_names(packs), **told))
    return ReadRule(
        source=file,
        platform=PLATFORM,
        id=own,
        title=title,
        kind=metadata.line(document.rule.get("type")),
        rule=None if refused else rule,
        described=outline,
        **_query(document),
        fidelity=fidelity,
        residue=() if refused else tuple(dict.fromkeys(findings.residue)),
        diagnostics=findings.diagnostics,
    )


def _query(document: Document) -> dict[str, str]:
    """The query as written, and its language."""
    query, kind = document.rule.get("query"), document.rule.get("type")
    if not isinstance(query, str):
        return {}
    told = metadata.line(document.rule.get("language"))
    return {"query": query, "language": kind if kind in ("eql", "esql") else told or "kuery"}


def _facts(document: Document) -> dict[str, Sequence[str]]:
    """What the rule says beside its query of where its events come from."""
    index = document.rule.get("index")
    if document.rule.get("type") == "esql" and isinstance(document.rule.get("query"), str):
        index = _from_indices(document.rule["query"])
    integration = document.metadata.get("integration")
    return {
        "index": metadata.names(index),
        "integration": metadata.names(integration),
        "tags": metadata.names(document.rule.get("tags")),
    }


def _from_indices(query: str) -> list[str]:
    from converter.platforms.elastic.esql.reader import indices_of

    return list(indices_of(query))


def _described(told: dict[str, Any], logic: Logic) -> dict[str, Any]:
    """The description with what the query itself shows: output fields and groups."""
    alert = told["alert"]
    if logic.group_by and not alert.group_by:
        alert = msgspec.structs.replace(alert, group_by=logic.group_by)
    known = {one.field for one in told["output"]}
    output = (*told["output"], *(one for one in logic.output if one.field not in known))
    return {**told, "alert": alert, "output": output}


def _names(packs: Sequence[Pack]) -> tuple[str, ...]:
    return tuple(pack.name for pack in packs)


def _logic(logic: Logic) -> dict[str, Any]:
    sources = tuple(map(_names, logic.packs))
    names = tuple(dict.fromkeys(name for step in sources for name in step))
    if logic.sequence is None:
        check_depth([logic.condition])
        indicators, exclusions = parted(settled(logic.condition, _SOME_FIELD))
        return {
            "logsource": names,
            "indicators": indicators,
            "exclusions": exclusions,
            "threshold": logic.threshold,
            "new_terms": logic.new_terms,
        }
    steps = []
    for step, own in zip(logic.sequence.steps, sources, strict=True):
        check_depth(step.indicators)
        indicators, exclusions = parted(settled(step.condition, _SOME_FIELD))
        same = () if own == names else own
        parts = {"indicators": indicators, "exclusions": exclusions, "logsource": same}
        steps.append(msgspec.structs.replace(step, **parts))
    return {"logsource": names, "sequence": RuleSequence(steps=tuple(steps), within=logic.sequence.within)}


def _tell_metadata(rule: Rule, findings: Findings) -> None:
    """Say which conditions look at what an index, and not the event, says of a document."""
    conditions = [step.condition for step in rule.steps]
    fields: list[FieldPath | None] = []
    if rule.threshold is not None:
        fields.extend(path for choice in rule.threshold.choices for path in choice_fields(choice))
        for measure in measures(rule.threshold.having):
            conditions.extend(measure.where)
            fields.append(measure.field)
    paths = (path for condition in conditions for path in absolute_fields(condition))
    asked = {str(path.steps[0]) for path in (*paths, *fields) if path is not None}
    for name in sorted(asked & METADATA_FIELDS):
        message = f"{name} is told by the index, and not by the event"
        findings.lose("metadata-field", message, "query", Fidelity.NARROWER)


def _named(rule: Rule, logic: Logic, findings: Findings) -> Rule:
    """The rule with canonical field names."""
    packs: dict[str, Pack] = {pack.name: pack for step in logic.packs for pack in step}
    _tell_metadata(rule, findings)
    named, found = canonicalise(rule, list(packs.values()), PLATFORM)
    findings.add(found)
    named = with_lists(named, list(packs.values()))
    unique = {str(one.field): one for one in reversed(named.output)}
    return msgspec.structs.replace(named, output=tuple(reversed(unique.values())))
