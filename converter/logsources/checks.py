"""Reading a pack file's data piece by piece, with the place of every mistake."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from converter.model.diagnostics import RuleError
from converter.model.expressions import TRUE, Expression, all_of
from converter.model.load import expression_from_data
from converter.model.paths import FieldPath, parse_path

Keys: TypeAlias = tuple[str | int, ...]
"""Where in a pack file's data something stands: the keys and indexes from its root."""


class PackProblem(ValueError):
    """A mistake in a pack: its place in the data, what is wrong, and what would be right."""

    def __init__(self, keys: Keys, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.keys = keys
        self.message = message
        self.hint = hint


def path(value: Any, keys: Keys) -> FieldPath:
    """A field path. Raises PackProblem where ``value`` is none."""
    try:
        return parse_path(str(value))
    except ValueError as error:
        raise PackProblem(keys, str(error)) from error


def check_keys(data: Mapping[str, Any], known: Iterable[str], keys: Keys) -> None:
    """Raise PackProblem for a key that is not one of ``known``."""
    known = tuple(known)
    for key in data:
        if key not in known:
            raise PackProblem(
                (*keys, key),
                f"unknown key {key!r}; expected one of {', '.join(known)}",
                nearest(str(key), known),
            )


def nearest(name: str, known: Iterable[str]) -> str | None:
    """A hint with the names most like ``name``, if any is."""
    close = difflib.get_close_matches(name, list(known), n=3, cutoff=0.6)
    return f"did you mean {' or '.join(close)}?" if close else None


def text(data: Mapping[str, Any], key: str, keys: Keys) -> str:
    """The text under ``key``, which must be there."""
    value = data.get(key)
    if not isinstance(value, str) or not value.strip():
        raise PackProblem((*keys, key) if key in data else keys, f"expected a text under {key!r}")
    return value.strip()


def mapping(data: Mapping[str, Any], key: str, keys: Keys) -> Mapping[str, Any]:
    """The mapping under ``key``, empty if there is none."""
    value: Any = data.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise PackProblem((*keys, key), f"expected a mapping under {key!r}")
    return value


def mappings(data: Mapping[str, Any], key: str, keys: Keys) -> dict[str, dict[str, Any]]:
    """A mapping of mappings, each copied."""
    outer = mapping(data, key, keys)
    return {str(name): dict(mapping(outer, name, (*keys, key))) for name in outer}


def items(data: Mapping[str, Any], key: str, keys: Keys) -> list[Any]:
    """The list under ``key``, empty if there is none."""
    value = data.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise PackProblem((*keys, key), f"expected a list under {key!r}")
    return value


def texts(data: Mapping[str, Any], key: str, keys: Keys) -> list[str]:
    """The list of texts under ``key``, empty if there is none."""
    for number, value in enumerate(items(data, key, keys)):
        if not isinstance(value, str) or not value:
            raise PackProblem((*keys, key, number), f"expected texts under {key!r}, got {value!r}")
    return items(data, key, keys)


def optional_text(data: Mapping[str, Any], key: str, keys: Keys) -> str | None:
    """The text under ``key``, None if there is none."""
    return text(data, key, keys) if data.get(key) is not None else None


def conditions(data: Mapping[str, Any], keys: Keys, key: str = "select") -> Expression:
    """The list of conditions under ``key`` as one; always true if there is none."""
    terms = []
    for number, entry in enumerate(items(data, key, keys)):
        here = (*keys, key, number)
        try:
            terms.append(expression_from_data(entry))
        except RuleError as error:
            first = error.diagnostics[0] if error.diagnostics else None
            raise PackProblem(
                here, first.message if first else str(error), first.hint if first else None
            ) from error
    return all_of(*terms) if terms else TRUE
