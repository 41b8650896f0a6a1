"""What a team may set for Sigma: ``platforms.sigma`` of a rule, and the same keys for all rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from converter.model.diagnostics import Diagnostic, Fidelity, Severity
from converter.platforms.sigma.documents import NAME

_TEXTS: Final = ("name", "taxonomy", "license", "id", "definition")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """``logsource`` stands in place of the pack's; ``name`` is what correlations call the rule by; ``id``:
    the id of a rule whose own is no UUID. The rest is written as it is.
    """

    name: str = ""
    id: str = ""
    taxonomy: str = ""
    license: str = ""
    definition: str = ""
    logsource: Mapping[str, Any] = msgspec.field(default_factory=dict)
    related: tuple[Any, ...] = ()
    scope: tuple[Any, ...] = ()
    allow_loss: tuple[Any, ...] = ()


def read_settings(*layers: Mapping[str, Any]) -> tuple[Settings, Diagnostic | None]:
    """The settings, later layers over earlier ones; with a finding if they are not what they must be."""
    merged: dict[str, Any] = {}
    for layer in layers:
        merged.update(layer)
    unknown = sorted(set(merged) - set(Settings.__struct_fields__))
    if unknown:
        known = ", ".join(Settings.__struct_fields__)
        return Settings(), _wrong(f"platforms.sigma: unknown setting {unknown[0]!r}", f"known: {known}")
    for key, value in merged.items():
        if key in _TEXTS and not isinstance(value, str):
            return Settings(), _wrong(f"platforms.sigma.{key}: expected a text")
        if key == "logsource" and not isinstance(value, Mapping):
            return Settings(), _wrong("platforms.sigma.logsource: expected a mapping")
        if key in ("related", "scope", "allow_loss") and not isinstance(value, list | tuple):
            return Settings(), _wrong(f"platforms.sigma.{key}: expected a list")
    for key in ("related", "scope", "allow_loss"):
        if key in merged:
            merged[key] = tuple(merged[key])
    return Settings(**merged), None


def _wrong(message: str, hint: str | None = None) -> Diagnostic:
    return Diagnostic(
        code="settings",
        severity=Severity.ERROR,
        message=message,
        hint=hint,
        platform=NAME,
        effect=Fidelity.REFUSED,
    )
