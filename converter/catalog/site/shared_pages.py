"""Pages for what rules share: fields, values, techniques, log sources, false positives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from converter.catalog.index import rows_of
from converter.catalog.keys import Key
from converter.catalog.records import log_types
from converter.catalog.shares import normal_text
from converter.catalog.site.pages import Catalog, Data, Page, most
from converter.catalog.site.places import (
    false_positive_place,
    field_place,
    logsource_place,
    technique_place,
    value_place,
)
from converter.logsources.pack import Pack
from converter.platforms.registry import siem_names


def shared_pages(catalog: Catalog, packs: Mapping[str, Pack]) -> Iterator[Page]:
    """Every page about something that rules have in common."""
    yield from _field_pages(catalog)
    yield from _value_pages(catalog)
    yield from _technique_pages(catalog)
    yield from _logsource_pages(catalog, packs)
    yield from _false_positive_pages(catalog)


def fields_of_rules(catalog: Catalog) -> dict[str, dict[int, None]]:
    """Each field that some rule asks of or needs, with the rules."""
    found: dict[str, dict[int, None]] = {}
    for position, record in enumerate(catalog.records):
        for row in rows_of(record):
            for name in row.fields:
                found.setdefault(name, {})[position] = None
        for use in record.needs:
            found.setdefault(use.field, {})[position] = None
    return found


def _field_pages(catalog: Catalog) -> Iterator[Page]:
    keys: dict[str, list[Key]] = {}
    for key in sorted({*catalog.index.seekers, *catalog.index.excluders}):
        for name in catalog.index.fields_of(key):
            keys.setdefault(name, []).append(key)
    for name, rules in sorted(fields_of_rules(catalog).items()):
        values = [_value(catalog, key) for key in keys.get(name, ())]
        values.sort(key=lambda value: -len(value["seekers"]))
        yield Page(
            field_place(name),
            "field.html.j2",
            {
                "name": name,
                "caseless": name in catalog.index.caseless,
                "rules": len(rules),
                "values": [_listed(value) for value in values],
                "unasked": [] if values else catalog.brief(rules),
                **catalog.spread(rules),
            },
        )


def _value(catalog: Catalog, key: Key) -> Data:
    subject, kind, text = key
    return {
        "subject": subject,
        "kind": kind,
        "value": text,
        "seekers": catalog.index.seekers.get(key, ()),
        "excluders": catalog.index.excluders.get(key, ()),
        "place": value_place(key) if key in catalog.shared else "",
        "only": None if key in catalog.shared else _only(catalog, key),
    }


def _only(catalog: Catalog, key: Key) -> Data:
    """The one rule that has a value."""
    (position,) = catalog.index.seekers.get(key) or catalog.index.excluders[key]
    brief = catalog.briefs[position]
    return {"place": brief["place"], "title": brief["title"]}


def _listed(value: Data) -> Data:
    return {**value, "seekers": len(value["seekers"]), "excluders": len(value["excluders"])}


def _value_pages(catalog: Catalog) -> Iterator[Page]:
    for key in sorted(catalog.shared):
        value = _value(catalog, key)
        seekers, excluders = value.pop("seekers"), value.pop("excluders")
        both = [*seekers, *(position for position in excluders if position not in seekers)]
        yield Page(
            value_place(key),
            "value.html.j2",
            {
                **value,
                "fields": [(name, field_place(name)) for name in catalog.index.fields_of(key)],
                "caseless": any(name in catalog.index.caseless for name in catalog.index.fields_of(key)),
                "seekers": catalog.brief(seekers),
                "excluders": catalog.brief(excluders),
                "techniques": _techniques(catalog, seekers),
                **catalog.spread(both),
            },
        )


def _techniques(catalog: Catalog, positions: tuple[int, ...]) -> list[Data]:
    """What the rules at these positions are about, the most common first."""
    tags = Counter(tag for position in positions for tag in catalog.records[position].attack if ":" in tag)
    return [{**catalog.tag(tag), "count": count} for tag, count in most(tags)]


def _technique_pages(catalog: Catalog) -> Iterator[Page]:
    own: dict[str, dict[int, None]] = {}
    below: dict[str, dict[int, None]] = {}
    for entry in catalog.coverage.techniques:
        own.setdefault(entry.technique, {}).update(dict.fromkeys(entry.rules))
        below.setdefault(entry.technique, {}).update(dict.fromkeys(entry.below))
    children: dict[str, list[str]] = {}
    for technique in catalog.table.techniques.values():
        if technique.parent is not None:
            children.setdefault(technique.parent, []).append(technique.id)
    for technique in catalog.table.techniques.values():
        rules = sorted(own[technique.id])
        yield Page(
            technique_place(technique.id),
            "technique.html.j2",
            {
                "id": technique.id,
                "name": technique.full_name,
                "url": technique.url,
                "tactics": [catalog.table.tactics[tactic].name for tactic in technique.tactics],
                "parent": technique.parent and catalog.tag(f":{technique.parent}"),
                "children": [
                    {**catalog.tag(f":{child}"), "count": len(own[child])}
                    for child in children.get(technique.id, ())
                ],
                "rules": catalog.brief(rules),
                "below": len([p for p in below[technique.id] if p not in own[technique.id]]),
                **catalog.spread(rules),
            },
        )


def _logsource_pages(catalog: Catalog, packs: Mapping[str, Pack]) -> Iterator[Page]:
    rules: dict[str, list[int]] = {}
    for position, record in enumerate(catalog.records):
        for name in record.logsources:
            rules.setdefault(name, []).append(position)
    for name, positions in sorted(rules.items()):
        pack = packs.get(name)
        records = [catalog.records[position] for position in positions]
        fields = Counter(use.field for record in records for use in record.needs)
        tags = Counter(tag for record in records for tag in record.attack if ":" in tag)
        yield Page(
            logsource_place(name),
            "logsource.html.j2",
            {
                "name": name,
                "title": pack.title if pack else "",
                "description": pack.description if pack else "",
                "log_types": {} if pack is None else log_types([pack], siem_names()),
                "fields": [(field, field_place(field), count) for field, count in most(fields)],
                "techniques": [{**catalog.tag(tag), "count": count} for tag, count in most(tags)],
                "rules": catalog.brief(positions),
                "platforms": catalog.spread(positions)["platforms"],
            },
        )


def _false_positive_pages(catalog: Catalog) -> Iterator[Page]:
    for found in catalog.false_positives:
        if len(found.rules) < 2:
            continue
        by_technique: dict[str, list[int]] = {}
        for position in found.rules:
            for technique in catalog.briefs[position]["techniques"] or [""]:
                by_technique.setdefault(technique, []).append(position)
        yield Page(
            false_positive_place(normal_text(found.text)),
            "false_positive.html.j2",
            {
                "text": found.text,
                "count": len(found.rules),
                "groups": [
                    (catalog.tag(f":{technique}") if technique else None, catalog.brief(positions))
                    for technique, positions in sorted(by_technique.items())
                ],
            },
        )
