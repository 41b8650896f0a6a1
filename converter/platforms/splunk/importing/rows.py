"""Conditions on the rows of a pipeline: what is taken into the rule, and what is left out and named."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from converter.model.diagnostics import Fidelity
from converter.model.expressions import FALSE, TRUE, Expression
from converter.model.measures import GroupCondition, GroupTest, only_grows
from converter.model.paths import FieldPath
from converter.model.rule import Choice, NewTerms, Sequence, Threshold
from converter.platforms.splunk.importing.conditions import Failure, Where, simplified
from converter.platforms.splunk.importing.counting import Counted, Group, key_fields
from converter.platforms.splunk.importing.filters import Filter
from converter.platforms.splunk.importing.groups import GroupReader
from converter.platforms.splunk.importing.keys import key_of
from converter.platforms.splunk.importing.lookups import Lookups
from converter.platforms.splunk.importing.quantities import ALWAYS
from converter.platforms.splunk.importing.schedule import Runs
from converter.platforms.splunk.importing.scope import (
    AGGREGATE,
    Declares,
    Scope,
    aggregates_in,
    field_names,
    search_fields,
)
from converter.platforms.splunk.importing.thresholds import Grouping, settled
from converter.platforms.splunk.spl import syntax as s
from converter.platforms.splunk.spl.errors import SplError
from converter.platforms.splunk.spl.pipeline import Expanded
from converter.platforms.splunk.spl.times import is_modifier
from converter.platforms.splunk.spl.unify import unified


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

    ``runs``: when the search runs, over what; ``lookups``: the tables given with the rule; ``declares``:
    which fields the log source is known to have.
    """

    def __init__(
        self, expanded: Expanded, runs: Runs, lookups: Lookups, declares: Declares = lambda name: False
    ) -> None:
        self._expanded = expanded
        self._runs = runs
        self._lookups = lookups
        self._scope = Scope(declares)
        self._where = Where()
        self._counted: dict[int, Counted] = {}
        self._slice: float | None = None
        self._range: dict[str, str] = {}
        self._snapped: dict[str, float] = {}
        self._group: Group | None = None
        self._tested = 0
        self._one_row = False
        self._time_cut = False
        self._grouping: Grouping | None = None
        self._tests: list[GroupCondition] = []
        self._thinned = False
        self._quiet: dict[str, list[str]] = {}
        self._offsets: list[int] = []
        self._texts: dict[int, str] = {}
        self._current = self._place = 0
        self.meaning = Meaning()

    # -- what is said about the reading

    def _say(self, code: str, message: str, at: int = 0, effect: Fidelity | None = None) -> None:
        said = Said(code, message, at or self._place, effect)
        if all((one.code, one.message, one.effect) != (code, message, effect) for one in self.meaning.said):
            self.meaning.said.append(said)

    def _leave(self, code: str, message: str, at: int = 0, side: Fidelity = Fidelity.WIDER) -> None:
        """A part that is left out: the residue names the command that holds it."""
        text = self._texts.get(self._current)
        if text is None:
            text = self._texts[self._current] = self._text(self._current)
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
        fields = [self._scope.resolve(name) for name in search_fields(node)]
        if any(map(aggregates_in, fields)):
            self._test(fields, lambda reader: reader.search(node, self._scope))
            return
        filters = Filter(self._scope, self._where)
        before = len(self._where.failures)
        truth = filters.condition(node)
        self._take(truth.true, self._where.failures[before:], self._keys_only(*fields))
        for placed in filters.placed:
            self._placed(placed)

    def _filter(self, node: s.EvalNode) -> None:
        """One conjunct of a ``where`` over stored fields and aggregates."""
        if not self._scope.closed and self._is_time_range(node):
            return
        if aggregates_in(node):
            self._test([node], lambda reader: reader.condition(node))
            return
        before = len(self._where.failures)
        truth = self._where.condition(node)
        self._take(truth.true, self._where.failures[before:], self._keys_only(node))

    def _is_time_range(self, node: s.EvalNode) -> bool:
        """Whether a condition says, counted from now, over which time to look."""
        match node:
            case s.Operation(
                sign, s.FieldName("_time"), s.Call("relative_time", (s.Call("now", ()), s.Literal(str(text))))
            ) if sign in (">", ">=", "<", "<="):
                self._range["earliest" if sign[0] == ">" else "latest"] = text
                self._mention("where", f"_time{sign}{text}")
                return True
        return self._is_range_of_slices(node)

    def _is_range_of_slices(self, node: s.EvalNode) -> bool:
        """Whether a condition keeps the slices of the clock from, or up to, a time counted from now."""
        for sign, side in ((">=", "earliest"), ("<", "latest")):
            for moment in ("relative_time(now(), __moment)", "now()"):
                found = unified(f"_time{sign}floor({moment}/__length)*__length", node)
                match found and (found["length"], found.get("moment", s.Literal("now"))):
                    case (s.Literal(int() | float() as length), s.Literal(str() as text)) if (
                        text == "now" or is_modifier(text)
                    ):
                        self._range[side] = text
                        self._snapped[side] = length
                        self._mention("where", f"_time{sign}{text}, in whole slices")
                        return True
        return False

    def _single(self, node: s.EvalNode) -> Counted | None:
        match node:
            case s.Call(name, (s.Literal(number),)) if name == AGGREGATE:
                return self._counted[int(number)]
        return None

    def _take(self, condition: Expression, failures: list[Failure], keys_only: bool) -> None:
        """A condition on rows. After counting it must be about the groups alone."""
        self._tell(failures)
        if condition == TRUE:
            return
        if condition == FALSE and self._scope.closed:
            self._leave("spl-null", "a condition on fields that no row has at this point")
            return
        if self._group is not None and not keys_only:
            self._leave("spl-order", "a filter behind the counting", side=Fidelity.WIDER)
            return
        self.meaning.conditions.append(condition)

    def _demand(self, keys: dict[str, s.EvalNode]) -> None:
        """Rows without a value of a BY field are dropped."""
        for name, node in keys.items():
            if aggregates_in(node):
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

    def _tell(self, failures: list[Failure]) -> None:
        for failure in failures:
            if failure.side is not None:
                self._say(failure.code, failure.message, failure.at, failure.side)
            else:
                self._leave(failure.code, failure.message, failure.at)

    def _keys_only(self, *nodes: s.EvalNode) -> bool:
        if self._group is None:
            return True
        return {name for node in nodes for name in field_names(node)} <= key_fields(self._group)

    def _placed(self, text: str) -> None:
        found = re.match(r"(?i)(earliest|latest)\s*=\s*(\S+)", text)
        if found is not None:
            self._range[found[1].lower()] = found[2]
        self._mention("where", text)

    # -- tests of groups

    def _test(self, nodes: list[s.EvalNode], read: Callable[[GroupReader], GroupCondition]) -> None:
        """A condition on what stats computed, of groups that are all made alike."""
        counted = [self._counted[number] for node in nodes for number in sorted(aggregates_in(node))]
        group = self._group if self._group is not None else counted[0].group
        if self._thinned:
            self._leave("spl-stats", "a threshold on rows that dedup or head left")
            return
        before = len(self._where.failures)
        test = read(GroupReader(self._where, self._counted, group))
        failed = self._where.failures[before:]
        if not (isinstance(test, GroupTest) and only_grows(test)):  # counted too low, a test for few passes
            low = [one for one in failed if one.code == "group-by"]
            failed += [msgspec.structs.replace(one, side=Fidelity.WIDER) for one in low]
        self._tell(failed)
        if test == ALWAYS:
            self._one_row = self._one_row and bool(failed)
            return
        try:
            keys = [key_of(key, self._where) for key in group.keys if not isinstance(key, s.Literal)]
        except SplError as error:
            self._leave("spl-computed", f"a threshold: {error.message}")
            return
        self._group = group
        self._grouping = Grouping(
            group,
            tuple(dict.fromkeys(key[0] for key in keys if not isinstance(key, Choice))),
            tuple(dict.fromkeys(key for key in keys if isinstance(key, Choice))),
            filled=any(key[1] for key in keys if not isinstance(key, Choice)),
            always=not group.keys and not group.timed and all(one.closing for one in counted),
        )
        self._tests.append(test)
        self._tested = self._current

    def _settle(self) -> None:
        """The tests of groups become a threshold, or conditions of each match."""
        if self._grouping is None or not self._tests:
            return
        runs = self._runs.looking(**self._range)
        if len(self._snapped) == 2:  # with both ends at multiples of the slices, a run sees whole ones
            runs = msgspec.structs.replace(runs, told=False)
        try:
            found = settled(self._tests, self._grouping, runs)
        except SplError as error:
            self._current = self._tested
            self._leave(error.code, error.message)
            return
        self.meaning.conditions.extend(found.conditions)
        self.meaning.threshold = found.threshold
        for loss in found.losses:
            self._say(loss.code, loss.message, 0, loss.effect)
