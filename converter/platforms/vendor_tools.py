"""Running a vendor's own program on a folder of renderings.

Such programs pin packages that others need in other versions, so each lives in an environment of its own and
is named by an environment variable, or found on the PATH.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from converter.model.diagnostics import MissingExtraError, RuleError
from converter.platforms.base import File
from converter.platforms.output import write_files

_SECONDS = 600
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def program(name: str, variable: str) -> str:
    """The path of a program. Raises MissingExtraError where there is none."""
    found = os.environ.get(variable) or shutil.which(name)
    if found is None:
        raise MissingExtraError(
            f"{name} is not installed: {variable} does not name it, nor is it on the PATH"
        )
    return found


def run(command: list[str], folder: Path) -> tuple[int, str]:
    """The exit code of a program in a folder, and what it said, without colours.

    Raises RuleError where it cannot be started, or does not end.
    """
    try:
        done = subprocess.run(  # noqa: S603 - the program that the user named, without a shell
            command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RuleError(f"{command[0]} cannot be run: {error}") from error
    return done.returncode, _COLOURS.sub("", f"{done.stdout}\n{done.stderr}")


@contextmanager
def folder_of(files: Iterable[File], below: str = "") -> Iterator[Path]:
    """A temporary folder with these files, in a folder ``below`` it if given."""
    with tempfile.TemporaryDirectory(prefix="convert-tool-") as name:
        folder = Path(name).resolve()
        write_files(folder / below, files)
        yield folder
