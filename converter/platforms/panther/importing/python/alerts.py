"""The functions beside ``rule()``: title, dedup, severity, alert_context and unique."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from converter.model.diagnostics import Diagnostic
from converter.model.paths import FieldPath
from converter.model.rule import Level, OutputField
from converter.platforms.panther.importing.python.interface import Modules, PythonSource
from converter.platforms.panther.importing.python.shapes import Shape, Shapes, Steps


class Alerts(msgspec.Struct, frozen=True, kw_only=True):
    """What an alert of the detection shows, and by what it is grouped."""

    title: tuple[str | FieldPath, ...] = ()
    group_by: tuple[FieldPath, ...] = ()
    group_by_known: bool = True
    severity: Level | None = None
    output: tuple[OutputField, ...] = ()
    distinct: FieldPath | None = None
    diagnostics: tuple[Diagnostic, ...] = ()


def read_alerts(
    source: PythonSource,
    modules: Modules,
    log_types: Sequence[str],
    shapes: Shapes,
    usage: dict[Steps, Shape],
) -> Alerts:
    """What the functions beside ``rule()`` say, as far as they are plain."""
    return Alerts()
