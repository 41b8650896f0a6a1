"""Detection rules authored once, rendered for several SIEMs, and checked to alert on the same events.

The public API is what this module names; importing it is cheap, each name is loaded when first used.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from converter.api import check, evaluate, load, matches, read, render
    from converter.check import Report
    from converter.evaluate import Alert
    from converter.model.diagnostics import (
        ConverterError,
        Diagnostic,
        Fidelity,
        MissingExtraError,
        RefusedError,
        RuleError,
    )
    from converter.model.rule import Rule
    from converter.platforms.base import Artifact, ReadRule

__version__ = "0.1.0"

_HOMES = {
    "Alert": "converter.evaluate",
    "Artifact": "converter.platforms.base",
    "ConverterError": "converter.model.diagnostics",
    "Diagnostic": "converter.model.diagnostics",
    "Fidelity": "converter.model.diagnostics",
    "MissingExtraError": "converter.model.diagnostics",
    "RefusedError": "converter.model.diagnostics",
    "ReadRule": "converter.platforms.base",
    "Report": "converter.check",
    "Rule": "converter.model.rule",
    "RuleError": "converter.model.diagnostics",
    "check": "converter.api",
    "evaluate": "converter.api",
    "load": "converter.api",
    "matches": "converter.api",
    "read": "converter.api",
    "render": "converter.api",
}

__all__ = [
    "Alert",
    "Artifact",
    "ConverterError",
    "Diagnostic",
    "Fidelity",
    "MissingExtraError",
    "ReadRule",
    "RefusedError",
    "Report",
    "Rule",
    "RuleError",
    "__version__",
    "check",
    "evaluate",
    "load",
    "matches",
    "read",
    "render",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)


class _Package(ModuleType):
    """This package. Two of its rooms share their names with public functions: importing the room
    ``converter.evaluate`` must not put it in the place of the function ``converter.evaluate``.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
