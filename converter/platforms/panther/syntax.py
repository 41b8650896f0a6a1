"""The syntax tree of a Python text that is not ours, and what it says at a node. Nothing is executed."""

from __future__ import annotations

import ast
import warnings
from functools import lru_cache


def syntax_tree(text: str) -> ast.Module:
    """``ast.parse`` without a word about odd literals. Raises SyntaxError, ValueError, RecursionError or
    MemoryError.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def segment(text: str, node: ast.AST) -> str | None:
    """The part of a text that a node was read from.

    As ``ast.get_source_segment``, which splits the whole text anew each time, character by character.
    """
    first, last = getattr(node, "lineno", None), getattr(node, "end_lineno", None)
    if first is None or last is None:
        return None
    begin, end = node.col_offset, node.end_col_offset  # type: ignore[attr-defined]
    lines = _lines(text)[first - 1 : last]
    if not lines or end is None:
        return None
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][begin:]
    return b"".join(lines).decode()


@lru_cache(maxsize=8)
def _lines(text: str) -> list[bytes]:
    return text.encode().splitlines(keepends=True)
