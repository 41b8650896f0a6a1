"""What a pipeline means as a rule: condition, threshold, sequence or new terms, and the fields it shows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final

import msgspec

from converter.model.expressions import TRUE, Expression, all_of
from converter.model.paths import FieldPath
from converter.model.rule import NewTerms, Sequence, Step, Threshold
from converter.platforms.splunk.spl import syntax as s
from converter.platforms.splunk.spl import times
from converter.platforms.splunk.spl.errors import SplError
from converter.platforms.splunk.spl.keys import choice_of, missing_keys, path_of
from converter.platforms.splunk.spl.read_search import SearchReader
from converter.platforms.splunk.spl.read_where import WhereReader
from converter.platforms.splunk.spl.unify import unified

_SPAN = re.compile(r"(\d+)(ms|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)?")
_UNITS: Final = {"m": "minutes", "s": "seconds", "h": "hours", "d": "days", "w": "weeks"}


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline as a rule. Paths name stored fields. ``since``: the time modifier from which on rows are
    reported, ``until`` the one before which, if the search says that; ``notes``: what was read past, and why
    it says nothing of which events match.
    """

    condition: Expression = TRUE
    threshold: Threshold | None = None
    sequence: Sequence | None = None
    new_terms: NewTerms | None = None
    shown: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    notes: tuple[str, ...] = ()


class _Flight(msgspec.Struct, frozen=True):
    """A stage of a sequence under way: its flag, the flags that end it, and the join keys."""

    flag: str
    ended_by: tuple[str, ...]
    keys: tuple[str, ...]


class RuleReader:
    """Reads one pipeline, command by command."""

    def __init__(self) -> None:
        self._conditions: list[Expression] = []
        self._fields: dict[str, s.EvalNode] = {}
        self._counting: s.Stats | None = None
        self._bin: timedelta | None = None
        self._branches: list[RuleReader] = []
        self._starts: dict[str, tuple[_Flight, ...]] = {}
        self._flights: dict[str, tuple[tuple[_Flight, ...], tuple[str, ...]]] = {}
        self._before: dict[str, tuple[tuple[_Flight, ...], tuple[str, ...], tuple[str, ...]]] = {}
        self._threshold: Threshold | None = None
        self._new_terms: NewTerms | None = None
        self._sequence: Sequence | None = None
        self._shown: tuple[str, ...] = ()
        self._since: str | None = None
        self._in_order: bool | None = None
        self._notes: list[str] = []

    def read(self, pipeline: s.Pipeline) -> Reading:
        """The rule of a pipeline. Raises SplError, with the offset of what has no place in a rule."""
        for command in pipeline.commands:
            try:
                self._command(command)
            except SplError as error:
                if error.offset == 0:
                    error.offset = command.offset
                raise
        if self._counting is not None:
            raise SplError(f"{self._counting.kind} is computed and never asked about", 0, "spl-stats")
        return Reading(
            condition=all_of(*self._conditions) if self._conditions else TRUE,
            threshold=self._threshold,
            sequence=self._sequence,
            new_terms=self._new_terms,
            shown=self._shown,
            since=self._since,
            notes=tuple(self._notes),
        )

    def _command(self, command: s.Command) -> None:
        match command.body:
            case s.Search(expression):
                self._search(expression)
            case s.Where(expression):
                self._where(expression)
            case s.Eval(assignments):
                for name, node in assignments:
                    self._assign(name, node)
            case s.Stats() as stats:
                self._stats(stats, command.offset)
            case s.Rename(pairs):
                for old, new in pairs:
                    self._fields[new] = self._fields.get(old, s.FieldName(old, True))
            case s.Words() as words:
                self._words(words, command)
            case s.Macro(name, at):
                raise SplError(f"the macro {name} is not defined", at, "spl-macro")
            case s.Tstats():
                raise SplError("tstats reads a data model", command.offset, "tstats")

    # -- filters

    def _search(self, expression: s.SearchNode) -> None:
        reader = SearchReader()
        found = reader.read(expression)
        if self._threshold is not None and found != TRUE:
            raise SplError("a search of computed results", 0, "spl-stats")
        self._notes += [f"{placed} says where to look" for placed in reader.placed]
        if found != TRUE:
            self._conditions.append(found)

    def _where(self, node: s.EvalNode) -> None:
        recent = unified("_time >= relative_time(now(), __start)", node)
        if recent is not None:
            match recent["start"]:
                case s.Literal(str(start)) if times.is_modifier(start):
                    self._since = start
                case _:
                    raise SplError("a time that is no time modifier", 0, "spl-comparison")
            self._notes.append("only the events since the last run are reported")
            return
        if self._counting is not None:
            self._counted(self._counting, node)
            self._counting = None
        elif self._finishes_sequence(node) or self._picks_steps(node):
            return
        else:
            self._conditions.append(WhereReader().read(self._substituted(node)).true)

    def _assign(self, name: str, node: s.EvalNode) -> None:
        if self._assign_stage(name, node):
            return
        self._fields[name] = self._substituted(node)

    def _substituted(self, node: s.EvalNode) -> s.EvalNode:
        """The node with earlier assignments put in place of their fields."""
        match node:
            case s.FieldName(field) if field in self._fields:
                return self._fields[field]
            case s.Call(function, arguments, at):
                return s.Call(function, tuple(self._substituted(one) for one in arguments), at)
            case s.Operation(sign, left, right, at):
                return s.Operation(sign, self._substituted(left), self._substituted(right), at)
            case s.Inverted(sign, operand):
                return s.Inverted(sign, self._substituted(operand))
        return node

    # -- other commands

    def _words(self, words: s.Words, command: s.Command) -> None:
        if words.name in ("bin", "bucket"):
            if "_time" in words.words and "span" in words.options:
                self._bin = span(words.options["span"], command.offset)
                return
            raise SplError(f"{words.name} of something other than _time", command.offset, "spl-command")
        if words.name == "multisearch":
            for pipeline in command.subsearches:
                branch = RuleReader()
                branch.read(pipeline)
                self._branches.append(branch)
            return
        if words.name == "mvexpand":
            return
        if words.name in ("table", "fields"):
            if words.words[:1] != ("-",):
                self._shown = tuple(word for word in words.words if word != "+")
            return
        if words.name == "sort":
            self._sort(words, command.offset)
            return
        if words.name in ("addinfo", "convert"):
            return
        raise SplError(f"the command {words.name} has no place in a rule", command.offset, "spl-command")

    def _sort(self, words: s.Words, offset: int) -> None:
        """Take in an order of rows: all must be kept (Search Reference, "sort": 10,000 without a count)."""
        limit = sort_limit(words)
        if limit not in (None, 0):
            raise SplError(f"only the first {limit} rows are kept", offset, "result-limit")
        self._in_order = limit == 0 and [word for word in words.words if word != "0"][:1] == ["_time"]

    def _stats(self, stats: s.Stats, offset: int) -> None:
        looks_back = stats.kind == "streamstats" and stats.options.get("current") == "f"
        if self._in_order is False or (looks_back and self._in_order is None):
            raise SplError("all rows have to be sorted by time before this", offset, "spl-stats")
        if stats.kind == "streamstats" and self._enters_flight(stats):
            return
        if stats.kind not in ("streamstats", "stats"):
            raise SplError(f"the command {stats.kind} has no place in a rule", offset, "spl-command")
        if self._counting is not None or self._threshold is not None:
            raise SplError("a second aggregation", offset, "spl-stats")
        self._counting = stats

    # -- thresholds and new terms

    def _counted(self, stats: s.Stats, node: s.EvalNode) -> None:
        """The condition on what was counted: a threshold, or new terms."""
        if not (self._is_new_terms(stats, node) or self._is_threshold(stats, node)):
            raise SplError("a condition on statistics that is no threshold", 0, "spl-stats")

    def _is_threshold(self, stats: s.Stats, node: s.EvalNode) -> bool:
        found = unified("__count >= __least AND (_time - __first) <= __length", node)
        found = found or unified("__count >= __least", node)
        found = found or _at_least(unified("__count > __least", node))
        if found is None or not isinstance(found["count"], s.FieldName) or not _is_whole(found["least"]):
            return False
        made = {aggregate.name: aggregate for aggregate in stats.aggregates}
        counted = made.get(found["count"].name)
        if counted is None or counted.function not in ("count", "c", "dc", "distinct_count"):
            return False
        if counted.function in ("count", "c") and counted.argument is not None:
            return False
        least = _number(found["least"])
        within = self._window_length(stats, found, made, int(least))
        keys = tuple(key for key in stats.by if key != "_time")
        distinct = None
        if counted.function in ("dc", "distinct_count"):
            if not isinstance(counted.argument, str):
                return False
            distinct = self._path(counted.argument)
        nodes = [self._fields.get(key, s.FieldName(key, True)) for key in keys]
        chosen = [choice_of(node) for node in nodes]
        plain = [path_of(node) for node, choice in zip(nodes, chosen, strict=True) if choice is None]
        choices = [choice for choice in chosen if choice is not None]
        self._threshold = Threshold(
            count=int(least),
            within=within,
            by=tuple(path for path, _ in plain),
            choices=tuple(choice for choice, _ in choices),
            distinct=distinct,
            missing_keys=missing_keys({filled for _, filled in (*plain, *choices)}),
        )
        return True

    def _window_length(
        self,
        stats: s.Stats,
        found: Mapping[str, s.EvalNode],
        made: Mapping[str, s.Aggregate],
        least: int,
    ) -> timedelta:
        """How long the window is in which matches are counted. Raises SplError if it is none."""
        if stats.kind == "stats":
            if self._bin is None or "_time" not in stats.by:
                raise SplError("stats without a window of time", 0, "spl-stats")
            self._notes.append("matches are counted in fixed windows, aligned to the epoch")
            return self._bin
        options = stats.options
        spanned = span(options["time_window"], 0) if "time_window" in options else None
        window = options.get("window", "0")
        if not (window.isascii() and window.isdecimal()):
            raise SplError(f"window={window}, which is no number of events", 0, "spl-stats")
        events = int(window)
        if events and (events != least or options.get("global", "t").lower() not in ("f", "false", "0")):
            raise SplError("a window of another number of events than is asked for", 0, "spl-stats")
        unknown = set(options) - {"time_window", "window", "global", "current"}
        if unknown or options.get("current", "t").lower() not in ("t", "true", "1"):
            raise SplError("an option of streamstats that changes what is counted", 0, "spl-stats")
        lengths = [] if spanned is None else [spanned]
        if "first" in found:
            first = found["first"]
            aggregate = made.get(first.name) if isinstance(first, s.FieldName) else None
            if (
                aggregate is None
                or (aggregate.function, aggregate.argument) != ("min", "_time")
                or not events
            ):
                raise SplError("a time that is not the first of the window's", 0, "spl-stats")
            lengths.append(timedelta(seconds=float(_number(found["length"]))))
        if not lengths:
            raise SplError("streamstats without a window of time", 0, "spl-stats")
        return min(lengths)

    def _is_new_terms(self, stats: s.Stats, node: s.EvalNode) -> bool:
        if (
            stats.kind != "streamstats"
            or len(stats.aggregates) != 1
            or dict(stats.options) != {"current": "f"}
        ):
            return False
        last = stats.aggregates[0]
        if (last.function, last.argument) != ("last", "_time") or not stats.by:
            return False
        terms = _terms(node, "and")
        needed = set(stats.by)
        history: timedelta | None = None
        for term in terms:
            present = unified("isnotnull(__key)", term)
            if present is not None and isinstance(present["key"], s.FieldName):
                needed.discard(present["key"].name)
                continue
            found = unified("isnull(__seen) OR (_time - __seen) > __length", term)
            if found is None or not isinstance(found["seen"], s.FieldName) or found["seen"].name != last.name:
                return False
            history = timedelta(seconds=float(_number(found["length"])))
        if history is None or needed:
            return False
        self._new_terms = NewTerms(fields=tuple(self._path(key) for key in stats.by), history=history)
        return True

    def _path(self, name: str) -> FieldPath:
        """The stored field behind a result field: mvindex, mvdedup and coalesce are seen through."""
        return path_of(self._fields.get(name, s.FieldName(name, True)))[0]

    # -- sequences

    def _assign_stage(self, name: str, node: s.EvalNode) -> bool:
        """Take in an eval that belongs to the chain of a sequence's steps."""
        found = unified("if(__flag==1, _time, null())", node)
        if found is not None and isinstance(found["flag"], s.FieldName):
            self._starts[name] = (_Flight(found["flag"].name, (), ()),)
            return True
        found = unified('case(isnotnull(__start), __start, __ended, "none")', node)
        if (
            found is not None
            and isinstance(found["start"], s.FieldName)
            and found["start"].name in self._starts
        ):
            flags = tuple(_flags(found["ended"]))
            self._flights[name] = (self._starts[found["start"].name], flags)
            return True
        found = unified("if(__flag==1 AND isnum(__before), __before, null())", node)
        if (
            found is None
            or not isinstance(found["flag"], s.FieldName)
            or not isinstance(found["before"], s.FieldName)
        ):
            return False
        flight = self._before.get(found["before"].name)
        if flight is None:
            return False
        stages, ends, keys = flight
        flag = found["flag"].name
        if flag not in ends:
            raise SplError("a step that does not end the one before it", 0, "sequence")
        self._starts[name] = (*stages, _Flight(flag, tuple(end for end in ends if end != flag), keys))
        return True

    def _enters_flight(self, stats: s.Stats) -> bool:
        if dict(stats.options) != {"current": "f"} or len(stats.aggregates) != 1:
            return False
        last = stats.aggregates[0]
        if (
            last.function != "last"
            or not isinstance(last.argument, str)
            or last.argument not in self._flights
        ):
            return False
        self._before[last.name] = (*self._flights[last.argument], stats.by)
        return True

    def _picks_steps(self, node: s.EvalNode) -> bool:
        """A filter on rows that match some step: each step asks for that itself."""
        try:
            flags = tuple(_flags(node))
        except SplError:
            return False
        return len(flags) > 0 and all(flag in self._fields for flag in flags)

    def _finishes_sequence(self, node: s.EvalNode) -> bool:
        found = unified("isnum(__start) AND (_time - __start) <= __length", node)
        found = found or unified("isnum(__start)", node)
        if found is None or not isinstance(found["start"], s.FieldName):
            return False
        stages = self._starts.get(found["start"].name)
        if stages is None:
            return False
        within = _lasting(0, "seconds", _number(found["length"])) if "length" in found else None
        keys = {stage.keys for stage in stages[1:]}
        if len(keys) != 1:
            raise SplError("steps that are joined by different keys", 0, "sequence")
        by = keys.pop()
        steps: list[Step] = []
        for position, stage in enumerate(stages):
            if stage.ended_by and position != len(stages) - 1:
                raise SplError("an absent step elsewhere than before the last", 0, "sequence")
            steps += [self._step(flag, by, absent=True) for flag in stage.ended_by]
            steps.append(self._step(stage.flag, by))
        self._sequence = Sequence(steps=tuple(steps), within=within)
        return True

    def _step(self, flag: str, by: tuple[str, ...], absent: bool = False) -> Step:
        """The step behind a flag: a branch that sets it, or a condition that was computed into it."""
        for branch in self._branches:
            if branch._fields.get(flag) == s.Literal(1):
                condition = all_of(*branch._conditions) if branch._conditions else TRUE
                return Step(indicators=(condition,), by=tuple(branch._path(key) for key in by), absent=absent)
        node = self._fields.get(flag)
        found = None if node is None else unified("if(__condition, 1, 0)", node)
        if found is None:
            raise SplError(f"the step {flag} is set nowhere", 0, "sequence")
        own = WhereReader().read(found["condition"]).true
        condition = all_of(*self._conditions, own)
        return Step(indicators=(condition,), by=tuple(self._path(key) for key in by), absent=absent)


def sort_limit(words: s.Words) -> int | None:
    """How many rows a ``sort`` keeps, 0 for all; None where it does not say."""
    given = words.options.get("limit", words.words[0] if words.words else "")
    return int(given) if given.isascii() and given.isdecimal() else None


def span(text: str, offset: int) -> timedelta:
    """A time span such as ``30m``. Raises SplError."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise SplError(f"{text!r} is no span of time", offset)
    unit = found[2] or "s"
    return _lasting(offset, "milliseconds" if unit == "ms" else _UNITS[unit[0]], float(found[1]))


def _lasting(offset: int, unit: str, amount: float) -> timedelta:
    try:
        return timedelta(**{unit: float(amount)})
    except OverflowError:
        raise SplError("a span of time that is longer than any", offset) from None


def _at_least(found: dict[str, s.EvalNode] | None) -> dict[str, s.EvalNode] | None:
    """``count > n`` as ``count >= n + 1``."""
    if found is None or not _is_whole(found["least"]):
        return None
    return {**found, "least": s.Literal(int(_number(found["least"])) + 1)}


def _is_whole(node: s.EvalNode) -> bool:
    return isinstance(node, s.Literal) and isinstance(node.value, int)


def _number(node: s.EvalNode) -> int | float:
    if isinstance(node, s.Literal) and not isinstance(node.value, str):
        return node.value
    raise SplError("a number is expected", getattr(node, "at", 0), "spl-stats")


def _terms(node: s.EvalNode, operator: str) -> Iterator[s.EvalNode]:
    """What an operator joins, in order: the terms of a row of it, which may be long."""
    pending = [node]
    while pending:
        term = pending.pop()
        if isinstance(term, s.Operation) and term.operator == operator:
            pending += (term.right, term.left)
        else:
            yield term


def _flags(node: s.EvalNode) -> Iterator[str]:
    """The fields of ``a==1 OR b==1``. Raises SplError for anything else."""
    for term in _terms(node, "or"):
        found = unified("__flag==1", term)
        if found is None or not isinstance(found["flag"], s.FieldName):
            raise SplError("a step's flag is expected", 0, "sequence")
        yield found["flag"].name
