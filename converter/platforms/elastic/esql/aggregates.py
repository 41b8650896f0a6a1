"""The results of STATS: from an aggregate function and its argument to what a group of rows has.

Sources: the functions' own pages in Elasticsearch's ES|QL reference, "Aggregate functions". All of them pass
over null; COUNT and COUNT_DISTINCT of nothing are 0, the others null. COUNT of a field with several values
counts each value, SUM and AVG take each. COUNT_DISTINCT estimates above its precision threshold (3,000).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction

from converter.model.expressions import (
    FALSE,
    TRUE,
    All,
    AnyOf,
    Expression,
    Not,
    Scalar,
    all_of,
    any_of,
    children,
    negated,
)
from converter.model.measures import Edge, Measure, MeasureKind, Moment
from converter.model.paths import FieldPath
from converter.platforms.elastic.esql.atoms import (
    Atom,
    Constant,
    Labels,
    Measured,
    Term,
    Time,
    Unknown,
    Value,
    Values,
    always,
    has_value,
    some_row,
    united,
)
from converter.platforms.elastic.esql.operands import Family

TIMESTAMP = FieldPath(("@timestamp",))
_MOST_PREDICATES = 8
"""Of conditions under which a column has its values, of which it is worked out whether one always holds."""


def aggregate(name: str, argument: Value | None, where: Expression) -> Value:
    """``name(argument) WHERE where``; without an argument (or with a constant one) it is of the rows."""
    if name == "COUNT" and (argument is None or _is_constant(argument)):
        return always(Measured(Measure(MeasureKind.COUNT, where=_filter(where))))
    make = AGGREGATES.get(name)
    if make is None or argument is None:
        return always(Unknown(f"the aggregate {name}"))
    parts = [(all_of(where, guard), atom) for guard, atom in argument if guard != FALSE]
    unread = next((atom for _, atom in parts if isinstance(atom, Unknown)), None)
    return always(unread) if unread is not None else make(parts)


Parts = list[tuple[Expression, Atom]]


def _is_constant(argument: Value) -> bool:
    return len(argument) == 1 and argument[0][0] == TRUE and isinstance(argument[0][1], Constant)


def _filter(where: Expression) -> tuple[Expression, ...]:
    return () if where == TRUE else (where,)


def _count(parts: Parts) -> Value:
    """The rows in which the argument has a value."""
    present: list[Expression] = []
    for guard, atom in parts:
        if isinstance(atom, Term) and not atom.many:
            present.append(all_of(guard, has_value(atom)))
        elif isinstance(atom, Constant) and not isinstance(atom.value, tuple):
            present.append(guard)
        else:
            return always(Unknown("a count of the values of a list"))
    if not present:
        return always(Constant(0))
    where = _simplified(any_of(*present))
    return always(Measured(Measure(MeasureKind.COUNT, where=_filter(where))))


def _count_distinct(parts: Parts) -> Value:
    labels = _labels(parts)
    if labels == []:
        return always(Constant(0))
    if labels is not None:
        return always(Measured(Measure(MeasureKind.MET, where=tuple(_by_value(labels).values()))))
    match parts:
        case [(guard, Term(FieldPath() as path, functions) as term)]:
            where = all_of(guard, has_value(term)) if term.converted else guard
            if not term.converted or term.family is Family.IP:
                return always(Measured(Measure(MeasureKind.DISTINCT, path, functions, _filter(where))))
    return always(Unknown("the distinct values of different fields"))


def _sum(parts: Parts) -> Value:
    labels = _labels(parts)
    if labels is None:
        return _of_numbers(MeasureKind.SUM)(parts)
    weights = {value: where for value, where in _by_value(labels).items() if value not in (0, False)}
    if len(weights) != 1 or not all(isinstance(value, int) and value > 0 for value in weights):
        return always(Unknown("a sum of several different constants"))
    ((value, where),) = weights.items()
    present = _simplified(any_of(*(guard for guard, _ in labels)))
    counted = Measure(MeasureKind.COUNT, where=_filter(_simplified(where)))
    return always(Measured(counted, Fraction(int(value)), present=present))


def _of_numbers(kind: MeasureKind) -> Callable[[Parts], Value]:
    def make(parts: Parts) -> Value:
        match parts:
            case [(guard, Term(FieldPath() as path, functions, family) as term)]:
                if family is Family.NUMBER or (family is None and not term.converted):
                    measure = Measure(kind, path, functions, _filter(guard))
                    whole = kind is not MeasureKind.AVG
                    return always(Measured(measure, Fraction(1), whole, all_of(guard, has_value(term))))
        return always(Unknown(f"the aggregate {kind.upper()} of this argument"))

    return make


def _extreme(kind: MeasureKind) -> Callable[[Parts], Value]:
    highest = kind is MeasureKind.MAX

    def make(parts: Parts) -> Value:
        labels = _labels(parts)
        if labels is not None:
            return always(Labels(tuple(labels), highest))
        match parts:
            case [(guard, Term(FieldPath() as path, ()))] if path == TIMESTAMP:
                return always(Time(Moment(Edge.LAST if highest else Edge.FIRST, _filter(guard))))
        return _of_numbers(kind)(parts)

    return make


def _values(parts: Parts) -> Value:
    labels = _labels(parts)
    if labels is not None:
        return always(Labels(tuple(labels)))
    match parts:
        case [(guard, Term() as term)]:
            return always(Values(term, guard))
    return always(Unknown("the values of different fields"))


def _whether(present: bool) -> Callable[[Parts], Value]:
    """PRESENT, or ABSENT: whether some row has a value."""

    def make(parts: Parts) -> Value:
        if not all(isinstance(atom, Term | Constant) for _, atom in parts):
            return always(Unknown("whether there is such a value"))
        rows = (
            guard if isinstance(atom, Constant) else all_of(guard, has_value(atom))
            for guard, atom in parts
            if isinstance(atom, Term | Constant)
        )
        some = some_row(any_of(*rows))
        return ((some, Constant(present)), (negated(some), Constant(not present)))

    return make


def _labels(parts: Parts) -> list[tuple[Expression, Scalar]] | None:
    """The constants that the argument can be, each with its rows; None if it can be anything else."""
    found: list[tuple[Expression, Scalar]] = []
    for guard, atom in parts:
        if not isinstance(atom, Constant) or isinstance(atom.value, tuple):
            return None
        found.append((guard, atom.value))
    return found


def _by_value(labels: Iterable[tuple[Expression, Scalar]]) -> dict[Scalar, Expression]:
    found: dict[Scalar, list[Expression]] = {}
    for guard, value in labels:
        found.setdefault(value, []).append(guard)
    return {value: united(*guards) for value, guards in found.items()}


def _simplified(condition: Expression) -> Expression:
    """TRUE where the shape of the condition shows that it always holds (a CASE with its default)."""
    different = tuple(dict.fromkeys(_parts(condition)))
    if len(different) > _MOST_PREDICATES:
        return condition
    rows = itertools.product((False, True), repeat=len(different))
    always_holds = all(_under(condition, dict(zip(different, row, strict=True))) for row in rows)
    return TRUE if always_holds else condition


def _parts(condition: Expression) -> Iterator[Expression]:
    """What AND, OR and NOT combine."""
    if isinstance(condition, All | AnyOf | Not):
        for child in children(condition):
            yield from _parts(child)
    else:
        yield condition


def _under(condition: Expression, verdicts: Mapping[Expression, bool]) -> bool:
    match condition:
        case All(terms):
            return all(_under(term, verdicts) for term in terms)
        case AnyOf(terms):
            return any(_under(term, verdicts) for term in terms)
        case Not(term):
            return not _under(term, verdicts)
    return verdicts[condition]


AGGREGATES: dict[str, Callable[[Parts], Value]] = {
    "COUNT": _count,
    "COUNT_DISTINCT": _count_distinct,
    "SUM": _sum,
    "MIN": _extreme(MeasureKind.MIN),
    "MAX": _extreme(MeasureKind.MAX),
    "AVG": _of_numbers(MeasureKind.AVG),
    "VALUES": _values,
    "PRESENT": _whether(True),
    "ABSENT": _whether(False),
}
"""Aggregate → what it makes of the alternatives that its argument has."""
