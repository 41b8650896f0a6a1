"""How ES|QL writes names and strings, and how it reads them.

Source: Elasticsearch's ES|QL syntax reference ("Basic syntax": identifiers, string and numeric literals) and
the lexer of the open repository (elastic/elasticsearch, lexer/Expression.g4): a quoted string knows the
escapes ``\\t \\n \\r \\" \\\\`` and no other, and holds no line break; a triple-quoted string knows none.
"""

from __future__ import annotations

import re
from typing import Final

_ESCAPES: Final = {"\t": "\\t", "\n": "\\n", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_UNESCAPES: Final = {escape[1]: character for character, escape in _ESCAPES.items()}
_ESCAPE_SEQUENCE: Final = re.compile(r"\\(.)", re.DOTALL)
_NEEDS_ESCAPE: Final = re.compile("[" + re.escape("".join(_ESCAPES)) + "]")
_NOT_TRIPLE: Final = re.compile(r'[\n\r]|^"|"$|"""')
_PLAIN_PART: Final = re.compile(r"(?:[A-Za-z]|[_@](?=[A-Za-z0-9_]))[A-Za-z0-9_]*", re.ASCII)

RESERVED: Final = frozenset(
    (
        *("and", "as", "asc", "by", "desc", "false", "first", "in", "is", "last", "like"),
        *("metadata", "not", "null", "nulls", "on", "or", "rlike", "true", "where", "with"),
    )
)
"""Words that the lexer takes for a keyword somewhere in an expression; as a name they are quoted."""


def string(text: str) -> str:
    """A string literal. Text with backslashes or quotes, but none at an end, is written in triple quotes."""
    if ("\\" in text or '"' in text) and not _NOT_TRIPLE.search(text):
        return f'"""{text}"""'
    return '"' + _NEEDS_ESCAPE.sub(lambda match: _ESCAPES[match[0]], text) + '"'


def string_value(literal: str) -> str:
    """The text of a string literal as it stands in a query."""
    if literal.startswith('"""'):
        return literal[3:-3]
    return _ESCAPE_SEQUENCE.sub(lambda match: _UNESCAPES[match[1]], literal[1:-1])


def identifier(name: str) -> str:
    """A column name: dotted parts bare where each is a plain word, else the whole name in backticks."""
    parts = name.split(".")
    if all(_PLAIN_PART.fullmatch(part) and part.lower() not in RESERVED for part in parts):
        return name
    return "`" + name.replace("`", "``") + "`"


def identifier_value(text: str) -> str:
    """The column that a name in a query means: backticks go, doubled ones inside them become one."""
    return _NAME_PIECE.sub(lambda match: match[0][1:-1].replace("``", "`"), text)


_NAME_PIECE: Final = re.compile(r"`(?:[^`]|``)+`")
