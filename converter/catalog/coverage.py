"""Which of ATT&CK's techniques the rules of a catalog are about, and which none is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from converter.catalog.records import Record
from converter.model.attack import AttackTable, attack_table

_LAYER_VERSIONS = {"navigator": "5.1.0", "layer": "4.5"}
_COLOURS = ["#ffffff", "#1f6f8b"]


class Covered(msgspec.Struct, frozen=True, kw_only=True):
    """A technique under one of its tactics. ``rules``: the positions of those that name it itself;
    ``below``: of those that name one of its sub-techniques and not it.
    """

    tactic: str
    technique: str
    rules: tuple[int, ...] = ()
    below: tuple[int, ...] = ()

    @property
    def covered(self) -> bool:
        """Whether a rule names it, or a sub-technique of it."""
        return bool(self.rules or self.below)


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """Every technique of the table under every tactic of its own, covered or not, in the table's order.

    ``tactics``: per tactic, the positions of the rules that name it or a technique under it.
    ``without``: of the rules that name nothing of ATT&CK; ``unread``: of those among them that were refused.
    """

    techniques: tuple[Covered, ...]
    tactics: Mapping[str, tuple[int, ...]]
    without: tuple[int, ...]
    unread: tuple[int, ...]


def coverage_of(records: Iterable[Record], table: AttackTable | None = None) -> Coverage:
    """The coverage by rules, whose positions are those in the order given."""
    known = table or attack_table()
    named: dict[tuple[str, str], dict[int, None]] = {}
    tactics: dict[str, dict[int, None]] = {tactic: {} for tactic in known.tactics}
    without: list[int] = []
    unread: list[int] = []
    for position, record in enumerate(records):
        if not record.attack:
            without.append(position)
            if record.reading == "refused":
                unread.append(position)
        for tag in record.attack:
            tactic, _, technique = tag.partition(":")
            tactics.setdefault(tactic, {})[position] = None
            if technique:
                named.setdefault((tactic, technique), {})[position] = None
    return Coverage(
        techniques=tuple(_covered(known, named)),
        tactics={tactic: tuple(found) for tactic, found in tactics.items()},
        without=tuple(without),
        unread=tuple(unread),
    )


def navigator_layer(name: str, records: Iterable[Record], table: AttackTable | None = None) -> dict[str, Any]:
    """The coverage as a layer for the ATT&CK Navigator, the number of rules as score.

    Format: mitre-attack/attack-navigator, layers/spec/v4.5/layerformat.md.
    """
    known = table or attack_table()
    listed = tuple(records)
    covered = [entry for entry in coverage_of(listed, known).techniques if entry.rules]
    return {
        "name": name,
        "versions": {"attack": known.version.partition(".")[0], **_LAYER_VERSIONS},
        "domain": "enterprise-attack",
        "description": f"Techniques that {len(listed)} detection rules name; the score is their number.",
        "techniques": [
            {
                "techniqueID": entry.technique,
                "tactic": known.tactics[entry.tactic].slug,
                "score": len(entry.rules),
                "comment": _comment([listed[position].title for position in entry.rules]),
                "enabled": True,
                "showSubtechniques": True,
            }
            for entry in covered
        ],
        "gradient": {
            "colors": _COLOURS,
            "minValue": 0,
            "maxValue": max((len(entry.rules) for entry in covered), default=1),
        },
    }


_MOST_TITLES = 20


def _comment(titles: list[str]) -> str:
    more = len(titles) - _MOST_TITLES
    return "\n".join([*titles[:_MOST_TITLES], *([f"and {more} more"] if more > 0 else [])])


def _covered(table: AttackTable, named: Mapping[tuple[str, str], Mapping[int, None]]) -> Iterable[Covered]:
    below: dict[tuple[str, str], dict[int, None]] = {}
    for (tactic, technique), found in named.items():
        parent, dot, _ = technique.partition(".")
        if dot:
            below.setdefault((tactic, parent), {}).update(found)
    for known in table.techniques.values():
        for tactic in known.tactics:
            own = named.get((tactic, known.id), {})
            yield Covered(
                tactic=tactic,
                technique=known.id,
                rules=tuple(own),
                below=tuple(p for p in sorted(below.get((tactic, known.id), ())) if p not in own),
            )
