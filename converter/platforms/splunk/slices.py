"""A threshold in windows of the clock: ``bin`` and ``stats``, with tests of the group and missing keys.

Sources: Splunk Search Reference, "bin" (spans of seconds are counted from 1970), "stats" and "Aggregate
functions" (``count(eval(…))`` counts the results for which the condition is true; ``range`` is the largest
value less the smallest; a sum, an extreme or a mean of nothing is null), "where" (null is not true),
"Multivalue eval functions" (``mvrange`` ends before its second argument; ``mvfilter`` gives null when no
value is left), "mvexpand".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Final

from converter.logsources.localise_group import LocalisedTests
from converter.logsources.pack import FieldType
from converter.model.expressions import FunctionName, Operator, all_of
from converter.model.losses import Losses
from converter.model.measures import (
    FIRST_MATCH,
    LAST_MATCH,
    AllTests,
    AnyTest,
    Bound,
    GroupCondition,
    GroupTest,
    Measure,
    MeasureKind,
    Multiple,
    NotTest,
)
from converter.platforms.splunk.spl.condition import ConditionPrinter
from converter.platforms.splunk.spl.text import eval_name, is_nameable, search_name
from converter.platforms.splunk.window import Slice, seconds_text

MISSING: Final = "␀"
"""What stands for a missing group key (U+2400, the visible sign for null): no log value is this."""
WINDOW_END: Final = "window_end"
"""The field that tells windows of the clock apart where they overlap."""
_SIGNS: Final = {
    Operator.IS: ("==", "!="),
    Operator.GT: (">", "<="),
    Operator.GTE: (">=", "<"),
    Operator.LT: ("<", ">="),
    Operator.LTE: ("<=", ">"),
}
_NEVER_NULL: Final = (MeasureKind.COUNT, MeasureKind.DISTINCT, MeasureKind.SPAN)
_NUMBERS: Final = (FieldType.INTEGER, FieldType.FLOAT)
_FUNCTIONS: Final = {FunctionName.LOWER: "lower", FunctionName.UPPER: "upper", FunctionName.LENGTH: "len"}


def filled_keys(names: Sequence[str]) -> dict[str, str]:
    """Evals that put a sign where a group key is missing, so that those without it are a group as well."""
    return {name: f'coalesce({eval_name(name)}, "{MISSING}")' for name in dict.fromkeys(names)}


def whole_slices(window: Slice, length: timedelta) -> str:
    """The condition that keeps the slices which ended since the last run: each of them, whole, in one run."""
    seconds = length // timedelta(seconds=1)
    start, end = (_moment(text) for text in (window.start, window.end))
    return f"_time>=floor({start}/{seconds})*{seconds} AND _time<floor({end}/{seconds})*{seconds}"


def window_ends(window: Slice, length: timedelta, every: timedelta) -> list[str]:
    """The stages that give a match one row for each window of the clock that it lies in and that ended since
    the last run: ``window_end`` is when. A window holds what is before its end, and not longer ago than
    ``length``, which is no shorter than ``every``, so that each match lies in one at least.
    """
    seconds, step = (span // timedelta(seconds=1) for span in (length, every))
    start, end = (_moment(text) for text in (window.start, window.end))
    first, last = f"(floor(_time/{step})+1)*{step}", f"floor((_time+{seconds})/{step})*{step}"
    return [
        f"eval {WINDOW_END}=mvrange({first}, {last}+1, {step})",
        f"eval {WINDOW_END}=mvfilter({WINDOW_END}>{start} AND {WINDOW_END}<={end})",
        f"mvexpand {WINDOW_END}",
    ]


def _moment(text: str) -> str:
    return "now()" if text == "now" else f'relative_time(now(), "{text}")'


class SliceTests:
    """Writes tests of a group as conditions on what ``stats`` computes.

    ``aggregates``: what it has to compute, by the text of the function; ``printer`` collects the fields that
    an eval has to make before. What cannot be said is refused, under the code ``having``.
    """

    def __init__(self, localised: LocalisedTests, losses: Losses) -> None:
        self._fields = localised.fields
        self._losses = losses
        self._trial = Losses("splunk")
        self.printer = ConditionPrinter(localised.fields, self._trial)
        self.aggregates: dict[str, str] = {}
        for found in localised.diagnostics:
            if found.effect is not None:
                self._refuse(found.message)

    def conditions(self, tests: Sequence[GroupCondition]) -> list[str]:
        """The conditions, all of which must hold."""
        written = [self._test(test, True, nested=len(tests) > 1) for test in tests]
        for found in self._trial.diagnostics:
            if found.effect is not None:
                self._refuse(found.message)
        if self.printer.address_classes:
            self._refuse("a test of the group asks for a class of addresses")
        return written

    def _refuse(self, message: str) -> None:
        self._losses.refuse("having", f"a test of the group: {message}")

    def _test(self, condition: GroupCondition, wanted: bool, nested: bool = True) -> str:
        """The text that is true where the test has the ``wanted`` verdict."""
        match condition:
            case NotTest(term):
                return self._test(term, not wanted, nested)
            case AllTests(terms) | AnyTest(terms):
                every = isinstance(condition, AllTests) is wanted
                return _joined(every, [self._test(term, wanted) for term in terms], nested)
            case GroupTest(measure, bounds):
                texts = [self._compared(measure, sign, bound, wanted) for sign, bound in bounds]
                return _joined(wanted, texts, nested)

    def _compared(self, measure: Measure, sign: Operator, bound: Bound, wanted: bool) -> str:
        left = self._measure(measure)
        nullable = measure.kind not in _NEVER_NULL
        right = seconds_text(bound) if isinstance(bound, timedelta) else str(bound)
        if isinstance(bound, Multiple):
            ratio = Fraction(str(bound.times))
            right = self._measure(bound.measure)
            nullable = nullable or bound.measure.kind not in _NEVER_NULL
            left = left if ratio.denominator == 1 else f"{left}*{ratio.denominator}"
            right = right if ratio.numerator == 1 else f"{right}*{ratio.numerator}"
        if nullable and not wanted:
            self._refuse("no negation of what may have no value")
        return f"{left}{_SIGNS[sign][0 if wanted else 1]}{right}"

    # -- measures

    def _measure(self, measure: Measure) -> str:
        where = "" if not measure.where else self.printer.whole(all_of(*measure.where))
        match measure.kind:
            case MeasureKind.COUNT:
                return self.named("match_count" if not where else "matching_count", _counted(where))
            case MeasureKind.MET:
                self._refuse("how many of several conditions are met")
            case MeasureKind.SPAN if where or (measure.start, measure.stop) != (FIRST_MATCH, LAST_MATCH):
                self._refuse("the time between other moments than the first match and the last")
            case MeasureKind.SPAN:
                return self.named("match_span", "range(_time)")
            case _:
                return self._of_field(measure, where)
        return "match_count"

    def _of_field(self, measure: Measure, where: str) -> str:
        path = measure.field
        assert path is not None
        field, name = self._fields[path], str(path.steps[0])
        if len(path.steps) > 1:
            self._refuse(f"one place of {name}")
        if not is_nameable(name):
            self._refuse(f"the field name {name!r} cannot be written in SPL")
        value = eval_name(name)
        for function in measure.functions:
            if function.name not in _FUNCTIONS or field.is_list:
                self._refuse(f"{function.name} of {name}")
            value = f"{_FUNCTIONS.get(function.name, function.name)}({value})"
        aggregate, base = str(measure.kind), f"{measure.kind}_value"
        if measure.kind is MeasureKind.DISTINCT:
            aggregate, base = "dc", "distinct_count"
        elif field.type not in _NUMBERS and not measure.functions:
            self._refuse(f"{name} is no number by its log source")
        plain = not where and not measure.functions
        of = search_name(name) if plain else f"eval({_filtered(value, where)})"
        return self.named(base, f"{aggregate}({of})")

    def named(self, base: str, text: str) -> str:
        """The field that an aggregate gets: ``base``, or with a number where that is another one's."""
        if text not in self.aggregates:
            taken = self.aggregates.values()
            names = (base if number == 1 else f"{base}_{number}" for number in range(1, len(taken) + 2))
            self.aggregates[text] = next(name for name in names if name not in taken)
        return self.aggregates[text]


def _counted(where: str) -> str:
    return f"count(eval({where}))" if where else "count"


def _filtered(value: str, where: str) -> str:
    """Of the rows that meet the condition; ``case`` gives null for the others."""
    return f"case({where}, {value})" if where else value


def _joined(every: bool, texts: Sequence[str], nested: bool) -> str:
    text = (" AND " if every else " OR ").join(texts)
    return f"({text})" if nested and len(texts) > 1 else text
