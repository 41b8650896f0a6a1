"""The Lark parsers of this package: built at first use, kept, and never loaded by a writer.

A parse error becomes a :class:`~converter.model.diagnostics.RuleError` with the line and column in the query.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

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


def parse(language: str, text: str) -> lark.Tree[lark.Token]:
    """The tree of a query in ``kql`` or ``eql``. Raises RuleError where the text is not in the language."""
    import lark

    try:
        return _parser(language).parse(text)
    except lark.UnexpectedInput as error:
        raise query_error(language, _message(error), error.line, error.column) from error
    except RecursionError as error:
        raise query_error(language, "the query is nested too deeply", None, None) from error


def query_error(language: str, message: str, line: int | None, column: int | None) -> RuleError:
    """The error for a query that cannot be read; ``line`` and ``column`` count within the query."""
    place = f" at line {line}, column {column} of the query" if line is not None and line > 0 else ""
    diagnostic = Diagnostic(
        code=f"{language}-syntax",
        severity=Severity.ERROR,
        message=f"{language.upper()}: {message}{place}",
        platform="elastic",
        effect=Fidelity.REFUSED,
    )
    return RuleError(diagnostic.message, (diagnostic,))


def _message(error: lark.UnexpectedInput) -> str:
    import lark

    if isinstance(error, lark.UnexpectedToken):
        if error.token.type == "$END":
            return "unexpected end of the query"
        return f"unexpected {str(error.token)!r}"
    if isinstance(error, lark.UnexpectedCharacters):
        return f"unexpected character {error.char!r}"
    return "unexpected end of the query"
