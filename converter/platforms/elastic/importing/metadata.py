"""What an Elastic rule says about itself, as the canonical rule says it.

Everything here is lenient: a mistake in a description changes no alert, so it is a note, never a refusal.
Keys and their forms: elastic/detection-rules, ``detection_rules/rule.py`` (RuleMeta, BaseRuleData,
ThreatMapping, AlertSuppressionMapping) and Kibana's API reference of detection rules.
"""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath
from typing import Any, Final

from converter.model.attack import attack_table
from converter.model.paths import FieldPath
from converter.model.rule import AlertSettings, AttackTag, Level, OutputField, Risk, Status
from converter.model.tables import MAX_DURATION_DAYS, MAX_PATH_CHARACTERS
from converter.platforms.elastic.settings import Settings, read_settings

Note = Callable[[str, str, str], None]
"""Takes the code, the message and the key of something worth knowing."""

NAMESPACE: Final = uuid.UUID("5f0c4d0e-3a51-5c0a-9d0b-6f6a1d1c7e21")
"""Of the ids that are made for rules whose own is no UUID."""

_LEVELS: Final[Mapping[str, Level]] = {level.value: level for level in Level}
_STATUSES: Final[Mapping[str, Status]] = {
    "production": Status.STABLE,
    "beta": Status.TEST,
    "experimental": Status.EXPERIMENTAL,
    "development": Status.EXPERIMENTAL,
    "deprecated": Status.DEPRECATED,
}
_GUIDE: Final = re.compile(r"\A\s*## Triage and analysis[ \t]*\n+", re.IGNORECASE)
_DATE: Final = re.compile(r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})(?:[T ].*)?")
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_LINE_BREAKS: Final = re.compile(r"[\s\x85\u2028\u2029]+")
_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def line(value: Any) -> str:
    """A value as one line of text; empty if nothing is left."""
    return _LINE_BREAKS.sub(" ", _CONTROLS.sub(" ", _text(value))).strip()


def prose(value: Any) -> str:
    """A value as text that may have several lines."""
    return _CONTROLS.sub(" ", _text(value).replace("\r\n", "\n")).strip()


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else "" if value is None else str(value)


def identity(rule: Mapping[str, Any], file: str) -> tuple[str, str]:
    """The canonical id, and the id that the rule gives itself (or its name, if it gives none)."""
    own = line(rule.get("rule_id")) or line(rule.get("id"))
    try:
        return str(uuid.UUID(own)), own
    except ValueError:
        named = own or line(rule.get("name")) or PurePath(file).name
        return str(uuid.uuid5(NAMESPACE, f"elastic:{named}")), named


def title(rule: Mapping[str, Any], file: str) -> str:
    """The rule's name; without one the file's."""
    return line(rule.get("name")) or line(PurePath(file).stem) or "Untitled rule"


def fields(rule: Mapping[str, Any], metadata: Mapping[str, Any], note: Note) -> dict[str, Any]:
    """The parts of a canonical rule that describe it, by the names they have there; stored field names."""
    return {
        "description": prose(rule.get("description")),
        "severity": _level(rule, note),
        "status": _status(metadata),
        "attack": tuple(dict.fromkeys(_attack(rule, note))),
        "tags": _lines(rule.get("tags")),
        "references": _lines(rule.get("references")),
        "false_positives": tuple(filter(None, map(prose, _list(rule.get("false_positives"))))),
        "runbook": prose(_GUIDE.sub("", _text(rule.get("note")))) or None,
        "author": ", ".join(_lines(rule.get("author"))) or None,
        "created": _date(metadata.get("creation_date", rule.get("created_at")), "creation_date", note),
        "updated": _date(metadata.get("updated_date", rule.get("updated_at")), "updated_date", note),
        "risk": _risk(rule),
        "output": tuple(OutputField(FieldPath((name,))) for name in _investigated(rule)),
        "alert": _alert(rule, note),
        "platforms": _settings(rule, metadata),
    }


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _lines(value: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, map(line, _list(value)))))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def names(value: Any) -> tuple[str, ...]:
    """The field names in a value that is a text or a list of texts."""
    found = (one for one in _list(value) if isinstance(one, str) and one.strip())
    return tuple(dict.fromkeys(name for name in found if len(name) <= MAX_PATH_CHARACTERS))


def _level(rule: Mapping[str, Any], note: Note) -> Level:
    text = line(rule.get("severity")).lower()
    if text not in _LEVELS:
        note("severity", f"{text!r} is no severity; read as medium", "severity")
    if rule.get("severity_mapping") or rule.get("risk_score_mapping"):
        key = "severity_mapping" if rule.get("severity_mapping") else "risk_score_mapping"
        note("severity", "severity and risk that follow the event's own fields are left at the rule's", key)
    return _LEVELS.get(text, Level.MEDIUM)


def _status(metadata: Mapping[str, Any]) -> Status:
    return _STATUSES.get(line(metadata.get("maturity")).lower(), Status.STABLE)


def _risk(rule: Mapping[str, Any]) -> Risk | None:
    score = rule.get("risk_score")
    if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 100:
        return None
    return Risk(impact=round(score), confidence=100)


def _date(value: Any, key: str, note: Note) -> str | None:
    text = line(value)
    if not text:
        return None
    match = _DATE.fullmatch(text)
    try:
        if match is not None:
            return datetime.date(*map(int, match.groups())).isoformat()
    except ValueError:
        pass
    note("date", f"{text!r} is no date", key)
    return None


def _attack(rule: Mapping[str, Any], note: Note) -> Iterator[AttackTag]:
    """A tag for each technique, or its sub-techniques where it names any; else for the tactic alone."""
    for block in _list(rule.get("threat")):
        tactic = line(_mapping(_mapping(block).get("tactic")).get("id")).upper()
        found: list[str] = []
        for technique in map(_mapping, _list(_mapping(block).get("technique"))):
            below = [line(_mapping(sub).get("id")).upper() for sub in _list(technique.get("subtechnique"))]
            found.extend(below or [line(technique.get("id")).upper()])
        yield from _known(tactic, found, note)


def _known(tactic: str, techniques: list[str], note: Note) -> Iterator[AttackTag]:
    table = attack_table()
    if tactic not in table.tactics:
        note("technique", f"ATT&CK {table.version} has no tactic {tactic[:40]!r}", "threat")
        return
    fitting = [name for name in techniques if name in table.techniques]
    for name in techniques:
        if name not in table.techniques:
            note("technique", f"ATT&CK {table.version} has no technique {name[:40]!r}", "threat")
        elif tactic not in table.techniques[name].tactics:
            note("technique", f"{name} belongs to {', '.join(table.techniques[name].tactics)}", "threat")
            fitting.remove(name)
    yield from [AttackTag(tactic, name) for name in fitting] or [AttackTag(tactic)]


def _investigated(rule: Mapping[str, Any]) -> tuple[str, ...]:
    block = rule.get("investigation_fields")
    return names(block.get("field_names") if isinstance(block, Mapping) else block)


def _alert(rule: Mapping[str, Any], note: Note) -> AlertSettings:
    """Alert suppression: an alert hides further ones of its group for the duration, if it has one."""
    block = _mapping(rule.get("alert_suppression"))
    duration = _mapping(block.get("duration"))
    value, unit = duration.get("value"), line(duration.get("unit"))
    span = None
    if isinstance(value, int) and not isinstance(value, bool) and unit in _UNITS and value > 0:
        seconds = value * _UNITS[unit]
        span = datetime.timedelta(seconds=seconds) if seconds <= MAX_DURATION_DAYS * 86_400 else None
    if block and span is None:
        note(
            "suppression", "alerts of one run are shown as one; that has no counterpart", "alert_suppression"
        )
    group = tuple(FieldPath((name,)) for name in names(block.get("group_by")))
    return AlertSettings(group_by=group, suppress_for=span)


_KEPT: Final = (
    "index",
    "interval",
    "from",
    "setup",
    "timestamp_override",
    "risk_score",
    "max_signals",
    "enabled",
)
_FROM_METADATA: Final = ("integration", "maturity", "min_stack_version")


def _settings(rule: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What only Elastic knows, for writing the rule as Elastic again: each setting that is a valid one."""
    given: dict[str, Any] = {key: rule.get(key) for key in _KEPT}
    given.update({key: metadata.get(key) for key in _FROM_METADATA})
    given["author"] = list(_lines(rule.get("author")))
    given["license"] = line(rule.get("license"))
    given["building_block"] = bool(rule.get("building_block_type"))
    for key in ("index", "integration"):
        given[key] = list(_lines(given[key]))
    given["setup"] = prose(given["setup"])
    kept: dict[str, Any] = {}
    for key, value in given.items():
        if (value in (None, "", [], False) and key != "enabled") or value is None:
            continue
        if read_settings({key: value})[1] is None and value != getattr(_DEFAULTS, key, None):
            kept[key] = value
    return {"elastic": kept} if kept else {}


_DEFAULTS: Final = Settings()
