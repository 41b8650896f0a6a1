"""What is found out about one rule while it is read, each finding with its place in the file."""

from __future__ import annotations

from collections.abc import Iterable

from converter.model.diagnostics import Diagnostic, Fidelity, RuleError, Severity
from converter.platforms.elastic.fields import PLATFORM
from converter.platforms.elastic.grammars import LeftOut
from converter.platforms.elastic.importing.documents import Document


class Findings:
    """The diagnostics of one document, and the parts of its text that the reading leaves out."""

    def __init__(self, document: Document, file: str, rule_id: str) -> None:
        self._document = document
        self._file = file
        self._rule_id = rule_id
        self._found: dict[tuple[str, str, int | None, int | None], Diagnostic] = {}
        self.residue: list[str] = []

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Everything found so far, each once."""
        return tuple(self._found.values())

    def refuse(self, code: str, message: str, key: str) -> None:
        """The rule cannot be read, for what stands under ``key``."""
        self._add(code, Severity.ERROR, message, Fidelity.REFUSED, self._document.position(key))

    def lose(self, code: str, message: str, key: str, effect: Fidelity) -> None:
        """The reading differs from the text."""
        self._add(code, Severity.WARNING, message, effect, self._document.position(key))

    def note(self, code: str, message: str, key: str) -> None:
        """Something worth knowing that changes no alert."""
        self._add(code, Severity.NOTE, message, None, self._document.position(key))

    def leave_out(self, parts: Iterable[LeftOut]) -> None:
        """Parts of the query that were left out."""
        for part in parts:
            self.residue.append(part.text)
            message = f"{part.reason.message.replace('not readable: ', '')} is left out"
            self._add("left-out", Severity.WARNING, message, part.effect, self._in_query(part.reason))

    def error(self, error: RuleError) -> None:
        """The query cannot be read."""
        for one in error.diagnostics or (None,):
            message = one.message if one else str(error)
            code = one.code if one else "elastic-rule"
            place = self._in_query(one) if one else self._document.position("query")
            self._add(code, Severity.ERROR, message, Fidelity.REFUSED, place)

    def in_query(self, found: Iterable[Diagnostic]) -> None:
        """Diagnostics whose places count within the query."""
        for one in found:
            self._add(one.code, one.severity, one.message, one.effect, self._in_query(one), one.hint)

    def add(self, found: Iterable[Diagnostic]) -> None:
        """Diagnostics about the rule as a whole."""
        for one in found:
            place = self._document.position("query")
            self._add(one.code, one.severity, one.message, one.effect, place, one.hint)

    def _in_query(self, found: Diagnostic) -> tuple[int, int]:
        return self._document.position("query", found.line, found.column)

    def _add(
        self,
        code: str,
        severity: Severity,
        message: str,
        effect: Fidelity | None,
        place: tuple[int, int],
        hint: str | None = None,
    ) -> None:
        line, column = place
        self._found.setdefault(
            (code, message, line, column),
            Diagnostic(
                code=code,
                severity=severity,
                message=message,
                hint=hint,
                file=self._file,
                line=line,
                column=column,
                rule_id=self._rule_id,
                platform=PLATFORM,
                effect=effect,
            ),
        )
