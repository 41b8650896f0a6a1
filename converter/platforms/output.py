"""Writing rendered files: inside one folder, all of them or none, each whole or not at all."""

from __future__ import annotations

import os
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

    A file that holds its text already is left alone. Each other goes to a temporary name beside its place
    first; only when all are there are they renamed. Raises RuleError for a path that leaves the folder or
    for what the file system refuses.
    """
    root = folder.resolve()
    homes: dict[str, str] = {}
    targets: list[str] = []
    staged: list[tuple[str, str]] = []
    renamed = 0
    try:
        for file in files:
            home, _, name = file.path.rpartition("/")
            if home not in homes:
                homes[home] = _home(root, home, file.path)
            target = os.path.join(homes[home], _checked(name, file.path))
            targets.append(target)
            data = file.text.encode("utf-8")
            if _holds(target, data):
                continue
            temporary = os.path.join(homes[home], f".{os.getpid()}-{len(staged)}.part")
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            staged.append((temporary, target))
            with open(handle, "wb") as stream:
                stream.write(data)
        for temporary, target in staged:
            os.replace(temporary, target)
            renamed += 1
    except (OSError, UnicodeEncodeError) as error:
        raise RuleError(f"cannot write below {folder}: {error}") from error
    finally:
        for temporary, _ in staged[renamed:]:
            Path(temporary).unlink(missing_ok=True)
    return [Path(target) for target in targets]


def differences(folder: Path, files: Iterable[File], *, whole: bool) -> list[tuple[str, str]]:
    """Where a folder is not as :func:`write_files` would leave it: path, and in what way, sorted.

    ``whole``: a file that is none of these is left over, and differs too (hidden ones excepted).
    """
    wanted = {file.path: file.text.encode("utf-8") for file in files}
    found = [
        (path, "out of date" if (folder / path).is_file() else "missing")
        for path, data in wanted.items()
        if not _holds(os.path.join(folder, path), data)
    ]
    if whole:
        there = (file.relative_to(folder) for file in folder.rglob("*") if file.is_file())
        found += [
            (path.as_posix(), "left over: no rule writes it")
            for path in there
            if path.as_posix() not in wanted and not any(part.startswith(".") for part in path.parts)
        ]
    return sorted(found)


def _holds(target: str, data: bytes) -> bool:
    """Whether a regular file holds exactly this already."""
    try:
        with open(target, "rb") as stream:
            return os.fstat(stream.fileno()).st_size == len(data) and stream.read() == data
    except OSError:
        return False


def _home(root: Path, home: str, path: str) -> str:
    """The folder of a file, made; symbolic links on the way must not lead out of ``root``."""
    parts = PurePosixPath(home)
    if not parts.is_absolute() and ".." not in parts.parts and "\0" not in home:
        folder = (root / parts).resolve()
        if folder.is_relative_to(root):
            folder.mkdir(parents=True, exist_ok=True)
            return str(folder)
    raise _outside(path)


def _checked(name: str, path: str) -> str:
    if name in ("", ".", "..") or "\0" in name:
        raise _outside(path)
    return name


def _outside(path: str) -> RuleError:
    return RuleError(f"{path!r} is not a path inside the output folder")
