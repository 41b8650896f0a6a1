"""SPL as a tree: pipelines of commands, and the expressions inside them.

``at`` is the offset of a node in the command's own text; it plays no part in comparisons.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

# -- search expressions


class Everything(msgspec.Struct, frozen=True):
    """An empty search, or empty parentheses: every event."""


class Both(msgspec.Struct, frozen=True):
    """Every term holds (AND, or terms side by side)."""

    terms: tuple[SearchNode, ...]


class Either(msgspec.Struct, frozen=True):
    """Some term holds."""

    terms: tuple[SearchNode, ...]


class Negated(msgspec.Struct, frozen=True):
    """NOT."""

    term: SearchNode


class Text(msgspec.Struct, frozen=True):
    """A literal of a search: its text after escapes. ``cased``: inside CASE(); ``term``: inside TERM()."""

    text: str
    quoted: bool = False
    cased: bool = False
    term: bool = False


class Compared(msgspec.Struct, frozen=True):
    """``field operator literal``."""

    field: str
    operator: str
    value: Text
    at: int = 0


class Listed(msgspec.Struct, frozen=True):
    """``field IN (literals)``."""

    field: str
    values: tuple[Text, ...]
    at: int = 0


class Term(msgspec.Struct, frozen=True):
    """A bare word or phrase, looked for in the raw event."""

    text: Text
    at: int = 0


class Macro(msgspec.Struct, frozen=True):
    """A macro nobody has defined."""

    name: str
    at: int = 0


class Subsearch(msgspec.Struct, frozen=True):
    """A search in brackets: the ``number``-th of its command."""

    number: int
    at: int = 0


SearchNode: TypeAlias = Everything | Both | Either | Negated | Compared | Listed | Term | Macro | Subsearch


# -- eval expressions


class Literal(msgspec.Struct, frozen=True):
    """A number or a string."""

    value: int | float | str


class FieldName(msgspec.Struct, frozen=True):
    """A field. ``quoted``: in single quotes."""

    name: str
    quoted: bool = False
    at: int = 0


class Call(msgspec.Struct, frozen=True):
    """A function, its name in lower case."""

    name: str
    arguments: tuple[EvalNode, ...]
    at: int = 0


class Operation(msgspec.Struct, frozen=True):
    """A binary operator: and or xor == != < <= > >= like + - . * / %."""

    operator: str
    left: EvalNode
    right: EvalNode
    at: int = 0


class Inverted(msgspec.Struct, frozen=True):
    """NOT (``not``) or a minus sign (``-``)."""

    operator: str
    operand: EvalNode


EvalNode: TypeAlias = Literal | FieldName | Call | Operation | Inverted | Macro | Subsearch


# -- commands


class Aggregate(msgspec.Struct, frozen=True):
    """``function(argument) AS name``; the argument is a field name or an eval expression."""

    function: str
    argument: str | EvalNode | None
    name: str


class Search(msgspec.Struct, frozen=True):
    """``search``."""

    expression: SearchNode


class Where(msgspec.Struct, frozen=True):
    """``where``."""

    expression: EvalNode


class Eval(msgspec.Struct, frozen=True):
    """``eval``: assignments in order."""

    assignments: tuple[tuple[str, EvalNode], ...]


class Stats(msgspec.Struct, frozen=True):
    """``stats``, ``eventstats``, ``streamstats`` (``kind``), with options by lower-case name."""

    kind: str
    aggregates: tuple[Aggregate, ...]
    by: tuple[str, ...] = ()
    options: Mapping[str, str] = {}


class Tstats(msgspec.Struct, frozen=True):
    """``tstats``: aggregates over an accelerated data model (``source``) or index."""

    aggregates: tuple[Aggregate, ...]
    source: str | None
    where: SearchNode
    by: tuple[str, ...] = ()
    options: Mapping[str, str] = {}


class Rename(msgspec.Struct, frozen=True):
    """``rename old AS new``."""

    pairs: tuple[tuple[str, str], ...]


class Words(msgspec.Struct, frozen=True):
    """Any other command: its words in order, its options, its subsearches' numbers."""

    name: str
    words: tuple[str, ...] = ()
    options: Mapping[str, str] = {}
    subsearches: tuple[int, ...] = ()


CommandBody: TypeAlias = Search | Where | Eval | Stats | Tstats | Rename | Words | Macro


class Command(msgspec.Struct, frozen=True):
    """A command: what it says, where it stands in the expanded text, and its subsearches."""

    name: str
    body: CommandBody
    offset: int = 0
    subsearches: tuple[Pipeline, ...] = ()


class Pipeline(msgspec.Struct, frozen=True):
    """Commands, first to last."""

    commands: tuple[Command, ...]
