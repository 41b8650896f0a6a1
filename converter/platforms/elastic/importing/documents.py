"""The rules in a text, and where in it a value stands.

A TOML file holds one rule (elastic/detection-rules, ``[metadata]`` and ``[rule]``); JSON is what Kibana
exports (see :mod:`~converter.platforms.elastic.importing.exports`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import msgspec

from converter.platforms.elastic.importing.beside import Beside
from converter.platforms.elastic.importing.exports import Problem, read_export

LARGEST_TEXT: Final = 20_000_000
"""Characters. A larger text is refused unread."""

SUFFIXES: Final = (".toml", ".ndjson")
_NO_RULES: Final = frozenset(
    {"pyproject.toml", "converter.toml", "cargo.toml", "poetry.toml", "ruff.toml", "netlify.toml"}
)
_STRINGS: Final = re.compile(
    r"""\#[^\n]*|\"\"\"(?:\\.|[^\\])*?\"{3,5}|'''.*?'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*'""", re.DOTALL
)
_HEADER: Final = re.compile(r"^[ \t]*\[[^\n]*", re.MULTILINE)
_RULE_HEADER: Final = re.compile(r"^[ \t]*\[[ \t]*rule[ \t]*\]", re.MULTILINE)
_IS_JSON: Final = re.compile(r"\s*(?:\{|\[\s*(?:[{\]]|$))")
_COLON: Final = re.compile(r"\s*:\s*")
_UNDERSCORE: Final = re.compile(r"_([a-z])")
_JSON_PART: Final = re.compile(r'"(?:\\.|[^"\\])*"|[{}\[\]]')
_MOST_PARTS: Final = 50
_LONG_KEY: Final = re.compile(rf"(?<![\w\x00-])(?:[\w\x00-]++[ \t]*+\.[ \t]*+){{{_MOST_PARTS}}}")
_TOML_PLACE: Final = re.compile(r"at line (\d+), column (\d+)")


def is_rule_file(path: Path) -> bool:
    """Whether a file may hold Elastic rules, by its name."""
    name = path.name.lower()
    return path.suffix.lower() in SUFFIXES and not name.startswith(".") and name not in _NO_RULES


class Document(msgspec.Struct, frozen=True):
    """One rule: its data, the repository's metadata about it, and the text that it stands in.

    ``start`` and ``end``: where in ``text`` the rule stands; ``is_json``: how it is written.
    ``exceptions``: the items of exception lists that came with it, by list id; ``beside``: what lies beside.
    """

    rule: Mapping[str, Any]
    metadata: Mapping[str, Any]
    text: str
    start: int = 0
    end: int | None = None
    is_json: bool = False
    exceptions: Mapping[str, tuple[Mapping[str, Any], ...]] = msgspec.field(default_factory=dict)
    beside: Beside = Beside()

    def exception_items(self, list_id: str) -> Sequence[Mapping[str, Any]] | None:
        """The items of an exception list in this text or in what lies beside; None if it is in neither."""
        found = self.exceptions.get(list_id)
        return self.beside.exceptions(list_id) if found is None else found

    def position(self, key: str, line: int | None = None, column: int | None = None) -> tuple[int, int]:
        """Line and column (from 1) of a key's value; with ``line`` and ``column``, of that place in its text.

        Of a key that is not there, of the rule itself.
        """
        end = len(self.text) if self.end is None else self.end
        is_json = self.is_json
        found = _value_json(self.text, self.start, end, key) if is_json else _value_toml(self.text, key)
        offset = self.start if found is None else found
        if found is not None and line is not None:
            offset = _inside(self.text, found, line, column or 1)
        before = self.text.count("\n", 0, offset)
        return before + 1, offset - (self.text.rfind("\n", 0, offset) + 1) + 1


@lru_cache(maxsize=64)
def _value_toml(text: str, key: str) -> int | None:
    """Where the value of a key of ``[rule]`` begins, or its own table."""
    masked = _STRINGS.sub(_masked, text)
    header = _RULE_HEADER.search(masked)
    if header is None:
        return None
    end = _HEADER.search(masked, header.end())
    name = re.compile(rf"^[ \t]*{re.escape(key)}[ \t]*=[ \t]*", re.MULTILINE)
    found = name.search(masked, header.end(), end.start() if end else len(masked))
    if found is not None:
        return found.end()
    table = re.search(rf"^[ \t]*\[+[ \t]*rule\.{re.escape(key)}\b", masked, re.MULTILINE)
    return table.start() if table else None


@lru_cache(maxsize=64)
def _value_json(text: str, start: int, end: int, key: str) -> int | None:
    """Where the value of the outermost key of that name begins; saved objects write it in camel case."""
    names = {f'"{key}"', f'"{_UNDERSCORE.sub(lambda match: match[1].upper(), key)}"'}
    depth, found = 0, dict[int, int]()
    for match in _JSON_PART.finditer(text, start, end):
        part = match.group()
        if part in ("{", "["):
            depth += 1
        elif part in ("}", "]"):
            depth -= 1
        elif part in names and (colon := _COLON.match(text, match.end())) is not None:
            found.setdefault(depth, colon.end())
    return found[min(found)] if found else None


def documents(text: str) -> tuple[list[Document], list[Problem]]:
    """The rules of a text, and what of it is none. Never raises."""
    if len(text) > LARGEST_TEXT:
        return [], [Problem(f"the text is longer than {LARGEST_TEXT} characters")]
    text = text.removeprefix("\ufeff")
    return _json(text) if _IS_JSON.match(text) else _toml(text)


def _toml(text: str) -> tuple[list[Document], list[Problem]]:
    long_key = _LONG_KEY.search(_STRINGS.sub(_masked, text))
    if long_key is not None:  # tomllib takes a time that grows with the square of a key's parts
        at_line = text.count("\n", 0, long_key.start()) + 1
        return [], [Problem(f"no TOML rule: a key of more than {_MOST_PARTS} parts", at_line)]
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _TOML_PLACE.search(str(error))
        line, column = (int(place[1]), int(place[2])) if place else _end_of(text)
        return [], [
            Problem(f"no TOML: {_TOML_PLACE.sub('', str(error)).replace('()', '').strip()}", line, column)
        ]
    except (RecursionError, ValueError) as error:
        return [], [Problem(f"no TOML: {type(error).__name__}")]
    rule = data.get("rule")
    if not isinstance(rule, dict):
        return [], [Problem("no rule: the file has no [rule]")]
    metadata = data.get("metadata")
    header = _RULE_HEADER.search(text)
    start = header.start() if header else 0
    return [Document(rule, metadata if isinstance(metadata, dict) else {}, text, start)], []


def _end_of(text: str) -> tuple[int, int]:
    """Line and column of what follows the text."""
    return text.count("\n") + 1, len(text) - text.rfind("\n")


def _json(text: str) -> tuple[list[Document], list[Problem]]:
    export = read_export(text)
    exceptions, problems = export.exceptions, export.problems
    found = [Document(rule, {}, text, start, end, True, exceptions) for start, end, rule in export.rules]
    if not found and not problems:
        problems.append(Problem("no rule in this text"))
    return found, problems


def _masked(match: re.Match[str]) -> str:
    """A string or comment with nothing in it that looks like a key, as long as it was."""
    return "\x00" * len(match.group())


def _inside(text: str, start: int, line: int, column: int) -> int:
    """Where in ``text`` the character at ``line`` and ``column`` of the literal at ``start`` stands."""
    lines = _places(text, start)
    if not lines:
        return start
    places = lines[min(line, len(lines)) - 1]
    return places[min(column, len(places)) - 1]


@lru_cache(maxsize=4)
def _places(text: str, start: int) -> list[list[int]]:
    """Line by line where each character of the literal at ``start`` stands, then where the line ends."""
    quote = next((mark for mark in ('"""', "'''", '"', "'") if text.startswith(mark, start)), None)
    if quote is None:
        return []
    position, escapes = start + len(quote), quote[0] == '"'
    if len(quote) == 3:
        position += 2 if text.startswith("\r\n", position) else text.startswith("\n", position)
    lines: list[list[int]] = [[]]
    while position < len(text) and not text.startswith(quote, position):
        shown, size = _character(text, position, escapes)
        if shown:
            lines[-1].append(position)
        if shown == "\n":
            lines.append([])
        position += size
    lines[-1].append(min(position, len(text)))
    return lines


_CONTINUATION: Final = re.compile(r"\\[ \t]*\r?\n\s*")
_ESCAPE: Final = re.compile(r"\\(?:u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)


def _character(text: str, position: int, escapes: bool) -> tuple[str, int]:
    """The character that the source at ``position`` stands for (empty: none), and how long its source is."""
    character = text[position]
    if character == "\\" and escapes:
        joined = _CONTINUATION.match(text, position)
        if joined is not None:
            return "", len(joined.group())
        escape = _ESCAPE.match(text, position)
        source = escape.group() if escape else character
        return "\n" if source == "\\n" else "?", len(source)
    return ("", 1) if character == "\r" else (character, 1)
