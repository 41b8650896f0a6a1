"""Rendering with the guards of a rule's log sources and the results that are kept, the same everywhere."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from converter.logsources.guard import guarded
from converter.logsources.results import with_kept_results
from converter.logsources.stand_ins import with_stand_ins
from converter.model.diagnostics import Fidelity, fidelity_of
from converter.model.rule import Rule
from converter.platforms.base import Artifact, Context


def render_guarded(
    rule: Rule, context: Context, platform: str, render: Callable[[Rule, Context], Artifact]
) -> Artifact:
    """What ``render`` makes of the rule, with each step asking for its own log source alone, and with the
    losses that the platform's log sources bring. Keys that the platform does not keep are told by other
    fields, where there are such; fields of its results that it does not keep are left out, with a note each.
    """
    whole, missed = guarded(rule, context.packs, platform)
    whole, told = with_stand_ins(whole, context.packs, platform)
    whole, left_out = with_kept_results(whole, context.packs, platform, context.keep_unmapped)
    artifact = render(whole, context)
    if not (missed or told or left_out) or artifact.fidelity is Fidelity.REFUSED:
        return artifact
    diagnostics = (*missed, *told, *artifact.diagnostics, *left_out)
    return msgspec.structs.replace(artifact, diagnostics=diagnostics, fidelity=fidelity_of(diagnostics))
