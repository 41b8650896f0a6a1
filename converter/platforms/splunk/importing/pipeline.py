"""What someone else's pipeline means as a rule; parts without a counterpart are its residue."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from converter.model.expressions import FALSE, TRUE, Expression, any_of
from converter.model.paths import FieldPath
from converter.platforms.splunk.importing.conditions import CHANGED, ELEMENT, REX, simplified
from converter.platforms.splunk.importing.counting import (
    Counted,
    Group,
    conjuncts,
    kind_of,
    search_conjuncts,
)
from converter.platforms.splunk.importing.lookups import Table
from converter.platforms.splunk.importing.rewriting import NULL
from converter.platforms.splunk.importing.rows import Meaning, Rows
from converter.platforms.splunk.importing.scope import (
    AGGREGATE,
    ALWAYS_THERE,
    aggregates_in,
    opaque,
)
from converter.platforms.splunk.spl import syntax as s
from converter.platforms.splunk.spl.errors import SplError
from converter.platforms.splunk.spl.read_rule import span

BLOCKING: Final = frozenset(
    """anomalies anomalydetection append appendcols appendpipe apply associate chart cluster cofilter
    collect contingency correlate datamodel dbxquery delta erex eventcount fieldsummary filldown fit from
    gauge geostats inputlookup join kmeans loadjob localize makeresults map metadata mstats multisearch
    mvcombine outlier outputlookup pivot predict rare rest return savedsearch selfjoin sendalert set sichart
    sistats sitop tail timechart top transaction transpose trendline tscollect typelearner union untable x11
    xyseries""".split()
)
"""Commands that change which rows there are in a way that no condition on an event, or count, says."""

COMPUTING: Final = frozenset(
    """addcoltotals addinfo addtotals autoregress bin bucket convert extract fieldformat foreach fromjson
    geom iplocation kv makemv multikv nomv rangemap reltime rename replace rex spath strcat tags typer
    xmlkv xpath eval""".split()
)
"""Commands that compute fields and keep every row."""

_SILENT: Final = frozenset(
    {"sort", "reverse", "highlight", "abstract", "tags", "typer", "reltime", "addinfo"}
)
_EXTRACTING: Final = frozenset({"iplocation", "xmlkv", "fromjson", "kv", "extract", "multikv"})
"""Commands that name what they read, not what they fill."""

_PLACES: Final = ("City", "Country", "Region", "lat", "lon", "Continent", "MetroCode", "Timezone")
"""What iplocation fills in (Search Reference, "iplocation")."""

_ASSIGNED: Final = re.compile(r"eval\s+[\"']?([\w.{}:]+)[\"']?\s*=")
_CONVERTED: Final = re.compile(r"\w+\(([\w.{}:]+)\)")
_GROUP_NAME: Final = re.compile(r"\(\?P?<([A-Za-z_][A-Za-z0-9_]*)>")


class PipelineReader(Rows):
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
                self._words(words, command)

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
        if stats.kind == "streamstats":
            group = Group(tuple(keys.values()))
            for aggregate in stats.aggregates:
                self._number(aggregate.name, Counted("other", group, reason="streamstats"))
            return
        if any(self._lists(aggregate) for aggregate in stats.aggregates):
            raise SplError("stats of fields named by a wildcard", offset, "spl-stats")
        seconds = self._slice if "_time" in keys else None
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
        for name, one in counted:
            self._number(name, one)

    def _demand(self, keys: dict[str, s.EvalNode]) -> None:
        """Rows without a value of a BY field are dropped."""
        for name, node in keys.items():
            if name in ALWAYS_THERE or aggregates_in(node):
                continue
            try:
                present = simplified(self._where.present(node))
            except SplError as error:
                self._leave(
                    "by-computed", f"rows without {name}, which is computed, are dropped: {error.message}"
                )
                continue
            if present == FALSE:
                self._leave("spl-null", f"rows are grouped by {name}, which none has at this point")
            elif present != TRUE:
                self._take(present, [], self._keys_only(node))

    def _computed(self, aggregate: s.Aggregate, group: Group) -> Counted:
        argument = aggregate.argument
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
        if kind == "sum" and not isinstance(argument, str):
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

    # -- other commands

    def _words(self, words: s.Words, command: s.Command) -> None:
        name = words.name
        reader = _WORDS.get(name)
        if reader is not None:
            reader(self, words)
        elif name in BLOCKING:
            raise SplError(f"the command {name} has no place in a rule", command.offset, "spl-command")
        elif name in _SILENT:
            self._mention("order", name)
        elif name in COMPUTING:
            self._computes(words)
        else:
            raise SplError(f"the command {name} has no place in a rule", command.offset, "spl-command")

    def _computes(self, words: s.Words) -> None:
        """A command that fills fields in: those that it names hold what nobody knows here."""
        named = [word.strip('"') for word in words.words] + list(words.options.values())
        if words.name == "iplocation":
            prefix = words.options.get("prefix", "")
            for name in _PLACES:
                self._scope.made[prefix + name] = opaque(f"{prefix + name} comes from iplocation")
        elif words.name == "foreach":
            named += _ASSIGNED.findall(self._text(self._current))
        elif words.name == "convert":
            named = _CONVERTED.findall(" ".join(words.words))
        for name in named:
            plain = re.fullmatch(r"[\w.{}:]+", name)
            if plain is not None and words.name not in _EXTRACTING:
                self._scope.made[name] = opaque(f"{name} is computed by {words.name}")
        if self._scope.closed:
            self._scope.unknown = self._scope.unknown or words.name
        self._mention("computed", words.name)

    def _bin(self, words: s.Words) -> None:
        if "_time" in words.words:
            text = words.options.get("span")
            self._slice = span(text, self._current).total_seconds() if text is not None else None
            return
        for word in words.words:
            if re.fullmatch(r"[\w.{}:]+", word):
                self._scope.made[word] = opaque(f"{word} is put into ranges by {words.name}")

    def _fields(self, words: s.Words) -> None:
        names = [word for word in words.words if word not in ("+", "-")]
        if words.words[:1] == ("-",):
            self._scope.drop(names)
        elif words.words and words.words[0].startswith("-") and len(words.words[0]) > 1:
            self._scope.drop([words.words[0][1:], *names[1:]])
        else:
            self._scope.keep([*names, *([] if words.name == "table" else ["_time", "_raw"])])

    def _fillnull(self, words: s.Words) -> None:
        self._scope.fill(words.words, words.options.get("value", 0))

    def _spath(self, words: s.Words) -> None:
        source = words.options.get("input", "_raw")
        path = words.options.get("path") or (words.words[0] if words.words else None)
        if path is None:
            if source != "_raw":
                self._scope.unknown = self._scope.unknown or "spath"
                self._mention("computed", "spath")
            return
        name = words.options.get("output", path)
        if source == "_raw" and not self._scope.closed:
            self._scope.made[name] = s.FieldName(path, True)
        else:
            self._scope.made[name] = opaque(f"{name} is taken out of the text of {source}")

    def _rex(self, words: s.Words) -> None:
        field = words.options.get("field", "_raw")
        patterns = list(words.words)
        if words.options.get("mode") == "sed":
            self._scope.made[field] = opaque(f"{field} is changed by rex in sed mode")
            return
        source = self._scope.resolve(field)
        for pattern in patterns:
            for name in _GROUP_NAME.findall(pattern):
                self._scope.made[name] = s.Call(REX, (source, s.Literal(pattern), s.Literal(name)))

    def _regex(self, words: s.Words) -> None:
        text = self._expanded.text[self._current :]
        found = re.match(r'\s*(?:([\w.{}:"]+)\s*(!?=)\s*)?"((?:\\.|[^"\\])*)"', text, re.DOTALL)
        if found is None:
            self._leave("spl-syntax", "a regex that is not in quotes")
            return
        field = (found[1] or "_raw").strip('"')
        node = self._scope.resolve(field)
        if aggregates_in(node):
            self._leave("spl-stats", f"a regex on {field}, which stats computes")
            return
        test: s.EvalNode = s.Call("match", (node, s.Literal(found[3].replace('\\"', '"'))))
        if found[2] == "!=":
            test = s.Inverted("not", test)
        before = len(self._where.failures)
        truth = self._where.condition(test)
        self._take(truth.true, self._where.failures[before:], self._keys_only(test))

    def _replace(self, words: s.Words) -> None:
        """``replace "x" with "y" in f``: other values; with wildcards, values that nobody knows here."""
        lowered = [word.lower() for word in words.words]
        if "in" not in lowered:
            self._computes(words)
            return
        cut = len(lowered) - 1 - lowered[::-1].index("in")
        changes = [
            (words.words[at - 1], words.words[at + 1]) for at in range(1, cut - 1) if lowered[at] == "with"
        ]
        for name in words.words[cut + 1 :]:
            node = self._scope.resolve(name)
            if any("*" in old for old, _ in changes):
                self._scope.made[name] = s.Call(CHANGED, (node,))
                continue
            arguments: list[s.EvalNode] = []
            for old, new in changes:
                arguments += [s.Operation("==", node, s.Literal(old)), s.Literal(new)]
            self._scope.made[name] = s.Call("case", (*arguments, s.Call("true", ()), node))

    def _addtotals(self, words: s.Words) -> None:
        """The sum of the numbers in some fields of a row (Search Reference, "addtotals")."""
        if not words.words or any("*" in name for name in words.words) or "col" in words.options:
            self._computes(words)
            return
        total: s.EvalNode = s.Literal(0)
        for name in words.words:
            number = s.Call("coalesce", (s.Call("tonumber", (self._scope.resolve(name),)), s.Literal(0)))
            total = s.Operation("+", total, number)
        self._scope.made[words.options.get("fieldname", "Total")] = total

    def _lookup(self, words: s.Words) -> None:
        self._take_lookup(self._lookups.called(words.words))

    def _take_lookup(self, call: Table) -> None:
        for name in call.outputs:
            self._scope.made[name] = opaque(f"{name} comes from the lookup {call.name}, which is not at hand")
        keys = [self._scope.resolve(field) for _, field in call.inputs]
        for name, value in call.rows(keys).items():
            self._scope.made[name] = value
        if not call.outputs:
            self._scope.unknown = self._scope.unknown or f"the lookup {call.name}"

    def _dedup(self, words: s.Words) -> None:
        self._thinned = True
        self._say("suppression", "repeated results are dropped within a run (dedup)")

    def _head(self, words: s.Words) -> None:
        self._thinned = True
        self._say("result-limit", "only the first results of a run are shown (head)")

    def _mvexpand(self, words: s.Words) -> None:
        for name in words.words[:1]:
            node = self._scope.resolve(name)
            if isinstance(node, s.FieldName):
                self._scope.made[name] = s.Call(ELEMENT, (node,))

    def _from(self, words: s.Words) -> None:
        text = " ".join(words.words)
        found = re.match(r'datamodel\s*:?\s*"?([\w.]+)', text)
        if found is None or self._scope.made or self.meaning.conditions:
            raise SplError("the command from has no place in a rule", self._current, "spl-command")
        self.meaning.datamodels.append(found[1])
        self._scope.node_names = True

    # -- the end

    def _finish(self) -> None:
        self._settle()
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
            case s.FieldName(stored) | s.Call("coalesce", (s.FieldName(stored), s.Literal())):
                self.meaning.output.append((FieldPath((stored,)), name))


_Command = Callable[[PipelineReader, s.Words], None]
_WORDS: Final[dict[str, _Command]] = {
    "addtotals": PipelineReader._addtotals,
    "bin": PipelineReader._bin,
    "bucket": PipelineReader._bin,
    "dedup": PipelineReader._dedup,
    "fields": PipelineReader._fields,
    "table": PipelineReader._fields,
    "fillnull": PipelineReader._fillnull,
    "from": PipelineReader._from,
    "head": PipelineReader._head,
    "lookup": PipelineReader._lookup,
    "mvexpand": PipelineReader._mvexpand,
    "regex": PipelineReader._regex,
    "replace": PipelineReader._replace,
    "rex": PipelineReader._rex,
    "spath": PipelineReader._spath,
}
