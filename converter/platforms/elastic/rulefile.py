"""The TOML file of a rule, in the layout of Elastic's detection-rules repository.

Keys and their forms: elastic/detection-rules, ``detection_rules/rule.py`` (RuleMeta, BaseRuleData,
QueryRuleData and its kinds) and ``schemas/definitions.py``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any, Final

import jinja2
import msgspec

from converter.model.losses import Losses
from converter.model.paths import FieldPath
from converter.model.rule import Level, Rule, Status
from converter.platforms.elastic import toml_text
from converter.platforms.elastic.schedule import since
from converter.platforms.elastic.settings import Settings, interval_of
from converter.platforms.elastic.threat import Threat, threats
from converter.platforms.templating import environment

_NAME: Final = re.compile(r"[a-zA-Z0-9].+?[a-zA-Z0-9\[\]()]", re.ASCII)
_BREAKS: Final = re.compile(r"\s+")
_MATURITY: Final[Mapping[Status, str]] = {
    Status.STABLE: "production",
    Status.TEST: "beta",
    Status.EXPERIMENTAL: "experimental",
    Status.DEPRECATED: "deprecated",
}
_RISK: Final[Mapping[str, int]] = {"low": 21, "medium": 47, "high": 73, "critical": 99}
"""The scores that Elastic's own rules have for their severities."""

_NO_DATE: Final = "1970-01-01"


class Suppression(msgspec.Struct, frozen=True):
    """``alert_suppression``: the fields (none for threshold rules, which have their own), how long."""

    group_by: tuple[str, ...]
    value: int
    unit: str


class ThresholdBlock(msgspec.Struct, frozen=True):
    """``threshold``: group fields, count, and a field whose distinct values count instead."""

    fields: tuple[str, ...]
    value: int
    distinct: str | None = None
    distinct_value: int = 0


class NewTermsBlock(msgspec.Struct, frozen=True):
    """``new_terms``: the fields and how far back their values are remembered."""

    fields: tuple[str, ...]
    history: str


class RuleFile(msgspec.Struct, frozen=True, kw_only=True):
    """What goes into the file beside the rule itself.

    ``timestamp_override``: none for sequences, whose steps it would put into another order (Elastic never
    sets it there: elastic/detection-rules, tests of all rules).
    """

    language: str
    type: str
    query: str
    index: tuple[str, ...]
    integration: tuple[str, ...]
    look_back: timedelta
    investigation_fields: tuple[str, ...] = ()
    suppression: Suppression | None = None
    threshold: ThresholdBlock | None = None
    new_terms: NewTermsBlock | None = None
    timestamp_override: str | None = None


def rule_file(rule: Rule, file: RuleFile, settings: Settings, losses: Losses) -> str:
    """The file's text."""
    created = (rule.created or rule.updated or _NO_DATE).replace("-", "/")
    updated = (rule.updated or rule.created or _NO_DATE).replace("-", "/")
    severity = _severity(rule, losses)
    blocks = threats(rule.attack, losses)
    maturity = settings.maturity or _MATURITY[rule.status]
    if rule.created is None and rule.updated is None:
        losses.note("dates", f"the rule has no date; Elastic requires one, and {_NO_DATE} stands in")
    return _template().render(
        file=file,
        settings=settings,
        created=created,
        updated=updated,
        maturity=maturity,
        author=settings.author or (rule.author or "unknown",),
        description=rule.description or rule.title,
        false_positives=rule.false_positives,
        since=_since(file, settings),
        interval=settings.interval,
        name=rule_name(rule.title, losses),
        note=_note(rule, settings, losses),
        references=rule.references,
        risk_score=_risk_score(rule, settings, severity),
        rule_id=rule.id,
        severity=severity,
        tags=_tags(rule, blocks, settings),
        threats=blocks,
    )


def rule_name(title: str, losses: Losses) -> str:
    """The title, in the form that Elastic requires of names: begins and ends with a plain letter or digit."""
    name = _BREAKS.sub(" ", title).strip()
    if not name[:1].isascii() or not name[:1].isalnum():
        name = f"Rule {name}".strip()
    if not _NAME.fullmatch(name):
        name = f"{name} (rule)"
    if name != title:
        losses.note(
            "name", f"the title is written as {name!r}: Elastic's names begin and end with a letter or digit"
        )
    return name


def _tags(rule: Rule, blocks: tuple[Threat, ...], settings: Settings) -> tuple[str, ...]:
    tactics = [f"Tactic: {block.tactic.name}" for block in blocks]
    return tuple(dict.fromkeys((*rule.tags, *tactics, *settings.tags)))


def _severity(rule: Rule, losses: Losses) -> str:
    if rule.severity is Level.INFO:
        losses.note("severity", "Elastic has no severity info; low is written")
        return "low"
    return rule.severity.value


def _risk_score(rule: Rule, settings: Settings, severity: str) -> int:
    if settings.risk_score is not None:
        return settings.risk_score
    return rule.risk.score if rule.risk is not None else _RISK[severity]


def _since(file: RuleFile, settings: Settings) -> str:
    """``from``; Elastic assumes now-6m where it is missing, so it is always written."""
    assert file.look_back >= interval_of(settings.interval)
    return since(file.look_back)


def _note(rule: Rule, settings: Settings, losses: Losses) -> str | None:
    if settings.note is not None:
        return settings.note
    title = title_text(rule.alert.title)
    if title is not None:
        losses.note("alert-title", "Elastic alerts carry the rule's name; the alert's title is in the guide")
    parts = [part for part in (title and f"Alert: {title}", rule.runbook) if part]
    return "## Triage and analysis\n\n" + "\n\n".join(parts) if parts else None


def title_text(title: tuple[str | FieldPath, ...]) -> str | None:
    """An alert title with fields in braces; None for one without fields."""
    if not any(isinstance(part, FieldPath) for part in title):
        return None
    return "".join([part if isinstance(part, str) else f"{{{part}}}" for part in title])


@cache
def _template() -> jinja2.Template:
    filters: dict[str, Any] = {
        "toml": toml_text.string,
        "toml_prose": toml_text.prose,
        "toml_query": toml_text.query,
        "toml_list": toml_text.strings,
    }
    return environment("elastic", filters).get_template("rule.toml.j2")
