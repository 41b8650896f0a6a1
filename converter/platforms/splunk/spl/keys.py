"""The stored field behind a group key, and what becomes of rows that lack it."""

from __future__ import annotations

from collections.abc import Set

from converter.model.paths import FieldPath
from converter.model.rule import MissingKeys
from converter.platforms.splunk.spl import syntax as s
from converter.platforms.splunk.spl.errors import SplError


def path_of(node: s.EvalNode | None) -> tuple[FieldPath, bool]:
    """The stored field of an expression, and whether missing values of it were filled in. Raises SplError."""
    match node:
        case s.FieldName(name):
            return FieldPath((name,)), False
        case s.Call("coalesce", (inner, s.Literal())):
            return path_of(inner)[0], True
        case s.Call(("mvdedup" | "\0element"), (inner,)):
            return path_of(inner)
        case s.Call("mvindex", (s.FieldName(name), s.Literal(int(index)))):
            return FieldPath((name, index)), False
    raise SplError("it is counted by a computed value", 0, "spl-computed")


def missing_keys(ways: Set[bool]) -> MissingKeys:
    """What becomes of rows without one of the keys, by whether each is filled in. Raises SplError if only
    some are.
    """
    if len(ways) > 1:
        raise SplError("some keys of a group are filled in where they are missing, others are not", 0)
    return MissingKeys.GROUP if ways == {True} else MissingKeys.SKIP
