"""Splunk: contentctl detections, macros and saved searches in SPL; writer, reader and settings."""

from __future__ import annotations

from collections.abc import Callable
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
    Windows,
)
from converter.platforms.guarding import render_guarded
from converter.platforms.splunk.codes import CODES


class SplunkPlatform:
    """See :class:`converter.platforms.base.Platform`. There is no engine to run SPL but Splunk itself."""

    name = "splunk"
    losses = CODES
    siem = True

    def render(self, rule: Rule, context: Context) -> Artifact:
        """Splunk's form of a rule: files, fidelity, and the search."""
        from converter.platforms.splunk.writer import render

        return render_guarded(rule, context, self.name, render)

    def read_back(self, artifact: Artifact, context: Context) -> Rule:
        """What the artifact's search means, over stored names. Raises RuleError if it does not parse."""
        from converter.platforms.splunk.read_back import read_back

        return read_back(artifact, context)

    def project(self, event: JsonObject, pack: Pack) -> StoredEvent:
        """A canonical event as Splunk stores it: flat fields, lists as multivalue fields."""
        return project(pack, event, self.name)

    def read(self, source: Source, context: ReadContext) -> list[ReadRule]:
        """The rules of a detection file or savedsearches.conf. Never raises for what the text holds."""
        from converter.platforms.splunk.importing.reader import read

        return read(source, context)

    def is_rule_file(self, path: Path) -> bool:
        """Whether a file may hold detections or saved searches."""
        from converter.platforms.splunk.importing.documents import is_rule_file

        return is_rule_file(path)

    def windows(self, rule: Rule, artifact: Artifact, context: Context) -> Windows:
        """Sliding windows of streamstats, or slices of the clock where ``bin`` makes them."""
        from converter.platforms.splunk.window import windows

        return windows(artifact)

    def engines(self) -> tuple[Callable[[], Engine], ...]:
        """None: nothing but Splunk itself runs SPL."""
        return ()

    def folder_engines(self) -> tuple[Callable[[], FolderEngine], ...]:
        """contentctl, which validates the detection files."""
        from converter.platforms.splunk.contentctl import Contentctl

        return (Contentctl,)


PLATFORM = SplunkPlatform()
