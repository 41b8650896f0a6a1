"""The stored field behind a group key, or the choice between some, and what becomes of rows that lack it."""

from __future__ import annotations

from collections.abc import Set

from converter.model.expressions import Concat
from converter.model.paths import FieldPath
from converter.model.rule import Alternative, Choice, MissingKeys
from converter.platforms.splunk.spl import syntax as s
from converter.platforms.splunk.spl.errors import SplError
from converter.platforms.splunk.spl.read_where import WhereReader


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


def choice_of(node: s.EvalNode | None) -> tuple[Choice, bool] | None:
    """The choice that such an eval makes, and whether a missing value was filled in; None for another."""
    match node:
        case s.Call("coalesce", (s.Call("case", pairs), s.Literal())):
            return Choice(tuple(_alternatives(pairs))), True
        case s.Call("case", pairs):
            return Choice(tuple(_alternatives(pairs))), False
    return None


def _alternatives(pairs: tuple[s.EvalNode, ...]) -> list[Alternative]:
    reader = WhereReader()
    found = []
    for condition, node in zip(pairs[::2], pairs[1::2], strict=True):
        when = reader.read(condition).true
        if isinstance(node, s.Literal):
            found.append(Alternative(subject=Concat((str(node.value),)), when=(when,)))
            continue
        value = reader.value_of(node)
        found.append(Alternative(subject=value.subject, functions=value.functions, when=(when,)))
    return found
