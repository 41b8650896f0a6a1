"""Rendering with the guards of a rule's log sources, the same way on every platform."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from converter.logsources.guard import guarded
from converter.model.diagnostics import Fidelity, fidelity_of
from converter.model.rule import Rule
from converter.platforms.base import Artifact, Context


def render_guarded(
    rule: Rule, context: Context, platform: str, render: Callable[[Rule, Context], Artifact]
) -> Artifact:
    """What ``render`` makes of the rule, with each step asking for its own log source alone, and with the
    losses that the platform's log sources bring.
    """
    whole, missed = guarded(rule, context.packs, platform)
    artifact = render(whole, context)
    if not missed or artifact.fidelity is Fidelity.REFUSED:
        return artifact
    diagnostics = (*missed, *artifact.diagnostics)
    return msgspec.structs.replace(artifact, diagnostics=diagnostics, fidelity=fidelity_of(diagnostics))
