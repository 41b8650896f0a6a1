"""Comparisons of two columns, as conditions on events.

A single-value test of two columns is null unless each has exactly one value (Elasticsearch, ES|QL reference,
"Multivalued fields"); of the extreme values, unless each has some.
"""

from __future__ import annotations

from converter.model.expressions import (
    Expression,
    Operator,
    all_of,
    comparison,
    negated,
    reference,
)
from converter.platforms.elastic.esql.atoms import (
    Extreme,
    Term,
    UnreadableError,
    has_value,
    present,
    single,
)
from converter.platforms.elastic.esql.operands import Family
from converter.platforms.elastic.esql.signs import OPPOSITE, ORDER
from converter.platforms.three_valued import Truth, ternary_not

_MEASURED = frozenset({Family.NUMBER, Family.DATE})


def same_as(left: Term, right: Term) -> Expression:
    """Some value of the one equals some value of the other."""
    return _related(left, Operator.SAME_AS, right)


def terms(sign: str, left: Term, right: Term) -> Truth:
    """``left sign right`` of two columns."""
    if sign == "==":
        return of_two(left, Operator.SAME_AS, right)
    return extremes(sign, left, right)


def of_two(left: Term, operator: Operator, right: Term) -> Truth:
    """A single-value test of both columns."""
    found = _related(left, operator, right)
    there = all_of(*(_converted(term) for term in (left, right)))
    return Truth(
        all_of(single(left), single(right), there, found),
        all_of(present(left), present(right), negated(found)),
    )


def extremes(sign: str, left: Term | Extreme, right: Term | Extreme) -> Truth:
    """An order of two columns, or of the extreme values of columns that may hold several.

    ``MV_MAX(a) > MV_MIN(b)``: some value of the one is greater than some of the other.
    """
    for each in (left, right):
        family = each.term.family if isinstance(each, Extreme) else each.family
        if family not in _MEASURED:
            raise UnreadableError(f"two columns not known to be numbers or times, with {sign}")
    if not _asks_some(sign, left, right):
        if _asks_some(OPPOSITE[sign], left, right):
            return ternary_not(extremes(OPPOSITE[sign], left, right))
        raise UnreadableError(f"all values of a column compared with {sign}")
    ours, others = (each.term if isinstance(each, Extreme) else each for each in (left, right))
    found = _related(ours, ORDER[sign], others)
    pairs = tuple(zip((left, right), (ours, others), strict=True))
    lone = (single(term) for each, term in pairs if not isinstance(each, Extreme))
    there = (has_value(term) if isinstance(each, Extreme) else present(term) for each, term in pairs)
    return Truth(all_of(*lone, _converted(ours), _converted(others), found), all_of(*there, negated(found)))


def _asks_some(sign: str, left: Term | Extreme, right: Term | Extreme) -> bool:
    """Whether the comparison holds as soon as some value of the one and some of the other are so ordered."""
    towards = sign.startswith(">")
    return all(
        not isinstance(side, Extreme) or side.highest is highest
        for side, highest in ((left, towards), (right, not towards))
    )


def _converted(term: Term) -> Expression:
    """What a conversion adds to a test that is true: that the text has the form."""
    return has_value(term) if term.converted else all_of()


def _related(left: Term, operator: Operator, right: Term) -> Expression:
    sides = (reference(term.subject, term.functions) for term in (left, right))
    return comparison(next(sides), operator, next(sides))
