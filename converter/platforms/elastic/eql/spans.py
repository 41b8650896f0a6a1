"""Reading EQL's spans of time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from converter.platforms.elastic.eql.settings import DURATION_UNITS
from converter.platforms.elastic.eql.terms import error_at

if TYPE_CHECKING:
    import lark

Tree: TypeAlias = "lark.Tree[lark.Token]"

_UNITS = dict(DURATION_UNITS)


def read_span(tree: Tree) -> timedelta:
    """A ``duration``: a number and its unit; seconds where there is none. Raises RuleError."""
    number, *unit = (str(child) for child in tree.children)
    size = _UNITS.get(unit[0] if unit else "s")
    if size is None:
        raise error_at(tree, f"the unit of time {unit[0]!r}")
    try:
        return timedelta(milliseconds=float(number) * size)
    except OverflowError:
        raise error_at(tree, f"the time {number[:20]}… is longer than any") from None
