"""The pages about the whole collection: start, lists, matrix, overlaps, losses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from converter.catalog.shares import across, normal_text, shared_values
from converter.catalog.site.pages import Catalog, Data, Page, most
from converter.catalog.site.places import field_place, logsource_place, rule_place, technique_place
from converter.catalog.site.shared_pages import fields_of_rules
from converter.model.rule import Level

_READINGS = ("exact", "wider", "narrower", "partial", "refused")
_NEWEST = 20
_MOST_SHARED = 15
_NEARLY = 0.6
"""How alike two rules of different collections must be to be listed as an overlap."""
_SEVERITIES = tuple(level.value for level in reversed(Level))


def overview_pages(catalog: Catalog) -> Iterator[Page]:
    """Every page about the collection as a whole."""
    for name, data in OVERVIEWS.items():
        yield Page(f"{name}.html", f"{name.replace('-', '_')}.html.j2", data(catalog))


def _start(catalog: Catalog) -> Data:
    records, coverage = catalog.records, catalog.coverage
    bases = [entry for entry in coverage.techniques if "." not in entry.technique]
    return {
        "rules": len(records),
        "platforms": _by_platform(catalog),
        "readings": _READINGS,
        "severities": [
            (name, count) for name in _SEVERITIES if (count := sum(r.severity == name for r in records))
        ],
        "logsources": _logsources(catalog)[:_MOST_SHARED],
        "logsource_count": len({name for record in records for name in record.logsources}),
        "fields": len(fields_of_rules(catalog)),
        "values": len(catalog.index.seekers),
        "shared": sum(len(rules) > 1 for rules in catalog.index.seekers.values()),
        "most": _most_shared(catalog),
        "techniques": len({entry.technique for entry in bases}),
        "covered": len({entry.technique for entry in bases if entry.covered}),
        "newest": _newest(catalog),
    }


def _by_platform(catalog: Catalog) -> list[Data]:
    found: list[Data] = []
    for name, count in most(Counter(record.platform for record in catalog.records)):
        readings = Counter(record.reading for record in catalog.records if record.platform == name)
        found.append({"name": name, "rules": count, "readings": {r: readings[r] for r in _READINGS}})
    return found


def _most_shared(catalog: Catalog) -> list[Data]:
    return [
        {
            "subject": shared.key[0],
            "kind": shared.key[1],
            "value": shared.key[2],
            "count": len(shared.seekers),
            "place": catalog.value_links(shared.key)[0],
        }
        for shared in shared_values(catalog.index)[:_MOST_SHARED]
        if shared.seekers
    ]


def _newest(catalog: Catalog) -> list[Data]:
    """The rules that say of themselves that they were changed last."""
    dated = [
        (record.updated or record.created, position)
        for position, record in enumerate(catalog.records)
        if record.updated or record.created
    ]
    dated.sort(key=lambda item: (item[0], -item[1]), reverse=True)
    return [{**catalog.briefs[position], "date": date} for date, position in dated[:_NEWEST]]


def _logsources(catalog: Catalog) -> list[Data]:
    rules: dict[str, Counter[str]] = {}
    techniques: dict[str, set[str]] = {}
    for record in catalog.records:
        for name in record.logsources:
            rules.setdefault(name, Counter())[record.platform] += 1
            techniques.setdefault(name, set()).update(tag for tag in record.attack if ":" in tag)
    found = [
        {
            "name": name,
            "place": logsource_place(name),
            "rules": counts.total(),
            "platforms": most(counts),
            "techniques": len({tag.partition(":")[2].partition(".")[0] for tag in techniques[name]}),
        }
        for name, counts in rules.items()
    ]
    return sorted(found, key=lambda entry: (-entry["rules"], entry["name"]))


def _fields(catalog: Catalog) -> Data:
    values = {name: len(keys) for name, keys in catalog.keys_by_field.items()}
    return {
        "fields": [
            (name, field_place(name), len(rules), values.get(name, 0))
            for name, rules in sorted(
                fields_of_rules(catalog).items(), key=lambda item: (-len(item[1]), item[0])
            )
        ]
    }


def _matrix(catalog: Catalog) -> Data:
    """The matrix: per tactic its techniques, each with its sub-techniques."""
    entries = {(entry.tactic, entry.technique): entry for entry in catalog.coverage.techniques}
    columns: list[Data] = []
    for tactic in catalog.table.tactics.values():
        cells: dict[str, Data] = {}
        for (of, technique), entry in sorted(entries.items()):
            known = catalog.table.techniques[technique]
            if of != tactic.id:
                continue
            cell = {
                "id": technique,
                "name": known.name,
                "place": technique_place(technique),
                "count": len(entry.rules) + len(entry.below),
                "children": [],
            }
            if known.parent in cells:
                cells[known.parent]["children"].append(cell)
            else:
                cells[technique] = cell
        columns.append({"id": tactic.id, "name": tactic.name, "cells": list(cells.values())})
    return {
        "columns": columns,
        "version": catalog.table.version,
        "without": len(catalog.coverage.without),
        "unread": len(catalog.coverage.unread),
        "platforms": sorted({record.platform for record in catalog.records}),
        "logsources": sorted({name for record in catalog.records for name in record.logsources}),
    }


def _false_positives(catalog: Catalog) -> Data:
    pages = catalog.false_positive_pages
    telling = {position for found in catalog.false_positives for position in found.rules}
    return {
        "rules": len(catalog.records),
        "silent": len(catalog.records) - len(telling),
        "entries": [
            {
                "text": found.text,
                "place": pages.get(normal_text(found.text), ""),
                "count": len(found.rules),
                "techniques": [
                    (name, technique_place(name))
                    for name in dict.fromkeys(
                        name for position in found.rules for name in catalog.briefs[position]["techniques"]
                    )
                    if name in catalog.table.techniques
                ],
                "rule": catalog.briefs[found.rules[0]] if len(found.rules) == 1 else None,
            }
            for found in catalog.false_positives
        ],
    }


def _overlaps(catalog: Catalog) -> Data:
    groups = [
        {
            "logsource": (overlap.logsource, logsource_place(overlap.logsource)),
            "across": across(catalog.index, overlap),
            "rules": catalog.brief(overlap.rules),
            "condition": catalog.records[overlap.rules[0]].condition,
        }
        for overlap in catalog.overlaps
    ]
    near = [
        (other.likeness, one, other.rule)
        for one, found in enumerate(catalog.related)
        for other in found
        if other.likeness >= _NEARLY
        and one < other.rule
        and catalog.records[one].platform != catalog.records[other.rule].platform
        and catalog.records[one].normal != catalog.records[other.rule].normal
    ]
    near.sort(key=lambda pair: (-pair[0], pair[1:]))
    return {
        "near": [(alike, catalog.briefs[one], catalog.briefs[other]) for alike, one, other in near],
        "across": [group for group in groups if group["across"]],
        "within": [group for group in groups if not group["across"]],
    }


def _losses(catalog: Catalog) -> Data:
    """What renderings lose, by origin and target, and which rules could not be read whole."""
    fidelity: dict[tuple[str, str], Counter[str]] = {}
    losses: dict[tuple[str, str], list[int]] = {}
    for position, record in enumerate(catalog.records):
        for outcome in catalog.outcomes[position]:
            fidelity.setdefault((record.platform, outcome.platform), Counter())[outcome.fidelity] += 1
            for code in dict.fromkeys(loss.code for loss in outcome.losses):
                losses.setdefault((outcome.platform, code), []).append(position)
    read: dict[tuple[str, str], list[int]] = {}
    for position, record in enumerate(catalog.records):
        for code in dict.fromkeys(f.code for f in record.findings if f.effect is not None):
            read.setdefault((record.platform, code), []).append(position)
    return {
        "readings": _READINGS,
        "platforms": _by_platform(catalog),
        "fidelity": [(origin, target, dict(counts)) for (origin, target), counts in sorted(fidelity.items())],
        "losses": _by_code(catalog, losses),
        "reading_losses": _by_code(catalog, read),
        "refused": [
            {
                "place": rule_place(record),
                "title": record.title,
                "platform": record.platform,
                "why": next((f.message for f in record.findings if f.effect is not None), ""),
            }
            for record in catalog.records
            if record.reading == "refused"
        ],
    }


def _by_code(catalog: Catalog, found: dict[tuple[str, str], list[int]]) -> list[Data]:
    ordered = sorted(found.items(), key=lambda item: (item[0][0], -len(item[1]), item[0][1]))
    return [
        {"platform": platform, "code": code, "count": len(rules), "example": catalog.briefs[rules[0]]}
        for (platform, code), rules in ordered
    ]


OVERVIEWS: Final[Mapping[str, Callable[[Catalog], Data]]] = {
    "index": _start,
    "rules": lambda catalog: {"rules": len(catalog.records)},
    "fields": _fields,
    "attack": _matrix,
    "logsources": lambda catalog: {"logsources": _logsources(catalog)},
    "false-positives": _false_positives,
    "overlaps": _overlaps,
    "losses": _losses,
    "about": lambda catalog: {"attack": catalog.table.version},
}
"""The pages about the whole, with their data."""
