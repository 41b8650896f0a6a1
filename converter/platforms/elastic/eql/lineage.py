"""``child of``, ``descendant of`` and ``event of``: which events of a stream stand in a relation to others.

Source: eql.readthedocs.io, "Basic syntax", "Event relationships". An event belongs to a process; a relation
holds once an event of that process, of its parent or of some forebear met the condition. What is known of a
process's parent is what an event that names it said before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from converter.evaluate import compile_expression
from converter.model.expressions import Expression, Operator, Predicate
from converter.model.paths import FieldPath
from converter.model.rule import JsonObject

KEY: Final = "\0related"
"""Where an event keeps which relations hold for it."""


class Lineage:
    """The relations that a query asks about, in the order they are read: inner ones first."""

    def __init__(self, process: str, parent: str) -> None:
        self._process = process
        self._parent = parent
        self._asked: list[tuple[str, Expression]] = []

    def related(self, relation: str, condition: Expression) -> Expression:
        """A condition that holds for events marked by :meth:`marked`."""
        self._asked.append((relation, condition))
        return Predicate(FieldPath((KEY, str(len(self._asked) - 1))), Operator.EXISTS)

    def marked(self, events: Sequence[JsonObject]) -> Sequence[JsonObject]:
        """The events, each with the relations that hold for it."""
        for number, (relation, condition) in enumerate(self._asked):
            holds = list(self._holds(_RELATIONS[relation], compile_expression(condition), events))
            events = [
                {**event, KEY: {**event.get(KEY, {}), str(number): True}} if held else event
                for event, held in zip(events, holds, strict=True)
            ]
        return events

    def _holds(
        self,
        stands: Callable[[Any, Mapping[Any, Any], set[Any]], bool],
        condition: Callable[[Any], bool],
        events: Sequence[JsonObject],
    ) -> Iterator[bool]:
        parents: dict[Any, Any] = {}
        met: set[Any] = set()
        for event in events:
            process, parent = event.get(self._process), event.get(self._parent)
            if not isinstance(process, int | str):
                yield False
                continue
            if isinstance(parent, int | str):
                parents[process] = parent
            if condition(event):
                met.add(process)
            yield stands(process, parents, met)


def _forebear_met(process: Any, parents: Mapping[Any, Any], met: set[Any]) -> bool:
    seen = {process}
    while (process := parents.get(process)) is not None and process not in seen:
        if process in met:
            return True
        seen.add(process)
    return False


_RELATIONS: Final = {
    "event": lambda process, parents, met: process in met,
    "child": lambda process, parents, met: parents.get(process) in met,
    "descendant": _forebear_met,
}
