"""Putting values at paths of an event, in the shape that the log source declares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from converter.logsources.pack import Field
from converter.model.paths import FieldPath, PathStep
from converter.model.rule import JsonObject

FieldLookup: TypeAlias = Callable[[FieldPath], Field | None]
"""From a path (as a rule writes it) to what the log source declares of it, if anything."""

ABSENT: Final = object()
"""Marks a field to be taken away, or one that is not there."""


def placed(event: JsonObject, path: FieldPath, value: Any, field: Field | None) -> JsonObject:
    """A copy of an event with a value at a path."""
    made = copied(event)
    put(made, path, value, field)
    return made


def copied(event: JsonObject) -> JsonObject:
    """A deep copy of a decoded JSON object."""
    return {key: _copied_value(value) for key, value in event.items()}


def _copied_value(value: Any) -> Any:
    if isinstance(value, dict):
        return copied(value)
    return [_copied_value(inner) for inner in value] if isinstance(value, list) else value


def put(event: JsonObject, path: FieldPath, value: Any, field: Field | None) -> None:
    """Put a value at a path, as a list where the log source declares one."""
    listed = field is not None and field.is_list and path.steps[-1:] != (None,)
    if listed and isinstance(path.steps[-1], str) and value is not ABSENT and not isinstance(value, list):
        value = [value]
    _put(event, path.steps, value)


def _put(node: Any, steps: tuple[PathStep, ...], value: Any) -> None:
    """Set, or take away, what stands at a path; objects and lists on the way are made."""
    *way, last = steps
    for step, following in zip(way, steps[1:], strict=True):
        made: Any = {} if isinstance(following, str) else []
        if isinstance(step, str):
            if not isinstance(node.get(step), type(made)):
                node[step] = made
            node = node[step]
        else:
            index = step or 0
            if len(node) <= index:
                node.append(made)
            index = min(index, len(node) - 1)
            if not isinstance(node[index], type(made)):
                node[index] = made
            node = node[index]
    if isinstance(last, str):
        if value is ABSENT:
            node.pop(last, None)
        else:
            node[last] = value
    elif value is ABSENT:
        node.clear()
    elif last is None:
        node[:] = value if isinstance(value, list) else [value]
    else:
        node[:] = [value] if last in (0, -1) or len(node) <= abs(last) else node
        if len(node) > abs(last):
            node[last] = value


def is_list(path: FieldPath, field: Field | None) -> bool:
    """Whether a list stands at a path, as the rule writes it or as the log source declares it."""
    return path.steps[-1] is None or (field is not None and field.is_list and isinstance(path.steps[-1], str))
