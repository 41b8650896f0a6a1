"""Texts that a regular expression should match: each option of an alternation, few and more repetitions."""

from __future__ import annotations

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
_LONGEST = 500
_LETTERS = "aA0_- /.é"


def examples(pattern: str) -> list[str]:
    """Up to a dozen texts, most of which match the RE2 pattern; anchors are taken to hold.

    A pattern that does not parse gives none: what a rule holds was parsed when it was read.
    """
    try:
        tree = parse(pattern, "re2")
    except RegexError:
        return []
    return list(dict.fromkeys(_text(tree, pick)[:_LONGEST] for pick in range(_MOST_EXAMPLES)))


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
