"""The tree of an ES|QL query: commands over expressions, as parse.py makes it and read.py understands it."""

from __future__ import annotations

from typing import TypeAlias

import msgspec


class Literal(msgspec.Struct, frozen=True):
    """A constant; None is ``null``, a tuple a multi-valued constant ``["a", "b"]``."""

    value: bool | int | float | str | tuple[bool | int | float | str, ...] | None


class Timespan(msgspec.Struct, frozen=True):
    """``5 minutes``."""

    amount: int
    unit: str


class Column(msgspec.Struct, frozen=True):
    """A column by name, without backticks."""

    name: str


class Call(msgspec.Struct, frozen=True):
    """A function, name in upper case. ``x::long`` is ``TO_LONG(x)``; ``COUNT(*)`` has no arguments."""

    name: str
    arguments: tuple[Node, ...] = ()


class Negation(msgspec.Struct, frozen=True):
    """NOT."""

    operand: Node


class Junction(msgspec.Struct, frozen=True):
    """AND (``every``) or OR of two or more."""

    every: bool
    operands: tuple[Node, ...]


class Comparison(msgspec.Struct, frozen=True):
    """``==``, ``!=``, ``<``, ``<=``, ``>``, ``>=``."""

    operator: str
    left: Node
    right: Node


class InList(msgspec.Struct, frozen=True):
    """``operand IN (…)``."""

    operand: Node
    items: tuple[Node, ...]


class Like(msgspec.Struct, frozen=True):
    """``operand LIKE …``, or RLIKE: some pattern fits the whole value."""

    operand: Node
    patterns: tuple[str, ...]
    regex: bool = False


class IsNull(msgspec.Struct, frozen=True):
    """``operand IS NULL``."""

    operand: Node


class Match(msgspec.Struct, frozen=True):
    """``field : value``, the match operator."""

    operand: Node
    value: Node


class Arithmetic(msgspec.Struct, frozen=True):
    """``left operator right`` with one of ``+ - * / %``; ``text`` is its source."""

    text: str
    operator: str
    left: Node
    right: Node


class Unread(msgspec.Struct, frozen=True):
    """An expression that is not looked into, such as a query parameter; ``text`` is its source."""

    text: str


Node: TypeAlias = (
    Literal
    | Timespan
    | Column
    | Call
    | Negation
    | Junction
    | Comparison
    | InList
    | Like
    | IsNull
    | Match
    | Arithmetic
    | Unread
)


class Place(msgspec.Struct, frozen=True):
    """A part of a query as it is written, and where: line and column count from 1."""

    text: str
    line: int
    column: int


class Assignment(msgspec.Struct, frozen=True):
    """``name = expression``; without a name the column is called like its source text. STATS may filter."""

    name: str
    expression: Node
    place: Place
    where: Node | None = None


class Conjunct(msgspec.Struct, frozen=True):
    """One of the conditions that a WHERE joins by AND."""

    condition: Node
    place: Place


class From(msgspec.Struct, frozen=True):
    """``FROM indices METADATA fields``."""

    indices: tuple[str, ...]
    metadata: tuple[str, ...] = ()


class Where(msgspec.Struct, frozen=True):
    """Keeps the rows for which every condition is true."""

    conditions: tuple[Conjunct, ...]


class Eval(msgspec.Struct, frozen=True):
    """Adds columns, each seeing the ones before it."""

    assignments: tuple[Assignment, ...]


class Stats(msgspec.Struct, frozen=True):
    """Aggregates by groups; ``inline`` (INLINE STATS) adds the results to the rows instead."""

    aggregates: tuple[Assignment, ...]
    by: tuple[Assignment, ...]
    inline: bool
    place: Place


class Keep(msgspec.Struct, frozen=True):
    """``KEEP a, b.*``: patterns without backticks."""

    patterns: tuple[str, ...]


class Drop(msgspec.Struct, frozen=True):
    """``DROP a, b.*``."""

    patterns: tuple[str, ...]


class Rename(msgspec.Struct, frozen=True):
    """Pairs (old name, new name)."""

    names: tuple[tuple[str, str], ...]


class Limit(msgspec.Struct, frozen=True):
    """The first rows alone."""

    rows: int


class Sort(msgspec.Struct, frozen=True):
    """Orders the rows; says nothing about which rows there are."""


class MvExpand(msgspec.Struct, frozen=True):
    """One row per value of a column."""

    column: str
    place: Place


class Extract(msgspec.Struct, frozen=True):
    """GROK, DISSECT or COMPLETION: adds columns (null where the text does not fit) and keeps all rows.

    ``source``: the text that is taken apart; ``patterns``: how.
    """

    command: str
    columns: tuple[str, ...]
    source: Node | None = None
    patterns: tuple[str, ...] = ()
    place: Place | None = None


class Other(msgspec.Struct, frozen=True):
    """A command that this package does not know; ``name`` in upper case."""

    name: str
    place: Place


Command: TypeAlias = (
    From | Where | Eval | Stats | Keep | Drop | Rename | Limit | Sort | MvExpand | Extract | Other
)
Query: TypeAlias = tuple[Command, ...]
