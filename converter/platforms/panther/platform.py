"""The platform object: writing, reading back, projecting, and the engine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from converter.logsources import project
from converter.logsources.pack import Pack
from converter.model.rule import JsonObject, Rule
from converter.platforms.base import (
    Artifact,
    Context,
    Engine,
    FolderEngine,
    ReadContext,
    ReadRule,
    Source,
    StoredEvent,
    WindowKind,
    Windows,
)
from converter.platforms.guarding import render_guarded
from converter.platforms.panther.codes import CODES
from converter.platforms.panther.settings import LONGEST_DEDUP_MINUTES, SHORTEST_DEDUP_MINUTES
from converter.platforms.panther.writer import PLATFORM_NAME, PantherWriter

_MINUTE = timedelta(minutes=1)


class PantherPlatform:
    """Panther as a :class:`converter.platforms.base.Platform`."""

    name = PLATFORM_NAME
    losses = CODES
    siem = True

    def render(self, rule: Rule, context: Context) -> Artifact:
        """The rule as a Panther rule, or for a sequence as a correlation rule over one rule per step."""
        return render_guarded(rule, context, PLATFORM_NAME, _render)

    def read_back(self, artifact: Artifact, context: Context) -> Rule:
        """What the artifact's files say. Raises RuleError when they do not parse."""
        from converter.platforms.panther.reader import read_artifact

        return read_artifact(artifact, context)

    def read(self, source: Source, context: ReadContext) -> list[ReadRule]:
        """The detections of a specification or a Python text. Never raises for what the text holds."""
        from converter.platforms.panther.importing.reader import read

        return read(source, context)

    def is_rule_file(self, path: Path) -> bool:
        """Whether a file holds detections: a specification of one, or classes of pypanther's."""
        from converter.platforms.panther.importing.documents import is_rule_file

        return is_rule_file(path)

    def leans_on(self, source: Source, beside: tuple[Path, ...]) -> tuple[Path, ...]:
        """The files that reading a text looks into: its Python, helpers, data models, rules it refers to."""
        from converter.platforms.panther.importing.leaning import leaning

        return leaning(source, beside)

    def project(self, event: JsonObject, pack: Pack) -> StoredEvent:
        """The event as Panther stores it: its own JSON shape."""
        return project(pack, event, PLATFORM_NAME)

    def windows(self, rule: Rule, artifact: Artifact, context: Context) -> Windows:
        """Periods of whole minutes from a group's first match on (Panther documentation, Rules)."""
        return Windows(
            kind=WindowKind.PERIOD,
            unit=_MINUTE,
            shortest=SHORTEST_DEDUP_MINUTES * _MINUTE,
            longest=LONGEST_DEDUP_MINUTES * _MINUTE,
            sequence_unit=_MINUTE,
            forgets=True,
            each_step=True,
        )

    def engines(self) -> tuple[Callable[[], Engine], ...]:
        """panther_core, which runs the emitted Python."""
        from converter.platforms.panther.engine import PantherCore

        return (PantherCore,)

    def folder_engines(self) -> tuple[Callable[[], FolderEngine], ...]:
        """panther_analysis_tool, which runs the tests of the emitted files."""
        from converter.platforms.panther.analysis_tool import PantherAnalysisTool

        return (PantherAnalysisTool,)


def _render(rule: Rule, context: Context) -> Artifact:
    writer = PantherWriter(rule, context)
    if rule.sequence is not None:
        from converter.platforms.panther.correlation import write_sequence

        return write_sequence(writer)
    return writer.write()


PLATFORM = PantherPlatform()
