"""Elastic Security: rule files (TOML) with queries in KQL, EQL or ES|QL, written and read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from converter.logsources.pack import Pack
from converter.logsources.project import project
from converter.model.rule import JsonObject, Rule
from converter.platforms.base import (
    Artifact,
    Context,
    Engine,
    ReadContext,
    ReadRule,
    Source,
    StoredEvent,
    Windows,
)
from converter.platforms.elastic.codes import CODES
from converter.platforms.elastic.fields import PLATFORM as _NAME
from converter.platforms.guarding import render_guarded

__all__ = ["PLATFORM", "Elastic"]


class Elastic:
    """Elastic Security as a platform (see :class:`converter.platforms.base.Platform`)."""

    name: str = _NAME
    siem: bool = True
    losses: Mapping[str, str] = CODES

    def render(self, rule: Rule, context: Context) -> Artifact:
        """The rule as a TOML file in the layout of Elastic's detection-rules repository."""
        from converter.platforms.elastic.render import render

        return render_guarded(rule, context, _NAME, render)

    def read_back(self, artifact: Artifact, context: Context) -> Rule:
        """What the file says, over stored names. Raises RuleError."""
        from converter.platforms.elastic.read_back import read_back

        return read_back(artifact, context)

    def project(self, event: JsonObject, pack: Pack) -> StoredEvent:
        """The event as Elasticsearch holds it: stored name → scalar or list of scalars."""
        return project(pack, event, _NAME)

    def read(self, source: Source, context: ReadContext) -> list[ReadRule]:
        """The rules of a TOML file, or of NDJSON as Kibana exports it. Never raises for a text."""
        from converter.platforms.elastic.importing.reader import read

        return read(source, context)

    def is_rule_file(self, path: Path) -> bool:
        """Whether a file may hold rules: TOML or NDJSON."""
        from converter.platforms.elastic.importing.documents import is_rule_file

        return is_rule_file(path)

    def windows(self, rule: Rule, artifact: Artifact, context: Context) -> Windows:
        """What each run sees since its ``from``."""
        from converter.platforms.elastic.windows import windows

        return windows(rule, artifact, context)

    def engines(self) -> tuple[Callable[[], Engine], ...]:
        """PyPI's ``eql``, where it agrees with Elasticsearch, which itself runs nowhere in-process."""
        from converter.platforms.elastic.engine import PythonEql

        return (PythonEql,)


PLATFORM: Final = Elastic()
