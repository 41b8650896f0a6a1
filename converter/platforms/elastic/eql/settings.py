"""EQL as data.

Sources: Elastic, "EQL syntax reference", "EQL function reference"; Elasticsearch's own grammar of EQL.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final

KEYWORDS: Final = frozenset(
    {"and", "any", "by", "false", "in", "join", "like", "maxspan", "not", "null", "of", "or", "regex",
     "sample", "sequence", "true", "until", "where", "with"}
)  # fmt: skip
"""Words that no part of a bare field name can be."""

IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
"""A name that needs no backticks. Elasticsearch takes ``@`` in one too, Elastic's Python parser does not."""

ESCAPES: Final = MappingProxyType(
    {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
)
"""Character → its escape in a string."""

COMPARISONS: Final = MappingProxyType({"gt": ">", "gte": ">=", "lt": "<", "lte": "<="})
"""Canonical order operator → EQL's."""

LIKE_RESERVED: Final = frozenset("*?\x01")
"""What a ``like`` pattern cannot hold as text: there is no escape for the wildcards (EQL's pattern
translation uses U+0001 as its own escape)."""

DURATION_UNITS: Final = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1))
"""Units of maxspan with their milliseconds, longest first."""

CATEGORY_FIELD: Final = "event.category"
"""The field that the word before ``where`` asks about."""
