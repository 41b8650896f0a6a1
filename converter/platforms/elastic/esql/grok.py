"""GROK: what a pattern says of its columns, as far as one search of the text says it.

Source: Elasticsearch, "Grok" and its open pattern files: expressions of Oniguruma, searched, of which
the first match counts; ``.`` is no line break, ``^`` and ``$`` are ends of a line; ``%{WORD:name}`` stands
for a pattern known by its name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from converter.model.regex import (
    Alternation,
    Anchor,
    AnchorKind,
    AnyChar,
    Concat,
    Group,
    Literal,
    Node,
    RegexError,
    Repeat,
    parse,
)
from converter.model.regex.analysis import bare
from converter.model.regex.nodes import walk
from converter.platforms.elastic.esql.cuts import Behind, Found
from converter.platforms.elastic.esql.steps import Step

_KNOWN: Final[Mapping[str, str]] = {
    "DATA": r".*?",
    "GREEDYDATA": r".*",
    "INT": r"(?:[+-]?(?:[0-9]+))",
    "NOTSPACE": r"\S+",
    "NONNEGINT": r"\b(?:[0-9]+)\b",
    "POSINT": r"\b(?:[1-9][0-9]*)\b",
    "SPACE": r"\s*",
    "URIPROTO": r"[A-Za-z]([A-Za-z0-9+\-.]+)+",
    "USER": r"[a-zA-Z0-9._-]+",
    "USERNAME": r"[a-zA-Z0-9._-]+",
    "UUID": r"[A-Fa-f0-9]{8}-(?:[A-Fa-f0-9]{4}-){3}[A-Fa-f0-9]{12}",
    "WORD": r"\b\w+\b",
}
_USE: Final = re.compile(r"%\{([A-Z0-9_]+)(?::([^:}]+))?(:[^}]*)?\}")
_NAMED: Final = re.compile(r"\(\?<([^>=!]+)>")
_DOTALL: Final = re.compile(r"\(\?[a-z]*m")
_LINE_END: Final = (Anchor(AnchorKind.LINE_END), Anchor(AnchorKind.TEXT_END))
_LINE: Final = AnyChar(newline=False)


def grokked(pattern: str) -> Mapping[str, Step]:
    """Column → what is known of it; none for a pattern that cannot be read."""
    names: list[str] = []

    def used(match: re.Match[str]) -> str:
        known, name, kind = match.groups()
        text = _KNOWN[known]
        if name is None:
            return f"(?:{text})"
        names.append(name if not kind else "")
        return f"(?P<c{len(names)}>{text})"

    def named(match: re.Match[str]) -> str:
        names.append(match[1])
        return f"(?P<c{len(names)}>"

    if _DOTALL.search(pattern):
        return {}
    try:
        tree = parse(f"(?m){_NAMED.sub(named, _USE.sub(used, pattern))}", "python")
    except (KeyError, RegexError):
        return {}
    parts = tree.parts if isinstance(tree, Concat) else (tree,)
    groups = [part for part in walk(tree) if isinstance(part, Group) and part.name]
    found: dict[str, Step] = {}
    for number, name in enumerate(names, start=1):
        group = next((part for part in parts if isinstance(part, Group) and part.name == f"c{number}"), None)
        if name and names.count(name) == 1 and group is not None and len(groups) == len(names):
            found[name] = _behind(parts, group) or Found(_without_names(tree))
    return found


def _without_names(node: Node) -> Node:
    match node:
        case Group(inner):
            return Group(_without_names(inner))
        case Concat(parts):
            return Concat(tuple(map(_without_names, parts)))
        case Alternation(options):
            return Alternation(tuple(map(_without_names, options)))
        case Repeat(inner, minimum, maximum, lazy):
            return Repeat(_without_names(inner), minimum, maximum, lazy)
    return node


def _behind(parts: tuple[Node, ...], group: Group) -> Behind | None:
    """``.*X(?<name>.*)$``: what stands behind the last X of a line."""
    match tuple(map(bare, parts)):
        case (Repeat(before, 0, None, False), Literal(mark, False), Repeat(inside, 0, None, False), *rest):
            if bare(before) == bare(inside) == _LINE and len(mark) == 1 and parts[2] == group:
                return Behind(mark) if not rest or tuple(rest) in {(end,) for end in _LINE_END} else None
    return None
