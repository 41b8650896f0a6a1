"""TOML values as text, correct for every string (TOML 1.0, "String"). Faster than building a document."""

from __future__ import annotations

import re
from collections.abc import Iterable

_ESCAPED = re.compile(r'[\\"\x00-\x1f\x7f\ud800-\udfff]')
_NOT_LITERAL = re.compile(r"'''|[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_NAMED = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}


def string(text: str) -> str:
    """A basic string on one line."""
    return '"' + _ESCAPED.sub(_escape, text) + '"'


def prose(text: str) -> str:
    """A basic string, over several lines when the text has several; it reads back as exactly the text."""
    if "\n" not in text:
        return string(text)
    return '"""\n' + "\n".join([_ESCAPED.sub(_escape, line) for line in text.split("\n")]) + '"""'


def query(text: str) -> str:
    """A query on lines of its own: a literal string where it can be one, else an escaped one.

    It reads back as the text and a line break, which means nothing in a query.
    """
    if _NOT_LITERAL.search(text):
        return prose(text + "\n")
    return f"'''\n{text}\n'''"


def strings(texts: Iterable[str]) -> str:
    """An array of strings: on one line, or on a line each when that gets long."""
    shown = [string(text) for text in texts]
    line = f"[{', '.join(shown)}]"
    if len(line) <= 100:
        return line
    return "[\n" + "".join([f"    {text},\n" for text in shown]) + "]"


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    if "\ud800" <= character <= "\udfff":
        return "\ufffd"
    return _NAMED.get(character) or f"\\u{ord(character):04X}"
