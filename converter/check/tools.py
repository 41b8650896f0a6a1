"""The vendors' own programs, run on everything that was rendered for their platform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from converter.check.report import Pair
from converter.model.diagnostics import ConverterError, Diagnostic, Fidelity, MissingExtraError, Severity
from converter.platforms.base import Artifact, FolderEngine, FolderFinding, Platform, WithTools


def by_tools(
    platforms: Sequence[Platform], rendered: Mapping[str, Sequence[tuple[Pair, Artifact]]]
) -> tuple[list[Pair], list[Diagnostic]]:
    """A pair for each rendering and tool, and a note for each tool that is not installed.

    ``rendered``: by platform, each rendering with its reader's pair. What a tool says of no rule is a pair
    of its own.
    """
    pairs: list[Pair] = []
    missing: list[Diagnostic] = []
    for platform in platforms:
        written = [one for one in rendered.get(platform.name, ()) if one[0].fidelity is not Fidelity.REFUSED]
        for factory in platform.folder_engines() if isinstance(platform, WithTools) else ():
            try:
                engine = factory()
            except MissingExtraError as error:
                missing.append(missing_engine(platform, error))
                continue
            pairs += _by_tool(platform, engine, written)
    return pairs, missing


def missing_engine(platform: Platform, error: MissingExtraError) -> Diagnostic:
    """The note that an engine is not there."""
    return Diagnostic(
        code="missing-engine", severity=Severity.NOTE, message=str(error), platform=platform.name
    )


def _by_tool(
    platform: Platform, engine: FolderEngine, written: Sequence[tuple[Pair, Artifact]]
) -> list[Pair]:
    name = f"{engine.name} {engine.version}".strip()
    try:
        findings = engine.findings([artifact for _, artifact in written])
    except ConverterError as error:
        findings = [FolderFinding(None, str(error))]
    by_rule: dict[str | None, list[str]] = {}
    known = {pair.rule for pair, _ in written}
    for finding in findings:
        by_rule.setdefault(finding.rule_id if finding.rule_id in known else None, []).append(finding.message)
    pairs = [_pair(pair, name, by_rule.get(pair.rule)) for pair, _ in written]
    if None in by_rule:
        whole = Pair(rule="", title="all rules", platform=platform.name, fidelity=Fidelity.EXACT, engine=name)
        pairs.append(_pair(whole, name, by_rule[None]))
    return pairs


def _pair(of_reader: Pair, engine: str, messages: Sequence[str] | None) -> Pair:
    return msgspec.structs.replace(
        of_reader,
        engine=engine,
        events=0,
        streams=0,
        disagreements=(),
        shown={},
        diagnostics=(),
        problem="; ".join(messages) if messages else None,
    )
