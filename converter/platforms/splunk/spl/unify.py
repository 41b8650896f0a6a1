"""Recognising the shape of an eval expression by an example of it, written in SPL itself.

In an example, a field whose name begins with ``__`` stands for any expression, the same one everywhere.
"""

from __future__ import annotations

from functools import lru_cache

from converter.platforms.splunk.spl import syntax as s


@lru_cache(maxsize=256)
def _example(text: str) -> s.EvalNode:
    from converter.platforms.splunk.spl.parse import parse_expression

    return parse_expression(text)


def unified(example: str, node: s.EvalNode) -> dict[str, s.EvalNode] | None:
    """What each ``__name`` of the example stands for in ``node`` (keys without the underscores); None if
    the node has another shape.
    """
    found: dict[str, s.EvalNode] = {}
    return found if _fits(_example(example), node, found) else None


def same(one: s.EvalNode, other: s.EvalNode) -> bool:
    """Whether two expressions are the same, wherever they stand and however fields are quoted."""
    return _fits(one, other, {})


def _fits(example: s.EvalNode, node: s.EvalNode, found: dict[str, s.EvalNode]) -> bool:
    match example, node:
        case s.FieldName(name), _ if name.startswith("__"):
            key = name[2:]
            if key in found:
                return same(found[key], node)
            found[key] = node
            return True
        case s.FieldName(name), s.FieldName(other):
            return name == other
        case s.Literal(value), s.Literal(other_value):
            return value == other_value and isinstance(value, str) == isinstance(other_value, str)
        case s.Call(name, arguments), s.Call(other, others):
            return (
                name == other
                and len(arguments) == len(others)
                and all(_fits(one, two, found) for one, two in zip(arguments, others, strict=True))
            )
        case s.Operation(sign, left, right), s.Operation(other_sign, other_left, other_right):
            return sign == other_sign and _fits(left, other_left, found) and _fits(right, other_right, found)
        case s.Inverted(sign, operand), s.Inverted(other_sign, other_operand):
            return sign == other_sign and _fits(operand, other_operand, found)
    return False
