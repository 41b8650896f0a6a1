"""The parts of a Panther YAML that describe a rule, in Panther's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from converter.logsources import project
from converter.logsources.pack import Pack
from converter.model.paths import FieldPath
from converter.model.rule import JsonObject, Level, Rule, Status
from converter.platforms.panther.settings import Settings, allowed_name

SEVERITIES: Final = {
    Level.INFO: "Info",
    Level.LOW: "Low",
    Level.MEDIUM: "Medium",
    Level.HIGH: "High",
    Level.CRITICAL: "Critical",
}
STATUSES: Final = {Status.EXPERIMENTAL: "Experimental", Status.DEPRECATED: "Deprecated"}
"""The statuses that Panther's public rules carry; the others are left out."""


def metadata(rule: Rule, settings: Settings, grouped_by: Sequence[FieldPath]) -> dict[str, Any]:
    """The template's values for what rules and correlation rules have in common.

    ``grouped_by``: the stored fields that alerts are grouped by, which they summarise unless set otherwise.
    """
    enabled = settings.enabled if settings.enabled is not None else rule.status is not Status.DEPRECATED
    return {
        "rule_id": settings.rule_id or rule.id,
        "display_name": allowed_name(rule.title),
        "enabled": enabled,
        "create_alert": settings.create_alert,
        "status": STATUSES.get(rule.status),
        "severity": SEVERITIES[rule.severity],
        "tags": list(dict.fromkeys((*rule.tags, *settings.tags))),
        "attack": list(dict.fromkeys(str(tag) for tag in rule.attack)),
        "description": _description(rule),
        "reference": rule.references[0] if rule.references else "",
        "runbook": _runbook(rule),
        "summary_attributes": summary_attributes(settings, grouped_by),
    }


def summary_attributes(settings: Settings, grouped_by: Sequence[FieldPath]) -> list[str]:
    """What the alert summarises, as Panther writes paths: keys joined by colons."""
    if settings.summary_attributes is not None:
        return list(settings.summary_attributes)
    return list(dict.fromkeys(":".join(path.keys) for path in grouped_by if _has_no_colon(path)))


def log_types(rule: Rule, packs: Sequence[Pack], settings: Settings) -> list[str]:
    """As set, else those of the log sources."""
    if settings.log_types:
        return list(settings.log_types)
    return list(
        dict.fromkeys(
            name for pack in packs for name in pack.platforms.get("panther", {}).get("log_types", ())
        )
    )


def tests(rule: Rule, pack: Pack) -> list[dict[str, Any]]:
    """The rule's tests of one event each; Panther runs ``rule()`` on single events only."""
    found = []
    names: dict[str, int] = {}
    for test in rule.tests:
        if test.match is None or len(test.events) != 1:
            continue
        names[test.name] = names.get(test.name, 0) + 1
        name = test.name if names[test.name] == 1 else f"{test.name} ({names[test.name]})"
        found.append({"name": name, "expected": test.match, "log": _log(pack, test.events[0])})
    return found


def _log(pack: Pack, event: JsonObject) -> JsonObject:
    return dict(project(pack, event, "panther"))


def _has_no_colon(path: FieldPath) -> bool:
    return not any(":" in key for key in path.keys)


def _description(rule: Rule) -> str:
    lines = [rule.description.rstrip("\n")] if rule.description else []
    dates = [f"created {rule.created}"] * bool(rule.created) + [f"updated {rule.updated}"] * bool(
        rule.updated
    )
    if rule.author:
        lines.append(f"Author: {rule.author}" + (f" ({', '.join(dates)})" if dates else ""))
    return "\n\n".join(lines)


def _runbook(rule: Rule) -> str:
    parts = [rule.runbook.rstrip("\n")] if rule.runbook else []
    if rule.false_positives:
        parts.append("\n".join(["Known false positives:", *(f"- {text}" for text in rule.false_positives)]))
    if len(rule.references) > 1:
        parts.append("\n".join(["Further references:", *(f"- {text}" for text in rule.references[1:])]))
    return "\n\n".join(parts)
