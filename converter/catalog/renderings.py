"""What each platform makes of a rule of the catalog."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from converter.model.diagnostics import Diagnostic, Severity
from converter.model.rule import Rule
from converter.platforms.base import Context, File
from converter.platforms.collection import Collected, carried_over
from converter.platforms.registry import platform

_MACRO: Final = re.compile(r"`([A-Za-z_][\w:.-]*)(?:\([^`]*\))?`")
"""A macro call of SPL: its name and perhaps arguments, between backquotes."""


class Rendering(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as one platform has it. ``fidelity`` holds what its reading lost, too; ``losses`` and ``notes``
    say what; ``macros`` are those that a Splunk search calls.
    """

    platform: str
    fidelity: str
    language: str = ""
    reason: str = ""
    query: str = ""
    files: tuple[File, ...] = ()
    losses: tuple[Diagnostic, ...] = ()
    notes: tuple[str, ...] = ()
    macros: tuple[str, ...] = ()


class Outcome(msgspec.Struct, frozen=True):
    """What a rendering came to, without its texts: the part of it that lists are made from."""

    platform: str
    fidelity: str
    losses: tuple[Diagnostic, ...] = ()


def renderings_of(read: Collected, rule: Rule, contexts: Mapping[str, Context]) -> tuple[Rendering, ...]:
    """The rule on each of the platforms whose contexts are given, in their order."""
    return tuple(_rendering(read, rule, name, context) for name, context in contexts.items())


def _rendering(read: Collected, rule: Rule, name: str, context: Context) -> Rendering:
    artifact = carried_over(read, platform(name).render(rule, context))
    notes = [d.message for d in artifact.diagnostics if d.severity is Severity.NOTE]
    return Rendering(
        platform=name,
        fidelity=str(artifact.fidelity),
        language=artifact.language,
        reason=artifact.reason,
        query=artifact.query,
        files=artifact.files,
        losses=tuple(d for d in artifact.diagnostics if d.effect is not None),
        notes=tuple(dict.fromkeys(notes)),
        macros=tuple(dict.fromkeys(_MACRO.findall(artifact.query))) if artifact.language == "spl" else (),
    )
