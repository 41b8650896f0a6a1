"""What someone else's pipeline means as a rule; parts without a counterpart are its residue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from converter.model.diagnostics import Fidelity
from converter.model.expressions import FALSE, TRUE, Expression, any_of
from converter.model.paths import FieldPath
from converter.platforms.splunk.importing.commands import BLOCKING, Commands
from converter.platforms.splunk.importing.conditions import simplified
from converter.platforms.splunk.importing.counting import (
    Counted,
    Group,
    conjuncts,
    kind_of,
    search_conjuncts,
)
from converter.platforms.splunk.importing.rewriting import NULL
from converter.platforms.splunk.importing.rows import Meaning
from converter.platforms.splunk.importing.scope import (
    AGGREGATE,
    ALWAYS_THERE,
    aggregates_in,
)
from converter.platforms.splunk.spl import syntax as s
from converter.platforms.splunk.spl.errors import SplError
from converter.platforms.splunk.spl.read_rule import span

_TIME: Final = s.FieldName("_time", True)


class PipelineReader(Commands):
    """Reads one pipeline, command by command."""

    def read(self, pipeline: s.Pipeline) -> Meaning:
        """The rule of a pipeline. Raises SplError at what has no place in a rule."""
        self._offsets = [command.offset for command in pipeline.commands]
        for position, command in enumerate(pipeline.commands):
            self._current = command.offset
            self._place = command.offset
            if self._expanded.text[: command.offset].lower().endswith(command.name):
                self._place -= len(command.name)
            try:
                self._command(command, position == 0)
            except SplError as error:
                if error.offset in (0, command.offset):
                    error.offset = self._place
                raise
        self._finish()
        return self.meaning

    def _command(self, command: s.Command, first: bool) -> None:
        match command.body:
            case s.Search(expression):
                for term in search_conjuncts(expression):
                    self._search(term)
            case s.Where(expression):
                for node in conjuncts(self._scope.substituted(expression)):
                    self._filter(node)
            case s.Eval(assignments):
                for name, node in assignments:
                    self._scope.assign(name, node)
            case s.Rename(pairs):
                for old, new in pairs:
                    self._scope.rename(old, new)
            case s.Tstats() as tstats:
                if not first:
                    raise SplError("tstats below other commands", command.offset, "spl-command")
                self._tstats(tstats)
            case s.Stats() as stats:
                self._stats(stats, command.offset)
            case s.Macro(name, at):
                if not name.endswith("_filter"):
                    raise SplError(f"the macro {name} is not defined", at, "spl-macro")
            case s.Words() as words:
                self._read_words(words, command)

    # -- aggregation

    def _tstats(self, tstats: s.Tstats) -> None:
        scope = self._scope
        if tstats.source is not None:
            name = tstats.source.partition("=")[2] if "=" in tstats.source else tstats.source
            self.meaning.datamodels.append(name.strip().strip('"'))
            scope.node_names = True
        if tstats.options.get("prestats", "f").lower() in ("t", "true", "1"):
            raise SplError("tstats with prestats=t", self._current, "spl-command")
        if "datamodel" in tstats.options:
            self.meaning.datamodels.append(tstats.options["datamodel"].strip('"'))
            scope.node_names = True
        for term in search_conjuncts(tstats.where):
            if isinstance(term, s.Compared) and term.field.lower() == "nodename":
                self._narrow_model(term.value.text)
                continue
            self._search(term)
        filled = tstats.options.get("fillnull_value")
        keys: dict[str, s.EvalNode] = {}
        for name in tstats.by:
            node = scope.resolve(name)
            if filled is not None and isinstance(node, s.FieldName) and name not in ALWAYS_THERE:
                node = s.Call("coalesce", (node, s.Literal(filled)))
            keys[name] = node
        seconds = (
            span(tstats.options["span"], self._current).total_seconds() if "span" in tstats.options else None
        )
        if filled is not None and tstats.by:
            self._say("null-text", f"groups without a value of a BY field are kept, as {filled!r}")
        self._grouped(tstats.aggregates, keys, seconds, closing=True)

    def _narrow_model(self, node: str) -> None:
        """``nodename=DNS``, or ``nodename=All_Traffic.Allowed_Traffic``: which data set of the model."""
        models = self.meaning.datamodels
        model = models.pop() if models else ""
        node = node.removeprefix(f"{model}.")
        models.append(".".join(filter(None, (model.partition(".")[0], node.partition(".")[0]))))

    def _stats(self, stats: s.Stats, offset: int) -> None:
        if stats.kind in BLOCKING:
            raise SplError(f"the command {stats.kind} has no place in a rule", offset, "spl-command")
        keys = {name: self._scope.resolve(name) for name in stats.by}
        keys = {("_time" if node == _TIME else name): node for name, node in keys.items()}
        if stats.kind == "streamstats":
            group = Group(tuple(keys.values()))
            for aggregate in stats.aggregates:
                self._number(aggregate.name, Counted("other", group, reason="streamstats"))
            return
        if any(self._lists(aggregate) for aggregate in stats.aggregates):
            raise SplError("stats of fields named by a wildcard", offset, "spl-stats")
        seconds = self._slice if "_time" in keys else None
        if set(self._snapped.values()) - {seconds}:
            message = "the time range begins or ends at other multiples than those of the slices"
            self._say("window", message, effect=Fidelity.WIDER)
        if self._slice is not None and "_time" not in keys and stats.kind == "stats":
            self._say("spl-bin", "time is cut into slices, but nothing is grouped by them")
        self._grouped(stats.aggregates, keys, seconds, closing=stats.kind == "stats")

    @staticmethod
    def _lists(aggregate: s.Aggregate) -> bool:
        return (
            isinstance(aggregate.argument, str)
            and "*" in aggregate.argument
            and aggregate.function in ("dc",)
        )

    def _grouped(
        self,
        aggregates: Iterable[s.Aggregate],
        keys: dict[str, s.EvalNode],
        seconds: float | None,
        closing: bool,
    ) -> None:
        group = Group(
            tuple(node for name, node in keys.items() if name != "_time"), seconds, timed="_time" in keys
        )
        made: dict[str, s.EvalNode] = dict(keys)
        counted = [
            (one.name, msgspec.structs.replace(self._computed(one, group), closing=closing))
            for one in aggregates
        ]
        if closing:
            self._demand(keys)
            self._scope.replace(made)
            self._one_row = not keys and any(one.kind in ("count", "distinct") for _, one in counted)
        for name, one in counted:
            self._number(name, one)

    def _computed(self, aggregate: s.Aggregate, group: Group) -> Counted:
        argument = aggregate.argument
        if argument == "_time" and self._time_cut:
            return Counted("other", group, reason="of times that are cut into slices")
        kind = kind_of(aggregate.function, argument == "_time")
        if argument is None:
            return (
                self._row_count(group)
                if kind == "count"
                else Counted("other", group, reason=aggregate.function)
            )
        if isinstance(argument, str):
            if argument == "*" and kind == "count":
                return self._row_count(group)
            node = self._scope.resolve(argument)
        else:
            node = self._scope.substituted(argument)
        numbers = aggregates_in(node)
        if numbers:
            return self._of_counted(aggregate.function, kind, node, group)
        if kind == "count":
            return self._count_of(argument, node, group)
        if kind == "sum" and not isinstance(node, s.FieldName):
            ones = self._ones(node)
            if ones is not None:
                return Counted("count", group, None, ones)
        return Counted(kind, group, node, reason=aggregate.function)

    def _ones(self, node: s.EvalNode) -> Expression | None:
        """When each row adds one to a sum, if it adds one or nothing."""
        try:
            branches = self._where.branches(node)
        except SplError:
            return None
        if any(leaf not in (s.Literal(0), s.Literal(1), NULL) for _, leaf in branches):
            return None
        return simplified(any_of(*(when for when, leaf in branches if leaf == s.Literal(1))))

    def _row_count(self, group: Group) -> Counted:
        if not self._scope.closed:
            return Counted("count", group)
        earlier = [one.group for one in self._counted.values()]
        if not earlier:
            return Counted("other", group, reason="count of rows")
        extra = [key for key in earlier[-1].keys if key not in group.keys]
        if len(extra) == 1 and not earlier[-1].timed:
            return Counted("distinct", group, extra[0])
        return Counted("other", group, reason="count of groups")

    def _count_of(self, argument: str | s.EvalNode, node: s.EvalNode, group: Group) -> Counted:
        """``count(field)``, or ``count(eval(condition))``, which counts where the condition is true."""
        if self._scope.closed:
            return Counted("other", group, reason="count of groups")
        try:
            if isinstance(argument, str) or (isinstance(node, s.Call) and node.name in ("if", "case")):
                return Counted("count", group, None, self._where.present(node))
            return Counted("count", group, None, self._where.exactly(node).true)
        except SplError as error:
            return Counted("other", group, reason=error.message)

    def _of_counted(self, function: str, kind: str, node: s.EvalNode, group: Group) -> Counted:
        """An aggregate of earlier aggregates: of groups that the new ones are made of."""
        one = self._single(node)
        if one is not None:
            if function == "sum" and one.kind in ("count", "sum"):
                return msgspec.structs.replace(one, group=group)
            if kind == one.kind and kind in ("min", "max"):
                return msgspec.structs.replace(one, group=group)
            if kind == "values" and one.kind in ("values", "pick"):
                return msgspec.structs.replace(one, group=group)
            if (function, one.kind) in (("min", "first"), ("max", "last")):
                return msgspec.structs.replace(one, group=group)
            if kind == "distinct" and one.kind == "values":
                return Counted("distinct", group, one.of, one.condition)
        return Counted("other", group, reason=f"{function} of statistics")

    def _number(self, name: str, counted: Counted) -> None:
        number = len(self._counted)
        self._counted[number] = counted
        self._scope.made[name] = s.Call(AGGREGATE, (s.Literal(number),))

    # -- the end

    def _finish(self) -> None:
        self._settle()
        if self._one_row and not self._tests:
            message = "a run without any match has a result too, the count of nothing; here there is none"
            self._say("empty-group", message, effect=Fidelity.NARROWER)
        meaning = self.meaning
        meaning.conditions = [
            one for one in dict.fromkeys(map(simplified, meaning.conditions)) if one != TRUE
        ]
        if any(one == FALSE for one in meaning.conditions):
            self._say("never-matches", "as it is written, the search finds nothing")
        if self._quiet.get("where"):
            self._say("location", f"says where to look: {', '.join(dict.fromkeys(self._quiet['where']))}")
        if self._quiet.get("computed"):
            names = ", ".join(dict.fromkeys(self._quiet["computed"]))
            self._say("output-only", f"commands that only compute fields of the results: {names}")
        if self._scope.closed:
            for name, node in self._scope.made.items():
                if name not in ALWAYS_THERE:
                    self._shows(name, node)

    def _shows(self, name: str, node: s.EvalNode) -> None:
        counted = self._single(node)
        if counted is not None and counted.kind in ("values", "pick", "min", "max"):
            node = counted.of or node
        match node:
            case s.FieldName(stored) | s.Call("coalesce", (s.FieldName(stored), *_)):
                self.meaning.output.append((FieldPath((stored,)), name))
