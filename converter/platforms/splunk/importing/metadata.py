"""What a Splunk detection says about itself, as the canonical rule says it.

Keys: contentctl's models (contentctl.objects: detection_abstract, detection_tags, rba) of version 5.6 and of
the versions before it, and savedsearches.conf.spec. All of it is lenient: a mistake in a description changes
no alert.
"""

from __future__ import annotations

import datetime
import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any, Final

from converter.model.attack import attack_table
from converter.model.diagnostics import RuleError
from converter.model.paths import FieldPath
from converter.model.rule import AlertSettings, AttackTag, Level, OutputField, Risk, Status
from converter.platforms.splunk.settings import DEFAULT, settings_of
from converter.platforms.splunk.spl.errors import SplError
from converter.platforms.splunk.spl.read_rule import span

Note = Callable[[str, str], None]
"""Takes the code and the message of something worth knowing."""

NAMESPACE: Final = uuid.UUID("5f0c4d0e-3a51-5c0a-9d0b-6f6a1d1c7e21")
"""Of the ids that are made for rules whose own is no UUID."""

"""contentctl's deployments without a time range of their own run hourly from -70m@m to -10m@m
(contentctl templates/deployments/escu_default_configuration_*.yml)."""

_STATUSES: Final[Mapping[str, Status]] = {
    "production": Status.STABLE,
    "validation": Status.TEST,
    "experimental": Status.EXPERIMENTAL,
    "deprecated": Status.DEPRECATED,
    "removed": Status.DEPRECATED,
}
_LEVELS: Final = (
    (20, Level.INFO),
    (40, Level.LOW),
    (60, Level.MEDIUM),
    (80, Level.HIGH),
    (100, Level.CRITICAL),
)
"""The risk score up to which a detection has this severity."""

_CONF_LEVELS: Final = {
    "1": Level.INFO,
    "2": Level.LOW,
    "3": Level.MEDIUM,
    "4": Level.HIGH,
    "5": Level.CRITICAL,
}
_NAMED_LEVELS: Final = {level.value: level for level in Level} | {"informational": Level.INFO}
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_LINE_BREAKS: Final = re.compile(r"[\s\x85\u2028\u2029]+")
_TOKEN: Final = re.compile(r"\$([A-Za-z_][A-Za-z0-9_.{}:\-]*)\$")
_RISK_TYPES: Final = {
    "user": "user",
    "system": "system",
    "host": "system",
    "hostname": "system",
    "endpoint": "system",
}
_MOST: Final = 200


def line(value: Any) -> str:
    """A value as one line of text; empty if nothing is left."""
    return _LINE_BREAKS.sub(" ", _CONTROLS.sub(" ", _text(value))).strip()


def prose(value: Any) -> str:
    """A value as text that may have several lines."""
    return _CONTROLS.sub(" ", _text(value).replace("\r\n", "\n")).strip()


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None or isinstance(value, list | dict) else str(value)


def mapping(value: Any) -> Mapping[str, Any]:
    """A mapping, or an empty one in place of anything else."""
    return value if isinstance(value, Mapping) else {}


def items(value: Any) -> list[Any]:
    """A list; a single value stands for a list of one."""
    if value is None:
        return []
    return value[:_MOST] if isinstance(value, list) else [value]


def lines(value: Any) -> tuple[str, ...]:
    """The texts of a list, one line each, once each."""
    return tuple(dict.fromkeys(filter(None, map(line, items(value)))))


def identity(data: Mapping[str, Any], file: str) -> tuple[str, str]:
    """The canonical id, and the id that the detection gives itself (or its name, or its file's)."""
    own = line(data.get("id")) or line(data.get("name")) or PurePath(file).stem
    try:
        return str(uuid.UUID(own)), own
    except ValueError:
        return str(uuid.uuid5(NAMESPACE, f"splunk:{own}")), own


def title(data: Mapping[str, Any], file: str) -> str:
    """The detection's name; without one the file's."""
    return line(data.get("name")) or line(PurePath(file).stem) or "Untitled rule"


def kind(data: Mapping[str, Any], form: str) -> str:
    """TTP, Anomaly, Hunting, Correlation, Baseline …; a stanza without one is a saved search."""
    told = line(data.get("type"))
    if told:
        return told
    if form == "conf":
        return line(_annotations(data).get("type")) or "saved search"
    return ""


def fields(
    data: Mapping[str, Any], form: str, shown: Sequence[tuple[FieldPath, str]], note: Note
) -> dict[str, Any]:
    """The parts of a canonical rule that describe it. ``shown``: stored fields shown, and as what."""
    tags = _annotations(data) if form == "conf" else mapping(data.get("tags"))
    rba = mapping(data.get("rba"))
    score = _score(data, tags, rba)
    if data.get("drilldown_searches"):
        note("drilldown", "drilldown searches are left to Splunk's writer, which makes its own")
    return {
        "description": prose(data.get("description")),
        "severity": _level(data, tags, score),
        "status": _STATUSES.get(
            line(data.get("status")).lower(), Status.STABLE if form == "conf" else Status.TEST
        ),
        "attack": tuple(dict.fromkeys(_attack(tags, note))),
        "tags": lines(tags.get("cve")) + lines(tags.get("CVE")),
        "references": lines(data.get("references")),
        "false_positives": tuple(filter(None, [prose(_joined(data.get("known_false_positives")))])),
        "runbook": prose(_joined(data.get("how_to_implement"))) or None,
        "author": line(data.get("author")) or None,
        "created": _date(data.get("creation_date")),
        "updated": _date(data.get("date")),
        "risk": _risk(tags, score),
        "output": _output(shown),
        "alert": _alert(data, tags, rba, shown),
        "platforms": _settings(data, tags, rba),
    }


def _joined(value: Any) -> Any:
    return "\n".join(map(_text, value)) if isinstance(value, list) else value


def _annotations(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The annotations of a saved search as Enterprise Security keeps them: a JSON object in one line."""
    text = _text(data.get("action.correlationsearch.annotations")).replace("\n", " ")
    try:
        found = mapping(json.loads(text)) if text else {}
    except (ValueError, RecursionError):
        found = {}
    return {**found, "mitre_attack_id": found.get("mitre_attack")}


def _whole(value: Any) -> int | None:
    text = line(value)
    return int(text) if re.fullmatch(r"\d{1,3}", text) and int(text) <= 100 else None


def _score(data: Mapping[str, Any], tags: Mapping[str, Any], rba: Mapping[str, Any]) -> int | None:
    own = [_whole(mapping(one).get("score")) for one in items(rba.get("risk_objects"))]
    known = [score for score in own if score is not None]
    if known:
        return max(known)
    told = _whole(tags.get("risk_score"))
    if told is not None:
        return told
    return _whole(data.get("action.risk.param._risk_score"))


def _level(data: Mapping[str, Any], tags: Mapping[str, Any], score: int | None) -> Level:
    for key in ("action.notable.param.severity", "severity"):
        named = line(data.get(key) or tags.get(key)).lower()
        if named in _NAMED_LEVELS:
            return _NAMED_LEVELS[named]
    if score is not None:
        return next(level for most, level in _LEVELS if score <= most)
    return _CONF_LEVELS.get(line(data.get("alert.severity")), Level.MEDIUM)


def _risk(tags: Mapping[str, Any], score: int | None) -> Risk | None:
    impact, confidence = _whole(tags.get("impact")), _whole(tags.get("confidence"))
    if impact is not None and confidence is not None:
        return Risk(impact=impact, confidence=confidence)
    return None if score is None else Risk(impact=score, confidence=100)


def _date(value: Any) -> str | None:
    if isinstance(value, datetime.date):
        return value.isoformat()[:10]
    found = re.match(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})", line(value))
    try:
        return datetime.date(*map(int, found.groups())).isoformat() if found is not None else None
    except ValueError:
        return None


def _attack(tags: Mapping[str, Any], note: Note) -> Iterator[AttackTag]:
    """A tag for each technique with its tactic; one whose sub-technique is listed too goes without saying."""
    table = attack_table()
    named = [name.upper() for name in lines(tags.get("mitre_attack_id"))]
    for name in named:
        if any(other.startswith(f"{name}.") for other in named):
            continue
        technique = table.techniques.get(name)
        if technique is not None and technique.tactics:
            yield AttackTag(technique.tactics[0], name)
        elif name in table.tactics:
            yield AttackTag(name)
        else:
            note("technique", f"ATT&CK {table.version} has no technique {name[:40]!r}")


def _output(shown: Sequence[tuple[FieldPath, str]]) -> tuple[OutputField, ...]:
    found: dict[FieldPath, OutputField] = {}
    for path, name in shown:
        plain = str(path.steps[0])
        alias = name if name not in (plain, str(path)) and line(name) == name and name else None
        if alias is not None and alias.rpartition(".")[2] == plain:
            alias = None
        found.setdefault(path, OutputField(path, alias))
    return tuple(found.values())


def once_each(output: Sequence[OutputField]) -> tuple[OutputField, ...]:
    """Output fields without those that have a name, or a field, of one before."""
    found: dict[str, OutputField] = {}
    for one in output:
        if all(one.field != other.field for other in found.values()):
            found.setdefault(one.name, one)
    return tuple(found.values())


def _alert(
    data: Mapping[str, Any],
    tags: Mapping[str, Any],
    rba: Mapping[str, Any],
    shown: Sequence[tuple[FieldPath, str]],
) -> AlertSettings:
    message = line(rba.get("message") or tags.get("message") or data.get("action.risk.param._risk_message"))
    stored = {name: path for path, name in shown}
    parts: list[str | FieldPath] = []
    position = 0
    for found in _TOKEN.finditer(message):
        if found.start() > position:
            parts.append(message[position : found.start()])
        parts.append(stored.get(found[1], FieldPath((found[1],))))
        position = found.end()
    if position < len(message):
        parts.append(message[position:])
    if not any((isinstance(part, str) and part.strip()) or isinstance(part, FieldPath) for part in parts):
        parts = []
    period, group = _throttle(data, tags)
    return AlertSettings(
        title=tuple(parts),
        group_by=tuple(stored.get(name, FieldPath((name,))) for name in group) if period is not None else (),
        suppress_for=period,
    )


def _throttle(
    data: Mapping[str, Any], tags: Mapping[str, Any]
) -> tuple[datetime.timedelta | None, tuple[str, ...]]:
    """Throttling: for how long, and by which fields."""
    told = mapping(tags.get("throttling"))
    if told:
        period, names = line(told.get("period")), lines(told.get("fields"))
    elif line(data.get("alert.suppress")) in ("1", "true"):
        period = line(data.get("alert.suppress.period"))
        names = tuple(filter(None, re.split(r"[\s,]+", line(data.get("alert.suppress.fields")))))
    else:
        return None, ()
    try:
        length = span(period, 0)
    except (SplError, OverflowError):
        return None, ()
    return (length, names) if datetime.timedelta() < length <= datetime.timedelta(days=3_650) else (None, ())


def _settings(
    data: Mapping[str, Any], tags: Mapping[str, Any], rba: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """What only Splunk knows, for writing the rule as Splunk again: each setting that is a valid one."""
    schedule = mapping(mapping(data.get("deployment")).get("scheduling"))
    given: dict[str, Any] = {
        "type": line(data.get("type")),
        "security_domain": line(tags.get("security_domain")),
        "asset_type": line(tags.get("asset_type")),
        "analytic_story": list(lines(tags.get("analytic_story"))),
        "product": list(lines(tags.get("product"))),
        "data_source": list(lines(data.get("data_source"))),
        "version": data.get("version"),
        "risk_objects": _risk_objects(tags, rba),
        "threat_objects": _threat_objects(tags, rba),
        "schedule": line(data.get("cron_schedule") or schedule.get("cron_schedule")),
        "earliest": line(data.get("dispatch.earliest_time") or schedule.get("earliest_time")),
        "latest": line(data.get("dispatch.latest_time") or schedule.get("latest_time")),
    }
    kept: dict[str, Any] = {}
    for key, value in given.items():
        if value in ("", [], None):
            continue
        try:
            checked = settings_of({key: value}, {})
        except RuleError:
            continue
        if getattr(checked, key) != getattr(DEFAULT, key):
            kept[key] = value
    return {"splunk": kept} if kept else {}


def _risk_objects(tags: Mapping[str, Any], rba: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for one in map(mapping, items(rba.get("risk_objects"))):
        name, score = line(one.get("field")), _whole(one.get("score"))
        kind = _RISK_TYPES.get(line(one.get("type")).lower(), "other")
        if name:
            found.setdefault(name, {"field": name, "type": kind} | ({"score": score} if score else {}))
    for one in map(mapping, items(tags.get("observable"))):
        name = line(one.get("name"))
        if name and "victim" in [role.lower() for role in lines(one.get("role"))]:
            kind = _RISK_TYPES.get(line(one.get("type")).lower(), "other")
            found.setdefault(name, {"field": name, "type": kind})
    return list(found.values())


def _threat_objects(tags: Mapping[str, Any], rba: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for one in map(mapping, items(rba.get("threat_objects"))):
        name, kind = line(one.get("field")), re.sub(r"\W+", "_", line(one.get("type"))).lower()
        if name and kind:
            found.setdefault(name, {"field": name, "type": kind})
    for one in map(mapping, items(tags.get("observable"))):
        name, kind = line(one.get("name")), re.sub(r"\W+", "_", line(one.get("type"))).lower()
        roles = [role.lower() for role in lines(one.get("role"))]
        if name and kind and "victim" not in roles:
            found.setdefault(name, {"field": name, "type": kind})
    return list(found.values())
