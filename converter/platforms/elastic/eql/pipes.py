"""Pipes: what is done to the matches of a query, one after the other. No rule can say them.

Source: eql.readthedocs.io, "Pipes"; Elastic, "EQL pipe reference" (``head`` and ``tail`` alone).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from converter.evaluate import compile_expression
from converter.evaluate.stream import LogEvent
from converter.evaluate.values import number_of, path_getter, text_of
from converter.model.rule import JsonObject
from converter.platforms.elastic.eql.reader import Reader
from converter.platforms.elastic.eql.terms import Field, error_at

if TYPE_CHECKING:
    import lark

Tree: TypeAlias = "lark.Tree[lark.Token]"


class Match(msgspec.Struct, frozen=True):
    """What a query found: an event, or the events of a sequence or join in the order of its terms.

    ``facts``: what a pipe counted (``count``, ``percent``, and ``key`` where there is no event).
    """

    events: tuple[LogEvent, ...]
    facts: JsonObject = msgspec.field(default_factory=dict)

    @property
    def view(self) -> JsonObject:
        """What conditions and fields of a pipe see: the (first) event, the facts, and ``events`` by index."""
        first = self.events[0].data if self.events else {}
        return {**first, **self.facts, "events": [event.data for event in self.events]}


def piped(pipe: Tree, matches: Sequence[Match], reader: Reader, ignore_case: bool) -> Sequence[Match]:
    """What one pipe makes of the matches. Raises RuleError for a pipe that is not known."""
    name, *arguments = pipe.children
    apply = _PIPES.get(str(name))
    if apply is None:
        raise error_at(pipe, f"the pipe {name}")
    return apply(_Pipe(pipe, arguments, reader, ignore_case), matches)  # type: ignore[arg-type]


class _Pipe(msgspec.Struct, frozen=True):
    """A pipe's arguments, to be read as what the pipe needs."""

    tree: Tree
    arguments: Sequence[Tree]
    reader: Reader
    ignore_case: bool

    def number(self) -> int:
        if len(self.arguments) == 1 and self.arguments[0].data == "number":
            text = str(self.arguments[0].children[0])
            if text.isdigit():
                return int(text)
        raise error_at(self.tree, "a pipe without one number")

    def values(self) -> Callable[[Match], tuple[Any, ...]]:
        """From a match to the values of the fields that the pipe names; None for one that is missing."""
        terms = [self.reader.term(argument) for argument in self.arguments]
        getters = [path_getter(term.path) for term in terms if isinstance(term, Field)]
        if len(getters) != len(terms):
            raise error_at(self.tree, "a pipe over something other than fields")
        return lambda match: tuple(next(iter(get(match.view)), None) for get in getters)

    def key(self) -> Callable[[Match], tuple[str | None, ...]]:
        """The same as texts that are equal when the dialect takes the values for equal."""
        values = self.values()

        def key(match: Match) -> tuple[str | None, ...]:
            texts = (None if value is None else text_of(value) for value in values(match))
            return tuple(text.lower() if text and self.ignore_case else text for text in texts)

        return key


def _head(pipe: _Pipe, matches: Sequence[Match]) -> Sequence[Match]:
    return matches[: pipe.number()]


def _tail(pipe: _Pipe, matches: Sequence[Match]) -> Sequence[Match]:
    return matches[max(0, len(matches) - pipe.number()) :]


def _filter(pipe: _Pipe, matches: Sequence[Match]) -> Sequence[Match]:
    if len(pipe.arguments) != 1:
        raise error_at(pipe.tree, "filter without one condition")
    condition = compile_expression(pipe.reader.condition(pipe.arguments[0]).true)
    return [match for match in matches if condition(match.view)]


def _unique(pipe: _Pipe, matches: Sequence[Match]) -> Sequence[Match]:
    return [group[0] for group in _groups(pipe, matches)]


def _unique_count(pipe: _Pipe, matches: Sequence[Match]) -> Sequence[Match]:
    """The first match of each group, with how many there are."""
    return [
        msgspec.structs.replace(group[0], facts={**group[0].facts, **_share(group, matches)})
        for group in _groups(pipe, matches)
    ]


def _count(pipe: _Pipe, matches: Sequence[Match]) -> Sequence[Match]:
    """How many there are, of all or of each group: facts without events, the largest groups first."""
    if not pipe.arguments:
        return [Match((), {"count": len(matches), "key": "totals"})]
    values = pipe.values()
    found = []
    for group in _groups(pipe, matches):
        key = values(group[0])
        found.append(Match((), {**_share(group, matches), "key": key[0] if len(key) == 1 else list(key)}))
    return sorted(found, key=lambda match: -int(match.facts["count"]))


def _sort(pipe: _Pipe, matches: Sequence[Match]) -> Sequence[Match]:
    """By value: missing ones first, then numbers, then texts."""
    values = pipe.values()
    return sorted(matches, key=lambda match: [_rank(value, pipe.ignore_case) for value in values(match)])


def _rank(value: Any, ignore_case: bool) -> tuple[int, float, str]:
    if value is None:
        return 0, 0, ""
    number = number_of(value)
    if number is not None and not isinstance(value, str):
        return 1, number, ""
    text = text_of(value)
    return 2, 0, text.lower() if ignore_case else text


def _groups(pipe: _Pipe, matches: Sequence[Match]) -> list[list[Match]]:
    key = pipe.key()
    groups: dict[tuple[str | None, ...], list[Match]] = {}
    for match in matches:
        groups.setdefault(key(match), []).append(match)
    return list(groups.values())


def _share(group: Sequence[Match], matches: Sequence[Match]) -> JsonObject:
    return {"count": len(group), "percent": len(group) / len(matches)}


_PIPES: Final[Mapping[str, Callable[[_Pipe, Sequence[Match]], Sequence[Match]]]] = {
    "head": _head,
    "tail": _tail,
    "filter": _filter,
    "unique": _unique,
    "unique_count": _unique_count,
    "count": _count,
    "sort": _sort,
}
