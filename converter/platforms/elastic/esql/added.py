"""Commands that keep all rows and add columns of which nothing is known: which columns they are.

Sources, in Elasticsearch's ES|QL reference: ENRICH (``WITH new = field``; without it every field of the
policy, which no query shows), URI_PARTS, REGISTERED_DOMAIN, USER_AGENT (columns below a name).
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from converter.platforms.elastic.esql.text import identifier_value

_NAME: Final = r"(?:`(?:[^`]|``)+`|[\w@.])+"
_BELOW: Final = re.compile(rf"(?:URI_PARTS|REGISTERED_DOMAIN|USER_AGENT)\s+({_NAME})\s*=", re.IGNORECASE)
_ENRICH: Final = re.compile(r"ENRICH\s.*?\sWITH\s+(.+)", re.IGNORECASE | re.DOTALL)
_ADDED: Final = re.compile(rf"\s*({_NAME})\s*(?:=\s*{_NAME}\s*)?")


class Added(msgspec.Struct, frozen=True):
    """Names of columns; with ``below`` all that begin with one of them and a dot."""

    names: tuple[str, ...]
    below: bool = False


def added_columns(command: str) -> Added | None:
    """The columns that a command adds, as it is written; None for one that does more, or does not say."""
    below = _BELOW.match(command)
    if below is not None:
        return Added((identifier_value(below[1]),), below=True)
    enrich = _ENRICH.match(command)
    if enrich is None:
        return None
    found = [_ADDED.fullmatch(one) for one in enrich[1].split(",")]
    names = tuple(identifier_value(one[1]) for one in found if one is not None)
    return Added(names) if len(names) == len(found) else None
