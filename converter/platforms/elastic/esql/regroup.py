"""A second STATS over the groups of a first one, where it only puts groups together again.

The sum of counts is a count, the greatest of the greatest is the greatest. What asks how groups differ (the
greatest of counts, a mean of sums) is no measure of rows.

Source: Elasticsearch's ES|QL reference, STATS and "Aggregate functions" (null is a group of its own, and no
value to an aggregate function).
"""

from __future__ import annotations

from converter.model.expressions import TRUE
from converter.model.measures import Edge, Measure, MeasureKind
from converter.model.paths import FieldPath
from converter.platforms.elastic.esql.atoms import (
    Atom,
    Measured,
    Term,
    Time,
    Unknown,
    Value,
    Values,
    always,
    number_of_values,
)

_AGAIN = {
    "SUM": (MeasureKind.COUNT, MeasureKind.SUM),
    "MAX": (MeasureKind.MAX,),
    "MIN": (MeasureKind.MIN,),
}
"""Aggregate → the measures of groups of which it makes the same measure of all their rows."""


def regrouped(name: str, argument: Value | None, dropped: FieldPath | None) -> Value:
    """``name(argument)`` of groups. ``dropped``: the one key that every group has and later ones have not."""
    if argument is None:
        counts = name == "COUNT" and dropped is not None
        return always(_distinct(Term(dropped)) if counts and dropped is not None else _unknown(name))
    match argument:
        case ((guard, atom),) if guard == TRUE:
            return always(_of(name, atom, dropped))
    return always(_unknown(name))


def _of(name: str, atom: Atom, dropped: FieldPath | None) -> Atom:
    match name, atom:
        case (_, Unknown()):
            return atom
        case ("SUM" | "MAX" | "MIN", Measured(Measure(kind))) if kind in _AGAIN[name]:
            return atom
        case ("MAX" | "MIN", Time(moment)) if moment.edge is (Edge.LAST if name == "MAX" else Edge.FIRST):
            return atom
        case ("COUNT_DISTINCT", Term(FieldPath(), ()) as term):
            return _distinct(term)
        case ("COUNT", Term(FieldPath() as path, ()) as term) if path == dropped:
            return _distinct(term)
        case ("COUNT_DISTINCT", Values() as values) if (number := number_of_values(values)) is not None:
            return Measured(number)
        case ("VALUES", Term(FieldPath(), ()) as term):
            return Values(term)
        case ("VALUES", Values()):
            return atom
    return _unknown(name)


def _distinct(term: Term) -> Measured:
    assert isinstance(term.subject, FieldPath)
    return Measured(Measure(MeasureKind.DISTINCT, term.subject))


def _unknown(name: str) -> Unknown:
    return Unknown(f"{name} of groups")
