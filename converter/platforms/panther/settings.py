"""A rule's ``platforms.panther`` settings, over the team's defaults: what never changes the condition."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from converter.model.losses import Losses
from converter.model.rule import Rule

LONGEST_DEDUP_MINUTES: Final = 1440
SHORTEST_DEDUP_MINUTES: Final = 5
"""Panther documentation, Rules: the deduplication periods go up to 24 hours; panther_analysis_tool warns
that less than 5 minutes is taken for 5."""

_NAME: Final = re.compile(r"[^<>&\"%]+")


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a team may set.

    ``rule_id``: instead of the rule's own id. ``dedup_minutes``: 5 to 1440, how long further matches join an
    alert, where the rule itself does not say. ``create_alert``: false makes a signal only.
    ``summary_attributes``: as Panther writes them, keys joined by colons. ``allow_loss`` is the command
    line's; it changes nothing here.
    """

    rule_id: str | None = None
    enabled: bool | None = None
    tags: tuple[str, ...] = ()
    log_types: tuple[str, ...] = ()
    dedup_minutes: int | None = None
    create_alert: bool | None = None
    summary_attributes: tuple[str, ...] | None = None
    allow_loss: tuple[str, ...] = ()


def read_settings(rule: Rule, defaults: Mapping[str, Any], losses: Losses) -> Settings:
    """The settings of one rule. What is wrong is refused, code ``settings``."""
    own = rule.platforms.get("panther", {})
    given = {**defaults, **own}
    if defaults.get("tags") and own.get("tags"):
        given["tags"] = [*defaults["tags"], *own["tags"]]
    try:
        settings = msgspec.convert(given, Settings)
    except msgspec.ValidationError as error:
        losses.refuse("settings", f"platforms.panther: {error}", _hint(given))
        return Settings()
    if settings.rule_id is not None and not _NAME.fullmatch(settings.rule_id):
        losses.refuse("settings", 'platforms.panther.rule_id: Panther allows no <, >, &, " or % in it')
    minutes = settings.dedup_minutes
    if minutes is not None and not SHORTEST_DEDUP_MINUTES <= minutes <= LONGEST_DEDUP_MINUTES:
        losses.refuse(
            "settings",
            f"platforms.panther.dedup_minutes: {minutes} is not between {SHORTEST_DEDUP_MINUTES} and "
            f"{LONGEST_DEDUP_MINUTES}",
        )
    return settings


def allowed_name(text: str) -> str:
    """A text without the characters that Panther forbids in ids and display names."""
    return re.sub(r"[<>&\"%]", lambda match: _REPLACEMENTS[match[0]], text) or "rule"


_REPLACEMENTS: Final = {"<": "(", ">": ")", "&": "+", '"': "'", "%": " percent"}


def _hint(given: Mapping[str, Any]) -> str | None:
    known = list(Settings.__struct_fields__)
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            return f"did you mean {near[0]}?" if near else f"known settings: {', '.join(known)}"
    return None
