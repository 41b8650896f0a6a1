"""From a path to the values that a predicate looks at, and what one value is as text and as number."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, TypeAlias

import msgspec

from converter.model.expressions import (
    Concat,
    Expression,
    Function,
    FunctionName,
    Scalar,
    Subject,
    asks_outside,
    changes_of,
    elements_asked,
)
from converter.model.paths import FieldPath, PathStep

Getter: TypeAlias = Callable[[Any], list[Scalar]]
"""From an event (or an element of a list, below ``for_some``) to the scalars at a place."""

_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_LONGEST_NUMBER = 64
_LARGEST_EXACT_FLOAT = 2.0**53
_BLANKS = " \t\r\n\f\v"


class Within(msgspec.Struct, frozen=True):
    """An element of a list, and the event that it is in, for conditions that ask something of both."""

    element: Any
    event: Any


def nodes_at(value: Any, steps: tuple[PathStep, ...]) -> Iterator[Any]:
    """What stands at a path, before leaves are flattened: scalars, lists, objects, nulls.

    A key steps into an object and nowhere else. A value that is no list stands for a list of one.
    """
    if isinstance(value, Within):
        value = value.element
    if not steps:
        yield value
        return
    step, rest = steps[0], steps[1:]
    if isinstance(step, str):
        if isinstance(value, dict) and step in value:
            yield from nodes_at(value[step], rest)
        return
    elements = value if isinstance(value, list) else [value]
    if step is None:
        for element in elements:
            yield from nodes_at(element, rest)
    elif -len(elements) <= step < len(elements):
        yield from nodes_at(elements[step], rest)


def scalars_in(node: Any) -> Iterator[Scalar]:
    """The scalars of a leaf: itself, or the elements of a list however nested; null and objects are none."""
    if isinstance(node, list):
        for element in node:
            yield from scalars_in(element)
    elif node is not None and not isinstance(node, dict):
        yield node


def holds_something(node: Any) -> bool:
    """Whether ``exists`` is true of a node: some leaf inside it is not null."""
    if isinstance(node, list):
        return any(map(holds_something, node))
    if isinstance(node, dict):
        return any(map(holds_something, node.values()))
    return node is not None


def nodes_getter(path: FieldPath) -> Callable[[Any], Iterator[Any]]:
    """What stands at a path of an event, or of an element of a list, before leaves are flattened."""
    steps = path.steps
    if path.rooted:
        return lambda event: nodes_at(_event_of(event), steps)
    return lambda event: nodes_at(event, steps)


def elements_getter(path: FieldPath, term: Expression) -> Callable[[Any], Iterator[Any]]:
    """The elements of the list at a path of which ``for_some`` asks a term: values, objects, or both.

    Never a null. Where values are asked, lists in the list are taken apart.
    """
    nodes = nodes_getter(path if path.steps[-1] is None else FieldPath((*path.steps, None), path.rooted))
    values, objects = elements_asked(term)

    def elements(event: Any) -> Iterator[Any]:
        if not values:
            return (node for node in nodes(event) if isinstance(node, dict))
        found = (each for node in nodes(event) for each in _elements_in(node))
        return found if objects else (each for each in found if not isinstance(each, dict))

    if not asks_outside(term):
        return elements
    return lambda event: (Within(each, _event_of(event)) for each in elements(event))


def _event_of(value: Any) -> Any:
    return value.event if isinstance(value, Within) else value


def _elements_in(node: Any) -> Iterator[Any]:
    if isinstance(node, list):
        for element in node:
            yield from _elements_in(element)
    elif node is not None:
        yield node


def text_of(value: Scalar) -> str:
    """A scalar as text: ``true``/``false``, decimal integers, integral floats like integers, text itself."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) <= _LARGEST_EXACT_FLOAT:
        return str(int(value))
    return str(value)


def number_of(value: Scalar) -> int | float | None:
    """A scalar as number: a JSON number, or a text in the form of one; else None. Booleans are no numbers."""
    if isinstance(value, bool):
        return None
    if not isinstance(value, str):
        return value
    match = _JSON_NUMBER.fullmatch(value) if len(value) <= _LONGEST_NUMBER else None
    if match is None:
        return None
    if match[1] is None and match[2] is None:
        return int(value)
    number = float(value)
    return number if math.isfinite(number) else None


def path_getter(path: FieldPath) -> Getter:
    """The scalars at a path of an event."""
    steps = path.steps
    if path.rooted:
        get_from = path_getter(FieldPath(steps))
        return lambda event: get_from(_event_of(event))
    if len(steps) == 1 and isinstance(steps[0], str):
        return _key_getter(steps[0])
    if all(isinstance(step, str) for step in steps):
        return _keys_getter(tuple(str(step) for step in steps))

    def get(event: Any) -> list[Scalar]:
        return [scalar for node in nodes_at(event, steps) for scalar in scalars_in(node)]

    return get


def _key_getter(key: str) -> Getter:
    """The common case of one key: no generator on the way."""

    def get(event: Any) -> list[Scalar]:
        if not isinstance(event, dict):
            return get(event.element) if isinstance(event, Within) else []
        node = event.get(key)
        if isinstance(node, str):
            return [node]
        return list(scalars_in(node))

    return get


def _keys_getter(keys: tuple[str, ...]) -> Getter:
    """The common case of keys alone: no generator on the way."""

    def get(event: Any) -> list[Scalar]:
        if isinstance(event, Within):
            event = event.element
        for key in keys:
            if not isinstance(event, dict):
                return []
            event = event.get(key)
        if isinstance(event, str):
            return [event]
        return list(scalars_in(event))

    return get


def subject_getter(subject: Subject, functions: tuple[Function, ...]) -> Getter:
    """The scalars that an operator looks at: those of the subject, after the value functions."""
    get = _concat_getter(subject) if isinstance(subject, Concat) else path_getter(subject)
    if not functions:
        return get
    steps = [_change(function) for function in functions]

    def changed(event: Any) -> list[Scalar]:
        values = get(event)
        for step in steps:
            values = step(values)
        return values

    return changed


def _change(function: Function) -> Callable[[list[Scalar]], list[Scalar]]:
    """What a value function makes of all values."""
    if function.name is FunctionName.JSON:
        inside = json_nodes_getter(function)
        return lambda values: [text_of(scalar) for node in inside(values) for scalar in scalars_in(node)]
    step = _FUNCTIONS[function.name](function)
    return lambda values: [new for value in values if (new := step(text_of(value))) is not None]


def json_nodes_getter(function: Function) -> Callable[[list[Scalar]], list[Any]]:
    """What stands at the path of a ``json`` function in values that are JSON texts."""
    path = function.path or ()
    return lambda values: [node for value in values for node in nodes_at(json_in(text_of(value)), path)]


@lru_cache(maxsize=64)
def json_in(text: str) -> Any:
    """What a JSON text says; None for ``null``, and for a text that is no JSON (RFC 8259) or nests too deep.

    The rules of one event ask the same text again and again. Whoever asks must not change what it is given.
    """
    try:
        return json.loads(text, parse_constant=int)  # int() fails on NaN and Infinity, which JSON has not
    except (ValueError, RecursionError):
        return None


def _concat_getter(concat: Concat) -> Getter:
    """Every combination of the parts' values, joined."""
    parts = [
        _constant(part) if isinstance(part, str) else subject_getter(*changes_of(part))
        for part in concat.parts
    ]

    def get(event: Any) -> list[Scalar]:
        texts = [[text_of(value) for value in part(event)] for part in parts]
        return ["".join(combination) for combination in itertools.product(*texts)]

    return get


def _constant(text: str) -> Getter:
    return lambda event: [text]


def _basename(text: str) -> str:
    return text[max(text.rfind("/"), text.rfind("\\")) + 1 :]


def _split(function: Function) -> Callable[[str], Scalar | None]:
    separator, index = function.separator, function.index
    if not separator or index is None:
        raise ValueError("split needs a separator and an index")

    def part(text: str) -> str | None:
        parts = text.split(separator)
        return parts[index] if -len(parts) <= index < len(parts) else None

    return part


_FUNCTIONS: dict[FunctionName, Callable[[Function], Callable[[str], Scalar | None]]] = {
    FunctionName.LOWER: lambda function: str.lower,
    FunctionName.UPPER: lambda function: str.upper,
    FunctionName.TRIM: lambda function: lambda text: text.strip(_BLANKS),
    FunctionName.BASENAME: lambda function: _basename,
    FunctionName.LENGTH: lambda function: len,
    FunctionName.SPLIT: _split,
}
