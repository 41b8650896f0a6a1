"""Sigma's YAML: the documents of a text, where things stand in them, and what lies beside the text.

A text may hold several documents (rules, correlations, filters). Unquoted scalars follow YAML 1.2's core
schema, but digits behind a zero stay text: ``00000409`` is a keyboard layout, not the number 409.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from converter.model.diagnostics import Diagnostic, Fidelity, Severity
from converter.model.files import text_beside
from converter.model.tables import MAX_FILE_BYTES
from converter.model.yaml_in import Locator, plain_value, read_yaml, top_keys

if TYPE_CHECKING:
    from converter.platforms.sigma.detections import Steps

NAME: Final = "sigma"
SUFFIXES: Final = (".yml", ".yaml")
_KINDS: Final = ("correlation", "filter", "detection")
_OWN_KEYS: Final = frozenset({"logsource", *_KINDS})
_DESCRIBED: Final = frozenset({"id", "status", "level"})
"""With a title, they show a rule that has lost its logic."""

_LINE_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What YAML counts lines by."""


def scalar(text: str) -> object:
    """What an unquoted scalar means."""
    if len(text) > 1 and text[0] == "0" and text.isdigit() and text.isascii():
        return text
    return plain_value(text)


class Text:
    """A text and its documents. ``problems``: what keeps it from being read at all."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self._text = text
        self._locator: Locator | None = None
        self.problems: tuple[Diagnostic, ...] = ()
        self.documents: list[Doc] = []
        if len(text) > MAX_FILE_BYTES:
            self.problems = (self.plain_finding("too-large", f"a file of over {MAX_FILE_BYTES} characters"),)
            return
        documents, problems = read_yaml(text.removeprefix("\ufeff"), scalar)
        self.problems = tuple(
            self.plain_finding(p.code, p.message, p.hint, p.line, p.column) for p in problems
        )
        given = [(document.index, document.data) for document in documents if document.data is not None]
        self.documents = [Doc(self, index, data) for index, data in _with_globals(given)]

    def plain_finding(
        self,
        code: str,
        message: str,
        hint: str | None = None,
        line: int | None = None,
        column: int | None = None,
    ) -> Diagnostic:
        """A finding that keeps the text from being read."""
        return Diagnostic(
            code=code,
            severity=Severity.ERROR,
            message=message,
            hint=hint,
            file=self.file,
            line=line,
            column=column,
            platform=NAME,
            effect=Fidelity.REFUSED,
        )

    def position(self, document: int, at: Steps, offset: tuple[str, int] | None = None) -> tuple[int, int]:
        """Line and column (from 1) of a place; with ``offset``, of so far into that scalar's text."""
        if self._locator is None:
            self._locator = Locator(self._text)
        line, column = self._locator.position(document, at, on_key=False)
        if offset is not None:
            written = _LINE_BREAK.split(self._text)[line - 1 : line]
            start = written[0].find(offset[0], max(0, column - 1)) if written else -1
            if start >= 0:
                return line, start + offset[1] + 1
        return line, column


def _with_globals(documents: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
    """Documents with what an earlier one gives them (Sigma 1 collections).

    ``action: global`` is for all that follow, until ``action: reset``; ``action: repeat`` is the document
    before it, with changes.
    """
    shared: dict[str, Any] = {}
    before: dict[str, Any] = {}
    for index, data in documents:
        if not isinstance(data, dict):
            yield index, data
            continue
        own = {key: value for key, value in data.items() if key != "action"}
        match data.get("action"):
            case "global":
                shared = _over(shared, own)
            case "reset":
                shared = {}
            case "repeat":
                before = _over(before or shared, own)
                yield index, before
            case _:
                before = _over(shared, data)
                yield index, before


def _over(base: Mapping[str, Any], own: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
    result = dict(base)
    for key, value in own.items():
        there = base.get(key)
        if isinstance(value, Mapping) and isinstance(there, Mapping) and depth < 10:
            result[key] = _over(there, value, depth + 1)
        else:
            result[key] = value
    return result


class Doc:
    """One document of a text."""

    def __init__(self, text: Text, index: int, data: Any) -> None:
        self.text = text
        self.index = index
        self.data: dict[str, Any] = data if isinstance(data, dict) else {}
        self.is_mapping = isinstance(data, dict)

    @property
    def kind(self) -> str:
        """``correlation``, ``filter`` or, for everything else, ``rule``."""
        found = next((kind for kind in _KINDS if kind in self.data), "rule")
        return "rule" if found == "detection" else found

    def is_called(self, reference: str) -> bool:
        """Whether a reference, an id or a name, means this document."""
        return bool(reference) and (
            self.data.get("name") == reference or str(self.data.get("id", "")).lower() == reference.lower()
        )


def beside(folders: Iterable[Path]) -> Iterator[Doc]:
    """The documents of the rule files in folders, in order of name. What cannot be read is left out."""
    for folder in folders:
        try:
            stamp = folder.stat().st_mtime_ns
        except OSError:
            continue
        yield from _in_folder(str(folder), stamp)


_MOST_FILES: Final = 20_000


@lru_cache(maxsize=32)
def _in_folder(folder: str, _stamp: int) -> tuple[Doc, ...]:
    found: list[Doc] = []
    try:
        paths = sorted(path for path in Path(folder).iterdir() if path.suffix.lower() in SUFFIXES)[
            :_MOST_FILES
        ]
    except OSError:
        return ()
    for path in paths:
        text = text_beside(path, MAX_FILE_BYTES)
        if text is not None:
            found.extend(Text(str(path), text).documents)
    return tuple(found)


def is_rule_file(path: Path) -> bool:
    """Whether a file may hold Sigma: YAML, unless it is a mapping with none of the keys that a rule has."""
    if path.suffix.lower() not in SUFFIXES or path.name.startswith("."):
        return False
    text = text_beside(path, MAX_FILE_BYTES)
    if text is None or "\nlogsource:" in text:  # nearly every rule: a matter of microseconds
        return True
    keys = top_keys(text)
    return not keys or not keys.isdisjoint(_OWN_KEYS) or ("title" in keys and not keys.isdisjoint(_DESCRIBED))
