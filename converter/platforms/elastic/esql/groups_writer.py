"""A threshold → the commands behind the first WHERE: the window, STATS … BY, and the tests of its results.

Sources, in Elasticsearch's ES|QL reference: STATS (null keys are a group; a list in BY puts its row into the
group of each value; WHERE filters one aggregate, from 8.16), DATE_TRUNC (slices counted from 1970), NOW.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction

from converter.logsources.pack import PlatformField
from converter.model.expressions import Expression, Operator, all_of
from converter.model.losses import Losses
from converter.model.measures import (
    WINDOW_END,
    AllTests,
    AnyTest,
    Bound,
    Edge,
    GroupCondition,
    GroupTest,
    Measure,
    MeasureKind,
    Moment,
    Multiple,
    NotTest,
)
from converter.model.paths import FieldPath
from converter.model.rule import MissingKeys, Threshold
from converter.platforms.elastic.esql import choices
from converter.platforms.elastic.esql.choices import WriteCondition
from converter.platforms.elastic.esql.condition import Condition, Leaf, conjuncts, joint, negate, printed
from converter.platforms.elastic.esql.operands import Family, Operands
from converter.platforms.elastic.esql.reading import EXACT_DISTINCT
from converter.platforms.elastic.esql.text import identifier
from converter.platforms.elastic.group_keys import is_kept

COUNT_COLUMN = "Esql.event_count"
_LARGEST_PRECISION = 40_000
_SLICE = "Esql.time_slice"
_SIGNS = {
    Operator.IS: ("==", "!="),
    Operator.GT: (">", "<="),
    Operator.GTE: (">=", "<"),
    Operator.LT: ("<", ">="),
    Operator.LTE: ("<=", ">"),
}
_UNITS = (
    (timedelta(hours=1), "hours"),
    (timedelta(minutes=1), "minutes"),
    (timedelta(seconds=1), "seconds"),
    (timedelta(milliseconds=1), "milliseconds"),
)


class GroupsWriter:
    """Writes one threshold over stored fields."""

    def __init__(
        self,
        threshold: Threshold,
        fields: Mapping[FieldPath, PlatformField],
        losses: Losses,
        condition: WriteCondition,
    ) -> None:
        self._threshold = threshold
        self._losses = losses
        self._fields = fields
        self._operands = Operands(fields, losses)
        self._condition = condition
        self._aggregates: dict[str, str] = {}
        self._columns: dict[str, str] = {}
        self._evals: dict[str, str] = {}

    def commands(self, kept: list[str], interval: timedelta) -> list[str]:
        """The commands in order. ``kept``: columns to carry along; ``interval``: between two runs."""
        threshold = self._threshold
        operands = (self._operands.column(path) for path in threshold.by)
        by = [operand.text for operand in operands if operand is not None]
        found = [f"WHERE {' AND '.join(self._window(interval))}"] if threshold.every is not None else []
        chosen = self._chosen()
        if chosen:
            found.append("EVAL " + ",\n    ".join(f"{name} = {text}" for name, text in chosen.items()))
        groups = [*by, *chosen]
        if groups and threshold.missing_keys is MissingKeys.SKIP:
            found.append(f"WHERE {' AND '.join(f'{name} IS NOT NULL' for name in groups)}")
        tests = self._tests()
        self._aggregate(COUNT_COLUMN, "COUNT(*)")
        aggregates = [f"{name} = {text}" for text, name in self._in_order()]
        aggregates += [f"Esql.{plain(name)}_values = VALUES({name})" for name in kept if name not in by]
        if threshold.every is not None and threshold.every == threshold.within:
            groups.append(f"{_SLICE} = DATE_TRUNC({timespan(threshold.every)}, @timestamp)")
        stats = "STATS " + ",\n    ".join(aggregates)
        found.append(f"{stats}\n    BY {', '.join(groups)}" if groups else stats)
        if self._evals:
            found.append("EVAL " + ",\n    ".join(f"{name} = {text}" for text, name in self._evals.items()))
        found.append("WHERE " + "\n    AND ".join(printed(one, nested=True) for one in conjuncts(tests)))
        found.append("KEEP " + ", ".join([*by, "Esql.*"]))
        return found

    def _chosen(self) -> dict[str, str]:
        """The columns of the keys that are a choice. One that is not said exactly is left out."""
        found: dict[str, str] = {}
        for choice in self._threshold.choices:
            trial = Losses("elastic")
            text = choices.chosen(choice, self._fields, self._condition, trial)
            if is_kept(self._threshold, trial, self._losses):
                found[choices.NAME if not found else f"{choices.NAME}_{len(found) + 1}"] = text
        return found

    def _in_order(self) -> list[tuple[str, str]]:
        """The aggregates, that of all rows first."""
        return sorted(self._aggregates.items(), key=lambda one: one[1] != COUNT_COLUMN)

    def _window(self, interval: timedelta) -> list[str]:
        """Which rows a run looks at: slices that ended since the last run, or what is before its tick."""
        every, within = self._threshold.every, self._threshold.within
        assert every is not None
        tick = f"DATE_TRUNC({timespan(every)}, NOW())"
        if every == within:
            return [
                f"@timestamp >= DATE_TRUNC({timespan(every)}, NOW() - {timespan(interval)})",
                f"@timestamp < {tick}",
            ]
        return [f"@timestamp >= {tick} - {timespan(within)}", f"@timestamp < {tick}"]

    def _tests(self) -> Condition:
        threshold = self._threshold
        terms: list[Condition] = []
        if threshold.distinct is not None or threshold.count > 1 or not threshold.having:
            measure = Measure(MeasureKind.COUNT)
            if threshold.distinct is not None:
                measure = Measure(MeasureKind.DISTINCT, threshold.distinct)
            terms.append(self._test(GroupTest(measure, ((Operator.GTE, threshold.count),))))
        terms += [self._test(test) for test in threshold.having]
        return joint(True, terms)

    # -- tests

    def _test(self, condition: GroupCondition, wanted: bool = True) -> Condition:
        """The condition that is true where the test has the ``wanted`` verdict."""
        match condition:
            case AllTests(terms) | AnyTest(terms):
                every = isinstance(condition, AllTests) is wanted
                return joint(every, [self._test(term, wanted) for term in terms])
            case NotTest(term):
                return self._test(term, not wanted)
            case GroupTest(measure, bounds):
                written = joint(True, [self._compared(measure, sign, bound) for sign, bound in bounds])
                return written if wanted else negate(written)

    def _compared(self, measure: Measure, sign: Operator, bound: Bound) -> Condition:
        column, guards = self._measure(measure, bound)
        same, other = _SIGNS[sign]
        match bound:
            case Multiple(right, times):
                wanted, more = self._measure(right, bound)
                ratio = Fraction(str(times))
                if measure.kind is MeasureKind.SPAN:
                    self._refuse("spans are not compared with one another in ES|QL")
                if ratio.denominator != 1:
                    column = f"{column} * {ratio.denominator}"
                if ratio.numerator != 1:
                    wanted = f"{wanted} * {ratio.numerator}"
                guards = tuple(dict.fromkeys((*guards, *more)))
            case timedelta():
                wanted = str(bound // timedelta(milliseconds=1))
            case _:
                wanted = repr(bound)
        return Leaf(f"{column} {same} {wanted}", f"{column} {other} {wanted}", guards)

    def _refuse(self, message: str) -> None:
        self._losses.refuse("having", message)

    # -- measures

    def _measure(self, measure: Measure, bound: Bound) -> tuple[str, tuple[str, ...]]:
        """The column of a measure, and the columns that make a test of it null."""
        match measure.kind:
            case MeasureKind.COUNT if not measure.where:
                return self._aggregate(COUNT_COLUMN, "COUNT(*)"), ()
            case MeasureKind.COUNT:
                return self._counted(all_of(*measure.where)), ()
            case MeasureKind.MET:
                counts = [self._counted(condition) for condition in measure.where]
                text = " + ".join(f"CASE({count} > 0, 1, 0)" for count in counts)
                return self._eval("Esql.conditions_met", text), ()
            case MeasureKind.SPAN:
                start, stop = self._moment(measure.start), self._moment(measure.stop)
                column = self._eval("Esql.span_ms", f"TO_LONG({stop}) - TO_LONG({start})")
                return column, (column,)
        column = self._of_field(measure, bound)
        return column, () if measure.kind is MeasureKind.DISTINCT else (column,)

    def _counted(self, where: Expression) -> str:
        return self._aggregate("Esql.matching_count", f"COUNT(*){self._where(where)}")

    def _moment(self, moment: Moment) -> str:
        if moment == WINDOW_END:
            assert self._threshold.every is not None
            return f"DATE_TRUNC({timespan(self._threshold.every)}, NOW())"
        first = moment.edge is Edge.FIRST
        where = self._where(all_of(*moment.where)) if moment.where else ""
        base, function = ("Esql.first_seen", "MIN") if first else ("Esql.last_seen", "MAX")
        return self._aggregate(base, f"{function}(@timestamp){where}")

    def _of_field(self, measure: Measure, bound: Bound) -> str:
        assert measure.field is not None
        trial = Losses("elastic")
        operand = Operands(self._fields, trial).of(measure.field, measure.functions)
        self._take(trial)
        if operand is None:
            self._refuse(f"{measure.field} has no column of its own")
            return identifier(str(measure.field.steps[0]))
        name, precision = operand.text, ""
        if measure.kind is MeasureKind.DISTINCT:
            precision = self._precision(bound)
        elif operand.family is Family.TEXT:
            name = f"TO_DOUBLE({name})"
        elif operand.family is not Family.NUMBER:
            self._refuse(f"{name} holds no numbers")
        function = "COUNT_DISTINCT" if measure.kind is MeasureKind.DISTINCT else measure.kind.upper()
        where = self._where(all_of(*measure.where)) if measure.where else ""
        return self._aggregate(
            f"Esql.{plain(str(measure.field.steps[0]))}_{function.lower()}",
            f"{function}({name}{precision}){where}",
        )

    def _precision(self, bound: Bound) -> str:
        """COUNT_DISTINCT estimates (HyperLogLog++), close to exact below its precision threshold."""
        largest = isinstance(bound, int | float) and bound > EXACT_DISTINCT
        self._losses.note(
            "distinct",
            "COUNT_DISTINCT estimates (HyperLogLog++); counts below its precision threshold "
            f"({_LARGEST_PRECISION if largest else EXACT_DISTINCT}) are close to exact",
        )
        return f", {_LARGEST_PRECISION}" if largest else ""

    def _where(self, where: Expression) -> str:
        trial = Losses("elastic")
        text = self._condition(where, trial)
        self._take(trial)
        return f" WHERE {text}"

    def _take(self, trial: Losses) -> None:
        """The notes of a part; any loss in it, whose direction only the test knows, is a refusal."""
        for found in trial.diagnostics:
            if found.effect is None:
                self._losses.extend((found,))
            else:
                self._refuse(f"a test of the group: {found.message}")

    def _aggregate(self, base: str, text: str) -> str:
        return _named(self._aggregates, self._columns, base, text)

    def _eval(self, base: str, text: str) -> str:
        return _named(self._evals, self._columns, base, text)


def _named(texts: dict[str, str], taken: dict[str, str], base: str, text: str) -> str:
    """The column of an expression: ``base``, or with a number where that is another expression's."""
    if text not in texts:
        number = 1
        name = base
        while name in taken:
            number += 1
            name = f"{base}_{number}"
        taken[name] = texts[text] = name
    return texts[text]


def timespan(span: timedelta) -> str:
    """A span of time in its largest whole unit up to hours."""
    size, name = next((unit for unit in _UNITS if not span % unit[0]), _UNITS[-1])
    amount = span // size
    return f"{amount} {name.removesuffix('s') if amount == 1 else name}"


def plain(name: str) -> str:
    """A name as the last part of an ``Esql.`` column, Elastic's prefix for columns made by a query."""
    return "".join(character if character.isascii() and character.isalnum() else "_" for character in name)
