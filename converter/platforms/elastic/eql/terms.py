"""The operands of EQL's comparisons, once read, and the error for what has no canonical form."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from converter.model.diagnostics import RuleError
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


Term: TypeAlias = Constant | Field | Call


def error_at(place: object, what: str) -> RuleError:
    """The error for a construct that has no canonical form, with its line and column in the query."""
    meta = getattr(place, "meta", None)
    line, column = getattr(meta, "line", None), getattr(meta, "column", None)
    return query_error("eql", f"not readable: {what}", line, column)
