"""What is found out about one analysis item while it is read, each finding with its place in the file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from converter.model.diagnostics import Diagnostic, Fidelity, Severity, fidelity_of
from converter.platforms.panther.importing.documents import Document, Steps

PLATFORM = "panther"


class Findings:
    """The diagnostics about one document, each once, and the parts of it that the reading leaves out."""

    def __init__(self, document: Document, rule_id: str) -> None:
        self._document = document
        self._rule_id = rule_id
        self._found: dict[tuple[str, str, Fidelity | None, int | None], Diagnostic] = {}
        self.residue: list[str] = []

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Everything found so far."""
        return tuple(self._found.values())

    @property
    def fidelity(self) -> Fidelity:
        """What it adds up to."""
        return fidelity_of(self._found.values())

    def refuse(self, code: str, message: str, at: Steps = (), hint: str | None = None) -> None:
        """The item cannot be read, for what stands at ``at``."""
        self._add(code, Severity.ERROR, message, at, Fidelity.REFUSED, hint)

    def lose(self, code: str, message: str, at: Steps, effect: Fidelity, hint: str | None = None) -> None:
        """The reading differs from the item."""
        self._add(code, Severity.WARNING, message, at, effect, hint)

    def note(self, code: str, message: str, at: Steps = (), hint: str | None = None) -> None:
        """Something worth knowing that changes no alert."""
        self._add(code, Severity.NOTE, message, at, None, hint)

    def leave_out(self, code: str, message: str, at: Steps, text: str) -> None:
        """A part that only let fewer events match has no counterpart."""
        self.residue.append(text)
        self.lose(code, f"{message}; it is left out", at, Fidelity.WIDER)

    def add(self, found: Iterable[Diagnostic], at: Steps = ()) -> None:
        """Diagnostics that were made elsewhere; those without a place get that of ``at``."""
        for one in found:
            place: dict[str, Any] = {}
            if one.line is None:
                line, column = self._document.position(at)
                place = {"file": self._document.file, "line": line, "column": column}
            self._keep(
                msgspec.structs.replace(one, rule_id=self._rule_id or one.rule_id, platform=PLATFORM, **place)
            )

    def _add(
        self,
        code: str,
        severity: Severity,
        message: str,
        at: Steps,
        effect: Fidelity | None,
        hint: str | None,
    ) -> None:
        line, column = self._document.position(at)
        self._keep(
            Diagnostic(
                code=code,
                severity=severity,
                message=message,
                hint=hint,
                file=self._document.file,
                line=line,
                column=column,
                rule_id=self._rule_id,
                platform=PLATFORM,
                effect=effect,
            )
        )

    def _keep(self, one: Diagnostic) -> None:
        self._found.setdefault((one.code, one.message, one.effect, one.line), one)
