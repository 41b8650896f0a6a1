"""MITRE ATT&CK references as Elastic's ``threat`` blocks (detection-rules, "ThreatMapping")."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import msgspec

from converter.model.attack import AttackTable, Technique, attack_table
from converter.model.losses import Losses
from converter.model.rule import AttackTag

_FRAMEWORK = "MITRE ATT&CK"


class Entry(msgspec.Struct, frozen=True):
    """A tactic, technique or sub-technique with its page."""

    id: str
    name: str
    reference: str


class ThreatTechnique(msgspec.Struct, frozen=True):
    """A technique and its sub-techniques."""

    entry: Entry
    subtechniques: tuple[Entry, ...]


class Threat(msgspec.Struct, frozen=True):
    """One block: a tactic and its techniques."""

    tactic: Entry
    techniques: tuple[ThreatTechnique, ...]
    framework: str = _FRAMEWORK


def threats(tags: Sequence[AttackTag], losses: Losses) -> tuple[Threat, ...]:
    """One block per tactic, in the order the rule names them."""
    blocks, unknown = _threats(tuple(tags))
    for name in unknown:
        losses.note("technique", f"{name} is not in the ATT&CK table and left out of the threat mapping")
    return blocks


@lru_cache(maxsize=1024)
def _threats(tags: tuple[AttackTag, ...]) -> tuple[tuple[Threat, ...], tuple[str, ...]]:
    table = attack_table()
    grouped: dict[str, dict[str, list[Entry]]] = {}
    unknown: list[str] = []
    for tag in tags:
        if tag.tactic not in table.tactics:
            unknown.append(tag.tactic)
            continue
        techniques = grouped.setdefault(tag.tactic, {})
        if tag.technique is None:
            continue
        found = table.techniques.get(tag.technique)
        parent = found and (found.parent or found.id)
        if found is None or parent not in table.techniques:
            unknown.append(tag.technique)
            continue
        below = techniques.setdefault(str(parent), [])
        if found.parent is not None and (entry := _entry(found)) not in below:
            below.append(entry)
    return tuple(_block(table, tactic, grouped[tactic]) for tactic in grouped), tuple(unknown)


def _block(table: AttackTable, tactic_id: str, techniques: dict[str, list[Entry]]) -> Threat:
    tactic = table.tactics[tactic_id]
    return Threat(
        Entry(tactic.id, tactic.name, tactic.url),
        tuple(
            ThreatTechnique(_entry(table.techniques[technique]), tuple(below))
            for technique, below in techniques.items()
        ),
    )


def _entry(technique: Technique) -> Entry:
    return Entry(technique.id, technique.name, technique.url)
