"""LIKE patterns: ``*`` any run of characters, ``?`` exactly one, ``\\`` makes one of ``* ? \\`` literal.

Source: Elasticsearch's ES|QL reference, "LIKE and RLIKE"; a backslash before anything else is an error there
(elastic/elasticsearch, StringUtils.wildcardToJavaPattern), which is how the rule language's ``like`` differs.
"""

from __future__ import annotations

from typing import TypeAlias

ANY = "*"
ONE = "?"
SPECIAL = "*?\\"

Token: TypeAlias = tuple[str, bool]
"""(text, whether it is a wildcard): a run of literal text, or ``*`` or ``?``."""


def escaped(text: str) -> str:
    """Literal text as part of a pattern."""
    return "".join("\\" + character if character in SPECIAL else character for character in text)


def tokens(pattern: str) -> tuple[Token, ...]:
    """A pattern of the rule language in pieces. A backslash before another character stands for itself."""
    found: list[Token] = []
    literal = ""
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if character == "\\" and position + 1 < len(pattern) and pattern[position + 1] in SPECIAL:
            position += 1
            literal += pattern[position]
        elif character in (ANY, ONE):
            if literal:
                found.append((literal, False))
                literal = ""
            if not (character == ANY and found and found[-1] == (ANY, True)):
                found.append((character, True))
        else:
            literal += character
        position += 1
    if literal:
        found.append((literal, False))
    return tuple(found)


def pattern_of(pieces: tuple[Token, ...]) -> str:
    """The pieces as a LIKE pattern."""
    return "".join(text if wild else escaped(text) for text, wild in pieces)


def is_valid(pattern: str) -> bool:
    """Whether ES|QL takes the pattern: every backslash stands before ``*``, ``?`` or a backslash."""
    position = 0
    while position < len(pattern):
        if pattern[position] == "\\":
            position += 1
            if position == len(pattern) or pattern[position] not in SPECIAL:
                return False
        position += 1
    return True
