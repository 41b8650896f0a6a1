"""Values that are made from a field's text, and tests of them as regular expressions on that text.

``trim`` takes blanks and tabs, or the characters it is given, off the ends; ``substr`` counts characters from
1, or from the end (Search Reference, "Text functions").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from converter.evaluate.values import text_of
from converter.model.expressions import (
    FALSE,
    Expression,
    FunctionName,
    Operator,
    Predicate,
    Reference,
    Scalar,
    any_of,
)
from converter.model.regex import Literal, render
from converter.platforms.splunk.spl.errors import SplError
from converter.platforms.splunk.spl.matching import ANY, ONE, like_pieces
from converter.platforms.splunk.spl.read_where import Value

Pieces: TypeAlias = tuple[str | int, ...]
"""Texts and the wildcards ANY and ONE, no two texts and no two ANY side by side."""

MOST_CHARACTERS: Final = 1000
"""Counts in an RE2 pattern go no higher (RE2 syntax: repetition limit)."""


class Derived(Value, frozen=True):
    """A value that is made from the text of ``subject``. ``functions`` may change its letters' case."""

    loose: bool = False

    def asks(self, operator: Operator, *values: Scalar | Reference, ignore_case: bool = False) -> Expression:
        """The test of this value as one of the text that it is made from. Raises SplError."""
        names = {function.name for function in self.functions}
        if self.kind != "text" or not names <= {FunctionName.LOWER, FunctionName.UPPER}:
            raise SplError("a value that is computed from a part of a text", 0, "spl-computed")
        folds = ignore_case or bool(names)
        found: list[Expression] = []
        for value in values:
            if isinstance(value, Reference):
                raise SplError("two computed values are compared", 0, "spl-comparison")
            pieces = _pieces(operator, text_of(value))
            texts = [piece for piece in pieces if isinstance(piece, str)]
            last = self.functions[-1].name if self.functions else None
            wrong = any(
                text != (text.lower() if last is FunctionName.LOWER else text.upper())
                for text in texts
                if last is not None and not ignore_case
            )
            pattern = None if wrong else self.pattern(pieces, folds)
            if pattern is not None:
                found.append(Predicate(self.subject, Operator.REGEX, (pattern,)))
        return any_of(*found) if found else FALSE

    def pattern(self, pieces: Pieces, folds: bool) -> str | None:
        """What the source's text looks like when the value looks like this; None when it never does."""
        raise NotImplementedError

    @property
    def present(self) -> Expression:
        """When it is not null."""
        if self.kind != "text":
            raise SplError("a number that is computed from a part of a text", 0, "spl-computed")
        return Predicate(self.subject, Operator.EXISTS)


def _pieces(operator: Operator, text: str) -> Pieces:
    match operator:
        case Operator.IS:
            return (text,) if text else ()
        case Operator.STARTS_WITH:
            return (text, ANY)
        case Operator.ENDS_WITH:
            return (ANY, text)
        case Operator.CONTAINS:
            return (ANY, text, ANY)
        case Operator.LIKE:
            return tuple(like_pieces(text))
    raise SplError(f"{operator} is asked of a value that is computed", 0, "spl-computed")


def body(pieces: Sequence[str | int], folds: bool) -> str:
    """The pieces as a regular expression."""
    wild = {ANY: ".*", ONE: "."}
    return "".join(
        wild[piece] if isinstance(piece, int) else render(Literal(piece, ignore_case=folds), "re2")
        for piece in pieces
    )


class Trimmed(Derived, frozen=True):
    """``trim``, ``ltrim`` or ``rtrim``: the characters that go on the ``left`` and on the ``right``."""

    left: str = ""
    right: str = ""

    def pattern(self, pieces: Pieces, folds: bool) -> str | None:
        """See :meth:`Derived.pattern`. What is left begins and ends with a character that stays."""
        if not pieces:
            return rf"\A{_run(self.left)}{_run(self.right)}\z"
        if pieces == (ANY,):
            return r"\A"
        start = _edge(pieces, self.left, first=True)
        end = _edge(pieces[::-1], self.right, first=False)
        if start is None or end is None:
            return None
        before = {"at": rf"\A{_run(self.left)}", "inside": f"[^{_set(self.left)}].*", "open": ""}[start]
        after = {"at": rf"{_run(self.right)}\z", "inside": f".*[^{_set(self.right)}]", "open": ""}[end]
        inner = pieces[start != "at" : len(pieces) - (end != "at")]
        return f"(?s){before}{body(inner, folds)}{after}"


def _edge(pieces: Pieces, taken: str, first: bool) -> str | None:
    """Where the pieces begin, seen from one side: ``at`` the edge of what is left, ``inside`` of it (behind a
    character that stays), or anywhere (``open``); None where no value can begin like that.
    """
    wild = pieces[0] == ANY
    outer = pieces[1] if wild and len(pieces) > 1 else pieces[0]
    if outer == ONE and taken:
        raise SplError("a wildcard for one character at the end of a trimmed text", 0, "spl-computed")
    goes = isinstance(outer, str) and outer[0 if first else -1] in taken
    if wild:
        return "inside" if goes else "open"
    return None if goes else "at"


def _set(characters: str) -> str:
    return "".join("\\" + one if one in "\\]^-[" else one for one in characters).replace("\t", "\\t")


def _run(characters: str) -> str:
    return f"[{_set(characters)}]*" if characters else ""


class Piece(Derived, frozen=True):
    """``substr``: ``length`` characters, or the rest, from ``start`` (from 1, negative from the end)."""

    start: int = 1
    length: int | None = None

    def pattern(self, pieces: Pieces, folds: bool) -> str | None:
        """See :meth:`Derived.pattern`."""
        fixed = [piece for piece in pieces if piece != ANY]
        size = sum(len(piece) if isinstance(piece, str) else 1 for piece in fixed)
        anywhere = (pieces[:1] == (ANY,), pieces[-1:] == (ANY,))
        if not size or self.start == 0 or abs(self.start) > MOST_CHARACTERS:
            raise SplError("a part of a text that is computed", 0, "spl-computed")
        if self.start > 0 and not anywhere[0] and fixed == list(pieces[: len(fixed)]):
            room = self.length
            if room is not None and size > room:
                return None
            open_end = anywhere[1] or size == room
            text = body(pieces[: len(fixed)], folds)
            skipped = f".{{{self.start - 1}}}" if self.start > 1 else ""
            return rf"(?s)\A{skipped}{text}" + ("" if open_end else r"\z")
        whole = size == -self.start and len(fixed) == len(pieces)
        ends = size <= -self.start and anywhere == (True, False) and fixed == list(pieces[1:])
        if (whole or ends) and (self.length is None or self.length >= -self.start):
            return rf"(?s){body(fixed, folds)}\z"
        raise SplError("a part of a text that is computed", 0, "spl-computed")
