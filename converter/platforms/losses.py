"""Collecting what a writer cannot say exactly, with the direction it errs in.

A printer that can only approximate a predicate says whether its text matches *more* or *fewer* events than
the predicate. Below a negation the effect on the rule is the opposite one: the walker that prints the tree
calls :meth:`Losses.flipped` around the negated term, so no printer has to know where it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from converter.model.diagnostics import Diagnostic, Fidelity, Severity, fidelity_of
from converter.model.rule import Rule
from converter.platforms.base import Artifact

UNREAD_CODES = frozenset({"log-source", "repeated-results"})
"""Losses that lie in how a platform stores or runs, and never show in the meaning of the text itself: what
is read back from a rendering with these alone is held to be exact."""

STREAM_CODES = frozenset(
    {"window", "group-by", "distinct", "new-terms", "sequence", "suppression", "schedule", "threshold"}
)
"""Losses that touch when matches become alerts, and never which single events match."""

_OPPOSITE = {Fidelity.WIDER: Fidelity.NARROWER, Fidelity.NARROWER: Fidelity.WIDER}


def accepted_losses(settings: Mapping[str, Any]) -> frozenset[str]:
    """The loss codes that a platform's settings (a rule's own, or a team's) accept under ``allow_loss``."""
    codes = settings.get("allow_loss", ())
    return (
        frozenset(code for code in codes if isinstance(code, str)) if isinstance(codes, list) else frozenset()
    )


def unaccepted_losses(rule: Rule, artifact: Artifact, allowed: Iterable[str]) -> tuple[str, ...]:
    """The codes of the losses of a rendering that neither the rule nor ``allowed`` accepts, in order."""
    accepted = {*allowed, *accepted_losses(rule.platforms.get(artifact.platform, {}))}
    lost = [d.code for d in artifact.diagnostics if d.effect in (Fidelity.WIDER, Fidelity.NARROWER)]
    return tuple(dict.fromkeys(code for code in lost if code not in accepted))


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

    def extend(self, diagnostics: Iterator[Diagnostic] | tuple[Diagnostic, ...]) -> None:
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
