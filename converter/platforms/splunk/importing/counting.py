"""What stats computes, and conditions on it that are thresholds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from converter.model.expressions import TRUE, Expression
from converter.platforms.splunk.importing.scope import field_names
from converter.platforms.splunk.spl import syntax as s
from converter.platforms.splunk.spl.relations import recognised

_COUNTS: Final = frozenset({"count", "c"})
_DISTINCTS: Final = frozenset({"dc", "distinct_count", "estdc"})
_LISTS: Final = frozenset({"values", "list"})
_PICKS: Final = frozenset({"first", "last", "earliest", "latest", "mode"})
_NUMBERS: Final = {"sum": "sum", "min": "min", "max": "max", "avg": "avg", "mean": "avg"}
_TIMES: Final = {
    "min": "first",
    "earliest": "first",
    "earliest_time": "first",
    "max": "last",
    "latest": "last",
    "latest_time": "last",
    "range": "span",
}
"""What a function gives of the time of the events."""


class Group(msgspec.Struct, frozen=True):
    """What an aggregation groups by: the BY fields over stored ones, and the length of its time slices."""

    keys: tuple[s.EvalNode, ...]
    seconds: float | None = None
    timed: bool = False


def key_fields(group: Group) -> frozenset[str]:
    """The stored fields that a group's keys are made of: the same in all its matches."""
    return frozenset(name for key in group.keys for name in field_names(key))


class Counted(msgspec.Struct, frozen=True):
    """One result of stats. ``kind``: ``count``, ``distinct``, ``sum``, ``min``, ``max``, ``avg``, ``values``,
    ``pick`` (one value of several), ``first``, ``last`` and ``span`` (of time), or ``other``.

    ``of``: the value that it is about; ``condition``: what a row must satisfy to be looked at; ``closing``:
    the groups are all the rows that there are from then on.
    """

    kind: str
    group: Group
    of: s.EvalNode | None = None
    condition: Expression = TRUE
    reason: str = ""
    closing: bool = False


def kind_of(function: str, of_time: bool = False) -> str:
    """The kind of result that a function of stats gives; ``of_time``: of the time of the events."""
    if of_time and function in _TIMES:
        return _TIMES[function]
    if function in _COUNTS:
        return "count"
    if function in _DISTINCTS:
        return "distinct"
    if function in _LISTS:
        return "values"
    return "pick" if function in _PICKS else _NUMBERS.get(function, "other")


def conjuncts(node: s.EvalNode) -> Iterator[s.EvalNode]:
    """The parts of an eval condition that must all hold. A test of two values stays whole."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, s.Operation) and current.operator == "and" and not recognised(current):
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
