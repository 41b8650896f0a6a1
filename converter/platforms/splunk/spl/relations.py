"""Tests of two values of the event in eval: their shapes in SPL, to be written and to be recognised.

A test that a text holds another one, or begins or ends with it, has no function in which the other may be a
field: what ``like`` and ``match`` are given is a pattern, and neither documents how to quote a field's value
in it. So the texts are cut (Search Reference, "Text functions": ``substr`` counts from 1; "Multivalue eval
functions": ``split`` gives one value more than the delimiter occurs). A letter before both sides of ``==``
keeps texts from being compared as numbers; an empty text is asked for first, because what ``substr`` and
``split`` make of one is not documented.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from converter.model.expressions import Operator
from converter.platforms.splunk.spl import syntax as s
from converter.platforms.splunk.spl.unify import unified

SHAPES: Final[Mapping[Operator, str]] = {
    Operator.STARTS_WITH: ('isnotnull(__a) AND (__b=="" OR ("x".substr(__a, 1, len(__b)))==("x".__b))'),
    Operator.ENDS_WITH: (
        'isnotnull(__a) AND (__b=="" OR '
        '(len(__a)>=len(__b) AND ("x".substr(__a, len(__a)-len(__b)+1))==("x".__b)))'
    ),
    Operator.CONTAINS: 'isnotnull(__a) AND (__b=="" OR mvcount(split(__a, __b))>1)',
}
"""Text operator → its test of ``__a`` with ``__b``; null or false where one of them is null."""

_NATIVE: Final[Mapping[str, Operator]] = {
    "substr(__a, 1, len(__b)) == __b": Operator.STARTS_WITH,
    "__b == substr(__a, 1, len(__b))": Operator.STARTS_WITH,
    "substr(__a, len(__a) - len(__b) + 1) == __b": Operator.ENDS_WITH,
    "__b == substr(__a, len(__a) - len(__b) + 1)": Operator.ENDS_WITH,
    "mvcount(split(__a, __b)) > 1": Operator.CONTAINS,
    "mvcount(split(__a, __b)) >= 2": Operator.CONTAINS,
}
"""How people write the same."""


def written(operator: Operator, whole: str, part: str) -> str:
    """The test of two eval expressions, in parentheses."""
    sides = {"__a": whole, "__b": part}
    return f"({re.sub('__[ab]', lambda found: sides[found[0]], SHAPES[operator])})"


def recognised(node: s.EvalNode) -> tuple[Operator, s.EvalNode, s.EvalNode] | None:
    """The text operator that an eval condition comes to, and its two sides; None for any other condition."""
    if not isinstance(node, s.Operation):
        return None
    for operator, shape in SHAPES.items():
        if (found := unified(shape, node)) is not None:
            return operator, found["a"], found["b"]
    for shape, operator in _NATIVE.items():
        if (found := unified(shape, node)) is not None:
            return operator, found["a"], found["b"]
    return None
