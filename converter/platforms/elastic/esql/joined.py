"""Asking any value of a multi-valued column by joining the values with a separator.

ES|QL has no test of each value of a list beyond equality, so text tests look at ``MV_CONCAT(f, "␟")``: the
separator (U+241F, the visible sign for the unit separator) stands in no log value, and a pattern that cannot
match it stays within one value.
"""

from __future__ import annotations

from typing import Final

from converter.model.regex import (
    Alternation,
    Anchor,
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
from converter.platforms.elastic.esql.text import string

SEPARATOR: Final = "␟"


def joined(text: str, *, before: bool = False, after: bool = False) -> str:
    """The values of ``text`` joined; with a separator ``before`` the first and ``after`` the last."""
    mark = string(SEPARATOR)
    whole = f"MV_CONCAT({text}, {mark})"
    if not before and not after:
        return whole
    return f"CONCAT({', '.join([*([mark] if before else []), whole, *([mark] if after else [])])})"


def within_one_value(node: Node, separator: str = SEPARATOR) -> Node:
    """The pattern made unable to match the separator. Raises RegexError where that cannot be done."""
    code = ord(separator)
    match node:
        case AnyChar(newline):
            return CharClass(((code, code),) if newline else ((10, 10), (code, code)), negated=True)
        case CharClass(ranges, negated, properties, folds):
            inside = any(low <= code <= high for low, high in ranges)
            if properties or (inside and not negated):
                raise RegexError("a character class that may hold the separator of joined values")
            if not negated or inside:
                return node
            return CharClass(tuple(sorted((*ranges, (code, code)))), True, properties, folds)
        case Literal(text):
            if separator in text:
                raise RegexError("the separator of joined values")
            return node
        case Anchor():
            raise RegexError("an anchor inside joined values")
        case Concat(parts):
            return Concat(tuple(within_one_value(part, separator) for part in parts))
        case Alternation(options):
            return Alternation(tuple(within_one_value(option, separator) for option in options))
        case Repeat(inner, minimum, maximum, lazy):
            return Repeat(within_one_value(inner, separator), minimum, maximum, lazy)
        case Group(inner, capturing, name):
            return Group(within_one_value(inner, separator), capturing, name)
        case Empty():
            return node
