"""Sigma: rules, correlations and filters, read and written; through pySigma, its other backends."""

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
    Platform,
    ReadContext,
    ReadRule,
    Source,
    StoredEvent,
)
from converter.platforms.sigma.codes import LOSSES

__all__ = ["PLATFORM", "Sigma"]

_NAME: Final = "sigma"


class Sigma:
    """Sigma as a platform (see :class:`converter.platforms.base.Platform`)."""

    name: str = _NAME
    siem: bool = False
    losses: Mapping[str, str] = LOSSES

    def render(self, rule: Rule, context: Context) -> Artifact:
        """The rule as a Sigma file: one rule, or a correlation with the rules that it names."""
        from converter.platforms.sigma.render import render

        return render(rule, context)

    def through(self, backend: str) -> Platform:
        """Another platform behind Sigma, by the name of its pySigma backend. Raises RuleError."""
        from converter.platforms.sigma.through import SigmaBackend

        return SigmaBackend(backend, self.render)

    def read_back(self, artifact: Artifact, context: Context) -> Rule:
        """What the file says, over Sigma's field names. Raises RuleError."""
        from converter.platforms.sigma.read_back import read_back

        return read_back(artifact, context)

    def read(self, source: Source, context: ReadContext) -> list[ReadRule]:
        """Every rule of a Sigma text, over canonical field names. Never raises."""
        from converter.platforms.sigma.reader import read

        return read(source, context)

    def is_rule_file(self, path: Path) -> bool:
        """Whether the file holds a Sigma rule, correlation or filter."""
        from converter.platforms.sigma.documents import is_rule_file

        return is_rule_file(path)

    def project(self, event: JsonObject, pack: Pack) -> StoredEvent:
        """The event under Sigma's field names: name → scalar or list of scalars."""
        return project(pack, event, _NAME)

    def engines(self) -> tuple[Callable[[], Engine], ...]:
        """None: Sigma is a language between others; pySigma converts it and runs nothing."""
        return ()


PLATFORM: Final = Sigma()
