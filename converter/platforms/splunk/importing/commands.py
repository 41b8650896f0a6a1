"""The commands that are read as words: what they make of a row's fields, which have no place in a rule."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Final

from converter.platforms.splunk.importing.conditions import CHANGED, ELEMENT, REX
from converter.platforms.splunk.importing.lookups import Table
from converter.platforms.splunk.importing.rows import Rows
from converter.platforms.splunk.importing.scope import ALWAYS_THERE, aggregates_in, opaque
from converter.platforms.splunk.spl import syntax as s
from converter.platforms.splunk.spl.errors import SplError
from converter.platforms.splunk.spl.read_rule import sort_limit, span
from converter.platforms.splunk.spl.trees import unescaped

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
    {"sort", "reverse", "highlight", "abstract", "tags", "typer", "reltime", "addinfo", "fieldformat"}
)
_EXTRACTING: Final = frozenset({"iplocation", "xmlkv", "fromjson", "kv", "extract", "multikv"})
"""Commands that name what they read, not what they fill."""

_PLACES: Final = ("City", "Country", "Region", "lat", "lon", "Continent", "MetroCode", "Timezone")
"""What iplocation fills in (Search Reference, "iplocation")."""

_ASSIGNED: Final = re.compile(r"eval\s+[\"']?([\w.{}:]+)[\"']?\s*=")
_CONVERTED: Final = re.compile(r"\w+\(([\w.{}:]+)\)")
_GROUP_NAME: Final = re.compile(r"\(\?P?<([A-Za-z_][A-Za-z0-9_]*)>")


class Commands(Rows):
    """Reads the commands of one pipeline that are words."""

    def _read_words(self, words: s.Words, command: s.Command) -> None:
        name = words.name
        reader = _WORDS.get(name)
        if reader is not None:
            reader(self, words)
        elif name == "join":
            self._join(words, command)
        elif name in BLOCKING:
            raise SplError(f"the command {name} has no place in a rule", command.offset, "spl-command")
        elif name == "sort" and sort_limit(words):
            self._head(words)
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
        elif words.name in _EXTRACTING and words.name != "iplocation":
            self._extracts(words.name)
        self._mention("computed", words.name)

    def _extracts(self, name: str) -> None:
        message = f"fields that {name} takes out of a text are read as fields of the event"
        self._say("extraction", message)

    def _bin(self, words: s.Words) -> None:
        if "_time" in words.words:
            text = words.options.get("span")
            self._slice = span(text, self._current).total_seconds() if text is not None else None
            lowered = [word.lower() for word in words.words]
            self._time_cut = "as" not in lowered[1:-1]
            if not self._time_cut:
                name = words.words[lowered.index("as", 1) + 1]
                self._scope.made[name] = s.FieldName("_time", True)
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
                if not self._scope.closed:
                    self._extracts("spath")
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
                taken: s.EvalNode = s.Call(REX, (source, s.Literal(pattern), s.Literal(name)))
                if self._scope.knows(name):  # where the pattern does not fit, the field stays as it was
                    taken = s.Call("coalesce", (taken, self._scope.resolve(name)))
                self._scope.made[name] = taken

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
        test: s.EvalNode = s.Call("match", (node, s.Literal(unescaped(found[3]))))
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

    def _join(self, words: s.Words, command: s.Command) -> None:
        """A left join with one row for each: it keeps the rows and fills in the other search's fields."""
        kind = words.options.get("type", "inner").lower()
        columns = self._columns(command)
        if kind not in ("left", "outer") or words.options.get("max", "1") != "1" or columns is None:
            raise SplError("the command join has no place in a rule", command.offset, "spl-command")
        for name in columns:
            if name not in words.words and name not in ALWAYS_THERE:
                self._scope.made[name] = opaque(f"{name} comes from a joined search")
        self._mention("computed", "join")

    @staticmethod
    def _columns(command: s.Command) -> set[str] | None:
        """The fields that the rows of a command's one subsearch have; None where that is not said."""
        if len(command.subsearches) != 1:
            return None
        found: set[str] | None = None
        for inner in command.subsearches[0].commands:
            match inner.body:
                case s.Stats("stats", aggregates, by):
                    found = {*by, *(one.name for one in aggregates)}
                case s.Tstats(aggregates, _, _, by):
                    found = {*by, *(one.name for one in aggregates)}
                case s.Words(("table" | "fields"), names) if names[:1] != ("-",):
                    found = {name for name in names if name != "+"}
                case s.Eval(assignments) if found is not None:
                    found |= {name for name, _ in assignments}
                case s.Rename(pairs) if found is not None:
                    found |= {new for _, new in pairs}
                case s.Search() | s.Where() | s.Words("sort" | "dedup" | "head"):
                    pass
                case s.Macro(name) if name.endswith("_filter"):
                    pass
                case _:
                    found = None
        return None if found is None or any("*" in name for name in found) else found

    def _dedup(self, words: s.Words) -> None:
        """Rows without one of the fields are dropped, unless keepempty (Search Reference, "dedup")."""
        self._thinned = True
        self._say("suppression", "repeated results are dropped within a run (dedup)")
        if words.options.get("keepempty", "f").lower() in ("t", "true", "1"):
            return
        named = list(itertools.takewhile(lambda word: word.lower() != "sortby", words.words))
        self._demand({name: self._scope.resolve(name) for name in named if not name.isdigit()})

    def _head(self, words: s.Words) -> None:
        self._thinned = True
        self._say("result-limit", f"only the first results of a run are shown ({words.name})")

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


_Command = Callable[[Commands, s.Words], None]
_WORDS: Final[dict[str, _Command]] = {
    "addtotals": Commands._addtotals,
    "bin": Commands._bin,
    "bucket": Commands._bin,
    "dedup": Commands._dedup,
    "fields": Commands._fields,
    "table": Commands._fields,
    "fillnull": Commands._fillnull,
    "from": Commands._from,
    "head": Commands._head,
    "lookup": Commands._lookup,
    "mvexpand": Commands._mvexpand,
    "regex": Commands._regex,
    "replace": Commands._replace,
    "rex": Commands._rex,
    "spath": Commands._spath,
}
