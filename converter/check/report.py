"""What a check found, as data."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from converter.model.diagnostics import Diagnostic, Fidelity, Severity


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
    ``diagnostics``: what was said of the rendering (with the reader's pair alone). ``shown``: direction of a
    named loss → the event or stream that shows it (with the reader's pair alone; counting is run in the
    platform's own windows).
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
    shown: dict[Fidelity, str] = msgspec.field(default_factory=dict)

    @property
    def agrees(self) -> bool:
        """Whether nothing was found against the rendering."""
        return not self.disagreements and self.problem is None

    @property
    def directions(self) -> frozenset[Fidelity]:
        """The directions of the named losses; none of a refused rule, which alerts on nothing."""
        if self.fidelity is Fidelity.REFUSED:
            return frozenset()
        return frozenset(found.effect for found in self.diagnostics if found.effect is not None)

    @property
    def idle(self) -> bool:
        """Whether the engine skipped everything."""
        return bool(self.skipped) and self.agrees and not self.events


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What became different. ``kind``: added, removed, fidelity, outputs, verdicts or alerts; ``old`` and
    ``new``: what it was and is; ``event``: the first event (or stream) with another verdict.
    """

    rule: str
    title: str
    kind: str
    platform: str = ""
    old: Any = None
    new: Any = None
    event: Any = None
    file: str | None = None
    line: int | None = None

    @property
    def diagnostic(self) -> Diagnostic:
        """The change as a finding."""
        seen = "" if self.event is None else f"\nevent: {msgspec.json.encode(self.event).decode()}"
        was = "" if self.old is None and self.new is None else f": was {self.old}, is {self.new}"
        return Diagnostic(
            code=f"changed-{self.kind}",
            severity=Severity.ERROR,
            message=f"{self.title}: {self.kind}{was}{seen}",
            file=self.file,
            line=self.line,
            rule_id=self.rule,
            platform=self.platform or None,
        )


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Totals over all pairs. ``losses``: named directions of readers' pairs; ``shown``: those of them that an
    event or stream shows.
    """

    rules: int
    pairs: int
    events: int
    streams: int
    disagreements: int
    problems: int
    refused: int
    skipped: int = 0
    losses: int = 0
    shown: int = 0


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Every pair that was checked, the totals, what was said on the way, and what changed since then."""

    pairs: tuple[Pair, ...]
    summary: Summary
    diagnostics: tuple[Diagnostic, ...] = ()
    changes: tuple[Change, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every pair agrees, and nothing changed."""
        return self.summary.disagreements == 0 and self.summary.problems == 0 and not self.changes

    @property
    def skips(self) -> Counter[tuple[str, str]]:
        """How many events each engine skipped for which reason."""
        found: Counter[tuple[str, str]] = Counter()
        for pair in self.pairs:
            found.update({(pair.engine, reason): count for reason, count in pair.skipped.items()})
        return found


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
            losses=sum(len(pair.directions) for pair in pairs),
            shown=sum(len(pair.shown) for pair in pairs),
        ),
    )
