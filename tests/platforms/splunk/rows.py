"""A small interpreter of the commands behind the base search, over rows: what streamstats and its kin do.

Written from the Search Reference alone ("streamstats", "sort", "mvexpand", "eval", "where"), it shares no
code with the writer or the reader of rules. Values are text, numbers, lists (multivalue) or None (null).
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from converter.platforms.splunk.spl import syntax as s

Row: TypeAlias = dict[str, Any]

_ARITHMETIC = {"-": operator.sub, "+": operator.add, "*": operator.mul, "/": operator.truediv}


class Flight:
    """Runs commands over rows. ``searches``: what a base search finds, by its position in the text."""

    def __init__(self, searches: Mapping[int, Sequence[Row]]) -> None:
        self._searches = searches
        self._found = 0

    def run(self, pipeline: s.Pipeline, rows: list[Row] | None = None) -> list[Row]:
        for command in pipeline.commands:
            rows = self._command(command, rows)
        return rows or []

    def _command(self, command: s.Command, rows: list[Row] | None) -> list[Row]:
        body = command.body
        if isinstance(body, s.Search):
            if rows is not None:  # the filter macro at the end
                return rows
            self._found += 1
            return [dict(row) for row in self._searches[self._found - 1]]
        if isinstance(body, s.Words) and body.name == "multisearch":
            return [row for inner in command.subsearches for row in self.run(inner)]
        assert rows is not None
        if isinstance(body, s.Where):
            return [row for row in rows if truth(body.expression, row) is True]
        if isinstance(body, s.Eval):
            for row in rows:
                for name, node in body.assignments:
                    row[name] = value(node, row)
            return rows
        if isinstance(body, s.Stats):
            return streamstats(body, rows) if body.kind == "streamstats" else stats_of(body, rows)
        assert isinstance(body, (s.Words, s.Rename))
        if isinstance(body, s.Rename):
            return rows
        return {"sort": _sort, "mvexpand": _mvexpand}.get(body.name, lambda words, given: given)(body, rows)


def _sort(words: s.Words, rows: list[Row]) -> list[Row]:
    for word in reversed(words.words[1:]):
        name = word.lstrip("+-")
        rows = sorted(rows, key=lambda row: float(row.get(name) or 0), reverse=word.startswith("-"))
    return rows


def _mvexpand(words: s.Words, rows: list[Row]) -> list[Row]:
    name = words.words[0]
    return [
        {**row, name: one}
        for row in rows
        for one in (row[name] if isinstance(row.get(name), list) else [row.get(name)])
    ]


def streamstats(stats: s.Stats, rows: list[Row]) -> list[Row]:
    """Rows in order; each group's earlier rows; a window of so many events and of so much time (open end)."""
    current = stats.options.get("current", "t") == "t"
    most = int(stats.options.get("window", "0"))
    span = re.fullmatch(r"(\d+)s", stats.options.get("time_window", ""))
    seen: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        key = tuple(row.get(name) for name in stats.by)
        if None in key:
            continue
        group = seen.setdefault(key, [])
        before = dict(row)
        window = [*group, before] if current else list(group)
        if span is not None:
            window = [one for one in window if one["_time"] > row["_time"] - int(span[1])]
        if most:
            window = window[-most:]
        for aggregate in stats.aggregates:
            row[aggregate.name] = _aggregated(aggregate, window)
        group.append(before)
    return rows


def stats_of(stats: s.Stats, rows: list[Row]) -> list[Row]:
    """One row for each combination of keys; rows that lack a key are dropped."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        key = tuple(row.get(name) for name in stats.by)
        if None not in key:
            groups.setdefault(key, []).append(row)
    return [
        dict(zip(stats.by, key, strict=True))
        | {aggregate.name: _aggregated(aggregate, group) for aggregate in stats.aggregates}
        for key, group in groups.items()
    ]


def _aggregated(aggregate: s.Aggregate, window: list[Row]) -> Any:
    if aggregate.function == "count":
        return len(window)
    assert isinstance(aggregate.argument, str)
    found = [row[aggregate.argument] for row in window if row.get(aggregate.argument) is not None]
    if aggregate.function == "dc":
        return len({one for each in found for one in (each if isinstance(each, list) else [each])})
    if not found:
        return None
    if aggregate.function == "range":
        return max(found) - min(found)
    return min(found) if aggregate.function == "min" else found[-1]


def truth(node: s.EvalNode, row: Row) -> bool | None:
    """True, false or null."""
    match node:
        case s.Operation("and", left, right):
            both = (truth(left, row), truth(right, row))
            return False if False in both else (None if None in both else True)
        case s.Operation("or", left, right):
            both = (truth(left, row), truth(right, row))
            return True if True in both else (None if None in both else False)
        case s.Inverted("not", operand):
            inner = truth(operand, row)
            return None if inner is None else not inner
        case s.Operation(("==" | ">=" | "<=" | ">" | "<") as sign, left, right):
            one, other = value(left, row), value(right, row)
            if one is None or other is None:
                return None
            if sign == "==":
                return other in one if isinstance(one, list) else str(one) == str(other)
            return bool({">=": one >= other, "<=": one <= other, ">": one > other, "<": one < other}[sign])
        case s.Call("in", (inner, *literals)):
            found = value(inner, row)
            return None if found is None else found in [value(one, row) for one in literals]
        case s.Call("isnull", (inner,)):
            return value(inner, row) is None
        case s.Call("isnotnull", (inner,)):
            return value(inner, row) is not None
        case s.Call("isnum", (inner,)):
            return isinstance(value(inner, row), (int, float))
    raise AssertionError(f"no condition: {node}")


def value(node: s.EvalNode, row: Row) -> Any:
    """The value of an expression, None for null."""
    match node:
        case s.Literal(literal):
            return literal
        case s.FieldName(name):
            return row.get(name)
        case s.Call("null", ()):
            return None
        case s.Call("if", (condition, one, other)):
            return value(one if truth(condition, row) is True else other, row)
        case s.Call("case", pairs):
            for position in range(0, len(pairs), 2):
                if truth(pairs[position], row) is True:
                    return value(pairs[position + 1], row)
            return None
        case s.Call("mvindex", (inner, index)):
            values = value(inner, row)
            values = values if isinstance(values, list) else [] if values is None else [values]
            place = value(index, row)
            return values[place] if -len(values) <= place < len(values) else None
        case s.Call("mvdedup", (inner,)):
            values = value(inner, row)
            return list(dict.fromkeys(values)) if isinstance(values, list) else values
        case s.Call("upper", (inner,)):
            found = value(inner, row)
            return None if found is None else str(found).upper()
        case s.Call("coalesce", arguments):
            return next((found for one in arguments if (found := value(one, row)) is not None), None)
        case s.Call("now", ()):
            return 10**9
        case s.Call("relative_time", _):
            return 0
        case s.Operation(("-" | "+" | "*" | "/") as sign, left, right):
            one, other = value(left, row), value(right, row)
            return None if one is None or other is None else _ARITHMETIC[sign](one, other)
        case s.Call("floor", (inner,)):
            found = value(inner, row)
            return None if found is None else math.floor(found)
        case s.Call("mvrange", (first, end, step)):
            return list(range(value(first, row), value(end, row), value(step, row)))
        case s.Call("mvfilter", (condition,)):
            (name,) = {one.name for one in _fields(condition)}
            given = row.get(name)
            values = given if isinstance(given, list) else [] if given is None else [given]
            return [one for one in values if truth(condition, {**row, name: one}) is True] or None
    raise AssertionError(f"no value: {node}")


def _fields(node: s.EvalNode) -> Iterator[s.FieldName]:
    match node:
        case s.FieldName():
            yield node
        case s.Operation(_, left, right):
            yield from (*_fields(left), *_fields(right))
        case s.Call(_, arguments):
            for one in arguments:
                yield from _fields(one)
