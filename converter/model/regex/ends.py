"""Taking out anchors that a dialect does not have."""

from __future__ import annotations

from converter.model.regex.nodes import (
    Alternation,
    Anchor,
    AnchorKind,
    Concat,
    Group,
    Literal,
    Node,
    RegexError,
    Repeat,
    alternation,
    concat,
    walk,
)

_END = Anchor(AnchorKind.TEXT_END)
_FINAL = Anchor(AnchorKind.FINAL_NEWLINE)


def without_final_newline(node: Node) -> Node:
    """The same search with every ``FINAL_NEWLINE`` turned into an optional newline and the end of text.

    That is right where nothing follows the anchor; elsewhere it raises :class:`RegexError`.
    """
    return _ended(node, True) if _FINAL in walk(node) else node


def _ended(node: Node, last: bool) -> Node:
    match node:
        case Anchor(AnchorKind.FINAL_NEWLINE):
            if not last:
                raise RegexError("$ (end of text or before its final newline) in the middle")
            return concat((Repeat(Literal("\n"), 0, 1), _END))
        case Concat(parts):
            while len(parts) > 1 and parts[-1] == _FINAL and parts[-2] in (_FINAL, _END):
                parts = parts[:-1]
            middle = (_ended(part, False) for part in parts[:-1])
            return concat((*middle, _ended(parts[-1], last)))
        case Alternation(options):
            return alternation(_ended(option, last) for option in options)
        case Group(inner, capturing, name):
            return Group(_ended(inner, last), capturing, name)
        case Repeat(inner, minimum, maximum, lazy):
            return Repeat(_ended(inner, last and maximum == 1), minimum, maximum, lazy)
        case _:
            return node
