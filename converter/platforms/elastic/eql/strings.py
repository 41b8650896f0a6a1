"""Reading EQL's strings."""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]+)\}|(.))", re.DOTALL)
_NAMED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}
_LAST_CHARACTER = 0x10FFFF


def read_string(token: str) -> str:
    '''The text of a string token: ``"…"`` with escapes, or ``"""…"""`` as it stands.

    In the older dialect also ``'…'``, and ``?"…"`` in which only the quote is escaped. Raises ValueError for
    an escape of no character.
    '''
    if token.startswith('"""'):
        return token[3:-3]
    if token.startswith("?"):
        return token[2:-1].replace("\\" + token[1], token[1])
    return _ESCAPE.sub(_unescaped, token[1:-1])


def is_older(token: str) -> bool:
    """Whether only the older dialect has strings like this one."""
    return token.startswith(("'", "?"))


def _unescaped(match: re.Match[str]) -> str:
    code, named = match.groups()
    if code is None:
        return _NAMED.get(named, named)
    number = int(code, 16)
    if number > _LAST_CHARACTER or 0xD800 <= number < 0xE000:
        raise ValueError(f"\\u{{{code}}} is no character")
    return chr(number)
