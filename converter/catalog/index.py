"""The index of a catalog: its rules, and for every value who looks for it and who leaves it out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from converter.catalog.keys import Key, folded
from converter.catalog.records import Record, record_of
from converter.catalog.rows import Row, Value
from converter.catalog.sources import Found
from converter.logsources.pack import Pack
from converter.platforms.registry import siem_names


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """All rules, in order of platform, title and key, and what they share.

    ``caseless``: the fields whose letters' case does not count, because some rule of the catalog asks one of
    them in any case. ``subjects``: the fields in each subject. ``seekers`` and ``excluders``: per key, in the
    case rule of its field, the positions in ``records`` of the rules that have it among their indicators, and
    among their exclusions.
    """

    records: tuple[Record, ...]
    caseless: frozenset[str]
    subjects: Mapping[str, tuple[str, ...]]
    seekers: Mapping[Key, tuple[int, ...]]
    excluders: Mapping[Key, tuple[int, ...]]

    def fields_of(self, key: Key) -> tuple[str, ...]:
        """The names of the fields that the subject of a key reads."""
        return self.subjects[key[0]]

    def key(self, row: Row, value: Value) -> Key:
        """The key by which a value of a row is counted: in lower case on a caseless field."""
        return _counted(row, value, self.caseless)

    def seen_by(self, position: int, row: Row, value: Value) -> int:
        """How many rules other than the one at ``position`` look for this value."""
        return _others(self.seekers.get(self.key(row, value), ()), position)

    def left_out_by(self, position: int, row: Row, value: Value) -> int:
        """How many rules other than the one at ``position`` leave this value out."""
        return _others(self.excluders.get(self.key(row, value), ()), position)


def index_of(found: Iterable[Found], packs: Mapping[str, Pack]) -> Index:
    """The index of rules as they were found, without their renderings."""
    platforms = siem_names()
    return build_index(record_of(rule.read, rule.written, packs, platforms) for rule in found)


def build_index(records: Iterable[Record]) -> Index:
    """The index of rules, whatever their order. Keys that two rules share are made different."""
    return index_arranged(tuple(record for _, record in arranged(records)))


def index_arranged(ordered: tuple[Record, ...]) -> Index:
    """The index of records that are in the catalog's order already, each with its own key."""
    caseless = frozenset(
        name for record in ordered for row in rows_of(record) if row.any_case for name in row.fields
    )
    seekers: dict[Key, dict[int, None]] = {}
    excluders: dict[Key, dict[int, None]] = {}
    for position, record in enumerate(ordered):
        for row in record.tables.indicators:
            _note(seekers, row, caseless, position)
        for group in record.tables.exclusions:
            for row in group:
                if not row.negated:
                    _note(excluders, row, caseless, position)
    return Index(
        records=ordered,
        caseless=caseless,
        subjects={v.key[0]: row.fields for record in ordered for row in rows_of(record) for v in row.values},
        seekers={key: tuple(found) for key, found in seekers.items()},
        excluders={key: tuple(found) for key, found in excluders.items()},
    )


def rows_of(record: Record) -> Iterator[Row]:
    """Every row of a rule's tables."""
    yield from record.tables.indicators
    for group in record.tables.exclusions:
        yield from group
    yield from record.tables.inner


def _note(table: dict[Key, dict[int, None]], row: Row, caseless: frozenset[str], position: int) -> None:
    for value in row.values:
        table.setdefault(_counted(row, value, caseless), {})[position] = None


def _counted(row: Row, value: Value, caseless: frozenset[str]) -> Key:
    return folded(value.key) if any(name in caseless for name in row.fields) else value.key


def _others(positions: tuple[int, ...], position: int) -> int:
    return len(positions) - (position in positions)


def arranged(records: Iterable[Record]) -> list[tuple[int, Record]]:
    """The records in the catalog's order, each with its position in the input and a key of its own."""
    taken: Counter[str] = Counter()
    found: list[tuple[int, Record]] = []
    for position, record in sorted(enumerate(records), key=lambda item: _order(item[1])):
        taken[record.key] += 1
        again = taken[record.key]
        key = record.key if again == 1 else f"{record.key}-{again}"
        found.append((position, msgspec.structs.replace(record, key=key)))
    return found


def _order(record: Record) -> tuple[str, ...]:
    return record.platform, record.title.lower(), record.key, record.source, record.text
