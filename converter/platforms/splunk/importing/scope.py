"""Which fields a row has at one point of a pipeline, each as an eval expression over stored fields."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from converter.platforms.splunk.importing.rewriting import NULL, normal
from converter.platforms.splunk.spl import syntax as s
from converter.platforms.splunk.spl.errors import SplError

AGGREGATE: Final = "\0aggregate"
"""A call of this name stands for a result of stats; its argument is the aggregate's number."""

OPAQUE: Final = "\0opaque"
"""A call of this name stands for a value nobody can name here; its argument says why."""

ALWAYS_THERE: Final = frozenset(
    {"_time", "_raw", "index", "host", "source", "sourcetype", "splunk_server", "linecount"}
)
"""Default fields, which every event has (Splunk Knowledge Manager Manual, "Use default fields")."""

_LARGEST: Final = 4_000
_MOST_WILDCARDS: Final = 6
"""Of a name to rename: matching one against another takes a time that grows with its power."""


def opaque(reason: str) -> s.Call:
    """A value that cannot be named, and why."""
    return s.Call(OPAQUE, (s.Literal(reason),))


def parts(node: s.EvalNode) -> tuple[s.EvalNode, ...]:
    """The direct operands of an eval expression."""
    match node:
        case s.Call(_, arguments):
            return arguments
        case s.Operation(_, left, right):
            return (left, right)
        case s.Inverted(_, operand):
            return (operand,)
    return ()


def walk(node: s.EvalNode) -> Iterator[s.EvalNode]:
    """The node and everything inside it."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(parts(current))


def aggregates_in(node: s.EvalNode) -> set[int]:
    """The numbers of the aggregates that an expression looks at."""
    found = set()
    for inner in walk(node):
        if (
            isinstance(inner, s.Call)
            and inner.name == AGGREGATE
            and isinstance(inner.arguments[0], s.Literal)
        ):
            found.add(int(inner.arguments[0].value))
    return found


def field_names(node: s.EvalNode) -> set[str]:
    """The names of the stored fields that an expression reads."""
    return {inner.name for inner in walk(node) if isinstance(inner, s.FieldName)}


class Scope:
    """The fields of a row. ``closed``: it has no other fields than those made; else stored ones as well."""

    def __init__(self) -> None:
        self.made: dict[str, s.EvalNode] = {}
        self.closed = False
        self.node_names = False
        self.unknown = ""
        self._filled: s.Literal | None = None

    def resolve(self, name: str) -> s.EvalNode:
        """What a field of the row is."""
        if name in self.made:
            return self.made[name]
        bare = without_node(name) if self.node_names else name
        if bare in self.made:
            return self.made[bare]
        if self.closed:
            return opaque(f"{name} comes from {self.unknown}") if self.unknown else NULL
        stored = s.FieldName(bare, True)
        return stored if self._filled is None else s.Call("coalesce", (stored, self._filled))

    def substituted(self, node: s.EvalNode) -> s.EvalNode:
        """An expression with every field put in terms of stored ones. Raises SplError if too large."""
        found = self._substituted(node)
        if sum(1 for _ in _first(walk(found), _LARGEST + 1)) > _LARGEST:
            raise SplError("the expression is too large once its fields are put in", 0, "spl-size")
        return found

    def _substituted(self, node: s.EvalNode) -> s.EvalNode:
        match node:
            case s.FieldName(name):
                return self.resolve(name)
            case s.Call(function, arguments, at):
                return normal(s.Call(function, tuple(self._substituted(one) for one in arguments), at))
            case s.Operation(sign, left, right, at):
                return normal(s.Operation(sign, self._substituted(left), self._substituted(right), at))
            case s.Inverted(sign, operand):
                return s.Inverted(sign, self._substituted(operand))
        return node

    def assign(self, name: str, node: s.EvalNode) -> None:
        """``eval name=node``."""
        try:
            self.made[name] = self.substituted(node)
        except SplError as error:
            self.made[name] = opaque(error.message)

    def rename(self, old: str, new: str) -> None:
        """``rename old AS new``, with wildcards."""
        old, new = old.replace('"', ""), new.replace('"', "")
        if "*" not in old:
            node = self.resolve(old)
            self.made.pop(old, None)
            if not self.closed:
                self.made[old] = NULL
            self.made[new] = node
            return
        if old.count("*") > _MOST_WILDCARDS:
            raise SplError(f"rename with more than {_MOST_WILDCARDS} wildcards in a name", 0, "spl-rename")
        pattern = re.compile("(.*)".join(re.escape(part) for part in old.split("*")))
        for name in list(self.made):
            found = pattern.fullmatch(name)
            if found is not None:
                self.made[_filled_in(new, found.groups())] = self.made.pop(name)

    def fill(self, names: Iterable[str], value: str | int) -> None:
        """``fillnull value=… names``; no names: every field."""
        literal = s.Literal(value)
        listed = list(names)
        if not listed and not self.closed:
            self._filled = literal
        for name in listed or [one for one in self.made if self.made[one] != NULL]:
            self.made[name] = s.Call("coalesce", (self.resolve(name), literal))

    def keep(self, names: Iterable[str]) -> None:
        """``table``, ``fields``: only these fields go on."""
        kept: dict[str, s.EvalNode] = {}
        for name in names:
            if "*" not in name:
                kept[name] = self.resolve(name)
                continue
            if not self.closed:
                return
            pattern = re.compile(".*".join(re.escape(part) for part in name.split("*")))
            kept.update({one: node for one, node in self.made.items() if pattern.fullmatch(one)})
        self.made, self.closed, self._filled = kept, True, None

    def drop(self, names: Iterable[str]) -> None:
        """``fields - names``."""
        for name in names:
            if self.closed:
                self.made.pop(name, None)
            elif "*" not in name and not name.startswith("_"):
                self.made[name] = NULL

    def replace(self, made: dict[str, s.EvalNode]) -> None:
        """Only these fields go on: the results of stats."""
        self.made, self.closed, self._filled, self.node_names, self.unknown = made, True, None, False, ""


def _first(items: Iterator[s.EvalNode], count: int) -> Iterator[s.EvalNode]:
    for _, item in zip(range(count), items, strict=False):
        yield item


def _filled_in(pattern: str, texts: tuple[str, ...]) -> str:
    """A rename's target with its wildcards replaced by what those of the source stood for."""
    for text in texts:
        pattern = pattern.replace("*", text, 1)
    return pattern


def without_node(name: str) -> str:
    """A data model's field without the names of its data sets: ``Processes.process`` is ``process``."""
    keys = name.split(".")
    while len(keys) > 1 and keys[0][:1].isupper():
        keys = keys[1:]
    return ".".join(keys)
