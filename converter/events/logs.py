"""Reading log files: JSON, JSON lines, either of them gzipped. Records come out as decoded objects."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, cast

import msgspec

from converter.model.diagnostics import Diagnostic, RuleError, Severity
from converter.model.rule import JsonObject

LONGEST_LINE = 64 * 1024 * 1024
"""Bytes. A longer line is refused before it is decoded."""
LARGEST_DOCUMENT = 1024 * 1024 * 1024
"""Bytes of a file that is one JSON value (an array, or pretty-printed)."""

_GZIP_MAGIC = b"\x1f\x8b"
_WRAPPERS = ("Records", "records", "events", "Events")


def read_logs(paths: Iterable[str | Path]) -> Iterator[JsonObject]:
    """The records of log files, in order. A file is JSON lines, one JSON array, or one object that wraps an
    array (CloudTrail's ``Records``); gzipped or not. Raises RuleError with file and line for anything else.
    """
    for path in paths:
        yield from _records(Path(path))


def _records(path: Path) -> Iterator[JsonObject]:
    try:
        with _opened(path) as stream:
            first = stream.readline(LONGEST_LINE + 1)
            while first and not first.strip():
                first = stream.readline(LONGEST_LINE + 1)
            if not first:
                return
            if first.lstrip()[:1] == b"[" or not _is_record(first):
                yield from _document(path, first + stream.read(LARGEST_DOCUMENT + 1))
                return
            stream.seek(0)
            yield from _lines(path, stream)
    except (OSError, EOFError, zlib.error) as error:
        raise _error("unreadable-log", str(path), None, f"cannot be read: {error}", None) from error


def _opened(path: Path) -> IO[bytes]:
    """The file's bytes, unzipped. What cannot be read twice (a pipe, ``-`` for standard input) is kept."""
    if path.is_file():
        with path.open("rb") as raw:
            zipped = raw.read(2) == _GZIP_MAGIC
        return cast(IO[bytes], gzip.open(path)) if zipped else path.open("rb")
    data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    return io.BytesIO(gzip.decompress(data) if data.startswith(_GZIP_MAGIC) else data)


def _is_record(line: bytes) -> bool:
    try:
        value = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError):
        return False
    return isinstance(value, dict) and _wrapped(value) is None


def _lines(path: Path, stream: IO[bytes]) -> Iterator[JsonObject]:
    decode = msgspec.json.Decoder().decode
    number = 0
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise _error("line-too-long", str(path), number, f"a line of over {LONGEST_LINE} bytes", None)
        if not line.strip():
            continue
        try:
            record = decode(line)
        except (msgspec.DecodeError, RecursionError) as error:
            raise _not_json(path, number, line, error) from error
        yield _object(path, number, record)


def _document(path: Path, data: bytes) -> Iterator[JsonObject]:
    if len(data) > LARGEST_DOCUMENT:
        hint = "write it as JSON lines, one record a line"
        raise _error(
            "document-too-large", str(path), None, f"one JSON value of over {LARGEST_DOCUMENT} bytes", hint
        )
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _not_json(path, 1, data[:200], error) from error
    if isinstance(value, dict):
        wrapped = _wrapped(value)
        value = [value] if wrapped is None else wrapped
    if not isinstance(value, list):
        raise _error("not-a-log", str(path), 1, "expected objects, or an array of them", None)
    for record in value:
        yield _object(path, 1, record)


def _wrapped(value: dict[str, Any]) -> list[Any] | None:
    """The array inside a wrapping object that holds nothing else."""
    if len(value) != 1:
        return None
    inner = next((value[name] for name in _WRAPPERS if name in value), None)
    return inner if isinstance(inner, list) else None


def _object(path: Path, line: int, record: Any) -> JsonObject:
    if not isinstance(record, dict):
        raise _error(
            "not-a-log", str(path), line, f"expected a JSON object, got {type(record).__name__}", None
        )
    return record


def _not_json(path: Path, line: int, data: bytes, error: Exception) -> RuleError:
    binary = b"\0" in data or not data.strip().startswith((b"{", b"["))
    hint = "logs are JSON, JSON lines, or either of them gzipped" if binary else None
    return _error("not-json", str(path), line, f"is not JSON: {error}", hint)


def _error(code: str, file: str, line: int | None, message: str, hint: str | None) -> RuleError:
    place = file if line is None else f"{file}:{line}"
    diagnostic = Diagnostic(
        code=code, severity=Severity.ERROR, message=message, hint=hint, file=file, line=line
    )
    return RuleError(f"{place}: {message}", [diagnostic])
