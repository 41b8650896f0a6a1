"""KQL as data. Source: Elastic, "Kibana Query Language", and Kibana's own grammar (kbn-es-query, kuery)."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final

SPECIAL: Final = frozenset('\\():<>"*{}')
"""Characters that an unquoted literal must escape with a backslash."""

BLANKS: Final = " \t\r\n\u00a0"
"""What KQL takes for white space."""

ESCAPES: Final = MappingProxyType({"\t": "\\t", "\r": "\\r", "\n": "\\n"})
"""White space that both kinds of literal write as an escape."""

RESERVED: Final = frozenset({"and", "or", "not", "true", "false", "null"})
"""Words that an unquoted literal cannot be: operators, and constants that are no text."""

PLAIN: Final = re.compile(r"[A-Za-z_./@][\w./@-]*|[0-9]{1,18}", re.ASCII)
"""Literals that need no quotes, whoever reads them."""

PLAIN_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)

KEYWORDS: Final = re.compile(
    r"(?<=[ \t\r\n\u00a0])(?:or|and)(?=[ \t\r\n\u00a0])|not(?=[ \t\r\n\u00a0])", re.IGNORECASE
)
"""Where an unquoted literal would end: a blank, ``or``/``and``, a blank; ``not`` before a blank anywhere."""

WORD: Final = re.compile(r"[^\W_]+", re.UNICODE)
"""What the standard analyzer surely keeps within one token (Elasticsearch, "Standard tokenizer")."""

RANGE: Final = MappingProxyType({"gt": ">", "gte": ">=", "lt": "<", "lte": "<="})
"""Canonical order operator → KQL's."""

MATCH_ALL: Final = "*:*"
"""The query that every document matches."""
