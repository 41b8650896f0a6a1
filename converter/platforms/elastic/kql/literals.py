"""KQL's literals: names, quoted texts and wildcards, written so that each reads back as itself."""

from __future__ import annotations

import re

from converter.platforms.elastic.kql.settings import (
    ESCAPES,
    KEYWORDS,
    PLAIN,
    RESERVED,
    SPECIAL,
)
from converter.platforms.elastic.patterns import ONE, Pattern, Wildcard

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def quoted(text: str) -> str:
    """A quoted literal: backslash and quote escaped, control characters as escapes, all else as it is."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + _CONTROL.sub(_control, escaped) + '"'


def value(text: str) -> str:
    """A text to compare with: bare where that is unmistakable, else quoted."""
    if PLAIN.fullmatch(text) and text.lower() not in RESERVED:
        return text
    return quoted(text)


def name(field: str) -> str:
    """A field name: bare, or quoted (which also takes the meaning from ``*``)."""
    return value(field)


def wildcard(parts: Pattern) -> str | None:
    """A wildcard literal, unquoted and escaped; None where KQL cannot say it.

    It has no ``?``, and trims white space at both ends, escaped or not.
    """
    if ONE in parts or _trimmed(parts[0], 0) or _trimmed(parts[-1], -1):
        return None
    characters = [(c, isinstance(part, str)) for part in parts for c in _text(part)]
    words = {match.start() for match in KEYWORDS.finditer("".join([c for c, _ in characters]))}
    return "".join(
        [_escaped(c, position in words) if literal else c for position, (c, literal) in enumerate(characters)]
    )


def _text(part: str | Wildcard) -> str:
    return part if isinstance(part, str) else part.value


def _trimmed(part: str | Wildcard, end: int) -> bool:
    return isinstance(part, str) and (part[end].isspace() or part[end] == "\ufeff")


def _escaped(character: str, starts_keyword: bool) -> str:
    """``or`` and ``and`` take a backslash. ``not`` is spelt out: a backslash and n are a line break."""
    if character in ESCAPES:
        return ESCAPES[character]
    if starts_keyword and character not in "nN":
        return "\\" + character
    if starts_keyword or _CONTROL.match(character):
        return f"\\u{ord(character):04x}"
    return "\\" + character if character in SPECIAL else character


def _control(match: re.Match[str]) -> str:
    character = match.group()
    return ESCAPES.get(character) or f"\\u{ord(character):04x}"
