"""Running an EQL query over events: its conditions and sequences by the reference evaluator, and beside them
what no rule can say: pipes, ``join``, and the relations of processes.

Source: eql.readthedocs.io, "Query guide"; Elastic, "EQL syntax reference".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from converter.evaluate import compile_expression
from converter.evaluate.sequences import Key, SequenceMachine, StepMatcher
from converter.evaluate.stream import LogEvent
from converter.model.rule import JsonObject, Step
from converter.platforms.elastic.eql.dialects import OLDER, Dialect
from converter.platforms.elastic.eql.lineage import Lineage
from converter.platforms.elastic.eql.pipes import Match, piped
from converter.platforms.elastic.eql.reader import Reader
from converter.platforms.elastic.eql.terms import error_at
from converter.platforms.elastic.fields import StoredFields
from converter.platforms.elastic.grammars import parse

if TYPE_CHECKING:
    import lark

Tree: TypeAlias = "lark.Tree[lark.Token]"


class Schema(msgspec.Struct, frozen=True, kw_only=True):
    """Which fields of the events say what: their id, their time and how many nanoseconds one of its units
    has, the process that an event belongs to, and that process's parent.
    """

    id: str = "serial_event_id"
    time: str = "timestamp"
    unit: int = 100
    process: str = "unique_pid"
    parent: str = "unique_ppid"


ENDPOINT: Final = Schema()
"""The fields of the older dialect's own example data."""


def run(
    text: str, events: Iterable[JsonObject], dialect: Dialect = OLDER, schema: Schema = ENDPOINT
) -> list[Match]:
    """The matches of a query in a stream of events, which are taken in the order given.

    Raises RuleError for what is no query, and for what has no canonical form, named and with its place.
    """
    tree = parse("eql", text)
    body: Tree = tree.children[0]  # type: ignore[assignment]
    lineage = Lineage(schema.process, schema.parent)
    reader = Reader(StoredFields(), text, dialect, related=lineage.related)
    search = _search(reader, body, dialect)
    stream = [_logged(event, schema) for event in lineage.marked(list(events))]
    matches: Sequence[Match] = list(search(stream))
    for pipe in tree.children[1:]:
        matches = piped(pipe, matches, reader, dialect.ignore_case)  # type: ignore[arg-type]
    return list(matches)


def ids(matches: Iterable[Match]) -> list[Any]:
    """The ids of all events of all matches."""
    return [event.id for match in matches for event in match.events]


def _logged(event: JsonObject, schema: Schema) -> LogEvent:
    time = event.get(schema.time)
    moment = int(time * schema.unit) if isinstance(time, int | float) else None
    return LogEvent(data=event, time=moment, id=event.get(schema.id, ""))


class _Join:
    """Events of all terms with equal keys, in any order: the first of each, as soon as every term has one."""

    def __init__(self, steps: Sequence[Step], until: Step | None) -> None:
        self._matchers = [_matcher(step) for step in steps]
        self._until = None if until is None else _matcher(until)

    def __call__(self, stream: Sequence[LogEvent]) -> Iterator[Match]:
        found: dict[Key, dict[int, LogEvent]] = {}
        for event in stream:
            if self._until is not None and self._until.takes(event):
                for key in self._until.keys(event):
                    found.pop(key, None)
            for place, matcher in enumerate(self._matchers):
                for key in matcher.keys(event) if matcher.takes(event) else ():
                    waiting = found.setdefault(key, {})
                    waiting.setdefault(place, event)
                    if len(waiting) == len(self._matchers):
                        del found[key]
                        yield Match(tuple(waiting[n] for n in range(len(self._matchers))))


class _Steps:
    """A sequence; ``until`` is an absent step between its others."""

    def __init__(self, reader: Reader, tree: Tree) -> None:
        sequence = reader.sequence(tree)
        self._machine = SequenceMachine([_matcher(step) for step in sequence.steps], sequence.within)

    def __call__(self, stream: Sequence[LogEvent]) -> Iterator[Match]:
        for found in self._machine.run(stream):
            yield Match(found.events)


def _search(reader: Reader, body: Tree, dialect: Dialect) -> Any:
    match str(body.data):
        case "event":
            condition = compile_expression(reader.event(body))
            return lambda stream: (Match((event,)) for event in stream if condition(event.data))
        case "sequence":
            return _Steps(reader, body)
        case "join" if dialect.older_syntax:
            return _Join(*reader.join(body))
    raise error_at(body, f"{body.data}s")


def _matcher(step: Step) -> StepMatcher:
    return StepMatcher(step, compile_expression(step.condition))
