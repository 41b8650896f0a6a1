"""Lists over a whole catalog: values that are shared, rules that ask the same or nearly, false positives."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import msgspec

from converter.catalog.index import Index
from converter.catalog.keys import Key

COMMON: Final = 100
"""Values that more rules than this look for say nothing about how alike two rules are."""


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    """A value with its key and the rules that look for it, and that leave it out (positions in the index)."""

    key: Key
    seekers: tuple[int, ...] = ()
    excluders: tuple[int, ...] = ()


class Overlap(msgspec.Struct, frozen=True):
    """Rules of one log source that ask the same, the case of letters aside."""

    logsource: str
    rules: tuple[int, ...]


class Related(msgspec.Struct, frozen=True):
    """Another rule (its position in the index), and how alike the two are: above 0, and 1 at most."""

    rule: int
    likeness: float


class FalsePositive(msgspec.Struct, frozen=True):
    """Something harmless that rules alert on: a text, as the first of them writes it, and the rules."""

    text: str
    rules: tuple[int, ...]


_NONE_KNOWN: Final = frozenset(
    {
        "",
        "-",
        "false positives may be present, filter as needed",
        "highly unlikely",
        "likely",
        "n/a",
        "no false positives have been identified at this time",
        "no known false positives",
        "none",
        "none at this time",
        "none identified",
        "none known",
        "tbd",
        "there are no known false positives",
        "unknown",
        "unknown. filter as needed",
        "unlikely",
        "very unlikely",
    }
)
"""Normal texts that stand where false positives do and name none."""


def false_positives(index: Index) -> list[FalsePositive]:
    """Every known false positive, the most common first; texts that differ in case, blanks and a final stop
    alone are one, and texts that name nothing are none.
    """
    texts: dict[str, str] = {}
    found: dict[str, dict[int, None]] = {}
    for position, record in enumerate(index.records):
        for text in record.false_positives:
            key = normal_text(text)
            if key in _NONE_KNOWN:
                continue
            texts.setdefault(key, " ".join(text.split()))
            found.setdefault(key, {})[position] = None
    ordered = sorted(found, key=lambda key: (-len(found[key]), key))
    return [FalsePositive(texts[key], tuple(found[key])) for key in ordered]


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


def related(index: Index, most: int = 5, least: float = 0.2) -> list[list[Related]]:
    """For each rule those most like it, the most first: at most ``most``, each at least ``least`` alike.

    Likeness is the cosine of the rules' indicators, in which a value that n rules look for weighs
    1/log2(1 + n); values of more than :data:`COMMON` rules weigh nothing.
    """
    weights = {
        key: 1 / math.log2(1 + len(rules)) for key, rules in index.seekers.items() if len(rules) <= COMMON
    }
    squares = [0.0] * len(index.records)
    products: list[dict[int, float]] = [{} for _ in index.records]
    for key, weight in weights.items():
        rules = index.seekers[key]
        for one in rules:
            squares[one] += weight * weight
            for other in rules:
                if other != one:
                    products[one][other] = products[one].get(other, 0.0) + weight * weight
    found: list[list[Related]] = []
    for one, shared in enumerate(products):
        alike = [
            Related(other, round(product / math.sqrt(squares[one] * squares[other]), 2))
            for other, product in shared.items()
        ]
        alike.sort(key=lambda other: (-other.likeness, other.rule))
        found.append([other for other in alike[:most] if other.likeness >= least])
    return found


def across(index: Index, overlap: Overlap) -> bool:
    """Whether the rules of an overlap come from more than one platform."""
    return len(set(_platforms(index, overlap))) > 1


def _platforms(index: Index, overlap: Overlap) -> Iterator[str]:
    return (index.records[position].platform for position in overlap.rules)
