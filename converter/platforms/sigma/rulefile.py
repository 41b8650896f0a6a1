"""Sigma's documents: what a rule says about itself, its log source, and the text of the file."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from typing import Any, Final

import jinja2

from converter.logsources.naming import sigma_source
from converter.logsources.pack import Pack
from converter.model.attack import attack_table
from converter.model.diagnostics import Fidelity
from converter.model.losses import Losses
from converter.model.rule import AttackTag, Level, Rule
from converter.model.yaml_out import Prose, write_yaml
from converter.platforms.sigma.documents import NAME
from converter.platforms.sigma.metadata import LEVELS, NAMESPACE, OWN_TAGS
from converter.platforms.sigma.settings import Settings
from converter.platforms.templating import environment

_LEVEL_NAMES: Final = {level: name for name, level in LEVELS.items()}
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))
_LONGEST_TITLE: Final = 256
"""Characters (pySigma refuses longer ones)."""


def log_source(packs: Sequence[Pack], settings: Settings, losses: Losses, own: bool = True) -> dict[str, Any]:
    """The logsource of a rule; ``own``: the rule's setting comes before what its pack says."""
    told = [sigma_source(pack.name, pack.platforms.get(NAME, {})) for pack in packs]
    found: list[dict[str, str]] = []
    for entry, _ in told:
        if entry not in found:
            found.append(entry)
    given = dict(settings.logsource)
    if given and (own or not any(found)):
        return given
    names_of = ", ".join(pack.name for pack in packs)
    if len(found) > 1:
        losses.refuse("logsource", f"a Sigma rule has one log source; {names_of} are several there")
    elif not any(found):
        losses.refuse(
            "logsource",
            f"Sigma has no name for the log source {names_of}",
            "set platforms.sigma.logsource: {product: …}",
        )
    else:
        if not told[0][1]:
            losses.note("logsource", f"Sigma's taxonomy has no {names_of}; it is named after the log source")
        return {**found[0], **({"definition": settings.definition} if settings.definition else {})}
    return {}


def described(rule: Rule, settings: Settings, fields: Sequence[str], losses: Losses) -> dict[str, Any]:
    """What the rule says about itself, in Sigma's order, without its logic."""
    if len(rule.title) > _LONGEST_TITLE:
        losses.note("title", f"the title is cut to Sigma's {_LONGEST_TITLE} characters")
    if (
        rule.runbook
        or rule.risk
        or rule.alert.group_by
        or any(not isinstance(p, str) for p in rule.alert.title)
    ):
        losses.note("metadata", "Sigma has no place for a runbook, a risk, or an alert's title and group")
    data: dict[str, Any] = {
        "title": rule.title[:_LONGEST_TITLE].strip(),
        "id": settings.id or rule.id,
        "name": settings.name,
        "related": list(settings.related),
        "status": str(rule.status),
        "description": Prose(rule.description) if rule.description else "",
        "license": settings.license,
        "taxonomy": settings.taxonomy,
        "references": list(rule.references),
        "author": rule.author,
        "date": rule.created,
        "modified": rule.updated,
        "tags": [*attack_names(rule.attack), *map(_namespaced, rule.tags)],
        "scope": list(settings.scope),
        "fields": list(fields),
        "falsepositives": list(rule.false_positives),
        "level": _LEVEL_NAMES.get(rule.severity, _LEVEL_NAMES[Level.MEDIUM]),
    }
    return {key: value for key, value in data.items() if value not in (None, "", [])}


def attack_names(tags: Sequence[AttackTag]) -> list[str]:
    """``attack.`` tags: each tactic and each technique once."""
    table = attack_table()
    tactics = [table.tactics[tag.tactic].slug for tag in tags if tag.tactic in table.tactics]
    techniques = [tag.technique.lower() for tag in tags if tag.technique is not None]
    return [f"attack.{name}" for name in dict.fromkeys((*tactics, *techniques))]


def _namespaced(tag: str) -> str:
    """Sigma's tags have a namespace before a dot."""
    return tag if "." in tag else f"{OWN_TAGS}{tag}"


def arranged(data: dict[str, Any], logic: dict[str, Any]) -> dict[str, Any]:
    """The document with its logic where Sigma's authors have it: before fields, false positives and level."""
    behind = ("fields", "falsepositives", "level")
    before = {key: value for key, value in data.items() if key not in behind}
    return {**before, **logic, **{key: data[key] for key in behind if key in data}}


def part_id(rule: Rule, number: int) -> str:
    """The id of one of the rules that a correlation names."""
    return str(uuid.uuid5(NAMESPACE, f"{rule.id}:{number}"))


def timespan(span: timedelta, losses: Losses) -> str:
    """A duration as Sigma writes it, in whole seconds or more."""
    seconds = -(-span // timedelta(seconds=1))
    if span % timedelta(seconds=1):
        losses.lose("window", Fidelity.WIDER, f"Sigma's timespans are whole seconds: {seconds} s")
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
    return f"{seconds // size}{unit}"


@cache
def _template() -> jinja2.Template:
    return environment(NAME, {}).get_template("rules.yml.j2")


def text_of(documents: Sequence[dict[str, Any]]) -> str:
    """The file that holds the documents."""
    return _template().render(documents=[write_yaml(document) for document in documents])
