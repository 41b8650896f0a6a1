"""Which language a rule is written in: the one that loses least.

Of equals it is the plainest: KQL before EQL before ES|QL. A candidate is a language with the text it gives
and the losses that cost. Candidates are made one after the other, and the first exact one is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from converter.model.diagnostics import Diagnostic, Fidelity, Severity, fidelity_of

LABELS: Final = {"kuery": "KQL", "eql": "EQL", "esql": "ES|QL"}

_GRAVITY: Final = {Fidelity.EXACT: 0, Fidelity.WIDER: 1, Fidelity.NARROWER: 2, Fidelity.REFUSED: 3}


class Candidate(msgspec.Struct, frozen=True):
    """A rule's query in one language. ``type`` is Elastic's rule type."""

    language: str
    type: str
    query: str
    diagnostics: tuple[Diagnostic, ...]

    @property
    def fidelity(self) -> Fidelity:
        """What this candidate's own losses add up to."""
        return fidelity_of(self.diagnostics)


class Choice(msgspec.Struct, frozen=True):
    """The candidate taken, and why."""

    candidate: Candidate
    reason: str


def choose(makers: Sequence[Callable[[], Candidate]]) -> Choice:
    """The best candidate. There must be one maker; they are in order of preference."""
    made: list[Candidate] = []
    for make in makers:
        made.append(make())
        if made[-1].fidelity is Fidelity.EXACT:
            break
    best = min(made, key=lambda candidate: _GRAVITY[candidate.fidelity])
    return Choice(best, _reason(best, made))


def _reason(best: Candidate, made: Sequence[Candidate]) -> str:
    label = LABELS[best.language]
    before = [candidate for candidate in made if candidate is not best]
    if not before:
        if best.fidelity is Fidelity.EXACT:
            return f"{label} says all of it"
        return f"{best.type} rules are written in {label}"
    why = "; ".join([f"{LABELS[c.language]} cannot: {_first_loss(c)}" for c in before])
    return f"{label} is {best.fidelity.value}; {why}"


def _first_loss(candidate: Candidate) -> str:
    losses = [d for d in candidate.diagnostics if d.effect is not None]
    errors = [d for d in losses if d.severity is Severity.ERROR]
    return (errors or losses)[0].message
