"""The comparison signs of ES|QL: turned round, as operators of the rule language, and on constants."""

from __future__ import annotations

import operator as python_operator
from collections.abc import Callable
from typing import Any, Final

from converter.model.expressions import Operator

FLIPPED: Final = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
"""``a sign b`` as ``b sign a``."""
OPPOSITE: Final = {">": "<=", ">=": "<", "<": ">=", "<=": ">"}
"""The sign that holds where the other one does not, neither side being null."""
ORDER: Final = {"<": Operator.LT, "<=": Operator.LTE, ">": Operator.GT, ">=": Operator.GTE}
PYTHON: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": python_operator.eq,
    "<": python_operator.lt,
    "<=": python_operator.le,
    ">": python_operator.gt,
    ">=": python_operator.ge,
}
