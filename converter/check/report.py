"""What a check found, as data."""

from __future__ import annotations

from typing import Any

import msgspec

from converter.model.diagnostics import Diagnostic, Fidelity


class Disagreement(msgspec.Struct, frozen=True, kw_only=True):
    """One event (or stream) on which a derived form and its rule differ beyond the fidelity it claims.

    ``event``: the canonical event, or for a stream its events. ``expected`` and ``got``: verdicts, or for a
    stream the alerts as lists of event numbers. ``predicate``: what decided the reference verdict.
    ``origin``: where the event came from.
    """

    origin: str
    event: Any
    expected: Any
    got: Any
    predicate: str = ""


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """One rule on one platform under one engine. ``events`` counts single verdicts, ``streams`` whole
    streams; ``problem`` says why the engine could not run the text, which is a failure too. ``skipped``:
    reason → how many events the engine says nothing of. ``file`` and ``line``: where the rule stands.
    ``diagnostics``: what was said of the rendering (with the reader's pair alone).
    """

    rule: str
    title: str
    platform: str
    fidelity: Fidelity
    engine: str
    language: str = ""
    events: int = 0
    streams: int = 0
    disagreements: tuple[Disagreement, ...] = ()
    problem: str | None = None
    losses: tuple[str, ...] = ()
    skipped: dict[str, int] = msgspec.field(default_factory=dict)
    file: str | None = None
    line: int | None = None
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether nothing was found against the rendering."""
        return not self.disagreements and self.problem is None


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Totals over all pairs."""

    rules: int
    pairs: int
    events: int
    streams: int
    disagreements: int
    problems: int
    refused: int
    skipped: int = 0


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Every pair that was checked, the totals, and what was said on the way."""

    pairs: tuple[Pair, ...]
    summary: Summary
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every pair agrees."""
        return self.summary.disagreements == 0 and self.summary.problems == 0


def summarised(pairs: list[Pair], diagnostics: tuple[Diagnostic, ...] = ()) -> Report:
    """The report over these pairs."""
    return Report(
        pairs=tuple(pairs),
        diagnostics=diagnostics,
        summary=Summary(
            rules=len({pair.rule for pair in pairs}),
            pairs=len(pairs),
            events=sum(pair.events for pair in pairs),
            streams=sum(pair.streams for pair in pairs),
            disagreements=sum(len(pair.disagreements) for pair in pairs),
            problems=sum(pair.problem is not None for pair in pairs),
            refused=sum(pair.fidelity is Fidelity.REFUSED for pair in pairs),
            skipped=sum(sum(pair.skipped.values()) for pair in pairs),
        ),
    )
