"""A condition behind STATS taken apart: what it asks of rows, and what of their group.

All rows of a group have the same keys, so a condition on keys alone is one on the rows. Mixed with tests of
the group it says that some row satisfies it.
"""

from __future__ import annotations

from collections.abc import Iterable

from converter.model.expressions import (
    TRUE,
    All,
    AnyOf,
    Expression,
    Not,
    Operator,
    all_of,
    children,
)
from converter.model.measures import (
    AllTests,
    AnyTest,
    GroupCondition,
    GroupTest,
    Measure,
    MeasureKind,
    NotTest,
)
from converter.platforms.elastic.esql.atoms import GroupPredicate

_COUNTS = (MeasureKind.COUNT, MeasureKind.DISTINCT, MeasureKind.MET)
_OPPOSITE = {
    Operator.GT: Operator.LTE,
    Operator.GTE: Operator.LT,
    Operator.LT: Operator.GTE,
    Operator.LTE: Operator.GT,
}


def is_of_group(condition: Expression) -> bool:
    """Whether the condition tests the group somewhere."""
    return isinstance(condition, GroupPredicate) or any(map(is_of_group, children(condition)))


def group_condition(condition: Expression) -> GroupCondition | bool:
    """The condition as a test of the group; or what it always is."""
    match condition:
        case GroupPredicate(test=test) if test is not None:
            return test
        case All(terms):
            return _joined(True, terms)
        case AnyOf(terms):
            return _joined(False, terms)
        case Not(term) if is_of_group(term):
            return _negated(group_condition(term))
    return _of_row(condition)


def _joined(every: bool, terms: Iterable[Expression]) -> GroupCondition | bool:
    """AND or OR; what is asked of rows beside one another is asked of one row."""
    terms = tuple(terms)
    of_rows = [term for term in terms if not is_of_group(term)]
    kind = All if every else AnyOf
    parts = [group_condition(term) for term in terms if is_of_group(term)]
    if of_rows:
        rest = of_rows[0] if len(of_rows) == 1 else kind(tuple(of_rows))
        parts.insert(0, _of_row(rest))
    if (not every) in parts:
        return not every
    found = list(dict.fromkeys(part for part in parts if not isinstance(part, bool)))
    if not found:
        return every
    if len(found) == 1:
        return found[0]
    return AllTests(tuple(found)) if every else AnyTest(tuple(found))


def _of_row(condition: Expression) -> GroupCondition | bool:
    if condition in (All(()), AnyOf(())):
        return condition == TRUE
    return GroupTest(Measure(MeasureKind.COUNT, where=(condition,)), ((Operator.GTE, 1),))


def _negated(condition: GroupCondition | bool) -> GroupCondition | bool:
    match condition:
        case bool():
            return not condition
        case NotTest(term):
            return term
        case GroupTest(measure, ((sign, bound),)) if measure.kind in _COUNTS and sign in _OPPOSITE:
            return GroupTest(measure, ((_OPPOSITE[sign], bound),))
    return NotTest(condition)


def conjuncts(condition: Expression) -> tuple[Expression, ...]:
    """The parts that must all hold."""
    if isinstance(condition, All):
        return tuple(part for term in condition.terms for part in conjuncts(term))
    return (condition,)


def tests_of(condition: Expression) -> tuple[GroupCondition, ...] | None:
    """A condition with tests of the group, as such tests; None if it never holds."""
    found = group_condition(all_of(condition))
    if isinstance(found, bool):
        return () if found else None
    return found.terms if isinstance(found, AllTests) else (found,)
