"""What is found out while a condition is put into stored names, with its effect on the rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from converter.model.diagnostics import Diagnostic, Fidelity, Severity

LOSSES: Final[Mapping[str, str]] = {
    "case": "The platform changes the case of a field's values, and the condition regards it.",
    "list-step": "A key stands directly behind a list, which gives nothing: [] is missing.",
    "names-differ": "The rule's log sources store a field under different names, or with different values.",
    "not-stored": "The platform does not keep a field, or one of the fields of an object asked for.",
    "object-exists": "Whether a free-form object is there cannot be asked: not all of its keys are known.",
    "same-element": "All values are looked for in one element of a nested field, not in any.",
    "shared-field": "The platform stores another field's values under the same name.",
    "unknown-field": "No pack of the rule knows a field.",
    "value-change": "The platform stores other words than the log has, or a value in parts.",
}
"""The codes of what stored names cost a rule on any platform, and what each means."""

_OPPOSITE = {Fidelity.WIDER: Fidelity.NARROWER, Fidelity.NARROWER: Fidelity.WIDER}


class Findings:
    """The diagnostics of one condition on one platform, each said once."""

    def __init__(self, platform: str) -> None:
        self._platform = platform
        self._negated = False
        self._found: dict[tuple[str, str, Fidelity | None], Diagnostic] = {}

    @contextmanager
    def negated(self) -> Iterator[None]:
        """Within: what is wider for the part is narrower for the rule, and the other way round."""
        self._negated = not self._negated
        try:
            yield
        finally:
            self._negated = not self._negated

    def lose(self, code: str, effect: Fidelity, message: str, hint: str | None = None) -> None:
        """A loss: ``effect`` is on the part of the condition that is being looked at."""
        severity = Severity.ERROR if effect is Fidelity.REFUSED else Severity.WARNING
        self._add(code, severity, message, hint, _OPPOSITE.get(effect, effect) if self._negated else effect)

    def note(self, code: str, message: str) -> None:
        """Something worth knowing that changes no alert."""
        self._add(code, Severity.NOTE, message, None, None)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Everything so far, in the order in which it was found."""
        return tuple(self._found.values())

    def _add(
        self, code: str, severity: Severity, message: str, hint: str | None, effect: Fidelity | None
    ) -> None:
        made = Diagnostic(
            code=code, severity=severity, message=message, hint=hint, effect=effect, platform=self._platform
        )
        self._found.setdefault((code, message, effect), made)
