"""What an ES|QL rule asks of events."""

from __future__ import annotations

from collections.abc import Sequence

from converter.logsources.pack import Pack
from converter.model.diagnostics import RuleError
from converter.model.expressions import TRUE, Expression, all_of
from converter.model.paths import FieldPath
from converter.model.rule import OutputField
from converter.platforms.elastic import esql
from converter.platforms.elastic.importing.documents import Document
from converter.platforms.elastic.importing.findings import Findings
from converter.platforms.elastic.importing.known_fields import KnownFields
from converter.platforms.elastic.importing.logic import (
    Choose,
    Logic,
    around,
    look_back,
    without_subfields,
    words,
)
from converter.platforms.elastic.kql.reader import read as read_kql


def read_esql(document: Document, choose: Choose, findings: Findings) -> Logic:
    """The condition, and the count of a STATS as a threshold. Raises RuleError."""
    first = _first(document)
    packs = choose(first.condition if first is not None else TRUE)
    reading = _reading(document, packs).with_one_count()
    within = look_back(document.rule)
    threshold = reading.threshold(within) if reading.grouped else None
    findings.in_query(reading.diagnostics)
    findings.residue.extend(reading.residue)
    fields = KnownFields(packs)
    condition: Expression = all_of(reading.condition, *around(document, fields, findings))
    words(condition, fields, findings)
    return Logic(
        condition=without_subfields(condition),
        threshold=threshold,
        packs=(packs,),
        output=tuple(OutputField(FieldPath((name,))) for name in reading.shown),
        group_by=reading.by if reading.grouped and threshold is None else (),
    )


def _first(document: Document) -> esql.Reading | None:
    try:
        return _reading(document, ())
    except RuleError:
        return None


def _reading(document: Document, packs: Sequence[Pack]) -> esql.Reading:
    fields = KnownFields(packs)
    text: str = document.rule["query"]
    return esql.read_query(text, fields.by_name, lambda kql: read_kql(kql, fields), strict=False)
