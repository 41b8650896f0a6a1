"""What an ES|QL rule asks of events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import msgspec

from converter.logsources.pack import Pack
from converter.model.diagnostics import RuleError
from converter.model.expressions import TRUE, Expression, all_of
from converter.model.measures import renamed
from converter.model.paths import FieldPath
from converter.model.rule import OutputField, Threshold, renamed_choice
from converter.model.tables import MAX_DURATION_DAYS
from converter.platforms.elastic import esql
from converter.platforms.elastic.importing.documents import Document
from converter.platforms.elastic.importing.findings import Findings
from converter.platforms.elastic.importing.known_fields import KnownFields, without_subfield
from converter.platforms.elastic.importing.logic import (
    Choose,
    Logic,
    around,
    look_back,
    without_subfields,
    words,
)
from converter.platforms.elastic.kql.reader import read as read_kql
from converter.platforms.elastic.schedule import DEFAULT_INTERVAL, parse_since
from converter.platforms.settled import check_depth, settled

_SOME_FIELD: Final = FieldPath(("@timestamp",))


def read_esql(document: Document, choose: Choose, findings: Findings) -> Logic:
    """The condition, and the groups of a STATS as a threshold. Raises RuleError."""
    first = _first(document)
    packs = choose(first.condition if first is not None else TRUE)
    reading = _reading(document, packs)
    within = look_back(document.rule)
    findings.in_query(reading.diagnostics)
    findings.in_query(reading.window_findings(within))
    findings.residue.extend(reading.residue)
    fields = KnownFields(packs)
    extra = tuple(around(document, fields, findings))
    condition = all_of(reading.condition, *extra)
    threshold = reading.threshold(within, _interval(document.rule))
    words(all_of(*reading.full_text, *extra), fields, findings)
    return Logic(
        condition=without_subfields(condition),
        threshold=threshold and _checked(threshold),
        packs=(packs,),
        output=tuple(OutputField(FieldPath((name,))) for name in reading.shown),
    )


def _interval(rule: Mapping[str, Any]) -> timedelta:
    """How often the rule runs. Raises RuleError for what is no span of time."""
    text = rule.get("interval", DEFAULT_INTERVAL)
    try:
        found = parse_since(f"now-{text}")
    except (ValueError, OverflowError) as error:
        raise RuleError(f"interval: {str(text)[:40]!r} is no span such as 5m") from error
    if not timedelta() < found <= timedelta(days=MAX_DURATION_DAYS):
        raise RuleError(f"interval: {str(text)[:40]!r} is no span of time between runs")
    return found


def _checked(threshold: Threshold) -> Threshold:
    """The threshold as a rule file can hold it. Raises RuleError where it nests too deeply."""

    def plain(condition: Expression) -> Expression:
        check_depth([condition])
        return settled(without_subfields(condition), _SOME_FIELD)

    return msgspec.structs.replace(
        threshold,
        by=tuple(map(_plain, threshold.by)),
        having=tuple(renamed(test, _plain, plain) for test in threshold.having),
        choices=tuple(renamed_choice(choice, _plain, plain) for choice in threshold.choices),
    )


def _plain(path: FieldPath) -> FieldPath:
    """The field that a multi-field repeats: ES|QL reads the same text of both."""
    name, ending = without_subfield(str(path.steps[0]))
    return path if ending in ("", ".caseless") else FieldPath((name, *path.steps[1:]))


def _first(document: Document) -> esql.Reading | None:
    try:
        return _reading(document, ())
    except RuleError:
        return None


def _reading(document: Document, packs: Sequence[Pack]) -> esql.Reading:
    fields = KnownFields(packs)
    text: str = document.rule["query"]
    return esql.read_query(text, fields.by_name, lambda kql: read_kql(kql, fields), strict=False)
