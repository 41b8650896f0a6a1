"""A team's repository: where its rules, outputs and log-source packs are, and its settings per platform.

They live in ``converter.toml`` at the root of the repository; every command finds it from the folder it
runs in, upwards. Without the file the defaults below hold.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from converter.model.diagnostics import Diagnostic, RuleError, Severity

FILE_NAME = "converter.toml"

STARTER = """\
# Settings of the rule converter for this repository.
rules = "canonical_rules"     # rules authored once
outputs = "outputs"           # what they are rendered to, one folder per platform
logsources = "logsources"     # your own log-source packs, beside the built-in ones

# What your team sets per platform. A rule's own `platforms:` entry goes before it.
[platforms.panther]
[platforms.elastic]
[platforms.splunk]
# allow_loss = ["window"]     # named losses that may be written
"""


class Project(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings, with the defaults of a repository that has no file. Paths are relative to ``root``."""

    rules: str = "canonical_rules"
    outputs: str = "outputs"
    logsources: str = "logsources"
    platforms: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)
    root: str = "."

    @property
    def pack_folders(self) -> list[Path]:
        """The folders with the team's own packs that exist."""
        folder = Path(self.root) / self.logsources
        return [folder] if folder.is_dir() else []


def find_project(start: Path | None = None) -> Project:
    """The project that ``start`` (default: the current folder) lies in.

    Raises RuleError, with file and line where TOML gives one, for a file that is malformed.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        file = folder / FILE_NAME
        if file.is_file():
            return _read(file)
    return Project()


def _read(file: Path) -> Project:
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
        project = msgspec.convert(data, Project)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        hint = f"known keys: {', '.join(name for name in Project.__struct_fields__ if name != 'root')}"
        diagnostic = Diagnostic(
            code="bad-settings", severity=Severity.ERROR, message=str(error), file=str(file), hint=hint
        )
        raise RuleError(f"{file}: {error}", [diagnostic]) from error
    return msgspec.structs.replace(project, root=str(file.parent))
