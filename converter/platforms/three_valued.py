"""Reading languages with SQL's three truth values (SPL's ``where``, ES|QL) into two-valued expressions.

A condition there is true, false or null, and only true keeps the row. It is read as a pair of ordinary
expressions, *when is it true* and *when is it false*, so that ``NOT`` swaps the two and nothing is lost.
"""

from __future__ import annotations

import msgspec

from converter.model.expressions import Expression, all_of, any_of, negated


class Truth(msgspec.Struct, frozen=True):
    """A three-valued condition: ``true`` and ``false`` exclude one another; neither means null."""

    true: Expression
    false: Expression


def never_null(condition: Expression) -> Truth:
    """A condition that is always true or false."""
    return Truth(condition, negated(condition))


def null_unless(present: Expression, condition: Expression) -> Truth:
    """A condition that is null unless ``present`` holds."""
    return Truth(all_of(present, condition), all_of(present, negated(condition)))


def ternary_not(operand: Truth) -> Truth:
    """NOT: null stays null."""
    return Truth(operand.false, operand.true)


def ternary_and(*operands: Truth) -> Truth:
    """AND: false as soon as one operand is false."""
    return Truth(all_of(*(o.true for o in operands)), any_of(*(o.false for o in operands)))


def ternary_or(*operands: Truth) -> Truth:
    """OR: true as soon as one operand is true."""
    return Truth(any_of(*(o.true for o in operands)), all_of(*(o.false for o in operands)))
