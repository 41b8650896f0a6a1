"""What the house says about a rule, and what it raises when it is misused.

Findings about a rule are data: one :class:`Diagnostic` type for every reader, writer and check.
Exceptions are for callers that cannot go on::

    ConverterError(Exception)
    ├── RuleError(ConverterError, ValueError)       a rule, log or settings file is not what it must be
    ├── RefusedError(ConverterError, ValueError)    a rule cannot be said on a platform, or only with a loss
    └── MissingExtraError(ConverterError, ImportError)   an optional engine is not installed
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

import msgspec


class Severity(enum.StrEnum):
    """How bad a finding is: an error stops the work, a warning is a loss, a note is worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Fidelity(enum.StrEnum):
    """How a derived form relates to its rule, over well-formed events.

    ``exact``: alerts on the same events; ``wider``: may alert on more; ``narrower``: may miss some
    (and may also alert on more, when both kinds of loss are listed); ``refused``: not written.
    """

    EXACT = "exact"
    WIDER = "wider"
    NARROWER = "narrower"
    REFUSED = "refused"

    def __or__(self, other: Fidelity) -> Fidelity:
        """The fidelity of a whole whose parts have these two: the graver one."""
        return max(self, other, key=_GRAVITY.__getitem__)


_GRAVITY = {Fidelity.EXACT: 0, Fidelity.WIDER: 1, Fidelity.NARROWER: 2, Fidelity.REFUSED: 3}


class Diagnostic(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One finding, with the place it is about.

    ``code`` is a short kebab-case name, stable across versions (``--allow-loss`` takes it).
    ``effect`` is set on a loss of meaning: the direction it moves the alerts in, or ``refused``.
    ``line`` and ``column`` count from 1; ``file`` is a path as the user gave it.
    """

    code: str
    severity: Severity
    message: str
    hint: str | None = None
    file: str | None = None
    line: int | None = None
    column: int | None = None
    rule_id: str | None = None
    platform: str | None = None
    effect: Fidelity | None = None

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        head = f"{place}: " if place else ""
        rule = f" (rule {self.rule_id})" if self.rule_id else ""
        where = f"{self.platform}: " if self.platform else ""
        hint = f"\n  hint: {self.hint}" if self.hint else ""
        return f"{head}{self.severity}[{self.code}] {where}{self.message}{rule}{hint}"


def fidelity_of(diagnostics: Iterable[Diagnostic]) -> Fidelity:
    """The fidelity that these diagnostics add up to; ``exact`` when none of them has an effect."""
    fidelity = Fidelity.EXACT
    for diagnostic in diagnostics:
        if diagnostic.effect is not None:
            fidelity |= diagnostic.effect
    return fidelity


class ConverterError(Exception):
    """Base of everything this package raises on purpose. Carries the diagnostics that explain it."""

    def __init__(self, message: str, diagnostics: Iterable[Diagnostic] = ()) -> None:
        super().__init__(message)
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)


class RuleError(ConverterError, ValueError):
    """A rule, log, pack or settings file is malformed. The command line exits with 2."""


class RefusedError(ConverterError, ValueError):
    """A rule cannot be written for a platform, or only with a loss nobody allowed. Exit code 1."""


class MissingExtraError(ConverterError, ImportError):
    """An optional engine is asked for and its package is not installed."""
