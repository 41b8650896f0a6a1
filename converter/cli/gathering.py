"""The rules that ``catalog``, ``indicators`` and ``coverage`` are about, from many sources at once."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from converter.catalog.index import Index, index_of
from converter.catalog.prepare import Workshop
from converter.catalog.sources import Found, Origin, canonical, imported
from converter.cli.console import tracked
from converter.cli.options import Workspace, helpers_option, jobs_option, reading_of
from converter.model.diagnostics import RuleError
from converter.platforms.collection import rule_files
from converter.platforms.registry import siem_names

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[SRC]..."),
    click.option(
        "--from",
        "origins",
        nargs=2,
        multiple=True,
        type=(str, click.Path(path_type=Path)),
        metavar="PLATFORM PATH",
        help="A platform's own rules; several times, too.",
    ),
    helpers_option,
    jobs_option,
    click.option("--no-cache", is_flag=True, help="Read every file anew."),
)


def gathering_options(command: F) -> F:
    """The options by which a command is told its sources: what :func:`gather` takes."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def gather(
    workspace: Workspace,
    paths: tuple[Path, ...],
    origins: tuple[tuple[str, Path], ...],
    helpers: tuple[Path, ...],
    jobs: int,
    no_cache: bool,
) -> list[Found]:
    """Canonical rules at ``paths`` (when nothing is named: the project's), then those of the platforms.

    Raises RuleError for a path that does not exist or holds no rules, and for a canonical file that is
    malformed.
    """
    own = [*canonical(workspace.rules(paths))] if paths or not origins else []
    if paths and not own:
        raise RuleError(f"{', '.join(map(str, paths))}: no canonical rules there")
    wanted = [
        Origin(reading=reading_of(workspace, name, helpers, jobs, not no_cache), paths=(path,))
        for name, path in origins
    ]
    for origin in wanted:
        if not rule_files(origin.reading.platform, origin.paths):
            raise RuleError(f"{origin.paths[0]}: no rules of {origin.reading.platform} there")
    return [*own, *imported(wanted)]


def workshop_of(workspace: Workspace, jobs: int, no_cache: bool) -> Workshop:
    """How the rules are prepared here: with the team's packs and settings."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Workshop(
        pack_folders=tuple(map(str, workspace.project.pack_folders)),
        settings={name: workspace.settings(name) for name in siem_names()},
        jobs=jobs,
        cache=None if no_cache else str(Path(home) / "rule-converter"),
    )


def gather_index(workspace: Workspace, **options: Any) -> Index:
    """The index of the rules that the options name."""
    found = gather(workspace, **options)
    return index_of(tracked(found, "indexing"), workspace.packs)
