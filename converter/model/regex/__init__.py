"""Regular expressions as trees that every platform shares.

:func:`parse` reads a pattern of one dialect into a tree, :func:`render` writes a tree in another, and
the meaning stays: a text holds a match of the one exactly when it holds a match of the other. What a
dialect cannot say is refused with a :class:`RegexError` that names the construct.

Dialects: ``re2``, ``python`` (``re.search`` on ``str``), ``pcre`` (PCRE2 in UTF mode without UCP, searched)
and ``lucene`` (Elasticsearch's ``regexp`` query, EQL's ``regex``, ES|QL's ``RLIKE``: the pattern must
match the whole value). A tree always means a search, so that a Lucene pattern reads as a tree between
the anchors of start and end.
"""

from converter.model.regex.analysis import as_literal, ignores_case, nullable
from converter.model.regex.nodes import (
    Alternation,
    Anchor,
    AnchorKind,
    AnyChar,
    CharClass,
    Concat,
    Empty,
    Group,
    Literal,
    Node,
    RegexError,
    Repeat,
)
from converter.model.regex.parse import parse
from converter.model.regex.render import render

__all__ = [
    "Alternation",
    "Anchor",
    "AnchorKind",
    "AnyChar",
    "CharClass",
    "Concat",
    "Empty",
    "Group",
    "Literal",
    "Node",
    "RegexError",
    "Repeat",
    "as_literal",
    "ignores_case",
    "nullable",
    "parse",
    "render",
]
