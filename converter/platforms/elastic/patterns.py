"""Wildcard patterns: the canonical ``like`` taken apart, and put together from literal pieces."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from converter.model.expressions import Operator


class Wildcard(enum.Enum):
    """What a pattern holds beside literal text."""

    ANY = "*"
    ONE = "?"


Pattern: TypeAlias = tuple[str | Wildcard, ...]
"""Literal pieces (never empty, never two in a row) and wildcards in turn."""

ANY, ONE = Wildcard.ANY, Wildcard.ONE


def parse_like(text: str) -> Pattern:
    r"""The pattern of a canonical ``like`` operand: ``*``, ``?``, and ``\*`` ``\?`` ``\\`` for themselves."""
    parts: list[str | Wildcard] = []
    position = 0
    while position < len(text):
        character = text[position]
        if character == "\\" and text[position + 1 : position + 2] in ("*", "?", "\\"):
            position += 1
            parts.append(text[position])
        elif character in "*?":
            parts.append(Wildcard(character))
        else:
            parts.append(character)
        position += 1
    return pattern(parts)


def pattern(parts: Iterable[str | Wildcard]) -> Pattern:
    """Parts as a pattern: literals joined, empty ones left out, runs of ``*`` made one."""
    joined: list[str | Wildcard] = []
    for part in parts:
        if part == "":
            continue
        last = joined[-1] if joined else None
        if isinstance(part, str) and isinstance(last, str):
            joined[-1] = last + part
        elif not (part is ANY and last is ANY):
            joined.append(part)
    return tuple(joined)


def format_like(parts: Pattern) -> str:
    """The canonical ``like`` operand of a pattern."""
    return "".join([part.value if isinstance(part, Wildcard) else _escaped(part) for part in parts])


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")


def literals(parts: Pattern) -> list[str]:
    """The literal pieces alone."""
    return [part for part in parts if isinstance(part, str)]


PATTERN_OF: Final[Mapping[Operator, Callable[[str], Pattern]]] = MappingProxyType(
    {
        Operator.STARTS_WITH: lambda text: pattern((text, ANY)),
        Operator.ENDS_WITH: lambda text: pattern((ANY, text)),
        Operator.CONTAINS: lambda text: pattern((ANY, text, ANY)),
        Operator.LIKE: parse_like,
    }
)
"""Operator → the wildcard pattern that means the same as its operand."""
