"""DISSECT: which part of a text each column is.

Source: Elasticsearch, "Dissect processor": separators are found one after the other from left to right, a
text without one of them gives nothing, what is behind the last one is not looked at; ``%{}`` and ``%{?name}``
are skipped, ``->`` passes over repeated separators, ``+name`` joins parts. A separator that stands twice in a
row is taken for an empty part, whatever separator that part should end with (DissectParser of the open
repository).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from converter.platforms.elastic.esql.cuts import Cut
from converter.platforms.elastic.esql.steps import Step

_KEY: Final = re.compile(r"%\{([^}]*)\}")
_SKIP: Final = "?"
_JOINS: Final = frozenset("+*&")


def dissected(pattern: str) -> Mapping[str, Step]:
    """Column → how it is cut out of the text; none for a pattern that asks for more than cutting."""
    start, *rest = _KEY.split(pattern)
    keys, separators = rest[::2], rest[1::2]
    names = [key for key in keys if key and _SKIP not in key]
    joins = any(_JOINS.intersection(key) or key.endswith("->") for key in keys)
    if joins or "" in separators[:-1] or len(set(names)) < len(names):
        return {}
    return {
        key: Cut(start, tuple(separators[:number]), end, tuple(filter(None, separators[number + 1 :])))
        for number, (key, end) in enumerate(zip(keys, separators, strict=True))
        if key in names
    }


def doubles_differ(pattern: str) -> bool:
    """Whether a text with a separator twice in a row is cut otherwise than :func:`dissected` says."""
    return len(set(filter(None, _KEY.split(pattern)[2::2]))) > 1
