"""Findings while a rule is read: collected, not raised, so that an author sees all of them at once.

A place inside decoded data is a chain of keys, ``(parent, key)``, cheap to make and turned into a line and
column only when there is something to report.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

import msgspec

from converter.model.tables import MAX_PROBLEMS_PER_FILE, SYNONYMS

Where: TypeAlias = tuple[Any, str | int] | None
"""A place in decoded data: None is its root, else the place of the container and the key or index."""


_LONGEST_KEY: Final = 60


class Problem(msgspec.Struct, frozen=True):
    """One finding at a place in decoded data; ``on_key``: about the key, not about what it holds."""

    code: str
    message: str
    where: Where
    hint: str | None = None
    on_key: bool = False


class Problems:
    """What was found wrong so far. Readers add to it and go on; only so many are kept, all are counted."""

    def __init__(self, keep: int = MAX_PROBLEMS_PER_FILE) -> None:
        self.found: list[Problem] = []
        self._keep = keep
        self._count = 0

    def add(
        self, code: str, message: str, where: Where, hint: str | None = None, *, on_key: bool = False
    ) -> None:
        """Note one finding."""
        self._count += 1
        if self._count <= self._keep:
            self.found.append(Problem(code, message, where, hint, on_key))

    def wrong_type(self, expected: str, got: object, where: Where, hint: str | None = None) -> None:
        """Note a value of the wrong type."""
        self.add("wrong-type", f"expected {expected}, got {describe(got)}", where, hint)

    def __len__(self) -> int:
        return self._count


def steps_of(where: Where) -> tuple[str | int, ...]:
    """The keys and indexes from the root to a place."""
    steps: list[str | int] = []
    while where is not None:
        where, step = where
        steps.append(step)
    return tuple(reversed(steps))


def describe_where(where: Where) -> str:
    """A place as text, ``tests[0].event.user``; empty for the root."""
    text = ""
    for step in steps_of(where):
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            key = step if step.isprintable() and len(step) <= _LONGEST_KEY else shortened(step)
            text += f".{key}" if text else key
    return text


def describe(value: object) -> str:
    """A value as an error message names it: short, on one line."""
    match value:
        case None:
            return "nothing (null)"
        case bool():
            return "true" if value else "false"
        case dict():
            return "a mapping"
        case list() | tuple():
            return "a list"
        case str():
            return f"text {shortened(value)}"
        case int() | float():
            return f"the number {value}"
        case _:
            return f"a {type(value).__name__}"


def shortened(text: str, limit: int = 60) -> str:
    """Text in quotes for a message: escaped to one line, cut at ``limit`` characters."""
    return ascii_safe(text if len(text) <= limit else text[: limit - 1] + "…")


def ascii_safe(text: str) -> str:
    """Text in double quotes, with control characters and lone surrogates escaped."""
    inner = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return f'"{inner}"'


def nearest(name: str, valid: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The valid name that is most like this one; None if none is near."""
    names = list(valid)
    meant = SYNONYMS.get(name.lower())
    if meant in names:
        return meant
    plain = {candidate.lower().replace("-", "_"): candidate for candidate in names}
    close = difflib.get_close_matches(name[:100].lower().replace("-", "_"), plain, n=1, cutoff=cutoff)
    return plain[close[0]] if close else None


def did_you_mean(name: object, valid: Iterable[str], cutoff: float = 0.6) -> str | None:
    """A hint naming the nearest valid name, or None. ``cutoff`` is difflib's, 0 to 1: how near it must be."""
    found = nearest(name, valid, cutoff) if isinstance(name, str) else None
    return f"did you mean {found!r}?" if found else None
