"""Collecting what cannot be said exactly, with the direction it errs in.

Whoever can only approximate a predicate says whether the approximation matches *more* or *fewer* events than
the predicate. Below a negation the effect on the rule is the opposite one: whoever walks the tree calls
:meth:`Losses.flipped` around the negated term, so that no printer has to know where it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from converter.model.diagnostics import Diagnostic, Fidelity, Severity, fidelity_of

_OPPOSITE = {Fidelity.WIDER: Fidelity.NARROWER, Fidelity.NARROWER: Fidelity.WIDER}


class Losses:
    """The diagnostics of one rendering, in the order they were found, each said once."""

    def __init__(self, platform: str, rule_id: str | None = None) -> None:
        self._platform = platform
        self._rule_id = rule_id
        self._negated = False
        self._found: dict[tuple[str, str, Fidelity | None], Diagnostic] = {}

    @contextmanager
    def flipped(self) -> Iterator[None]:
        """Within: what is wider for the predicate is narrower for the rule, and the other way round."""
        self._negated = not self._negated
        try:
            yield
        finally:
            self._negated = not self._negated

    def lose(self, code: str, effect: Fidelity, message: str, hint: str | None = None) -> None:
        """Record a loss: ``effect`` is what the approximation does to the part being printed."""
        severity = Severity.ERROR if effect is Fidelity.REFUSED else Severity.WARNING
        self._add(code, severity, message, hint, _OPPOSITE.get(effect, effect) if self._negated else effect)

    def refuse(self, code: str, message: str, hint: str | None = None) -> None:
        """Record that the rule cannot be written."""
        self.lose(code, Fidelity.REFUSED, message, hint)

    def note(self, code: str, message: str, hint: str | None = None) -> None:
        """Record something worth knowing that changes no alert."""
        self._add(code, Severity.NOTE, message, hint, None)

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Take over diagnostics that were made elsewhere, as they are."""
        for diagnostic in diagnostics:
            self._found.setdefault((diagnostic.code, diagnostic.message, diagnostic.effect), diagnostic)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Everything recorded so far."""
        return tuple(self._found.values())

    @property
    def fidelity(self) -> Fidelity:
        """What the recorded losses add up to."""
        return fidelity_of(self._found.values())

    def _add(
        self, code: str, severity: Severity, message: str, hint: str | None, effect: Fidelity | None
    ) -> None:
        self._found.setdefault(
            (code, message, effect),
            Diagnostic(
                code=code,
                severity=severity,
                message=message,
                hint=hint,
                effect=effect,
                platform=self._platform,
                rule_id=self._rule_id,
            ),
        )
