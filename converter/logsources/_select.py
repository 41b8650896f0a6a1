"""Until the rule loader offers it: EXPR data to an expression, for packs' ``select``."""

from __future__ import annotations

from typing import Any

from converter.model.expressions import All, AnyOf, Expression, Not, Operator, Predicate
from converter.model.paths import parse_path


def expression_from_data(data: Any) -> Expression:
    """One EXPR mapping as an expression."""
    if "all" in data:
        return All(tuple(map(expression_from_data, data["all"])))
    if "any" in data:
        return AnyOf(tuple(map(expression_from_data, data["any"])))
    if "not" in data:
        return Not(expression_from_data(data["not"]))
    operator = next(Operator(key) for key in data if key not in ("field", "ignore_case"))
    value = data[operator.value]
    subject = parse_path(data["field"])
    if operator is Operator.EXISTS:
        found = Predicate(subject, operator)
        return found if value else Not(found)
    values = tuple(value) if isinstance(value, list) else (value,)
    return Predicate(subject, operator, values, bool(data.get("ignore_case")))
