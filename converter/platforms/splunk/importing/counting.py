"""What stats computes, and conditions on it that are thresholds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from converter.model.expressions import TRUE, Expression
from converter.model.paths import FieldPath
from converter.platforms.splunk.importing.scope import AGGREGATE
from converter.platforms.splunk.spl import syntax as s
from converter.platforms.splunk.spl.errors import SplError

_MIRRORED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_COUNTS: Final = frozenset({"count", "c"})
_DISTINCTS: Final = frozenset({"dc", "distinct_count", "estdc"})
_LISTS: Final = frozenset({"values", "list"})
_PICKS: Final = frozenset({"first", "last", "earliest", "latest", "min", "max", "mode"})


class Group(msgspec.Struct, frozen=True):
    """What an aggregation groups by: the BY fields over stored ones, and the length of its time slices."""

    keys: tuple[s.EvalNode, ...]
    seconds: float | None = None
    timed: bool = False


class Counted(msgspec.Struct, frozen=True):
    """One result of stats. ``kind``: ``count``, ``distinct``, ``values``, ``pick`` or ``other``.

    ``of``: the value that it is about; ``condition``: what a row must satisfy to be counted.
    """

    kind: str
    group: Group
    of: s.EvalNode | None = None
    condition: Expression = TRUE
    reason: str = ""


class Least(msgspec.Struct, frozen=True):
    """A condition that there are at least ``count`` of what an aggregate counts."""

    counted: Counted
    count: int


def kind_of(function: str) -> str:
    """The kind of result that a function of stats gives."""
    if function in _COUNTS:
        return "count"
    if function in _DISTINCTS:
        return "distinct"
    if function in _LISTS:
        return "values"
    return "pick" if function in _PICKS else "other"


def conjuncts(node: s.EvalNode) -> Iterator[s.EvalNode]:
    """The parts of an eval condition that must all hold."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, s.Operation) and current.operator == "and":
            waiting += [current.right, current.left]
        else:
            yield current


def search_conjuncts(node: s.SearchNode) -> Iterator[s.SearchNode]:
    """The parts of a search that must all hold."""
    if isinstance(node, s.Both):
        for term in node.terms:
            yield from search_conjuncts(term)
    else:
        yield node


def least_of(node: s.EvalNode, counted: Mapping[int, Counted]) -> Least | None:
    """The threshold that a condition on an aggregate is, if it is one."""
    if not isinstance(node, s.Operation) or node.operator not in _MIRRORED:
        return None
    operator, left, right = node.operator, node.left, node.right
    if isinstance(left, s.Literal):
        operator, left, right = _MIRRORED[operator], right, left
    number = right.value if isinstance(right, s.Literal) else None
    if isinstance(number, str):
        try:
            number = float(number)
        except ValueError:
            return None
    if number is None or not math.isfinite(number) or operator not in (">", ">="):
        return None
    found = _aggregate(left, counted)
    if found is None:
        return None
    least = math.floor(number) + 1 if operator == ">" else math.ceil(number)
    return Least(found, least)


def _aggregate(node: s.EvalNode, counted: Mapping[int, Counted]) -> Counted | None:
    match node:
        case s.Call(name, (s.Literal(number),)) if name == AGGREGATE:
            found = counted[int(number)]
            return found if found.kind in ("count", "distinct") else None
        case s.Call("mvcount", (s.Call(name, (s.Literal(number),)),)) if name == AGGREGATE:
            found = counted[int(number)]
            return msgspec.structs.replace(found, kind="distinct") if found.kind == "values" else None
        case s.Call(("tonumber" | "tostring"), (inner,)):
            return _aggregate(inner, counted)
    return None


def path_of(node: s.EvalNode | None) -> tuple[FieldPath, bool]:
    """The stored field of an expression, and whether missing values of it were filled in. Raises SplError."""
    match node:
        case s.FieldName(name):
            return FieldPath((name,)), False
        case s.Call("coalesce", (s.FieldName(name), s.Literal())):
            return FieldPath((name,)), True
        case s.Call(("mvdedup" | "\0element"), (inner,)):
            return path_of(inner)
        case s.Call("mvindex", (s.FieldName(name), s.Literal(int(index)))):
            return FieldPath((name, index)), False
    raise SplError("it is counted by a computed value", 0, "spl-computed")
