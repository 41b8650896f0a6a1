"""RE2's limit on counted repeats."""

from __future__ import annotations

from converter.model.regex.nodes import Node, RegexError, Repeat, children
from converter.model.regex.syntax import MAX_COUNT


def check_counts(node: Node, outer: int = 1) -> None:
    """Raise :class:`RegexError` where counts, multiplied down the nesting, exceed what RE2 takes."""
    if isinstance(node, Repeat):
        for count in (node.minimum, node.maximum or 0):
            if count > MAX_COUNT:
                raise RegexError(f"repeat count above {MAX_COUNT}")
        outer *= max(1, node.minimum if node.maximum is None else node.maximum)
        if outer > MAX_COUNT:
            raise RegexError(f"nested repeat counts whose product is above {MAX_COUNT}")
    for child in children(node):
        check_counts(child, outer)
