"""Key specifiers: how Panther's YAML names a place in an event.

Panther documentation, "Simple Detection Match Expression Reference": ``Key`` is a key of the event,
``DeepKey`` a list of keys and indexes, ``KeyPath`` a text of keys joined by dots, with ``[2]`` for an element
of a list and ``[*]`` for all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from converter.model.paths import ANY, FieldPath, PathStep
from converter.model.tables import MAX_PATH_CHARACTERS, MAX_PATH_STEPS

SPECIFIERS: Final = ("Key", "DeepKey", "KeyPath")
_STEP: Final = re.compile(
    r"""(?P<dot>\.)?(?P<key>[^.\[\]]+)|\[(?:(?P<all>\*)|(?P<index>-?\d{1,9})|(?P<quoted>"[^"]*"|'[^']*'))\]"""
)
_FIELD: Final = re.compile(r"\{([^{}]+)\}")


class KeyProblem(ValueError):
    """Something that names no place in an event."""


def specified(entry: Mapping[str, Any]) -> FieldPath:
    """The place that a mapping with one key specifier names. Raises KeyProblem."""
    named = [name for name in SPECIFIERS if name in entry]
    if len(named) != 1:
        raise KeyProblem(f"one of {', '.join(SPECIFIERS)} is expected, found {' and '.join(named) or 'none'}")
    value = entry[named[0]]
    match named[0]:
        case "Key" if isinstance(value, str) and value:
            return _checked((value,))
        case "KeyPath" if isinstance(value, str):
            return key_path(value)
        case "DeepKey" if isinstance(value, list) and value and isinstance(value[0], str):
            if all(isinstance(step, str | int) and not isinstance(step, bool) for step in value):
                return _checked(tuple(value))
    raise KeyProblem(f"{named[0]} names no key")


def key_path(text: str) -> FieldPath:
    """``a.b[0].c`` and ``a[*].b`` as a path. Raises KeyProblem."""
    steps: list[PathStep] = []
    position = 0
    while position < len(text):
        found = _STEP.match(text, position)
        if found is None or (found["key"] is not None and bool(found["dot"]) != bool(steps)):
            raise KeyProblem(f"the path {text[:80]!r} is not readable at character {position + 1}")
        if found["key"] is not None:
            steps.append(found["key"])
        elif found["quoted"] is not None:
            steps.append(found["quoted"][1:-1])
        else:
            steps.append(ANY if found["all"] else int(found["index"]))
        position = found.end()
    return _checked(tuple(steps))


def _checked(steps: tuple[PathStep, ...]) -> FieldPath:
    if not steps or not isinstance(steps[0], str) or not all(step != "" for step in steps):
        raise KeyProblem("a path begins with a key, and no key is empty")
    if len(steps) > MAX_PATH_STEPS or sum(len(str(step)) for step in steps) > MAX_PATH_CHARACTERS // 2:
        raise KeyProblem("a path of this length")
    return FieldPath(steps)


def template(text: str) -> tuple[str | FieldPath, ...]:
    """A title with paths in braces, as literal texts and paths in turn; what is no path stays as it is."""
    return tuple(_parts(text))


def _parts(text: str) -> Iterator[str | FieldPath]:
    literal, position = "", 0
    for found in _FIELD.finditer(text):
        try:
            path = key_path(found[1].strip())
        except KeyProblem:
            continue
        literal += text[position : found.start()]
        if literal:
            yield literal
        yield path
        literal, position = "", found.end()
    literal += text[position:]
    if literal:
        yield literal


def colon_path(text: str) -> FieldPath:
    """A summary attribute, keys joined by colons (``user:name``), as a path. Raises KeyProblem."""
    return _checked(tuple(text.split(":")))
