"""Which fields a row has at one point of a pipeline, each as an eval expression over stored fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias

import msgspec

from converter.model.wildcards import wildcard_regex
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

_TIME_PARTS: Final = frozenset(
    f"date_{part}" for part in ("second", "minute", "hour", "mday", "wday", "month", "year", "zone")
)
"""Fields that Splunk takes out of an event's timestamp (Knowledge Manager Manual, "Use default fields")."""

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


def search_fields(node: s.SearchNode) -> set[str]:
    """The names of the fields that a search expression compares."""
    match node:
        case s.Both(terms) | s.Either(terms):
            return {name for term in terms for name in search_fields(term)}
        case s.Negated(term):
            return search_fields(term)
        case s.Compared(field) | s.Listed(field):
            return {field}
    return set()


class _Change(msgspec.Struct, frozen=True):
    """Fields named by wildcards: those alone stay, or (``drops``) those go, or they are renamed.

    ``new``: the names that they have then; ``template``: the old one, to be filled in.
    """

    old: re.Pattern[str]
    drops: bool = False
    new: re.Pattern[str] | None = None
    template: str = ""


Declares: TypeAlias = Callable[[str], bool]
"""Whether the log source is known to have a stored field of this name."""


class Scope:
    """The fields of a row. ``closed``: it has no other fields than those made; else stored ones as well."""

    def __init__(self, declares: Declares = lambda name: False) -> None:
        self._declares = declares
        self.made: dict[str, s.EvalNode] = {}
        self.closed = False
        self.node_names = False
        self.unknown = ""
        self._filled: s.Literal | None = None
        self._seen: set[str] = set()
        self._changes: list[_Change] = []

    def knows(self, name: str) -> bool:
        """Whether rows may have the field already: it was made, or asked for, or the log source has it."""
        if name in self.made:
            return self.made[name] != NULL
        return name in self._seen or (not self.closed and self._declares(name))

    def resolve(self, name: str) -> s.EvalNode:
        """What a field of the row is."""
        if name in self.made:
            return self.made[name]
        bare = without_node(name) if self.node_names else name
        if bare in self.made:
            return self.made[bare]
        if self.closed:
            return opaque(f"{name} comes from {self.unknown}") if self.unknown else NULL
        if bare in _TIME_PARTS:
            return opaque(f"{bare}: a part of the time that the event's text has")
        self._seen.add(bare)
        stored = self._stored(bare, len(self._changes))
        return stored if self._filled is None else s.Call("coalesce", (stored, self._filled))

    def _stored(self, name: str, steps: int) -> s.EvalNode:
        """What of the event a name means, once so many commands have named fields by wildcards."""
        for number in reversed(range(steps)):
            change = self._changes[number]
            if change.new is None:
                if (change.old.fullmatch(name) is not None) == change.drops:
                    return NULL
                continue
            renamed = change.new.fullmatch(name)
            if renamed is not None:
                old = _filled_in(change.template, renamed.groups())
                moved = change.old.fullmatch(name) is not None
                return self._stored(old, number) if moved else self._renamed(old, name, number)
            if change.old.fullmatch(name) is not None:
                return NULL
        return s.FieldName(name, True)

    def _renamed(self, old: str, name: str, steps: int) -> s.EvalNode:
        """A field that was renamed if an event has it, else the one that had the new name before.

        Where the log source has one of the two, that is the one.
        """
        has_old, has_new = self._declares(old), self._declares(name)
        if has_old and not has_new:
            return self._stored(old, steps)
        if has_new and not has_old:
            return self._stored(name, steps)
        return s.Call("coalesce", (self._stored(old, steps), self._stored(name, steps)))

    def substituted(self, node: s.EvalNode) -> s.EvalNode:
        """An expression with every field put in terms of stored ones. Raises SplError if too large."""
        found = self._substituted(node)
        if sum(1 for _ in _first(walk(found), _LARGEST + 1)) > _LARGEST:
            raise SplError("the expression is too large once its fields are put in", 0, "spl-size")
        return found

    def _substituted(self, node: s.EvalNode) -> s.EvalNode:
        match node:
            case s.FieldName(name, False) if name.lower() == "null" and name not in self.made:
                return NULL  # no event has such a field; many write it for null()
            case s.FieldName(name):
                return self.resolve(name)
            case s.Call("searchmatch", (s.Literal(str(text)),), at):
                return node if self._is_untouched(text) else opaque("searchmatch of fields that were changed")
            case s.Call(function, arguments, at):
                return normal(s.Call(function, tuple(self._substituted(one) for one in arguments), at))
            case s.Operation(sign, left, right, at):
                return normal(s.Operation(sign, self._substituted(left), self._substituted(right), at))
            case s.Inverted(sign, operand):
                return s.Inverted(sign, self._substituted(operand))
        return node

    def _is_untouched(self, search: str) -> bool:
        """Whether the fields that a search names are still the event's. Raises SplError."""
        from converter.platforms.splunk.spl.parse import parse_search

        fields = search_fields(parse_search(search))
        return not self.closed and all(self.resolve(name) == s.FieldName(name, True) for name in fields)

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
        pattern = _wildcards(old)
        if not self.closed and not self.node_names and old.count("*") == new.count("*"):
            self._changes.append(_Change(pattern, new=_wildcards(new), template=old))
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
        listed = list(names)
        pattern = _any_of(listed)
        kept = {name: self.resolve(name) for name in listed if "*" not in name}
        kept.update({name: node for name, node in self.made.items() if pattern.fullmatch(name)})
        if not self.closed and any("*" in name for name in listed):
            self._changes.append(_Change(pattern))
            self.made = kept
            return
        self.made, self.closed, self._filled = kept, True, None

    def drop(self, names: Iterable[str]) -> None:
        """``fields - names``; a name that begins with a wildcard stands for no internal field."""
        pattern = _any_of(names, "(?!_)")
        for name in list(self.made):
            if pattern.fullmatch(name):
                self.made.pop(name)
        if not self.closed:
            self._changes.append(_Change(pattern, drops=True))

    def replace(self, made: dict[str, s.EvalNode]) -> None:
        """Only these fields go on: the results of stats."""
        self.made, self.closed, self._filled, self.node_names, self.unknown = made, True, None, False, ""


def _first(items: Iterator[s.EvalNode], count: int) -> Iterator[s.EvalNode]:
    for _, item in zip(range(count), items, strict=False):
        yield item


def _wildcards(name: str) -> re.Pattern[str]:
    """What a name with wildcards stands for, a group for each."""
    return re.compile("(.*)".join(re.escape(part) for part in name.split("*")), re.DOTALL)


def _any_of(names: Iterable[str], before: str = "") -> re.Pattern[str]:
    """What any of some names, which may have wildcards, stands for; ``before``: before a leading wildcard."""
    patterns = (before * name.startswith("*") + wildcard_regex(name) for name in names)
    return re.compile("|".join(patterns) or r"(?!)", re.DOTALL)


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
