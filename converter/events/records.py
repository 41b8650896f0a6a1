"""From raw log records to events that rules can be run on: which log source, when, and in canonical form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache

from converter.evaluate import LogEvent, compile_expression
from converter.evaluate.timestamps import parse
from converter.evaluate.values import path_getter
from converter.logsources.canonical import canonical_event
from converter.logsources.derived import with_derived
from converter.logsources.pack import Pack, TimeField
from converter.model.diagnostics import RuleError
from converter.model.expressions import Expression
from converter.model.rule import JsonObject, Rule


def packs_of(rule: Rule, packs: Mapping[str, Pack]) -> list[Pack]:
    """The packs of every log source that the rule's steps read, in order of appearance, each once.

    Raises RuleError for a name that no pack has.
    """
    names = dict.fromkeys(name for step in rule.steps for name in step.logsource)
    missing = [name for name in names if name not in packs]
    if missing:
        raise RuleError(f"rule {rule.id}: no log-source pack is named {missing[0]!r}")
    return [packs[name] for name in names]


def log_events(
    raws: Iterable[JsonObject], packs: Iterable[Pack], trusted: bool = False
) -> Iterator[LogEvent]:
    """Raw records as events, numbered from 0 in the order given.

    An event belongs to every pack whose ``select`` its canonical form satisfies; with ``trusted`` and a
    single pack, to that one without asking (the tests of a rule need not be complete records). A record
    of none of the packs is left out, but counted.
    """
    readers = [source_reader(pack) for pack in packs]
    for number, raw in enumerate(raws):
        if trusted and len(readers) == 1:
            yield readers[0].event(raw, number)
            continue
        found = [event for reader in readers if (event := reader.own_event(raw, number)) is not None]
        if found:
            sources = frozenset().union(*(event.sources or () for event in found))
            first = found[0]
            yield LogEvent(data=first.data, time=first.time, id=number, sources=sources)


_READERS: dict[int, SourceReader] = {}


def source_reader(pack: Pack) -> SourceReader:
    """The reader of a pack (the very object: packs are not hashable), made once."""
    reader = _READERS.get(id(pack))
    if reader is None or reader.pack is not pack:
        reader = _READERS[id(pack)] = SourceReader(pack)
    return reader


class SourceReader:
    """One pack's view of raw records."""

    def __init__(self, pack: Pack) -> None:
        self.pack = pack
        self._belongs = _compiled(pack.select)
        self._time = time_reader(pack.time)

    def event(self, raw: JsonObject, number: int) -> LogEvent:
        """The record as an event of this log source, whether or not it looks like one."""
        data = with_derived(self.pack, canonical_event(self.pack, raw))
        time = self._time(data)
        return LogEvent(
            data=data,
            time=self._time(raw) if time is None else time,
            id=number,
            sources=frozenset((self.pack.name,)),
        )

    def own_event(self, raw: JsonObject, number: int) -> LogEvent | None:
        """The record as an event of this log source; None if it belongs to another."""
        data = canonical_event(self.pack, raw)
        return self.event(raw, number) if self._belongs(data) or self._belongs(raw) else None


@lru_cache(maxsize=256)
def _compiled(select: Expression) -> Callable[[JsonObject], bool]:
    return compile_expression(select)


def time_reader(time: TimeField) -> Callable[[JsonObject], int | None]:
    """From a record to its time in ns since the epoch: the first of the fields that holds one."""
    getters = [path_getter(path) for path in time.fields]

    def read(record: JsonObject) -> int | None:
        for get in getters:
            for value in get(record):
                moment = parse(value, time.format)
                if moment is not None:
                    return moment
        return None

    return read
