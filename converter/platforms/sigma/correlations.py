"""Sigma's correlations: what they ask of the rules they name.

pySigma reads and checks the document; what it means is decided here (Sigma specification, "Sigma correlation
rules"): counts, sums, means and extremes are measures of a group of matches in a sliding window, ``temporal``
asks which of the rules match in it, ``temporal_ordered`` is a sequence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final, TypeAlias

import msgspec
from sigma.correlations import (
    CorrelationConditionAND,
    CorrelationConditionItem,
    CorrelationConditionNOT,
    CorrelationConditionOR,
    SigmaCorrelationRule,
    SigmaExtendedCorrelationCondition,
    SigmaRuleReference,
)
from sigma.exceptions import SigmaError

from converter.model.expressions import Expression, Operator
from converter.model.measures import (
    AllTests,
    AnyTest,
    Bound,
    GroupCondition,
    GroupTest,
    Measure,
    MeasureKind,
    NotTest,
)
from converter.model.paths import FieldPath
from converter.model.rule import Threshold
from converter.model.tables import MAX_DURATION_DAYS
from converter.platforms.sigma.detections import Steps

_KINDS: Final = {
    "event_count": MeasureKind.COUNT,
    "value_count": MeasureKind.DISTINCT,
    "value_sum": MeasureKind.SUM,
    "value_avg": MeasureKind.AVG,
    "value_min": MeasureKind.MIN,
    "value_max": MeasureKind.MAX,
    "temporal": MeasureKind.MET,
    "temporal_ordered": MeasureKind.MET,
}
_LATER: Final = frozenset({"value_min", "value_max"})
"""Types of the specification that pySigma does not know."""
_COUNTS: Final = frozenset({MeasureKind.COUNT, MeasureKind.DISTINCT, MeasureKind.MET})
_SIGNS: Final = {
    "gt": Operator.GT,
    "gte": Operator.GTE,
    "lt": Operator.LT,
    "lte": Operator.LTE,
    "eq": Operator.IS,
}
_ANY: Final = "neq"
Bounds: TypeAlias = tuple[tuple[Operator, int | float], ...]
Means: TypeAlias = Callable[[str, str], bool]
Tree: TypeAlias = SigmaRuleReference | CorrelationConditionItem


class CorrelationProblem(ValueError):
    """A correlation that cannot be read. ``at``: where below ``correlation``."""

    def __init__(self, code: str, message: str, at: Steps = (), hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.at = at
        self.hint = hint


class Correlation(msgspec.Struct, frozen=True):
    """What a correlation asks of the rules it names.

    ``kind``: what is measured, ``met`` for which rules match. ``by``: the group fields of each rule, in the
    order of ``rules``. ``bounds``: alternatives, in each of which every comparison must hold; ``tree``: a
    condition over the rules instead. ``ordered``: the rules must match in the order in which they are named.
    """

    type: str
    kind: MeasureKind
    rules: tuple[str, ...]
    by: tuple[tuple[str, ...], ...]
    within: timedelta
    field: FieldPath | None = None
    bounds: tuple[Bounds, ...] = ()
    tree: Tree | None = None
    ordered: bool = False
    generate: bool = False

    @property
    def asks_for_all(self) -> bool:
        """Whether each of the rules must match."""
        if self.tree is not None:
            return False
        everything = len(self.rules)
        return self.bounds in (
            (((Operator.GTE, everything),),),
            (((Operator.GT, everything - 1),),),
            (((Operator.IS, everything),),),
        )

    def threshold(self, conditions: Mapping[str, Expression]) -> Threshold:
        """The threshold that it is. ``conditions``: what each rule, by its reference, asks of an event."""
        by = tuple(FieldPath((name,)) for name in self.by[0])
        if self.tree is not None:
            return Threshold(within=self.within, by=by, having=(_of_tree(self.tree, conditions),))
        if self.kind is MeasureKind.MET and len(self.rules) == 1 and self.asks_for_all:
            return Threshold(count=1, within=self.within, by=by)
        where = tuple(conditions[name] for name in self.rules) if self.kind is MeasureKind.MET else ()
        measure = Measure(self.kind, self.field, where=where)
        least = self._least()
        if least is not None and self.kind in (MeasureKind.COUNT, MeasureKind.DISTINCT):
            return Threshold(count=least, within=self.within, by=by, distinct=self.field)
        tests = [GroupTest(measure, _in_order(bounds)) for bounds in self.bounds]
        having = tests[0] if len(tests) == 1 else AnyTest(tuple(tests))
        return Threshold(within=self.within, by=by, having=(having,))

    def _least(self) -> int | None:
        match self.bounds:
            case (((Operator.GTE, int(number)),),):
                return number
            case (((Operator.GT, int(number)),),):
                return number + 1
        return None


def _in_order(bounds: Bounds) -> tuple[tuple[Operator, Bound], ...]:
    order = list(_SIGNS.values())
    order.insert(0, order.pop())
    return tuple(sorted(bounds, key=lambda bound: order.index(bound[0])))


def _of_tree(tree: Tree, conditions: Mapping[str, Expression]) -> GroupCondition:
    """A condition over rules, each of which matches at least once. Raises CorrelationProblem."""
    match tree:
        case SigmaRuleReference():
            reference = str(tree.reference)
            if reference not in conditions:
                message = f"the rule {reference!r} is not among those that are correlated"
                raise CorrelationProblem("correlation", message, ("condition",))
            matched = Measure(MeasureKind.COUNT, where=(conditions[reference],))
            return GroupTest(matched, ((Operator.GTE, 1),))
        case CorrelationConditionAND():
            return AllTests(tuple(_of_tree(one, conditions) for one in tree.args))
        case CorrelationConditionOR():
            return AnyTest(tuple(_of_tree(one, conditions) for one in tree.args))
        case CorrelationConditionNOT():
            return NotTest(_of_tree(tree.args[0], conditions))
    raise CorrelationProblem("correlation", "a condition over rules in an unknown form", ("condition",))


def read_correlation(data: Any, means: Means = str.__eq__) -> Correlation:
    """Read what stands under ``correlation``. Raises :class:`CorrelationProblem`.

    ``means``: whether two references are to the same rule, which may be named by name or id.
    """
    if not isinstance(data, dict):
        raise CorrelationProblem("correlation", "expected a mapping under correlation")
    try:
        rule = SigmaCorrelationRule.from_dict({"title": "correlation", "correlation": _as_known(data)})
    except SigmaError as error:
        raise CorrelationProblem("sigma", str(error)) from error
    except (
        TypeError,
        ValueError,
        AttributeError,
        LookupError,
    ) as error:  # shapes that pySigma does not check
        raise CorrelationProblem("sigma", f"not a correlation: {error}") from error
    return _Reading(rule, data, means).correlation()


def _as_known(data: Mapping[str, Any]) -> dict[str, Any]:
    """The correlation in the terms that pySigma knows: one comparison, and no extremes."""
    known = {**data, "type": "value_avg"} if data.get("type") in _LATER else dict(data)
    condition = data.get("condition")
    if isinstance(condition, dict):
        more = [sign for sign in (*_SIGNS, _ANY) if sign in condition][1:]
        known["condition"] = {key: value for key, value in condition.items() if key not in more}
    return known


class _Reading:
    def __init__(self, rule: SigmaCorrelationRule, data: Mapping[str, Any], means: Means) -> None:
        self._rule = rule
        self._means = means
        self._type = str(data.get("type")).lower()
        self._given = data.get("condition")

    def correlation(self) -> Correlation:
        rule, kind = self._rule, _KINDS.get(self._type)
        if kind is None:
            message = f"a correlation of type {self._type} has no counterpart"
            raise CorrelationProblem("correlation", message, ("type",))
        condition = rule.condition
        tree = condition.parsed if isinstance(condition, SigmaExtendedCorrelationCondition) else None
        rules = self._rules(condition)
        found = Correlation(
            type=self._type,
            kind=kind,
            rules=rules,
            by=tuple(self._by(reference) for reference in rules),
            within=self._within(),
            field=self._field(kind),
            bounds=() if tree is not None else self._bounds(kind, len(rules)),
            tree=tree,
            ordered=self._type == "temporal_ordered",
            generate=bool(rule.generate),
        )
        if found.ordered and not found.asks_for_all:
            message = "of rules in an order, only that all of them match can be asked for"
            raise CorrelationProblem("correlation", message, ("condition",))
        if kind is not MeasureKind.MET and len(set(found.by)) > 1:
            message = "events that are counted together have their group under different names"
            raise CorrelationProblem("correlation", message, ("aliases",))
        return found

    def _rules(self, condition: object) -> tuple[str, ...]:
        rules = tuple(str(reference.reference) for reference in self._rule.rules or ())
        if not rules and isinstance(condition, SigmaExtendedCorrelationCondition):
            rules = tuple(map(str, condition.get_referenced_rules()))
        if not rules:
            raise CorrelationProblem("correlation", "a correlation of no rules", ("rules",))
        return rules

    def _within(self) -> timedelta:
        seconds = self._rule.timespan.seconds
        if seconds > MAX_DURATION_DAYS * 86_400:
            raise CorrelationProblem("correlation", "a timespan of this length", ("timespan",))
        return timedelta(seconds=seconds)

    def _by(self, reference: str) -> tuple[str, ...]:
        """The group fields under the names that they have in the events of one rule."""
        aliases = {
            alias.alias: field
            for alias in self._rule.aliases
            for other, field in alias.mapping.items()
            if self._means(reference, other.reference)
        }
        return tuple(str(aliases.get(name, name)) for name in self._rule.group_by or ())

    def _field(self, kind: MeasureKind) -> FieldPath | None:
        if kind in (MeasureKind.COUNT, MeasureKind.MET):
            return None
        field = self._given.get("field") if isinstance(self._given, dict) else None
        if not isinstance(field, str) or not field:
            message = "the values of one field are measured, which 'field' names"
            raise CorrelationProblem("correlation", message, ("condition", "field"))
        return FieldPath((field,))

    def _bounds(self, kind: MeasureKind, rules: int) -> tuple[Bounds, ...]:
        """The comparisons of the condition; of a temporal one without any, that all rules match."""
        if not isinstance(self._given, dict):
            return (((Operator.GTE, rules),),)
        given = {name: _number(self._given[name], name) for name in (*_SIGNS, _ANY) if name in self._given}
        bounds = tuple((sign, given[name]) for name, sign in _SIGNS.items() if name in given)
        found: tuple[Bounds, ...] = (bounds,)
        if _ANY in given:
            found = tuple((*bounds, (sign, given[_ANY])) for sign in (Operator.LT, Operator.GT))
        if kind in _COUNTS and any(_is_always(one) for one in found):
            raise CorrelationProblem("correlation", "a count below one is always reached", ("condition",))
        return found


def _is_always(bounds: Bounds) -> bool:
    return all(
        (sign is Operator.GTE and number < 1) or (sign is Operator.GT and number < 0)
        for sign, number in bounds
    )


def _number(value: Any, name: str) -> int | float:
    number: Any = value
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            number = None
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise CorrelationProblem("correlation", f"{value!r} is no number", ("condition", name))
    return int(number) if isinstance(number, float) and number.is_integer() else number
