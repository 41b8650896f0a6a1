"""What a team, or one rule, sets for Elastic. Nothing here changes a rule's condition."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import msgspec

from converter.model.diagnostics import Diagnostic, Fidelity, Severity

_INTERVAL = re.compile(r"[1-9]\d{0,5}[smhd]", re.ASCII)
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LANGUAGES: Final = ("kuery", "eql", "esql")
_MATURITIES: Final = ("development", "experimental", "beta", "production", "deprecated")


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``platforms.elastic`` of a rule, or of converter.toml.

    ``index``: index patterns in place of the log source's. ``interval``: how often the rule runs; ``from``:
    how far each run looks back (``now-9m``), never less than the rule needs. ``language``: kuery, eql or esql
    and no other. ``building_block``: alerts are hidden and feed other rules. ``min_stack_version``: the
    oldest Elastic version that the rule is for.
    """

    index: tuple[str, ...] = ()
    integration: tuple[str, ...] = ()
    author: tuple[str, ...] = ()
    license: str = "Apache-2.0"
    interval: str = "5m"
    from_: str | None = msgspec.field(default=None, name="from")
    enabled: bool | None = None
    tags: tuple[str, ...] = ()
    maturity: str | None = None
    note: str | None = None
    setup: str | None = None
    timestamp_override: str | None = "event.ingested"
    building_block: bool = False
    risk_score: int | None = None
    max_signals: int | None = None
    min_stack_version: str | None = None
    language: str | None = None
    allow_loss: tuple[str, ...] = ()


def read_settings(*layers: Mapping[str, Any]) -> tuple[Settings, Diagnostic | None]:
    """The settings of all layers, later ones over earlier; what is wrong with them, if anything."""
    merged: dict[str, Any] = {}
    for layer in layers:
        merged.update(layer)
    if not merged:
        return _DEFAULT, None
    try:
        settings = msgspec.convert(merged, Settings)
    except msgspec.ValidationError as error:
        return _DEFAULT, _wrong(str(error))
    problem = _problem(settings)
    return (settings, None) if problem is None else (_DEFAULT, _wrong(problem))


def interval_of(text: str) -> timedelta:
    """The span that ``5m`` means."""
    return timedelta(seconds=int(text[:-1]) * _UNITS[text[-1]])


_DEFAULT: Final = Settings()


def _problem(settings: Settings) -> str | None:
    if not _INTERVAL.fullmatch(settings.interval):
        return f"interval {settings.interval!r} is not a number and one of s, m, h, d"
    if settings.from_ is not None and not (
        settings.from_.startswith("now-") and _INTERVAL.fullmatch(settings.from_[4:])
    ):
        return f"from {settings.from_!r} is not now- and a span such as 30m"
    if settings.language is not None and settings.language not in _LANGUAGES:
        return f"language {settings.language!r} is none of {', '.join(_LANGUAGES)}"
    if settings.maturity is not None and settings.maturity not in _MATURITIES:
        return f"maturity {settings.maturity!r} is none of {', '.join(_MATURITIES)}"
    if settings.risk_score is not None and not 0 <= settings.risk_score <= 100:
        return "risk_score is not within 0 to 100"
    if settings.max_signals is not None and settings.max_signals < 1:
        return "max_signals is less than 1"
    return None


def _wrong(message: str) -> Diagnostic:
    return Diagnostic(
        code="settings",
        severity=Severity.ERROR,
        message=f"platforms.elastic: {message}",
        platform="elastic",
        effect=Fidelity.REFUSED,
    )
