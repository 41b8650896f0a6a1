"""Texts that a regular expression should match: each option of an alternation, few and more repetitions."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from converter.model.regex import (
    Alternation,
    AnyChar,
    CharClass,
    Concat,
    Group,
    Literal,
    Node,
    RegexError,
    Repeat,
    parse,
)
from converter.model.regex.classes import members

_MOST_EXAMPLES = 12
_MOST_EDGES = 48
"""So many texts at most at the edges of a pattern's classes of characters."""
_LONGEST = 500
_LETTERS = "aA0_- /.é"


def examples(pattern: str) -> list[str]:
    """Up to a dozen texts, most of which match the RE2 pattern, and others in which one character is at the
    edge of its class, or just beyond; anchors are taken to hold.

    A pattern that does not parse gives none: what a rule holds was parsed when it was read.
    """
    try:
        tree = parse(pattern, "re2")
    except RegexError:
        return []
    texts = [_text(tree, pick) for pick in range(_MOST_EXAMPLES)]
    texts += itertools.islice(_edges(tree), _MOST_EDGES)
    return list(dict.fromkeys(text[:_LONGEST] for text in texts))


def _edges(tree: Node) -> Iterator[str]:
    """Texts in which one class of characters after the other takes a character at the edges of its ranges.
    Single characters, such as a letter in either case, are none.
    """
    for of in _classes(tree):
        for low, high in members(of) or ():
            for code in (low, high, low - 1, high + 1) if high > low else ():
                if 0 <= code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF:
                    text = _with(tree, of, chr(code))
                    if text is not None:
                        yield text


def _classes(node: Node) -> Iterator[CharClass]:
    match node:
        case CharClass():
            yield node
        case Concat(several) | Alternation(several):
            for part in several:
                yield from _classes(part)
        case Group(inner) | Repeat(inner):
            yield from _classes(inner)


def _with(node: Node, of: CharClass, character: str) -> str | None:
    """A text in which a class at its place takes this character; None if it is not in the node."""
    if node is of:
        return character
    match node:
        case Concat(parts):
            texts = [_with(part, of, character) for part in parts]
            if any(text is not None for text in texts):
                return "".join(
                    _text(part, 0) if text is None else text for part, text in zip(parts, texts, strict=True)
                )
        case Alternation(options):
            return next(filter(None, (_with(option, of, character) for option in options)), None)
        case Group(inner):
            return _with(inner, of, character)
        case Repeat(inner, minimum, maximum):
            text = _with(inner, of, character)
            if text is not None and maximum != 0:
                return text + _text(inner, 0) * min(max(minimum - 1, 0), _LONGEST)
    return None


def _text(node: Node, pick: int) -> str:
    """One text; ``pick`` chooses among options, repetitions and characters."""
    match node:
        case Literal(text):
            return text
        case AnyChar():
            return _LETTERS[pick % len(_LETTERS)]
        case CharClass():
            return _member(node, pick)
        case Concat(parts):
            return "".join(_text(part, pick) for part in parts)
        case Alternation(options):
            return _text(options[pick % len(options)], pick // len(options))
        case Group(inner):
            return _text(inner, pick)
        case Repeat(inner, minimum, maximum):
            more = minimum + pick % 3
            return _text(inner, pick) * min(more if maximum is None else min(more, maximum), _LONGEST)
        case _:
            return ""


def _member(node: CharClass, pick: int) -> str:
    ranges = members(node)
    if not ranges:
        return "a"
    common = [c for c in _LETTERS if any(low <= ord(c) <= high for low, high in ranges)]
    if common and pick % 2 == 0:
        return common[pick % len(common)]
    low, high = ranges[pick % len(ranges)]
    return chr(low) if not 0xD800 <= low <= 0xDFFF else chr(high) if not 0xD800 <= high <= 0xDFFF else "a"
