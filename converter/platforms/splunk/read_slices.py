"""Searches over whole windows of the clock, as slices.py writes them, read back."""

from __future__ import annotations

import itertools
from datetime import timedelta

import msgspec

from converter.model.expressions import Expression, Operator, Predicate, all_of
from converter.model.rule import Threshold
from converter.platforms.splunk.importing.lookups import Lookups
from converter.platforms.splunk.importing.pipeline import PipelineReader
from converter.platforms.splunk.importing.schedule import Runs
from converter.platforms.splunk.slices import WINDOW_END
from converter.platforms.splunk.spl import syntax as s
from converter.platforms.splunk.spl import times
from converter.platforms.splunk.spl.errors import SplError
from converter.platforms.splunk.spl.keys import missing_keys, path_of
from converter.platforms.splunk.spl.pipeline import Expanded
from converter.platforms.splunk.spl.read_rule import Reading
from converter.platforms.splunk.spl.unify import unified

_WHOLE = (
    "_time>=floor(relative_time(now(), __start)/__length)*__length"
    " AND _time<floor(relative_time(now(), __end)/__length)*__length",
    "_time>=floor(relative_time(now(), __start)/__length)*__length AND _time<floor(now()/__length)*__length",
)
"""The conditions that keep the slices which ended since the last run."""
_ENDS = "mvrange((floor(_time/__every)+1)*__every, floor((_time+__length)/__every)*__every+1, __every)"
"""The ends of the windows in which an event lies."""
_SINCE = (
    f"mvfilter({WINDOW_END}>relative_time(now(), __start) AND {WINDOW_END}<=relative_time(now(), __end))",
    f"mvfilter({WINDOW_END}>relative_time(now(), __start) AND {WINDOW_END}<=now())",
)
"""Those of them which lie between the last run and this one."""


def read_slices(expanded: Expanded, pipeline: s.Pipeline) -> Reading | None:
    """What such a search means; None for any other. Raises SplError where a part of it is not readable."""
    kept_slices = next(filter(None, map(_kept_slices, pipeline.commands)), None)
    if kept_slices is None:
        return None
    since, until = kept_slices
    asking = itertools.takewhile(lambda command: command.name != "table", pipeline.commands)
    overlap = next(filter(None, map(_overlap, pipeline.commands)), None)
    kept = tuple(_as_slices(command, overlap) for command in asking if _kept_slices(command) is None)
    reader = _SliceReader(expanded, Runs(), Lookups(()))
    reader.every = None if overlap is None else overlap[1]
    meaning = reader.read(s.Pipeline(kept))
    lost = [one for one in meaning.said if one.effect is not None]
    if lost or meaning.residue:
        raise SplError(lost[0].message if lost else "a part is left out", 0, "spl-stats")
    condition = all_of(*meaning.conditions)
    return Reading(condition=condition, threshold=meaning.threshold, since=since, until=until)


class _SliceReader(PipelineReader):
    """Takes the tests of the groups as they are written. ``every``: from one window's end to the next, where
    windows overlap.
    """

    every: timedelta | None = None

    def _settle(self) -> None:
        group = next(iter(self._counted.values())).group
        by = [path_of(key) for key in group.keys]
        missing = missing_keys({filled for _, filled in by})
        for path, filled in by:
            self._forget(Predicate(path, Operator.EXISTS), filled)
        if not group.seconds:
            raise SplError("the groups are not cut into slices of the clock", 0, "spl-stats")
        length = timedelta(seconds=group.seconds)
        self.meaning.threshold = Threshold(
            within=length,
            every=self.every or length,
            by=tuple(dict.fromkeys(path for path, _ in by)),
            missing_keys=missing,
            having=tuple(self._tests),
        )

    def _forget(self, presence: Expression, filled: bool) -> None:
        """Leave out that a key is there, as stats asks for last: the threshold says so."""
        conditions = self.meaning.conditions
        if not filled and presence in conditions:
            last = len(conditions) - 1 - conditions[::-1].index(presence)
            del conditions[last]


def _kept_slices(command: s.Command) -> tuple[str, str] | None:
    """The time modifiers between which windows ended that this command keeps; None for any other."""
    match command.body:
        case s.Where(expression):
            examples = _WHOLE
        case s.Eval(((name, expression),)) if name == WINDOW_END:
            examples = _SINCE
        case _:
            return None
    found = next(filter(None, (unified(example, expression) for example in examples)), None)
    if found is None:
        return None
    since, until = _modifier(found["start"]), _modifier(found.get("end", s.Literal("now")))
    return None if since is None or until is None else (since, until)


def _overlap(command: s.Command) -> tuple[timedelta, timedelta] | None:
    """The length of overlapping windows, and from one's end to the next, by the eval of their ends."""
    match command.body:
        case s.Eval(((name, expression),)) if name == WINDOW_END:
            match unified(_ENDS, expression):
                case {"length": s.Literal(int(length)), "every": s.Literal(int(every))}:
                    return timedelta(seconds=length), timedelta(seconds=every)
    return None


def _as_slices(command: s.Command, overlap: tuple[timedelta, timedelta] | None) -> s.Command:
    """A command on overlapping windows as if they were slices of the clock: their ends are their time."""
    if overlap is None:
        return command
    body = command.body
    if _overlap(command) is not None:
        span = f"{overlap[0] // timedelta(seconds=1)}s"
        body = s.Words("bin", ("_time",), {"span": span})
    match body:
        case s.Words("mvexpand", ("window_end",)):
            body = s.Eval(())
        case s.Stats(by=by):
            keys = tuple("_time" if name == WINDOW_END else name for name in by)
            body = msgspec.structs.replace(body, by=keys)
    return msgspec.structs.replace(command, body=body)


def _modifier(node: s.EvalNode) -> str | None:
    match node:
        case s.Literal(str(text)) if times.is_modifier(text):
            return text
    return None
