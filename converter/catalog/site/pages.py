"""What every page shares: its place, its template, its data, and short forms of rules and values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, TypeAlias

import msgspec

from converter.catalog.coverage import Coverage, coverage_of
from converter.catalog.index import arranged, index_arranged
from converter.catalog.keys import Key
from converter.catalog.prepare import Prepared
from converter.catalog.records import Record
from converter.catalog.renderings import Outcome
from converter.catalog.shares import (
    FalsePositive,
    Overlap,
    Related,
    false_positives,
    normal_text,
    overlaps,
    related,
)
from converter.catalog.site.places import (
    false_positive_place,
    field_place,
    logsource_place,
    rule_place,
    technique_place,
    value_place,
)
from converter.model.attack import attack_table

Data: TypeAlias = dict[str, Any]
"""Plain data that a template shows."""


class Page(msgspec.Struct, frozen=True):
    """A page to write: its place in the site, its template, and the data, on which alone it depends."""

    place: str
    template: str
    data: Data


class Catalog:
    """Everything that pages are made from: the index, and the rules with their renderings in its order."""

    def __init__(self, prepared: Sequence[Prepared]) -> None:
        order = arranged(one.record for one in prepared)
        self.rules = [Prepared(record, prepared[position].packed) for position, record in order]
        self.index = index_arranged(tuple(record for _, record in order))
        self.table = attack_table()

    @property
    def records(self) -> tuple[Record, ...]:
        """The records, in order."""
        return self.index.records

    @cached_property
    def coverage(self) -> Coverage:
        """What of ATT&CK the rules are about."""
        return coverage_of(self.records)

    @cached_property
    def overlaps(self) -> list[Overlap]:
        """The groups of rules that ask the same."""
        return overlaps(self.index)

    @cached_property
    def related(self) -> list[list[Related]]:
        """For each rule those most like it."""
        return related(self.index)

    @cached_property
    def false_positives(self) -> list[FalsePositive]:
        """What rules are known to alert on without harm."""
        return false_positives(self.index)

    @cached_property
    def shared(self) -> frozenset[Key]:
        """The values that have a page: those that two or more rules look for or exclude."""
        index = self.index
        keys = {*index.seekers, *index.excluders}
        return frozenset(
            key for key in keys if len({*index.seekers.get(key, ()), *index.excluders.get(key, ())}) > 1
        )

    @cached_property
    def keys_by_field(self) -> dict[str, list[Key]]:
        """What is asked of each field: the keys, the most looked for first, then in order."""
        found: dict[str, list[Key]] = {}
        for key in sorted({*self.index.seekers, *self.index.excluders}):
            for name in self.index.fields_of(key):
                found.setdefault(name, []).append(key)
        for keys in found.values():
            keys.sort(key=lambda key: -len(self.index.seekers.get(key, ())))
        return found

    @cached_property
    def briefs(self) -> list[Data]:
        """Every rule as lists show it."""
        return [
            {
                "place": rule_place(record),
                "title": record.title,
                "platform": record.platform,
                "severity": record.severity,
                "logsources": record.logsources,
                "techniques": list(
                    dict.fromkeys(tag.partition(":")[2] for tag in record.attack if ":" in tag)
                ),
                "reading": record.reading,
            }
            for record in self.records
        ]

    @cached_property
    def outcomes(self) -> list[tuple[Outcome, ...]]:
        """For each rule what its renderings came to."""
        return [one.outcomes for one in self.rules]

    @cached_property
    def false_positive_pages(self) -> dict[str, str]:
        """Normal text of a false positive that several rules know → its page."""
        shared = (found for found in self.false_positives if len(found.rules) > 1)
        return {normal_text(found.text): false_positive_place(normal_text(found.text)) for found in shared}

    def brief(self, positions: Iterable[int]) -> list[Data]:
        """Rules as lists show them."""
        return [self.briefs[position] for position in positions]

    def value_link(self, key: Key) -> str:
        """Where all rules with a value are shown: its own page, or its field's."""
        return value_place(key) if key in self.shared else field_place(self.index.fields_of(key)[0])

    def value_links(self, key: Key) -> tuple[str, str]:
        """Where the rules are listed that look for a value, and where those that exclude it."""
        link = self.value_link(key)
        return (f"{link}#seekers", f"{link}#excluders") if key in self.shared else (link, link)

    def spread(self, positions: Iterable[int]) -> Data:
        """How many of the rules come from each platform, and how many ask of each log source."""
        records = [self.records[position] for position in positions]
        platforms = Counter(record.platform for record in records)
        logsources = Counter(name for record in records for name in record.logsources)
        return {
            "platforms": most(platforms),
            "logsources": [(name, logsource_place(name), count) for name, count in most(logsources)],
        }

    def tag(self, text: str) -> Data:
        """A reference to ATT&CK with its names and pages."""
        tactic_id, _, technique_id = text.partition(":")
        tactic = self.table.tactics.get(tactic_id)
        technique = self.table.techniques.get(technique_id)
        return {
            "tactic": tactic_id,
            "tactic_name": tactic.name if tactic else "",
            "technique": technique_id,
            "technique_name": technique.full_name if technique else "",
            "place": technique_place(technique.id) if technique else "",
        }


def most(counter: Counter[str]) -> list[tuple[str, int]]:
    """What was counted, the most first, then by name."""
    return sorted(counter.items(), key=lambda item: (-item[1], item[0]))
