"""Questions about a tree: may it be empty, does it ignore case, is it really a plain text comparison."""

from __future__ import annotations

from converter.model.expressions import Operator
from converter.model.regex.classes import orbit
from converter.model.regex.nodes import (
    Alternation,
    Anchor,
    AnchorKind,
    AnyChar,
    Concat,
    Empty,
    Group,
    Literal,
    Node,
    Repeat,
    walk,
)


def nullable(node: Node) -> bool:
    """Whether the node can match without taking a character. Anchors count as if they held."""
    match node:
        case Empty() | Anchor():
            return True
        case Concat(parts):
            return all(map(nullable, parts))
        case Alternation(options):
            return any(map(nullable, options))
        case Repeat(inner, minimum):
            return minimum == 0 or nullable(inner)
        case Group(inner):
            return nullable(inner)
        case _:
            return False


def anchored(node: Node) -> bool:
    """Whether an anchor is anywhere in the tree."""
    return any(isinstance(each, Anchor) for each in walk(node))


def has_case(text: str) -> bool:
    """Whether some character of the text has another case."""
    return any(len(orbit(character)) > 1 for character in text)


def ignores_case(node: Node) -> bool:
    """Whether the tree has literal letters and ignores the case of all of them."""
    cased = [each for each in walk(node) if isinstance(each, Literal) and has_case(each.text)]
    return bool(cased) and all(each.ignore_case for each in cased)


def bare(node: Node) -> Node:
    """The node without the groups around it."""
    while isinstance(node, Group):
        node = node.node
    return node


def search_core(node: Node, left: bool = True, right: bool = True) -> tuple[Node, ...]:
    """The parts of a searched tree, less what a search gives for nothing at its ends.

    ``foo.*`` holds a match wherever ``foo`` does: a repetition from zero at either end adds nothing.
    """
    inner = bare(node)
    parts = list(inner.parts) if isinstance(inner, Concat) else [] if isinstance(inner, Empty) else [inner]
    while left and parts and _free(parts[0]):
        del parts[0]
    while right and parts and _free(parts[-1]):
        del parts[-1]
    return tuple(parts)


def _free(part: Node) -> bool:
    part = bare(part)
    return isinstance(part, Repeat) and part.minimum == 0 and not anchored(part)


def as_literal(node: Node) -> tuple[Operator, str] | None:
    """What plain text comparison a searched pattern really is: (is|starts_with|ends_with|contains, text).

    None when it is none of these, when case is ignored, or when the text would be empty where the
    operator allows no empty text.
    """
    parts = list(search_core(node))
    start = bool(parts) and parts[0] == Anchor(AnchorKind.TEXT_START)
    if start:
        parts = parts[1:]
    end = bool(parts) and parts[-1] == Anchor(AnchorKind.TEXT_END)
    if end:
        parts = parts[:-1]
    if start and parts and _any_text(parts[0]):
        start, parts = False, parts[1:]
    if end and parts and _any_text(parts[-1]):
        end, parts = False, parts[:-1]
    if not all(isinstance(bare(part), Literal) for part in parts):
        return None
    literals = [each for part in parts if isinstance(each := bare(part), Literal)]
    if any(each.ignore_case and has_case(each.text) for each in literals):
        return None
    text = "".join(each.text for each in literals)
    if start and end:
        return Operator.IS, text
    if not text:
        return None
    return (Operator.STARTS_WITH if start else Operator.ENDS_WITH if end else Operator.CONTAINS), text


def _any_text(part: Node) -> bool:
    match bare(part):
        case Repeat(inner, 0, None):
            return bare(inner) == AnyChar(newline=True)
        case _:
            return False
