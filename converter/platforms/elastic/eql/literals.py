"""EQL's literals: field names, strings and durations, written so that each reads back as itself."""

from __future__ import annotations

import re
from datetime import timedelta

from converter.platforms.elastic.eql.settings import DURATION_UNITS, ESCAPES, IDENTIFIER, KEYWORDS

_ESCAPED = re.compile(r"""[\\"\x00-\x1f\x7f-\x9f\u2028\u2029]""")


def string(text: str) -> str:
    """A string in double quotes."""
    return '"' + _ESCAPED.sub(_escape, text) + '"'


def raw_string(text: str) -> str:
    """A string in three double quotes where that is shorter to read and possible, else an escaped one.

    A raw string has no escapes: it holds no line break, no control character and no three quotes, and does
    not begin or end with a quote.
    """
    if "\\" not in text or '"""' in text or text[0] == '"' or text[-1] == '"':
        return string(text)
    if _ESCAPED.search(text.replace("\\", "").replace('"', "")):
        return string(text)
    return f'"""{text}"""'


def name(field: str) -> str:
    """A field name: bare, or in backticks where a part is no identifier."""
    if all(IDENTIFIER.fullmatch(part) and part not in KEYWORDS for part in field.split(".")):
        return field
    return "`" + field.replace("`", "``") + "`"


def category(word: str) -> str:
    """An event category: bare or as a string."""
    return word if IDENTIFIER.fullmatch(word) and word not in KEYWORDS else string(word)


def duration(span: timedelta) -> str:
    """A span of time in the longest unit that holds it exactly, at least a millisecond."""
    milliseconds = max(1, -(-span // timedelta(milliseconds=1)))
    for unit, size in DURATION_UNITS:
        if milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    raise AssertionError("milliseconds divide everything")


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    return ESCAPES.get(character) or f"\\u{{{ord(character):02x}}}"
