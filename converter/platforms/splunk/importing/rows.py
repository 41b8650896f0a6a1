"""Conditions on the rows of a pipeline: what is taken into the rule, and what is left out and named."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

import msgspec

from converter.model.diagnostics import Fidelity
from converter.model.expressions import FALSE, TRUE, Expression, all_of
from converter.model.paths import FieldPath
from converter.model.rule import NewTerms, Sequence, Threshold
from converter.platforms.splunk.importing.conditions import Failure, Where
from converter.platforms.splunk.importing.counting import Counted, Group, Least, least_of, path_of
from converter.platforms.splunk.importing.filters import Filter
from converter.platforms.splunk.importing.lookups import Lookups
from converter.platforms.splunk.importing.rewriting import NULL
from converter.platforms.splunk.importing.scope import AGGREGATE, Scope, aggregates_in, walk
from converter.platforms.splunk.spl import syntax as s
from converter.platforms.splunk.spl.errors import SplError
from converter.platforms.splunk.spl.pipeline import Expanded
from converter.platforms.splunk.spl.read_rule import span

_RELATIVE: Final = re.compile(r"-(\d+)\s*([a-z]+)(?:@.*)?")


class Said(msgspec.Struct, frozen=True):
    """Something to tell about the reading, at an offset of the expanded text."""

    code: str
    message: str
    at: int = 0
    effect: Fidelity | None = None


class Meaning(msgspec.Struct, kw_only=True):
    """A pipeline as a rule over stored fields, and what is left out of it."""

    conditions: list[Expression] = []
    threshold: Threshold | None = None
    sequence: Sequence | None = None
    new_terms: NewTerms | None = None
    output: list[tuple[FieldPath, str]] = []
    residue: list[str] = []
    said: list[Said] = []
    datamodels: list[str] = []


class Rows:
    """The rows at one point of a pipeline, and the rule so far.

    ``window``: the time range of a run; ``lookups``: the tables given with the rule.
    """

    def __init__(self, expanded: Expanded, window: timedelta, lookups: Lookups) -> None:
        self._expanded = expanded
        self._window = window
        self._lookups = lookups
        self._scope = Scope()
        self._where = Where()
        self._counted: dict[int, Counted] = {}
        self._slice: float | None = None
        self._least: Least | None = None
        self._elements = 0
        self._thinned = False
        self._quiet: dict[str, list[str]] = {}
        self._offsets: list[int] = []
        self._current = self._place = 0
        self.meaning = Meaning()

    # -- what is said about the reading

    def _say(self, code: str, message: str, at: int = 0, effect: Fidelity | None = None) -> None:
        said = Said(code, message, at or self._place, effect)
        if all((one.code, one.message) != (code, message) for one in self.meaning.said):
            self.meaning.said.append(said)

    def _leave(self, code: str, message: str, at: int = 0, side: Fidelity = Fidelity.WIDER) -> None:
        """A part that is left out: the residue names the command that holds it."""
        text = self._text(self._current)
        if text not in self.meaning.residue:
            self.meaning.residue.append(text)
        self._say(code, f"left out: {message}", at, side)

    def _text(self, offset: int) -> str:
        """The command at an offset, as it stands in the expanded text."""
        later = [one for one in self._offsets if one > offset]
        end = min(later) if later else len(self._expanded.text)
        start = self._expanded.text.rfind("|", 0, offset) + 1
        text = " ".join(self._expanded.text[start:end].rpartition("|")[0 if later else 2].split())
        text = text or " ".join(self._expanded.text[start:end].split())
        return text if len(text) <= 400 else text[:400] + " …"

    def _mention(self, kind: str, name: str) -> None:
        self._quiet.setdefault(kind, []).append(name)

    # -- filters

    def _search(self, node: s.SearchNode) -> None:
        filters = Filter(self._scope, self._where)
        if isinstance(node, s.Compared):
            found = self._scope.resolve(node.field)
            if aggregates_in(found):
                self._search_counted(node, found)
                return
        elif self._fields_with_aggregates(node):
            self._leave("spl-stats", "a condition on statistics that is no threshold")
            return
        before = len(self._where.failures)
        truth = filters.condition(node)
        stored = {inner for name in _search_fields(node) for inner in field_names(self._scope.resolve(name))}
        self._take(truth.true, self._where.failures[before:], self._keys_only(stored))
        for placed in filters.placed:
            self._placed(placed)

    def _search_counted(self, node: s.Compared, found: s.EvalNode) -> None:
        operator = "==" if node.operator == "=" else node.operator
        number = _number(node.value.text)
        if number is not None:
            self._filter(s.Operation(operator, found, s.Literal(number), node.at))
            return
        counted = self._single(found)
        if counted is not None and counted.kind in ("values", "pick") and operator == "==":
            scope = Scope()
            scope.made["value"] = counted.of if counted.of is not None else NULL
            before = len(self._where.failures)
            truth = Filter(scope, self._where).condition(msgspec.structs.replace(node, field="value"))
            self._take_member(counted, truth.true, self._where.failures[before:])
            return
        self._leave("spl-stats", f"a condition on {node.field}, which stats computes", node.at)

    def _fields_with_aggregates(self, node: s.SearchNode) -> bool:
        return any(aggregates_in(self._scope.resolve(name)) for name in _search_fields(node))

    def _single(self, node: s.EvalNode) -> Counted | None:
        match node:
            case s.Call(name, (s.Literal(number),)) if name == AGGREGATE:
                return self._counted[int(number)]
        return None

    def _filter(self, node: s.EvalNode) -> None:
        """One conjunct of a ``where`` over stored fields and aggregates."""
        numbers = aggregates_in(node)
        if not numbers:
            before = len(self._where.failures)
            truth = self._where.condition(node)
            self._take(truth.true, self._where.failures[before:], self._keys_only(field_names(node)))
            return
        least = least_of(node, self._counted)
        if least is not None:
            self._threshold(least)
            return
        if len(numbers) == 1:
            counted = self._counted[next(iter(numbers))]
            if counted.kind in ("values", "pick") and counted.of is not None and _positive(node):
                before = len(self._where.failures)
                truth = self._where.condition(_put(node, counted.of))
                self._take_member(counted, truth.true, self._where.failures[before:])
                return
        reasons = {self._counted[number].reason or self._counted[number].kind for number in numbers}
        self._leave(
            "spl-stats", f"a condition on statistics that is no threshold ({', '.join(sorted(reasons))})"
        )

    def _take(self, condition: Expression, failures: list[Failure], keys_only: bool) -> None:
        """A condition on rows. After counting it must be about the groups alone."""
        for failure in failures:
            if failure.taken:
                self._say(failure.code, failure.message, failure.at, Fidelity.WIDER)
            else:
                self._leave(failure.code, failure.message, failure.at)
        if condition == TRUE:
            return
        if condition == FALSE and self._scope.closed:
            self._leave("spl-null", "a condition on fields that no row has at this point")
            return
        if self._least is not None and not keys_only:
            self._leave("spl-order", "a filter behind the counting", side=Fidelity.WIDER)
            return
        self.meaning.conditions.append(condition)

    def _take_member(self, counted: Counted, condition: Expression, failures: list[Failure]) -> None:
        """A condition that some row of a group satisfies: as the events' own condition it says the same."""
        if self._elements or self._least is not None:
            self._leave("spl-group", "a second condition on the values of a group, whose rows may differ")
            return
        self._elements += 1
        self._take(all_of(counted.condition, condition), failures, True)
        self._say(
            "group-values",
            "asked of the values that a group collects; read as a condition on each of its events",
        )

    def _keys_only(self, names: Iterable[str]) -> bool:
        if self._least is None:
            return True
        keys = {name for key in self._least.counted.group.keys for name in field_names(key)}
        return set(names) <= keys

    def _placed(self, text: str) -> None:
        found = re.match(r"(?i)earliest\s*=\s*(\S+)", text)
        if found is not None:
            length = relative_span(found[1])
            self._window = length or self._window
        self._mention("where", text)

    # -- thresholds

    def _threshold(self, least: Least) -> None:
        if least.count <= 1:
            if least.counted.condition != TRUE:
                self._take(least.counted.condition, [], False)
            return
        if self._least is not None:
            self._leave("spl-stats", "a second threshold; a rule has one")
            return
        if self._elements or self._thinned:
            what = "rows that dedup or head left" if self._thinned else "groups that hold some value"
            self._leave("spl-stats", f"a threshold on {what}")
            return
        group, counted = least.counted.group, least.counted
        try:
            by = [path_of(key) for key in group.keys if not isinstance(key, s.Literal)]
            distinct = path_of(counted.of)[0] if counted.kind == "distinct" else None
        except SplError as error:
            self._leave("spl-computed", f"a threshold: {error.message}")
            return
        within = self._length(group)
        if counted.condition != TRUE:
            self.meaning.conditions.append(counted.condition)
        if any(filled for _, filled in by):
            self._say(
                "group-by",
                "events without a BY field are one group there, and not counted here",
                0,
                Fidelity.NARROWER,
            )
        self._least = least
        paths = tuple(dict.fromkeys(path for path, _ in by))
        self.meaning.threshold = Threshold(count=least.count, within=within, by=paths, distinct=distinct)

    def _length(self, group: Group) -> timedelta:
        if group.timed and group.seconds:
            self._say(
                "window",
                "matches are counted in fixed slices of time there, in a sliding window here",
                0,
                Fidelity.WIDER,
            )
            return timedelta(seconds=group.seconds)
        if group.timed:
            self._say(
                "window", "matches of one instant are counted there, of one second here", 0, Fidelity.WIDER
            )
            return timedelta(seconds=1)
        self._say(
            "window",
            f"no time slices: what a run sees is counted there ({self._window}), a sliding window of that "
            "length here",
            0,
            Fidelity.WIDER,
        )
        return self._window


def relative_span(text: str) -> timedelta | None:
    """How far back ``-70m@m`` looks; None for what is no such time."""
    found = _RELATIVE.fullmatch(text.strip().strip('"').lower())
    if found is None:
        return None
    try:
        return span(found[1] + found[2], 0)
    except (SplError, OverflowError, KeyError):
        return None


def _number(text: str) -> int | float | None:
    try:
        return int(text) if re.fullmatch(r"-?\d{1,15}", text) else float(text)
    except ValueError:
        return None


def field_names(node: s.EvalNode) -> set[str]:
    """The names of the stored fields that an expression reads."""
    return {inner.name for inner in walk(node) if isinstance(inner, s.FieldName)}


def _search_fields(node: s.SearchNode) -> set[str]:
    match node:
        case s.Both(terms) | s.Either(terms):
            return {name for term in terms for name in _search_fields(term)}
        case s.Negated(term):
            return _search_fields(term)
        case s.Compared(field) | s.Listed(field):
            return {field}
    return set()


def _positive(node: s.EvalNode) -> bool:
    """Whether a condition says that some value is like this, never that none is."""
    match node:
        case s.Operation(("and" | "or"), left, right):
            return _positive(left) and _positive(right)
        case s.Operation("==", _, s.Literal()):
            return True
        case s.Call(("like" | "match" | "in" | "cidrmatch" | "isnotnull"), _):
            return True
    return False


def _put(node: s.EvalNode, value: s.EvalNode) -> s.EvalNode:
    """The expression with a value in place of every aggregate."""
    match node:
        case s.Call(name, _) if name == AGGREGATE:
            return value
        case s.Call(function, arguments, at):
            return s.Call(function, tuple(_put(one, value) for one in arguments), at)
        case s.Operation(sign, left, right, at):
            return s.Operation(sign, _put(left, value), _put(right, value), at)
        case s.Inverted(sign, operand):
            return s.Inverted(sign, _put(operand, value))
    return node
