"""Pages for what rules share: fields, values, techniques, log sources, false positives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from converter.catalog.index import rows_of
from converter.catalog.keys import Key
from converter.catalog.records import log_types
from converter.catalog.shares import normal_text
from converter.catalog.site.pages import Catalog, Data, Page, most
from converter.catalog.site.places import (
    false_positive_place,
    field_place,
    logsource_place,
    rare_place,
    technique_place,
    value_place,
)
from converter.logsources.pack import Pack
from converter.platforms.registry import siem_names

_MOST_RARE = 300
"""Values that one rule alone has, on the page of their field; of more there is a page of their own."""


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
    for name, rules in sorted(fields_of_rules(catalog).items()):
        keys = catalog.keys_by_field.get(name, [])
        rare = _rare(catalog, name)
        apart = rare_place(name) if has_rare_page(catalog, name) else ""
        yield Page(
            field_place(name),
            "field.html.j2",
            {
                "name": name,
                "caseless": name in catalog.index.caseless,
                "rules": len(rules),
                "values": [_shared(catalog, key) for key in keys if key in catalog.shared],
                "rare_count": sum(key not in catalog.shared for key in keys),
                "rare": [] if apart else rare,
                "apart": apart,
                "unasked": [] if keys else catalog.brief(rules),
                **catalog.spread(rules),
            },
        )
        if apart:
            yield Page(
                apart, "rare.html.j2", {"name": name, "place_of_field": field_place(name), "rare": rare}
            )


def has_rare_page(catalog: Catalog, name: str) -> bool:
    """Whether the values that one rule alone has are so many that they have a page of their own."""
    keys = catalog.keys_by_field.get(name, ())
    return sum(key not in catalog.shared for key in keys) > _MOST_RARE


def _shared(catalog: Catalog, key: Key) -> Data:
    subject, kind, text = key
    return {
        "subject": subject,
        "kind": kind,
        "value": text,
        "seekers": len(catalog.index.seekers.get(key, ())),
        "excluders": len(catalog.index.excluders.get(key, ())),
        "place": value_place(key),
    }


def _rare(catalog: Catalog, name: str) -> list[Data]:
    """The values of a field that one rule alone has: by rule, and there by subject, kind and use."""
    found: dict[int, dict[tuple[str, str, bool], list[str]]] = {}
    for key in catalog.keys_by_field.get(name, ()):
        if key not in catalog.shared:
            seekers = catalog.index.seekers.get(key, ())
            (position,) = seekers or catalog.index.excluders[key]
            subject, kind, text = key
            found.setdefault(position, {}).setdefault((subject, kind, not seekers), []).append(text)
    return [
        {
            **catalog.briefs[position],
            "asked": [(*asked, values) for asked, values in sorted(found[position].items())],
        }
        for position in sorted(found)
    ]


def _value_pages(catalog: Catalog) -> Iterator[Page]:
    for key in sorted(catalog.shared):
        subject, kind, text = key
        seekers, excluders = catalog.index.seekers.get(key, ()), catalog.index.excluders.get(key, ())
        both = [*seekers, *(position for position in excluders if position not in seekers)]
        yield Page(
            value_place(key),
            "value.html.j2",
            {
                "subject": subject,
                "kind": kind,
                "value": text,
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
        under = [position for position in sorted(below[technique.id]) if position not in own[technique.id]]
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
                "below": catalog.brief(under),
                **catalog.spread([*rules, *under]),
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
        tags = Counter(tag for record in records for tag in _with_parents(record.attack))
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


def _with_parents(tags: Iterable[str]) -> set[str]:
    """The techniques among the tags, and those that they are sub-techniques of, under the same tactics."""
    named = {tag for tag in tags if ":" in tag}
    return named | {tag.partition(".")[0] for tag in named}


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
