"""The Lark parsers of this package: built at first use, kept, and never loaded by a writer.

A parse error becomes a :class:`~converter.model.diagnostics.RuleError` with the line and column in the query.
"""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from converter.model.diagnostics import Diagnostic, Fidelity, RuleError, Severity

if TYPE_CHECKING:
    import lark

_HERE = Path(__file__).resolve().parent


@cache
def _parser(language: str) -> lark.Lark:
    import lark

    grammar = (_HERE / language / "grammar.lark").read_text(encoding="utf-8")
    return lark.Lark(
        grammar, parser="lalr", lexer="contextual", maybe_placeholders=False, propagate_positions=True
    )


@lru_cache(maxsize=4)
def _parsed(language: str, text: str) -> lark.Tree[lark.Token]:
    """A rule's query is looked at more than once: first for its log source, then with its fields' types."""
    return _parser(language).parse(text)


def parse(language: str, text: str) -> lark.Tree[lark.Token]:
    """The tree of a query in ``kql``, ``eql`` or ``lucene``. Raises RuleError for a text that is none."""
    import lark

    try:
        return _parsed(language, text)
    except lark.UnexpectedInput as error:
        raise query_error(language, _message(error), error.line, error.column) from error
    except RecursionError as error:
        raise query_error(language, "the query is nested too deeply", None, None) from error


class LeftOut(msgspec.Struct, frozen=True):
    """A part of a query that is left out: the text, why, and on which side the reading then errs."""

    text: str
    reason: Diagnostic
    effect: Fidelity


def left_out(text: str, place: object, error: RuleError, effect: Fidelity = Fidelity.WIDER) -> LeftOut:
    """What is left out at a tree of a query ``text`` for ``error``. A located error says where."""
    meta = getattr(place, "meta", None)
    start, end = getattr(meta, "start_pos", None), getattr(meta, "end_pos", None)
    return LeftOut(text if start is None else text[start:end], error.diagnostics[0], effect)


def query_error(language: str, message: str, line: int | None, column: int | None) -> RuleError:
    """The error for a query that cannot be read; ``line`` and ``column`` count within the query."""
    place = f" at line {line}, column {column} of the query" if line is not None and line > 0 else ""
    diagnostic = Diagnostic(
        code=f"{language}-syntax",
        severity=Severity.ERROR,
        message=f"{language.upper()}: {message}",
        line=line if place else None,
        column=column if place else None,
        platform="elastic",
        effect=Fidelity.REFUSED,
    )
    return RuleError(f"{diagnostic.message}{place}", (diagnostic,))


def _message(error: lark.UnexpectedInput) -> str:
    import lark

    if isinstance(error, lark.UnexpectedToken):
        if error.token.type == "$END":
            return "unexpected end of the query"
        return f"unexpected {str(error.token)!r}"
    if isinstance(error, lark.UnexpectedCharacters):
        return f"unexpected character {error.char!r}"
    return "unexpected end of the query"
