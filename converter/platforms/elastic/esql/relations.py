"""Comparisons of two columns.

Sources, in Elasticsearch's ES|QL reference: STARTS_WITH, ENDS_WITH ("if null, the function returns null"),
LOCATE (position, 0 when not found), MV_CONTAINS and MV_INTERSECTS (never null), MV_MIN and MV_MAX; and
"Multivalued fields": every other function, and the comparison operators, are null for several values.
"""

from __future__ import annotations

from converter.model.expressions import Operator, Predicate, Reference, changes_of
from converter.model.losses import Losses
from converter.platforms.elastic.esql.condition import FALSE, Condition, Leaf, joint, present_test
from converter.platforms.elastic.esql.operands import Family, Operand, Operands
from converter.platforms.elastic.esql.signs import OPPOSITE, ORDER

SIGNS = {operator: sign for sign, operator in ORDER.items()}
_RELATIONS = {
    Operator.STARTS_WITH: ("STARTS_WITH({}, {})", "NOT STARTS_WITH({}, {})"),
    Operator.ENDS_WITH: ("ENDS_WITH({}, {})", "NOT ENDS_WITH({}, {})"),
    Operator.CONTAINS: ("LOCATE({}, {}) > 0", "LOCATE({}, {}) == 0"),
}
"""A text operator on two columns, and its opposite. LOCATE is older than CONTAINS; "" is in any text."""
_MEASURES = {Family.NUMBER: "TO_DOUBLE({})", Family.DATE: "TO_DATETIME({})"}


class Relations:
    """Prints comparisons of two values of the event, and records what that loses."""

    def __init__(self, operands: Operands, losses: Losses) -> None:
        self._operands = operands
        self._losses = losses

    def condition(self, operand: Operand, predicate: Predicate, other: Reference) -> Condition:
        """The condition that some value of the operand and some value of ``other`` go together."""
        against = self._operands.of(*changes_of(other))
        if against is None:
            return FALSE
        if predicate.operator is Operator.SAME_AS:
            return self._same_as(operand, against, predicate.ignore_case)
        if predicate.operator in SIGNS:
            return self._in_order(operand, SIGNS[predicate.operator], against)
        return self._affixed(operand, predicate.operator, against, predicate.ignore_case)

    def _affixed(self, operand: Operand, operator: Operator, other: Operand, folds: bool) -> Condition:
        """One text at the start or the end of another, or in it: null for several values of either."""
        whole, part = (
            self._operands.single(self._operands.as_text(each), f"{operator} another field")
            for each in (operand, other)
        )
        if folds:
            whole, part = lowered(whole), lowered(part)
        template, opposite = _RELATIONS[operator]
        test, negation = (text.format(whole.text, part.text) for text in (template, opposite))
        return Leaf(test, negation, _guards(whole, part))

    def _in_order(self, operand: Operand, sign: str, other: Operand) -> Condition:
        """Two numbers or two times; texts are compared as whichever of them they hold."""
        found: list[Condition] = []
        for family, conversion in _MEASURES.items():
            sides: list[Operand] = []
            for each in (operand, other):
                if each.family is Family.TEXT:
                    sides.append(each.called(conversion, family, always=False))
                elif each.family is family:
                    sides.append(each)
            if len(sides) == 2:
                found.append(_ordered(sides[0], sign, sides[1]))
        if found and Family.TEXT in (operand.family, other.family):
            self._losses.note("number-text", "a text is compared as the number or the time that TO_ reads")
        return joint(False, found) if found else FALSE

    def _same_as(self, operand: Operand, other: Operand, folds: bool) -> Condition:
        if folds or operand.family is not other.family:
            operand, other = self._operands.as_text(operand), self._operands.as_text(other)
        if folds:
            operand, other = lowered(operand), lowered(other)
        if operand.many or other.many:
            operand, other = _one_type(operand), _one_type(other)
        if operand.many and other.many:
            test = f"MV_INTERSECTS({operand.text}, {other.text})"
            return Leaf(test, f"NOT {test}")
        if operand.many or other.many:
            large, small = (operand, other) if operand.many else (other, operand)
            test = f"MV_CONTAINS({large.text}, {small.text})"
            return joint(True, [present_test(small.text), Leaf(test, f"NOT {test}")])
        return _pair(operand, "==", "!=", other)


def lowered(operand: Operand) -> Operand:
    """The operand in lower case."""
    return operand.called("TO_LOWER({})")


def _guards(one: Operand, other: Operand) -> tuple[str, ...] | None:
    """What must not be null for a test of both to be true or false."""
    if one.guards is None or other.guards is None:
        return None
    return tuple(dict.fromkeys((*one.guards, *other.guards)))


def _pair(one: Operand, sign: str, opposite: str, other: Operand) -> Leaf:
    return Leaf(f"{one.text} {sign} {other.text}", f"{one.text} {opposite} {other.text}", _guards(one, other))


def _ordered(one: Operand, sign: str, other: Operand) -> Leaf:
    """Some value before or after some other: the extreme values are, where there are several."""
    least, most = "MV_MIN({})", "MV_MAX({})"
    mine, theirs = (most, least) if sign.startswith(">") else (least, most)
    one = one.called(mine) if one.many else one
    other = other.called(theirs) if other.many else other
    return _pair(one, sign, OPPOSITE[sign], other)


def _one_type(operand: Operand) -> Operand:
    """Numbers as doubles: MV_CONTAINS and MV_INTERSECTS take two arguments of one type alone."""
    return operand.called("TO_DOUBLE({})") if operand.family is Family.NUMBER else operand
