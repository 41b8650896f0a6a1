"""Which Elastic version a query needs.

Source: the ``applies_to`` marks in Elasticsearch's ES|QL reference (LIKE and RLIKE lists, MV_CONTAINS,
MV_INTERSECTS, KQL, REPLACE and the rest with the first release of rules, 8.13), and the release notes of 8.16
(a WHERE of one aggregate).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from converter.platforms.elastic.esql import tree
from converter.platforms.elastic.esql.parse import parse_query

FUNCTIONS: Final = {
    "KQL": (9, 1),
    "MATCH": (9, 1),
    "MV_CONTAINS": (9, 2),
    "CONTAINS": (9, 2),
    "MV_INTERSECTS": (9, 3),
}
FILTERED_AGGREGATE: Final = (8, 16)
LIKE_LIST: Final = (9, 1)
RLIKE_LIST: Final = (9, 2)
OLDEST: Final = (8, 13)


def minimum_stack(text: str) -> tuple[int, int]:
    """The least version (major, minor) that knows everything in the query; some of it may be a preview there.

    Raises RuleError when the query does not parse.
    """
    return max((_needed(node) for node in _nodes(parse_query(text))), default=OLDEST)


def _needed(node: Any) -> tuple[int, int]:
    match node:
        case tree.Call(name):
            return FUNCTIONS.get(name, OLDEST)
        case tree.Assignment(where=where) if where is not None:
            return FILTERED_AGGREGATE
        case tree.Like(patterns=patterns, regex=regex) if len(patterns) > 1:
            return RLIKE_LIST if regex else LIKE_LIST
    return OLDEST


def _nodes(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple):
        for part in value:
            yield from _nodes(part)
    elif isinstance(value, msgspec.Struct):
        yield value
        for name in value.__struct_fields__:
            yield from _nodes(getattr(value, name))
