"""A page for each rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from converter.catalog.renderings import Rendering
from converter.catalog.rows import Row
from converter.catalog.shares import normal_text
from converter.catalog.site.pages import Catalog, Data, Page
from converter.catalog.site.places import field_place, logsource_place, rule_place
from converter.model.diagnostics import Diagnostic, Severity

_PLAIN = (
    "platform source id title kind reading description severity status tags references query language "
    "condition correlation "
    "output alert runbook author created updated risk residue written text"
).split()


def rule_pages(catalog: Catalog) -> Iterator[Page]:
    """The pages of all rules."""
    same: dict[int, dict[int, None]] = {}
    for overlap in catalog.overlaps:
        for position in overlap.rules:
            same.setdefault(position, {}).update(dict.fromkeys(overlap.rules))
    for position, one in enumerate(catalog.rules):
        others = (other for other in same.get(position, ()) if other != position)
        data = {
            **_facts(catalog, position),
            **_told(one.renderings),
            "same": catalog.brief(others),
            "related": [
                {**catalog.briefs[other.rule], "likeness": other.likeness}
                for other in catalog.related[position]
            ],
        }
        yield Page(rule_place(one.record), "rule.html.j2", data)


def _facts(catalog: Catalog, position: int) -> Data:
    record, tables = catalog.records[position], catalog.records[position].tables
    pages = catalog.false_positive_pages
    return {
        **{name: getattr(record, name) for name in _PLAIN},
        "logsources": [(name, logsource_place(name)) for name in record.logsources],
        "log_types": record.log_types,
        "entities": record.entities,
        "attack": [catalog.tag(tag) for tag in record.attack],
        "indicators": [_row(catalog, position, row) for row in tables.indicators],
        "exclusions": [[_row(catalog, position, row) for row in group] for group in tables.exclusions],
        "inner": [_row(catalog, position, row) for row in tables.inner],
        "stepped": len({row.step for row in tables.indicators}) > 1,
        "needs": [(use.field, field_place(use.field), use.stored) for use in record.needs],
        "stored_on": list(dict.fromkeys(name for use in record.needs for name in use.stored)),
        "false_positives": [(text, pages.get(normal_text(text), "")) for text in record.false_positives],
        "tests": [(test.name, test.expect, test.events) for test in record.tests],
        "settings": _settings(record.settings),
        "findings": [_finding(finding) for finding in record.findings if finding.effect is not None],
        "remarks": _remarks(record.findings),
    }


def _row(catalog: Catalog, position: int, row: Row) -> Data:
    index = catalog.index
    values = []
    for value in row.values:
        links = catalog.value_links(index.key(row, value))
        values.append(
            (value.text, links, index.seen_by(position, row, value), index.left_out_by(position, row, value))
        )
    return {
        "field": row.field,
        "place": field_place(row.fields[0]) if row.fields else "",
        "kind": row.kind,
        "operands": values,
        "any_case": row.any_case,
        "all_of": row.all_of,
        "alone": row.alone,
        "negated": row.negated,
        "step": row.step + 1,
    }


def _told(renderings: Iterable[Rendering]) -> Data:
    """What the platforms make of a rule: the query first, then its files."""
    return {
        "renderings": [
            {
                "platform": rendering.platform,
                "fidelity": rendering.fidelity,
                "language": rendering.language,
                "reason": rendering.reason,
                "query": rendering.query,
                "files": [(file.path, file.text) for file in rendering.files if file.text != rendering.query],
                "losses": [_finding(loss) for loss in rendering.losses],
                "notes": rendering.notes,
                "macros": rendering.macros,
            }
            for rendering in renderings
        ]
    }


def _finding(finding: Diagnostic) -> Data:
    return {
        "code": finding.code,
        "effect": str(finding.effect or ""),
        "message": finding.message,
        "hint": finding.hint or "",
        "line": finding.line,
    }


def _remarks(findings: Iterable[Diagnostic]) -> list[str]:
    """What a reading noticed that changes no alert."""
    return list(
        dict.fromkeys(f.message for f in findings if f.effect is None and f.severity is Severity.NOTE)
    )


def _settings(settings: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """What is set per platform, each value as text."""
    return [
        (platform, name, _as_text(value))
        for platform, entry in settings.items()
        for name, value in entry.items()
    ]


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
        return ", ".join(map(str, value))
    return msgspec.json.encode(value).decode()
