"""Lists over a whole catalog: which values are shared most and least, and which rules ask the same."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from converter.catalog.index import Index
from converter.catalog.keys import Key


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    """A value with its key and the rules that look for it, and that leave it out (positions in the index)."""

    key: Key
    seekers: tuple[int, ...] = ()
    excluders: tuple[int, ...] = ()


class Overlap(msgspec.Struct, frozen=True):
    """Rules of one log source that ask the same, the case of letters aside."""

    logsource: str
    rules: tuple[int, ...]


class FalsePositive(msgspec.Struct, frozen=True):
    """Something harmless that rules alert on: a text, as the first of them writes it, and the rules."""

    text: str
    rules: tuple[int, ...]


def false_positives(index: Index) -> list[FalsePositive]:
    """Every known false positive, the most common first; texts that differ in case, blanks and a final stop
    alone are one.
    """
    texts: dict[str, str] = {}
    found: dict[str, dict[int, None]] = {}
    for position, record in enumerate(index.records):
        for text in record.false_positives:
            key = normal_text(text)
            texts.setdefault(key, " ".join(text.split()))
            found.setdefault(key, {})[position] = None
    ordered = sorted(found, key=lambda key: (-len(found[key]), key))
    return [FalsePositive(texts[key], tuple(found[key])) for key in ordered if key]


def normal_text(text: str) -> str:
    """What is compared of a false positive's text."""
    return " ".join(text.lower().split()).rstrip(".")


def shared_values(index: Index) -> list[Shared]:
    """Every value of the catalog, the most looked for first, then by key."""
    keys = sorted({*index.seekers, *index.excluders})
    found = [
        Shared(key=key, seekers=index.seekers.get(key, ()), excluders=index.excluders.get(key, ()))
        for key in keys
    ]
    return sorted(found, key=lambda shared: -len(shared.seekers))


def overlaps(index: Index) -> list[Overlap]:
    """Groups of two or more rules with one normal form and a log source in common, the largest first."""
    groups: dict[tuple[str, str], list[int]] = {}
    for position, record in enumerate(index.records):
        for logsource in record.logsources:
            if record.normal:
                groups.setdefault((record.normal, logsource), []).append(position)
    found = {tuple(rules): logsource for (_, logsource), rules in groups.items() if len(rules) > 1}
    ordered = sorted(found.items(), key=lambda item: (-len(item[0]), item))
    return [Overlap(logsource, rules) for rules, logsource in ordered]


def across(index: Index, overlap: Overlap) -> bool:
    """Whether the rules of an overlap come from more than one platform."""
    return len(set(_platforms(index, overlap))) > 1


def _platforms(index: Index, overlap: Overlap) -> Iterator[str]:
    return (index.records[position].platform for position in overlap.rules)
