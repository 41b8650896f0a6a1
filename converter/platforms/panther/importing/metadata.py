"""What a Panther detection says about itself, as the canonical rule says it.

Everything here is lenient: a mistake in a description changes no alert, so it is a note, never a refusal.
Keys: Panther documentation, "Rules and Scheduled Rules" (rule specification reference) and, for attributes of
classes, the documentation of pypanther ("Creating classes: property and method reference").
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath
from typing import Any, Final

from converter.model.attack import attack_table
from converter.model.paths import FieldPath
from converter.model.rule import AttackTag, Level, OutputField, Status
from converter.platforms.panther.importing.documents import Steps
from converter.platforms.panther.importing.keys import KeyProblem, colon_path
from converter.platforms.panther.metadata import SEVERITIES
from converter.platforms.panther.settings import LONGEST_DEDUP_MINUTES, SHORTEST_DEDUP_MINUTES

Note = Callable[[str, str, Steps], None]
"""Takes the code, the message and the place of something worth knowing."""

NAMESPACE: Final = uuid.UUID("2f5a4c1e-7d0b-5a3c-8e61-9b1f0c6d4a27")
"""Of the ids that are made for rules whose own is no UUID."""

ATTRIBUTES: Final[Mapping[str, str]] = {
    "id": "RuleID",
    "display_name": "DisplayName",
    "enabled": "Enabled",
    "log_types": "LogTypes",
    "scheduled_queries": "ScheduledQueries",
    "default_severity": "Severity",
    "default_description": "Description",
    "default_reference": "Reference",
    "default_runbook": "Runbook",
    "create_alert": "CreateAlert",
    "dedup_period_minutes": "DedupPeriodMinutes",
    "threshold": "Threshold",
    "status": "Status",
    "tags": "Tags",
    "reports": "Reports",
    "summary_attributes": "SummaryAttributes",
    "tests": "Tests",
}
"""A class's attributes by the keys that a specification has for them."""

_LEVELS: Final = {name.lower(): level for level, name in SEVERITIES.items()} | {"informational": Level.INFO}
_STATUSES: Final = {
    "experimental": Status.EXPERIMENTAL,
    "beta": Status.TEST,
    "stable": Status.STABLE,
    "ga": Status.STABLE,
    "deprecated": Status.DEPRECATED,
}
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_LINE_BREAKS: Final = re.compile(r"[\s\x85\u2028\u2029]+")
_ATTACK: Final = "mitre att&ck"
_TACTIC: Final = re.compile(r"TA\d{4}", re.IGNORECASE)
_TECHNIQUE: Final = re.compile(r"T\d{4}(?:\.\d{3})?", re.IGNORECASE)
_AUTHOR: Final = re.compile(
    r"(?:\A|\n\n)Author: (?P<author>[^\n]+?)"
    r"(?: \((?:created (?P<created>\d{4}-\d\d-\d\d))?(?:, )?(?:updated (?P<updated>\d{4}-\d\d-\d\d))?\))?\Z"
)
_POSITIVES: Final = "Known false positives:"
_FURTHER: Final = "Further references:"


def line(value: Any) -> str:
    """A value as one line of text; empty if nothing is left."""
    return _LINE_BREAKS.sub(" ", _CONTROLS.sub(" ", _text(value))).strip()


def prose(value: Any) -> str:
    """A value as text that may have several lines."""
    return _CONTROLS.sub(" ", _text(value).replace("\r\n", "\n")).strip()


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""


def texts(value: Any) -> tuple[str, ...]:
    """The lines in a value that is a text or a list of texts, each once."""
    found = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(dict.fromkeys(filter(None, map(line, found))))


def minutes(value: Any) -> int | None:
    """A number of minutes or events; None for what is no positive integer."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def identity(data: Mapping[str, Any], file: str) -> tuple[str, str]:
    """The canonical id, and the id that the detection gives itself."""
    own = line(data.get("RuleID"))
    try:
        return str(uuid.UUID(own)), own
    except ValueError:
        named = own or PurePath(file).name
        return str(uuid.uuid5(NAMESPACE, f"panther:{named}")), named


def title(data: Mapping[str, Any], file: str) -> str:
    """The display name, else the id, else the file's name."""
    return line(data.get("DisplayName")) or line(data.get("RuleID")) or line(PurePath(file).stem) or "Rule"


def fields(data: Mapping[str, Any], note: Note) -> dict[str, Any]:
    """The parts of a canonical rule that describe it, by the names they have there; stored field names."""
    description, written = _description(prose(data.get("Description")))
    runbook, positives, further = _runbook(prose(data.get("Runbook")))
    attack, tags = _reports(data.get("Reports"), note)
    return {
        "description": description,
        "severity": _level(data, note),
        "status": _status(data, note),
        "attack": attack,
        "tags": tuple(dict.fromkeys((*texts(data.get("Tags")), *tags))),
        "references": tuple(dict.fromkeys((*_references(data.get("Reference")), *further))),
        "runbook": runbook or None,
        "false_positives": positives,
        "output": tuple(OutputField(path) for path in _summary(data)),
        **written,
    }


def settings(
    data: Mapping[str, Any], own: str, status: Status, known: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """What only Panther knows, for writing the rule as Panther again; defaults left out.

    ``known``: what the writer would derive by itself, by the names of settings; what agrees is left out.
    """
    kept: dict[str, Any] = {}
    try:
        uuid.UUID(own)
    except ValueError:
        kept["rule_id"] = own
    enabled = data.get("Enabled")
    if isinstance(enabled, bool) and enabled is (status is Status.DEPRECATED):
        kept["enabled"] = enabled
    if data.get("CreateAlert") is False:
        kept["create_alert"] = False
    period = minutes(data.get("DedupPeriodMinutes"))
    given = {
        "log_types": list(texts(data.get("LogTypes"))),
        "summary_attributes": list(texts(data.get("SummaryAttributes"))),
        "dedup_minutes": period
        if period in range(SHORTEST_DEDUP_MINUTES, LONGEST_DEDUP_MINUTES + 1)
        else None,
    }
    for key, value in given.items():
        if value and value != known.get(key):
            kept[key] = value
    return {"panther": kept} if kept else {}


def _level(data: Mapping[str, Any], note: Note) -> Level:
    text = line(data.get("Severity")).lower().rpartition(".")[2]
    if text not in _LEVELS:
        note("severity", f"{text[:40]!r} is no severity; read as medium", ("Severity",))
    if data.get("DynamicSeverities"):
        message = "severities that follow the event's own fields are left at the rule's"
        note("severity", message, ("DynamicSeverities",))
    return _LEVELS.get(text, Level.MEDIUM)


def _status(data: Mapping[str, Any], note: Note) -> Status:
    text = line(data.get("Status")).lower()
    if text and text not in _STATUSES:
        note("status", f"{text[:40]!r} is no status; read as test", ("Status",))
    return _STATUSES.get(text, Status.TEST)


def _references(value: Any) -> Iterator[str]:
    """Links, of which some files have several in one text."""
    for text in texts(value):
        parts = re.split(r",\s*|\s+", text)
        yield from parts if all("://" in part for part in parts) else (text,)


def _summary(data: Mapping[str, Any]) -> Iterator[FieldPath]:
    """The summary attributes that are fields of the event; Panther's own begin with ``p_``."""
    for name in texts(data.get("SummaryAttributes")):
        try:
            if not name.startswith("p_"):
                yield colon_path(name)
        except KeyProblem:
            continue


def _description(text: str) -> tuple[str, dict[str, str | None]]:
    """The description, and the author and dates that this project's writer puts below it."""
    found = _AUTHOR.search(text)
    if found is None:
        return text, {}
    return text[: found.start()], found.groupdict()


def _runbook(text: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """The runbook, and the false positives and references that this project's writer puts below it."""
    kept: list[str] = []
    lists: dict[str, tuple[str, ...]] = {}
    for block in text.split("\n\n"):
        head, _, rest = block.partition("\n")
        entries = rest.split("\n- ")
        if head in (_POSITIVES, _FURTHER) and rest.startswith("- ") and head not in lists:
            lists[head] = tuple(line(entry.removeprefix("- ")) for entry in entries)
        else:
            kept.append(block)
    return "\n\n".join(kept).strip(), lists.get(_POSITIVES, ()), lists.get(_FURTHER, ())


def _reports(value: Any, note: Note) -> tuple[tuple[AttackTag, ...], tuple[str, ...]]:
    """ATT&CK references, and what other frameworks the detection covers as tags."""
    attack: dict[AttackTag, None] = {}
    others: list[str] = []
    for framework, entries in value.items() if isinstance(value, Mapping) else ():
        name = line(framework)
        for entry in texts(entries):
            if name.lower() == _ATTACK:
                attack.update(dict.fromkeys(_attack(entry, note)))
            elif _TACTIC.fullmatch(name):
                attack.update(dict.fromkeys(_attack(f"{name}:{entry}", note)))
            else:
                others.append(f"{name}:{entry}")
    return tuple(attack), tuple(others)


def _attack(entry: str, note: Note) -> Iterator[AttackTag]:
    """``TA0001:T1078``; a technique under a tactic that is not its own goes under the first of its own."""
    table = attack_table()
    tactic = next(iter(_TACTIC.findall(entry)), "").upper()
    techniques = [found.upper() for found in _TECHNIQUE.findall(_TACTIC.sub("", entry))]
    for name in techniques:
        known = table.techniques.get(name)
        if known is None:
            note("technique", f"ATT&CK {table.version} has no technique {name}", ("Reports",))
            continue
        if tactic and tactic not in known.tactics:
            note("technique", f"{name} belongs to {', '.join(known.tactics)}", ("Reports",))
        yield AttackTag(tactic if tactic in known.tactics else known.tactics[0], name)
    if not techniques and tactic in table.tactics:
        yield AttackTag(tactic)
    elif not techniques:
        note("technique", f"{entry[:40]!r} is no tactic or technique", ("Reports",))
