"""Reading EQL's strings."""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]+)\}|(.))", re.DOTALL)
_NAMED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}


def read_string(token: str) -> str:
    '''The text of a string token: ``"…"`` with escapes, or ``"""…"""`` as it stands.'''
    if token.startswith('"""'):
        return token[3:-3]
    return _ESCAPE.sub(_unescaped, token[1:-1])


def _unescaped(match: re.Match[str]) -> str:
    code, named = match.groups()
    return chr(int(code, 16)) if code is not None else _NAMED.get(named, named)
