"""``convert init``: a settings file for a repository."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from converter.model.diagnostics import RuleError
from converter.platforms.base import File
from converter.platforms.output import write_files
from converter.project import FILE_NAME, STARTER


@click.command(name="init")
@click.argument("folder", default=".", type=click.Path(path_type=Path, file_okay=False))
def command(folder: Path) -> None:
    """Write a converter.toml with the default settings into FOLDER (the current one). Never overwrites."""
    target = folder / FILE_NAME
    if target.exists():
        raise RuleError(f"{target} exists already")
    write_files(folder, [File(FILE_NAME, STARTER)])
    click.echo(f"wrote {target}")
