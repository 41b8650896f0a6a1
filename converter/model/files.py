"""Rule files on a disk: which ones lie below a folder, and their text."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from converter.model.diagnostics import Diagnostic, Severity


def files_at(path: Path, wanted: Callable[[Path], bool]) -> list[Path] | Diagnostic:
    """A file itself, whatever it is called; of a folder the wanted files below it, sorted. Or why neither."""
    try:
        exists, is_folder = path.exists(), path.is_dir()
    except OSError as error:  # a name too long, a folder that may not be entered
        return _finding(path, "unreadable", error.strerror or str(error))
    if not exists:
        return _finding(path, "no-such-file", "there is no such file or folder")
    return sorted(files_below(path, wanted)) if is_folder else [path]


def files_below(folder: Path, wanted: Callable[[Path], bool]) -> Iterator[Path]:
    """The wanted files below a folder: nothing hidden, no pipes or devices, nothing behind links to folders.

    A link that leads nowhere is among them, and so is a folder that cannot be listed: trying to read them
    says why they cannot be read.
    """
    unlisted: list[Path] = []

    def note(error: OSError) -> None:
        unlisted.append(Path(error.filename))

    for root, folders, names in os.walk(folder, onerror=note):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            file = Path(root, name)
            if not name.startswith(".") and (file.is_file() or file.is_symlink()) and wanted(file):
                yield file
    yield from unlisted


def read_text(file: Path, largest: int) -> str | Diagnostic:
    """The text of a file in UTF-8, its line breaks as ``\\n``; or why there is none, with its place.

    A file of more than ``largest`` bytes is refused, and never more than that is taken into memory.
    """
    try:
        with file.open("rb") as stream:
            data = stream.read(largest + 1)
    except OSError as error:
        return _finding(file, "unreadable", error.strerror or str(error))
    if len(data) > largest:
        return _finding(file, "too-large", too_large(largest))
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        start = error.start + (len(data) - len(error.object))  # a byte order mark is not in what is decoded
        line = data.count(b"\n", 0, start) + 1
        column = len(data[data.rfind(b"\n", 0, start) + 1 : start].decode("utf-8-sig")) + 1
        message = f"not UTF-8 text: byte 0x{data[start]:02X} at offset {start}"
        hint = "save it as UTF-8" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else None
        return _finding(file, "not-text", message, line, column, hint)


def text_beside(file: Path, largest: int) -> str | None:
    """The text of a file that something leans on; None where no regular file can be read."""
    try:
        text = read_text(file, largest) if file.is_file() else None
    except (OSError, ValueError):  # a name that is too long, or holds a NUL
        return None
    return text if isinstance(text, str) else None


def too_large(largest: int) -> str:
    """What is said of more than so many bytes."""
    return f"more than {largest // 1_000_000} MB; a rule file is a page or two"


def _finding(
    file: Path,
    code: str,
    message: str,
    line: int | None = None,
    column: int | None = None,
    hint: str | None = None,
) -> Diagnostic:
    return Diagnostic(
        code=code,
        severity=Severity.ERROR,
        message=message,
        hint=hint,
        file=str(file),
        line=line,
        column=column,
    )
