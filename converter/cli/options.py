"""Options and arguments that several commands share, and what they stand for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from converter.api import context_for
from converter.logsources import load_packs
from converter.logsources.pack import Pack
from converter.model.diagnostics import RuleError
from converter.model.load import load_rules
from converter.model.rule import Rule
from converter.platforms.base import Context
from converter.platforms.collection import Reading
from converter.platforms.registry import platform, platform_names, readable_names, reader, siem_names
from converter.project import Project, find_project

F = TypeVar("F")

rule_paths = click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATHS]...")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
unmapped = click.option(
    "--unmapped",
    type=click.Choice(["error", "keep"]),
    default="error",
    show_default=True,
    help="A field that the log source does not know: refuse the rule, or keep the field's name and say so.",
)
platforms_option = click.option(
    "--to",
    "targets",
    multiple=True,
    metavar="PLATFORM",
    help="panther, elastic, splunk, all of these (the default), sigma, or sigma:BACKEND; several times, too.",
)

helpers_option = click.option(
    "--helpers",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder with what the rules lean on (helpers, macros, lookups), beside those next to them.",
)
jobs_option = click.option(
    "--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, show_default=True, help="Processes."
)


class Workspace:
    """The team's repository as a command sees it: settings, packs and rules."""

    def __init__(self) -> None:
        self.project: Project = find_project()
        self.packs: Mapping[str, Pack] = load_packs(self.project.pack_folders)

    def rules(self, paths: tuple[Path, ...]) -> list[Rule]:
        """The rules at the paths (default: the project's), whose log sources all exist."""
        rules = load_rules(paths or [Path(self.project.root) / self.project.rules])
        known = set(self.packs)
        for rule in rules:
            for step in rule.steps:
                for name in step.logsource:
                    if name not in known:
                        raise _unknown_logsource(rule, name, known)
        return rules

    def settings(self, name: str) -> Mapping[str, Any]:
        """The team's defaults for one platform."""
        return self.project.platforms.get(name, {})

    def context(self, name: str, keep_unmapped: bool = False) -> Context:
        """What that platform's writer needs beside a rule."""
        return context_for(self.packs, self.settings(name), keep_unmapped)

    def outputs(self, chosen: Path | None) -> Path:
        """The output folder: the chosen one, or the project's."""
        return chosen or Path(self.project.root) / self.project.outputs


def chosen_platforms(targets: tuple[str, ...]) -> list[str]:
    """The platforms that ``--to`` names, in a fixed order. Raises RuleError for an unknown one."""
    names = platform_names()
    wanted = [name.strip() for target in targets for name in target.split(",")] or ["all"]
    for name in wanted:
        if name.partition(":")[0] not in names and name != "all":
            raise RuleError(f"--to {name}: no such platform; there are: {', '.join(names)}, all")
    siems = siem_names() if "all" in wanted else ()
    beyond = [name for name in dict.fromkeys(wanted) if ":" in name and platform(name)]
    return [*(name for name in names if name in siems or name in wanted), *beyond]


def reading_of(
    workspace: Workspace, source: str, beside: Iterable[Path] = (), jobs: int = 1, cached: bool = True
) -> Reading:
    """How to read a platform's own rules here. Raises RuleError for a platform that cannot be read."""
    try:
        reader(source)
    except RuleError:
        names = ", ".join(readable_names())
        raise RuleError(f"--from {source}: only the rules of {names} can be read") from None
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Reading(
        platform=source,
        beside=tuple(map(str, beside)),
        pack_folders=tuple(map(str, workspace.project.pack_folders)),
        jobs=jobs,
        cache=str(Path(home) / "rule-converter") if cached else None,
    )


def _unknown_logsource(rule: Rule, name: str, known: set[str]) -> RuleError:
    import difflib

    from converter.model.diagnostics import Diagnostic, Severity

    near = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.4)
    place = rule.place
    diagnostic = Diagnostic(
        code="unknown-logsource",
        severity=Severity.ERROR,
        message=f"no log-source pack is named {name!r}",
        hint=f"did you mean {', '.join(near)}?" if near else f"there are: {', '.join(sorted(known))}",
        file=place.file if place else None,
        line=place.line if place else None,
        rule_id=rule.id,
    )
    return RuleError(diagnostic.message, [diagnostic])
