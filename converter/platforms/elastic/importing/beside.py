"""What rules lean on beside their own text: exception lists and lists of threat indicators, as files.

Both are looked for in the folders given to the reader and in the rule's own: exception lists as Kibana
exports them (``*.ndjson``), indicators as documents of a threat index (``*.ndjson`` or ``*.json`` lines, also
search hits with ``_source``) or as a table (``*.csv`` with field names in its first line, as Discover exports
it).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import msgspec

from converter.platforms.elastic.importing.exports import read_export

INDICATOR: Final = "threat.indicator."
"""What the names of an indicator's fields begin with (ECS, "Threat fields")."""

_LARGEST: Final = 50_000_000
"""Bytes. A larger file is passed over."""

Item = Mapping[str, Any]
"""A decoded JSON object."""


class Beside(msgspec.Struct, frozen=True):
    """The folders, searched in order. Files are read when something in them is asked for."""

    folders: tuple[Path, ...] = ()

    def exceptions(self, list_id: str) -> Sequence[Item] | None:
        """The items of an exception list; None if no file has the list."""
        for file, state in self._files((".ndjson",)):
            found = _exceptions(file, state).get(list_id)
            if found is not None:
                return found
        return None

    def indicators(self) -> Sequence[Item]:
        """Every indicator as flat field names and their values."""
        files = self._files((".ndjson", ".json", ".csv"))
        return [indicator for file, state in files for indicator in _indicators(file, state)]

    def _files(self, suffixes: Sequence[str]) -> Iterator[tuple[Path, tuple[int, int]]]:
        for folder in dict.fromkeys(self.folders):
            for file in sorted(folder.iterdir()) if folder.is_dir() else ():
                if file.suffix.lower() in suffixes and file.is_file():
                    state = file.stat()
                    if state.st_size <= _LARGEST:
                        yield file, (state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=32)
def _exceptions(file: Path, state: tuple[int, int]) -> Mapping[str, Sequence[Item]]:
    return read_export(_text(file)).exceptions


@lru_cache(maxsize=32)
def _indicators(file: Path, state: tuple[int, int]) -> Sequence[Item]:
    text = _text(file)
    rows = csv.DictReader(io.StringIO(text)) if file.suffix.lower() == ".csv" else _objects(text)
    flat = (dict(_flat(row)) for row in rows)
    return tuple(row for row in flat if any(name.startswith(INDICATOR) for name in row))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return ""


def _objects(text: str) -> Iterator[Item]:
    for line in text.split("\n"):
        try:
            data = json.loads(line)
        except (RecursionError, ValueError):
            continue
        if isinstance(data, dict):
            yield data["_source"] if isinstance(data.get("_source"), dict) else data


def _flat(data: Mapping[str, Any], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Every value under its name with dots; empty ones have none."""
    for key, value in data.items():
        if isinstance(value, dict) and depth < 20:
            yield from _flat(value, f"{prefix}{key}.", depth + 1)
        elif value not in (None, "", []):
            yield f"{prefix}{key}", value
