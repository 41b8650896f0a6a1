"""From sources to an index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from converter.catalog.index import Index, build_index
from converter.catalog.records import Record, record_of
from converter.catalog.sources import Found
from converter.logsources.pack import Pack
from converter.platforms.registry import siem_names


def index_of(
    found: Iterable[Found], packs: Mapping[str, Pack], advance: Callable[[int], None] | None = None
) -> Index:
    """The index of the rules found. ``advance`` is told of every rule done."""
    platforms = siem_names()
    records: list[Record] = []
    for rule in found:
        records.append(record_of(rule.read, rule.original, packs, platforms))
        if advance is not None:
            advance(1)
    return build_index(records)
