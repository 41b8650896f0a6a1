"""Writing rendered files: inside one folder, all of them or none, each whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from converter.model.diagnostics import Diagnostic, RuleError, Severity
from converter.platforms.base import Artifact, File


def claimed(artifacts: Iterable[Artifact]) -> dict[str, File]:
    """Every file of the artifacts by path. Raises RuleError if two rules claim one path with other texts."""
    files: dict[str, File] = {}
    owners: dict[str, str] = {}
    clashes: list[Diagnostic] = []
    for artifact in artifacts:
        for file in artifact.files:
            known = files.setdefault(file.path, file)
            owner = owners.setdefault(file.path, artifact.rule_id)
            if known.text != file.text:
                clashes.append(
                    Diagnostic(
                        code="file-clash",
                        severity=Severity.ERROR,
                        message=f"rules {owner} and {artifact.rule_id} would both write {file.path}",
                        hint="give one of them another title",
                        rule_id=artifact.rule_id,
                        platform=artifact.platform,
                    )
                )
    if clashes:
        raise RuleError("two rules would write the same file", clashes)
    return files


def write_files(folder: Path, files: Iterable[File]) -> list[Path]:
    """Write files below ``folder`` (made if needed) and return their paths.

    Each goes to a temporary name beside its place first; only when all are there are they renamed.
    Raises RuleError for a path that leaves the folder or for what the file system refuses.
    """
    root = folder.resolve()
    staged: list[tuple[str, Path]] = []
    try:
        for file in files:
            target = _inside(root, file.path)
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(prefix=".", suffix=".part", dir=target.parent)
            staged.append((temporary, target))
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
                stream.write(file.text)
            Path(temporary).chmod(0o644)
        for temporary, target in staged:
            Path(temporary).replace(target)
    except (OSError, UnicodeEncodeError) as error:
        raise RuleError(f"cannot write below {folder}: {error}") from error
    finally:
        for temporary, _ in staged:
            Path(temporary).unlink(missing_ok=True)
    return [target for _, target in staged]


def _inside(root: Path, path: str) -> Path:
    parts = PurePosixPath(path)
    if not parts.is_absolute() and ".." not in parts.parts and "\0" not in path:
        target = (root / parts).resolve()
        if target.is_relative_to(root) and target != root:
            return target
    raise RuleError(f"{path!r} is not a path inside the output folder")
