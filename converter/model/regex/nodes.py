"""The tree of a regular expression: one meaning, whatever text it came from.

A tree says whether a text *contains* a match; where the match lies, and which of several is taken, is
no part of it. Character classes are resolved to ranges of code points, so that ``\\d`` of one dialect
and ``[0-9]`` of another are the same node; ignoring case follows Unicode's simple case folding, which
is RE2's (see :mod:`converter.model.regex.classes`).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import TypeAlias

import msgspec

MAX_CODE_POINT = 0x10FFFF


class RegexError(ValueError):
    """A pattern is malformed, or uses a construct that cannot be kept.

    ``construct`` names what is in the way; ``offset`` counts characters from the start of the pattern,
    ``None`` when the trouble lies in the tree and not at one place of a text.
    """

    def __init__(self, construct: str, offset: int | None = None) -> None:
        super().__init__(construct if offset is None else f"{construct} at offset {offset}")
        self.construct = construct
        self.offset = offset


class AnchorKind(enum.StrEnum):
    """A place in the text that an anchor asks for.

    ``FINAL_NEWLINE`` is what Python and PCRE write ``$``: the end, or before a newline that ends the text.
    ``WORD`` and ``NOT_WORD`` know the ASCII word characters; their ``UNICODE_`` twins all letters and digits.
    """

    TEXT_START = "start of text"
    TEXT_END = "end of text"
    FINAL_NEWLINE = "end of text or before its final newline"
    LINE_START = "start of a line"
    LINE_END = "end of a line"
    WORD = "word boundary"
    NOT_WORD = "no word boundary"
    UNICODE_WORD = "Unicode word boundary"
    NOT_UNICODE_WORD = "no Unicode word boundary"


class Empty(msgspec.Struct, frozen=True):
    """The empty text."""


class Literal(msgspec.Struct, frozen=True):
    """These characters in this order. With ``ignore_case`` each stands for its whole folding orbit."""

    text: str
    ignore_case: bool = False


class AnyChar(msgspec.Struct, frozen=True):
    """One character; any at all with ``newline``, else any but ``\\n``."""

    newline: bool = False


class CharClass(msgspec.Struct, frozen=True):
    """One character of a set: sorted, disjoint ranges of code points and Unicode properties.

    ``properties`` are (name, negated) pairs as in ``\\p{Greek}`` and ``\\P{Lu}``. ``negated`` turns the
    whole set round. Case is resolved when the class is read: the ranges hold every case they stand for;
    ``folds`` says that the source ignored case, which matters to properties alone.
    """

    ranges: tuple[tuple[int, int], ...] = ()
    negated: bool = False
    properties: tuple[tuple[str, bool], ...] = ()
    folds: bool = False


class Anchor(msgspec.Struct, frozen=True):
    """A place, no character."""

    kind: AnchorKind


class Concat(msgspec.Struct, frozen=True):
    """The parts one after the other. Build it with :func:`concat`."""

    parts: tuple[Node, ...]


class Alternation(msgspec.Struct, frozen=True):
    """One of the options."""

    options: tuple[Node, ...]


class Repeat(msgspec.Struct, frozen=True):
    """``minimum`` to ``maximum`` times the node; no upper bound when ``maximum`` is None."""

    node: Node
    minimum: int
    maximum: int | None
    lazy: bool = False


class Group(msgspec.Struct, frozen=True):
    """A group: ``capturing``, with a ``name`` or without, or there for precedence alone."""

    node: Node
    capturing: bool = False
    name: str | None = None


Node: TypeAlias = Empty | Literal | AnyChar | CharClass | Anchor | Concat | Alternation | Repeat | Group

EMPTY = Empty()
ANY_TEXT = Repeat(AnyChar(newline=True), 0, None)
"""Any text at all, newlines included."""


def concat(parts: Iterable[Node]) -> Node:
    """The parts in a row: nested rows are spliced in, empties dropped, neighbouring literals joined."""
    flat: list[Node] = []
    for part in _spliced(parts):
        last = flat[-1] if flat else None
        if isinstance(part, Literal) and isinstance(last, Literal) and part.ignore_case == last.ignore_case:
            flat[-1] = Literal(last.text + part.text, part.ignore_case)
        else:
            flat.append(part)
    if not flat:
        return EMPTY
    return flat[0] if len(flat) == 1 else Concat(tuple(flat))


def _spliced(parts: Iterable[Node]) -> Iterable[Node]:
    for part in parts:
        if isinstance(part, Concat):
            yield from part.parts
        elif not isinstance(part, Empty):
            yield part


def alternation(options: Iterable[Node]) -> Node:
    """One of the options, each kept once, in their order. At least one is needed."""
    kept = tuple(dict.fromkeys(options))
    return kept[0] if len(kept) == 1 else Alternation(kept)


def children(node: Node) -> tuple[Node, ...]:
    """The direct parts of a node."""
    match node:
        case Concat(parts) | Alternation(parts):
            return parts
        case Repeat(inner) | Group(inner):
            return (inner,)
        case _:
            return ()


def walk(node: Node) -> Iterable[Node]:
    """The node and everything below it, left to right."""
    yield node
    for child in children(node):
        yield from walk(child)
