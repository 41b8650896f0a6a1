"""Variants of an event that satisfies a condition: other values in some fields, and it still does."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeAlias

import msgspec

from converter.check.constraints.answers import Found
from converter.check.constraints.choices import Goal
from converter.check.constraints.events import EventSolver
from converter.check.placing import FieldLookup, put
from converter.check.witnesses import witnesses
from converter.evaluate import compile_expression
from converter.evaluate.values import path_getter
from converter.model.expressions import Operator, Predicate
from converter.model.paths import FieldPath
from converter.model.rule import JsonObject, Step


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """An event that satisfies a step, and the log sources it belongs to."""

    data: JsonObject
    sources: frozenset[str] | None


Timed: TypeAlias = tuple[timedelta, Example]
"""An event of a stream and how long after the stream's start it is."""


class Variants:
    """Variants of one matching event that still match, with other values in given fields."""

    def __init__(self, step: Step, example: Example, lookup: FieldLookup) -> None:
        self._condition = step.condition
        self._holds = compile_expression(step.condition)
        self._example = example
        self._lookup = lookup

    def first(self, paths: Sequence[FieldPath]) -> Example:
        """The event with a value in each of the fields (its own where it has one)."""
        missing = [path for path in paths if not path_getter(path)(self._example.data)]
        return self.changed(self._example, missing, "k1") or self._example

    def second(self, paths: Sequence[FieldPath]) -> Example | None:
        """The event with another value in some of the fields; None if no such event matches."""
        for path in paths:
            changed = self.changed(self.first(paths), [path], "k2")
            if changed is not None:
                return changed
        return None

    def keyed(self, paths: Sequence[FieldPath], key: str) -> Example:
        """The event with the same key text in every field, where it still matches."""
        return self.changed(self._example, list(paths), key) or self._example

    def without(self, paths: Sequence[FieldPath]) -> Example | None:
        """The event without the last of the fields; None if it then does not match."""
        if not paths:
            return None
        data = copy.deepcopy(self._example.data)
        put(data, paths[-1], None, self._lookup(paths[-1]))
        return self._kept(data)

    def distinct(self, example: Example, path: FieldPath, count: int) -> list[Example]:
        """So many events with different values in one field (fewer different ones if no more match)."""
        return [self.changed(example, [path], f"v{index}") or example for index in range(count)]

    def changed(self, example: Example, paths: Sequence[FieldPath], key: str) -> Example | None:
        """An event with the same key text (or number, or address) in the fields; None if it cannot be."""
        data = copy.deepcopy(example.data)
        for path in paths:
            field = self._lookup(path)
            kind = None if field is None else field.type
            literal = Predicate(path, Operator.IS, (key, _number_in(key), _address_in(key)))
            fitting = [value for value in witnesses(literal, kind) if _is_of(value, key)]
            if not fitting:
                return None
            put(data, path, fitting[0], field)
        return self._kept(data)

    def solved(self, example: Example, path: FieldPath, key: str) -> Example | None:
        """An event with a text in a field, and with what other fields then have to hold; None if none is
        found.
        """
        asked = Predicate(path, Operator.IS, (key,))
        answer = EventSolver(self._lookup).solve([Goal(self._condition, True), Goal(asked, True)])
        return self._kept(_overlaid(example.data, answer.value)) if isinstance(answer, Found) else None

    def _kept(self, data: JsonObject) -> Example | None:
        if not self._holds(data):
            return None
        return Example(data=data, sources=self._example.sources)


def _overlaid(data: JsonObject, other: Mapping[str, Any]) -> JsonObject:
    """An object with the values of another one in place of its own."""
    found = dict(data)
    for key, value in other.items():
        below = found.get(key)
        if isinstance(value, dict) and isinstance(below, dict):
            found[key] = _overlaid(below, value)
        else:
            found[key] = copy.deepcopy(value)
    return found


def _number_in(key: str) -> int:
    return 1_000 + sum(key.encode())


def _address_in(key: str) -> str:
    return f"198.41.{sum(key.encode()) % 250}.{len(key)}"


def _is_of(value: Any, key: str) -> bool:
    return value in (key, _number_in(key), _address_in(key))
