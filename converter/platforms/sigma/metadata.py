"""What a Sigma rule says about itself, as the canonical rule says it.

Everything here is lenient: a mistake in a description changes no alert, so it is a note, never a refusal.
Sources: Sigma specification, "Sigma rules specification" (attributes) and "Tags appendix" (attack.*).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date
from pathlib import PurePath
from typing import Any, Final

from converter.model.attack import attack_table
from converter.model.paths import FieldPath
from converter.model.rule import AttackTag, Level, OutputField, Status
from converter.model.tables import MAX_PATH_CHARACTERS

Note = Callable[[str, str, str, "str | None"], None]
"""Takes the code, the message, the attribute and a hint of something worth knowing."""

NAMESPACE: Final = uuid.UUID("b9a8ad2c-64a2-5d0e-9f0c-5a6f0d4f4a3e")
"""Of the ids that are made for rules whose own is no UUID."""

OWN_TAGS: Final = "custom."
"""The namespace of tags that have none in the canonical rule."""

LEVELS: Final[Mapping[str, Level]] = {
    "informational": Level.INFO,
    "low": Level.LOW,
    "medium": Level.MEDIUM,
    "high": Level.HIGH,
    "critical": Level.CRITICAL,
}
STATUSES: Final[Mapping[str, Status]] = {
    "stable": Status.STABLE,
    "test": Status.TEST,
    "experimental": Status.EXPERIMENTAL,
    "deprecated": Status.DEPRECATED,
    "unsupported": Status.DEPRECATED,
}
_DATE: Final = re.compile(r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})(?:[T ].*)?")
_TECHNIQUE: Final = re.compile(r"t[0-9]{4}(\.[0-9]{3})?", re.IGNORECASE)
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_LINE_BREAKS: Final = re.compile(r"[\s\x85\u2028\u2029]+")


def line(value: Any) -> str:
    """A value as one line of text; empty if nothing is left."""
    return _LINE_BREAKS.sub(" ", _CONTROLS.sub(" ", _text(value))).strip()


def prose(value: Any) -> str:
    """A value as text that may have several lines."""
    return _CONTROLS.sub(" ", _text(value)).strip()


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else "" if value is None else str(value)


def identity(data: Mapping[str, Any], file: str, number: int) -> tuple[str, str]:
    """The canonical id, and the id that the rule gives itself (its name or place, if it gives none)."""
    own = line(data.get("id"))
    try:
        return str(uuid.UUID(own)), own
    except ValueError:
        named = own or line(data.get("name")) or f"{PurePath(file).name}#{number}"
        return str(uuid.uuid5(NAMESPACE, f"sigma:{named}")), named


def title(data: Mapping[str, Any], file: str) -> str:
    """The rule's title; without one its name, or the file's."""
    return line(data.get("title")) or line(data.get("name")) or PurePath(file).stem or "Untitled rule"


def fields(data: Mapping[str, Any], note: Note) -> dict[str, Any]:
    """The parts of a canonical rule that describe it, by the names they have there."""
    tags = [line(tag) for tag in _list(data.get("tags"))]
    attack, others = attack_tags([tag for tag in tags if tag], note)
    return {
        "description": prose(data.get("description")),
        "severity": _level(data, note),
        "status": _status(data, note),
        "attack": attack,
        "tags": others,
        "references": _lines(data.get("references")),
        "false_positives": tuple(filter(None, map(prose, _list(data.get("falsepositives"))))),
        "author": line(data.get("author")) or None,
        "created": _date(data, "date", note),
        "updated": _date(data, "modified", note),
        "output": tuple(OutputField(FieldPath((name,))) for name in _names(data.get("fields"))),
        "platforms": _settings(data),
    }


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _lines(value: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, map(line, _list(value)))))


def _names(value: Any) -> tuple[str, ...]:
    return tuple(name for name in _lines(value) if len(name) <= MAX_PATH_CHARACTERS)


def _level(data: Mapping[str, Any], note: Note) -> Level:
    text = line(data.get("level")).lower()
    if text in LEVELS:
        return LEVELS[text]
    if text:
        note("level", f"{text!r} is no level; read as medium", "level", f"levels: {', '.join(LEVELS)}")
    return Level.MEDIUM


def _status(data: Mapping[str, Any], note: Note) -> Status:
    text = line(data.get("status")).lower()
    if text in STATUSES:
        if text == "unsupported":
            note("status", "the status unsupported is read as deprecated", "status", None)
        return STATUSES[text]
    if text:
        note("status", f"{text!r} is no status; read as test", "status", f"statuses: {', '.join(STATUSES)}")
    return Status.TEST


def _date(data: Mapping[str, Any], key: str, note: Note) -> str | None:
    text = line(data.get(key))
    if not text:
        return None
    match = _DATE.fullmatch(text)
    if match is not None:
        year, month, day = map(int, match.groups())
        with suppress(ValueError):
            return date(year, month, day).isoformat()
    note("date", f"{text!r} is no date", key, "write it as YYYY-MM-DD")
    return None


def attack_tags(tags: list[str], note: Note) -> tuple[tuple[AttackTag, ...], tuple[str, ...]]:
    """ATT&CK references, each technique under those of the rule's tactics that it belongs to; other tags.

    A technique without such a tactic goes under the first of its own; a tactic without such a technique
    stands alone. What the table does not know stays a tag.
    """
    table = attack_table()
    tactics: dict[str, str] = {}
    techniques: list[str] = []
    others: list[str] = []
    for tag in tags:
        name = tag.lower().removeprefix("attack.") if tag.lower().startswith("attack.") else ""
        tactic = table.tactic(name) if name else None
        if tactic is not None:
            tactics.setdefault(tactic.id, tag)
        elif _TECHNIQUE.fullmatch(name) and name.upper() in table.techniques:
            techniques.append(name.upper())
        else:
            if _TECHNIQUE.fullmatch(name):
                note("technique", f"ATT&CK {table.version} has no technique {name.upper()}", "tags", None)
            plain = tag.removeprefix(OWN_TAGS)
            others.append(tag if "." in plain or not plain else plain)
    found: dict[AttackTag, None] = {}
    for technique in techniques:
        own = table.techniques[technique].tactics
        for tactic_id in [t for t in tactics if t in own] or own[:1]:
            found[AttackTag(tactic_id, technique)] = None
    covered = {tag.tactic for tag in found}
    alone = [AttackTag(tactic) for tactic in tactics if tactic not in covered]
    return (*alone, *found), tuple(dict.fromkeys(others))


_KEPT: Final = ("name", "taxonomy", "license", "related", "scope")


def _settings(data: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What only Sigma knows, for writing the rule as Sigma again."""
    kept = {key: data[key] for key in _KEPT if data.get(key) not in (None, "", [])}
    if isinstance(data.get("logsource"), Mapping):
        kept["logsource"] = dict(data["logsource"])
    own = line(data.get("id"))
    try:
        uuid.UUID(own)
    except ValueError:
        if own:
            kept["id"] = own
    return {"sigma": kept} if kept else {}
