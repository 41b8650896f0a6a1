"""The operands of EQL's comparisons, once read, and the error for what has no canonical form."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from converter.model.diagnostics import RuleError
from converter.model.expressions import Expression, Operator, Predicate, Scalar, Subject, all_of, fields_of
from converter.model.paths import FieldPath
from converter.platforms.elastic.grammars import query_error


class Constant(msgspec.Struct, frozen=True):
    """A text, number, truth value or null."""

    value: bool | int | float | str | None


class Field(msgspec.Struct, frozen=True):
    """A stored field."""

    path: FieldPath


class Call(msgspec.Struct, frozen=True):
    """A function call: its name in lower case, whether it ignores case (``~``), its arguments."""

    name: str
    ignore_case: bool
    arguments: tuple[Term, ...]


class Arithmetic(msgspec.Struct, frozen=True):
    """Two terms and ``+``, ``-``, ``*``, ``/`` or ``%`` between them."""

    left: Term
    sign: str
    right: Term


Term: TypeAlias = Constant | Field | Call | Arithmetic


def error_at(place: object, what: str) -> RuleError:
    """The error for a construct that has no canonical form, with its line and column in the query."""
    meta = getattr(place, "meta", None)
    line, column = getattr(meta, "line", None), getattr(meta, "column", None)
    return query_error("eql", f"not readable: {what}", line, column)


def constant(place: object, term: Term) -> Scalar:
    """The value of a term that is a constant other than null. Raises RuleError for other terms."""
    if not isinstance(term, Constant) or term.value is None:
        raise error_at(place, "something other than a constant here")
    return term.value


def present(subject: Subject) -> Expression:
    """Every field of the subject has a value."""
    return all_of(*(Predicate(path, Operator.EXISTS) for path in fields_of(subject)))
