"""The data that pages load as scripts, because a page opened from a file system may not fetch anything.

``data/rules.js`` has what lists, filters and the matrix need; ``data/search.js`` the texts to search in, and
is loaded when somebody searches. Both assign plain JSON, which is JavaScript since ECMAScript 2019.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from converter.catalog.index import rows_of
from converter.catalog.records import Record
from converter.catalog.renderings import Outcome
from converter.catalog.site.environment import visible
from converter.catalog.site.pages import Catalog
from converter.catalog.site.places import field_place, logsource_place, rule_place, technique_place
from converter.catalog.site.shared_pages import fields_of_rules
from converter.platforms.base import File

_LONGEST = 4000
"""Characters of a rule's fields and values that are searched; some rules list thousands of hashes."""


def data_files(catalog: Catalog) -> Iterator[File]:
    """The scripts with data."""
    yield File("data/rules.js", _script("CATALOG", _rules(catalog)))
    yield File("data/search.js", _script("CATALOG_TEXT", _texts(catalog)))


def _script(name: str, value: Any) -> str:
    return f"window.{name} = {msgspec.json.encode(value).decode()};\n"


def _rules(catalog: Catalog) -> dict[str, Any]:
    """Tables of names, and per rule: place, title, then numbers into the tables."""
    platforms, severities, logsources, tags, readings, written, losses = (_Numbers() for _ in range(7))
    rules = [
        [
            rule_place(record),
            visible(record.title),
            platforms[record.platform],
            severities[record.severity],
            [logsources[name] for name in record.logsources],
            [tags[tag] for tag in record.attack],
            readings[record.reading],
            [written[f"{outcome.platform}: {outcome.fidelity}"] for outcome in outcomes],
            [losses[name] for name in dict.fromkeys(_lost(record, outcomes))],
        ]
        for record, outcomes in zip(catalog.records, catalog.outcomes, strict=True)
    ]
    return {
        "platforms": platforms.names,
        "severities": severities.names,
        "logsources": logsources.names,
        "tags": tags.names,
        "readings": readings.names,
        "written": written.names,
        "losses": losses.names,
        "tactics": {tactic.id: tactic.name for tactic in catalog.table.tactics.values()},
        "rules": rules,
    }


def _lost(record: Record, outcomes: Iterable[Outcome]) -> Iterator[str]:
    """What was lost in reading a rule, and on each platform."""
    for finding in record.findings:
        if finding.effect is not None:
            yield f"reading: {finding.code}"
    for outcome in outcomes:
        yield from (f"{outcome.platform}: {loss.code}" for loss in outcome.losses)


class _Numbers:
    """Names numbered in the order in which they are met."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __getitem__(self, name: str) -> int:
        return self._numbers.setdefault(name, len(self._numbers))

    @property
    def names(self) -> list[str]:
        return [visible(name) for name in self._numbers]


def _texts(catalog: Catalog) -> dict[str, Any]:
    """Per rule, in order, what is searched beside its title; then the other pages: kind, title, place."""
    table = catalog.table
    covered = {entry.technique for entry in catalog.coverage.techniques if entry.covered}
    others = [["field", name, field_place(name)] for name in fields_of_rules(catalog)]
    others += [
        ["technique", f"{technique.id} {technique.full_name}", technique_place(technique.id)]
        for technique in table.techniques.values()
        if technique.id in covered
    ]
    names = dict.fromkeys(name for record in catalog.records for name in record.logsources)
    others += [["log source", name, logsource_place(name)] for name in names]
    return {"rules": [_text(catalog, record) for record in catalog.records], "others": others}


def _text(catalog: Catalog, record: Record) -> list[str]:
    """A rule's id and techniques, its fields, and its values."""
    known = catalog.table.techniques
    ids = [tag.partition(":")[2] for tag in record.attack]
    names = [known[technique].full_name for technique in ids if technique in known]
    rows = [*rows_of(record)]
    fields = dict.fromkeys(name for row in rows for name in row.fields)
    values = dict.fromkeys(value.text for row in rows for value in row.values)
    return [
        visible(" ".join([record.id, *ids, *names])),
        visible(" ".join(fields)),
        visible(" ".join(values)[:_LONGEST]),
    ]
