"""Text tests of ``where``: ``like`` where its two wildcards suffice, else ``match`` with a PCRE.

``like`` compares the whole text with case, ``%`` for any run and ``_`` for one character; it has no
documented escape for the two, so a pattern that holds one literally becomes a ``match``, which searches a
PCRE with case (Search Reference, "Comparison and Conditional functions").
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from converter.model.diagnostics import Fidelity
from converter.model.expressions import Operator
from converter.model.losses import Losses
from converter.model.regex import RegexError, parse, render
from converter.platforms.splunk.spl.text import is_plain, quoted, regex_literal, without_dollars


def matches_text(value: str, text: str, ignore_case: bool) -> str:
    """The test that ``value`` is exactly ``text``, for texts that no literal can hold."""
    flags = "(?si)" if ignore_case else "(?s)"
    return f"match({value}, {quoted(f'{flags}^{regex_literal(text)}' + END)})"


END = r"\z"
"""PCRE's end of the subject: unlike ``$`` it does not match before a final newline."""


def pattern_test(operator: Operator, operand: str, value: str, ignore_case: bool, losses: Losses) -> str:
    """The test of one text operator. A regex that PCRE cannot say is recorded as refused."""
    if operator is Operator.REGEX:
        try:
            return f"match({value}, {quoted(_pcre(operand, ignore_case))})"
        except RegexError as error:
            losses.lose("regex-construct", Fidelity.REFUSED, f"no PCRE says {operand!r}: {error}")
            return "true()"
    pieces = _pieces(operator, operand)
    simple = _like_pattern(pieces)
    if simple is not None:
        if ignore_case:
            return f"like(lower({value}), {quoted(simple.lower())})"
        return f"like({value}, {quoted(simple)})"
    return f"match({value}, {quoted(_regex_of(pieces, ignore_case))})"


@lru_cache(maxsize=4096)
def _pcre(pattern: str, ignore_case: bool) -> str:
    written = without_dollars(render(parse(f"(?i:{pattern})" if ignore_case else pattern, "re2"), "pcre"))
    if not is_plain(written.replace("$", "")):
        raise RegexError("it holds a character that cannot be written in a search")
    return written


ANY, ONE = 0, 1
"""The two wildcards among the pieces of a pattern."""

Piece = str | int


def _pieces(operator: Operator, operand: str) -> list[Piece]:
    match operator:
        case Operator.STARTS_WITH:
            return [operand, ANY]
        case Operator.ENDS_WITH:
            return [ANY, operand]
        case Operator.CONTAINS:
            return [ANY, operand, ANY]
        case _:
            return list(like_pieces(operand))


def like_pieces(pattern: str) -> Iterator[Piece]:
    """A canonical ``like`` pattern: literal texts and wildcards, escapes resolved."""
    literal = ""
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if character == "\\" and pattern[position + 1 : position + 2] in ("*", "?", "\\"):
            position += 1
            literal += pattern[position]
        elif character in "*?":
            if literal:
                yield literal
            literal = ""
            yield ANY if character == "*" else ONE
        else:
            literal += character
        position += 1
    if literal:
        yield literal


def _like_pattern(pieces: list[Piece]) -> str | None:
    """The pieces as a pattern of ``like``; None when a text holds one of its special characters."""
    parts: list[str] = []
    for piece in pieces:
        if isinstance(piece, int):
            parts.append("%" if piece == ANY else "_")
        elif any(character in "%_\\" for character in piece) or not is_plain(piece):
            return None
        else:
            parts.append(piece)
    return "".join(parts)


def _regex_of(pieces: list[Piece], ignore_case: bool) -> str:
    """The pieces as a PCRE for the whole value; a leading or trailing run needs no anchor."""
    parts = ["(?si)" if ignore_case else "(?s)"]
    if not pieces or pieces[0] != ANY:
        parts.append("^")
    for position, piece in enumerate(pieces):
        if isinstance(piece, str):
            parts.append(regex_literal(piece))
        elif piece == ONE:
            parts.append(".")
        elif 0 < position < len(pieces) - 1:
            parts.append(".*")
    if not pieces or pieces[-1] != ANY:
        parts.append(END)
    return "".join(parts)
