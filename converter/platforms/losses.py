"""Which losses there are apart from each platform's own, and who accepts one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from converter.model.diagnostics import Fidelity
from converter.model.rule import Rule
from converter.platforms.base import Artifact

UNREAD_CODES = frozenset({"log-source", "repeated-results"})
"""Losses that lie in how a platform stores or runs, and never show in the meaning of the text itself: what
is read back from a rendering with these alone is held to be exact."""

STREAM_CODES = frozenset(
    {
        *("window", "group-by", "distinct", "having", "new-terms"),
        *("sequence", "suppression", "schedule", "threshold", "stand-in"),
    }
)
"""Losses that touch when matches become alerts, and never which single events match."""


def accepted_losses(settings: Mapping[str, Any]) -> frozenset[str]:
    """The loss codes that a platform's settings (a rule's own, or a team's) accept under ``allow_loss``."""
    codes = settings.get("allow_loss", ())
    return (
        frozenset(code for code in codes if isinstance(code, str)) if isinstance(codes, list) else frozenset()
    )


def unaccepted_losses(rule: Rule, artifact: Artifact, allowed: Iterable[str]) -> tuple[str, ...]:
    """The codes of the losses of a rendering that neither the rule nor ``allowed`` accepts, in order."""
    accepted = {*allowed, *accepted_losses(rule.platforms.get(artifact.platform, {}))}
    lost = [d.code for d in artifact.diagnostics if d.effect in (Fidelity.WIDER, Fidelity.NARROWER)]
    return tuple(dict.fromkeys(code for code in lost if code not in accepted))
