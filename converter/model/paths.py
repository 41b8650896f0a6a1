"""Field paths: where in an event a value lives.

Text form: keys joined by dots; a key that is not a plain word is quoted as a JSON string;
``[]`` is any element of a list, ``[n]`` its n-th (from 0, negative from the end)::

    user.username    sourceIPs[0]    spec.containers[].image    annotations."authorization.k8s.io/decision"
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Final, TypeAlias

import msgspec

ANY: Final = None
"""The step ``[]``: any element of a list."""

ROOT: Final = "/"
"""What stands before a path below ``for_some`` that starts at the event."""

PathStep: TypeAlias = str | int | None
"""A key, an index into a list, or :data:`ANY`."""

_PLAIN_KEY = re.compile(r"[\w@$-]+", re.UNICODE)
_TOKEN = re.compile(
    r"""
      (?P<key>[\w@$-]+)
    | (?P<quoted>"(?:[^"\\]|\\.)*")
    | \[(?P<index>-?\d{1,9})?\]
    """,
    re.VERBOSE,
)


class FieldPath(msgspec.Struct, frozen=True, order=True, tag="path"):
    """A parsed field path: a non-empty tuple of steps, the first a key (but for :data:`ELEMENT`).

    ``rooted``: below ``for_some``, where paths start at the element, this one starts at the event.
    """

    steps: tuple[PathStep, ...]
    rooted: bool = False

    @classmethod
    def of(cls, *steps: PathStep) -> FieldPath:
        """A path from its steps."""
        return cls(steps)

    @classmethod
    def parse(cls, text: str) -> FieldPath:
        """Read the text form. Raises ValueError with the offset (from 1) of what is wrong."""
        return parse_path(text)

    def __str__(self) -> str:
        return f"{ROOT}{format_path(self.steps)}" if self.rooted else format_path(self.steps)

    def joined(self, other: FieldPath) -> FieldPath:
        """This path with another one, relative to it, behind it. The :data:`ELEMENT` of ``a[]`` is it."""
        if other.rooted:
            return FieldPath(other.steps, self.rooted)
        if other.steps[:1] == (ANY,) and self.steps[-1] is ANY:
            return FieldPath(self.steps + other.steps[1:], self.rooted)
        return FieldPath(self.steps + other.steps, self.rooted)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys alone, without list steps."""
        return tuple(step for step in self.steps if isinstance(step, str))

    def without_indexes(self) -> FieldPath:
        """The path with every list step removed: the name under which a log source declares the field."""
        return FieldPath(self.keys)


def rooted(path: FieldPath) -> FieldPath:
    """A path of the event, as it is named below ``for_some``."""
    return FieldPath(path.steps, rooted=True)


ELEMENT: Final = FieldPath((ANY,))
"""``[]`` by itself, which stands below ``for_some`` alone: the element itself, where it is no object."""


def parse_path(text: str) -> FieldPath:
    """Read the text form of a path. Raises ValueError with the offset (from 1) of what is wrong."""
    steps: list[PathStep] = []
    position = 0
    wants_key = True
    while position < len(text):
        if not wants_key and text[position] == ".":
            position, wants_key = position + 1, True
            continue
        token = _TOKEN.match(text, position)
        if token is None or (token.lastgroup in ("key", "quoted")) != wants_key:
            expected = "a key" if wants_key else "'.', '[]' or '[n]'"
            raise ValueError(f"field path {text!r}: expected {expected} at character {position + 1}")
        if token["key"] is not None:
            steps.append(token["key"])
        elif token["quoted"] is not None:
            try:
                steps.append(json.loads(token["quoted"]))
            except json.JSONDecodeError as error:
                raise ValueError(
                    f"field path {text!r}: bad quoted key at character {position + 1}"
                ) from error
        else:
            steps.append(ANY if token["index"] is None else int(token["index"]))
        position, wants_key = token.end(), False
    if wants_key:
        raise ValueError(f"field path {text!r}: expected a key at character {position + 1}")
    return FieldPath(tuple(steps))


def parse_steps(text: str) -> tuple[PathStep, ...]:
    """Read a path that may begin with ``[]`` or ``[n]``, or have no steps, as ``format_path`` writes it.

    Raises ValueError with the offset (from 1) of what is wrong.
    """
    if not text.startswith("["):
        return parse_path(text).steps if text else ()
    position = 0
    steps: list[PathStep] = []
    while (token := _TOKEN.match(text, position)) is not None and token.lastgroup not in ("key", "quoted"):
        steps.append(ANY if token["index"] is None else int(token["index"]))
        position = token.end()
    if position == len(text):
        return tuple(steps)
    if text[position] != ".":
        raise ValueError(f"field path {text!r}: expected '.', '[]' or '[n]' at character {position + 1}")
    return (*steps, *parse_path(text[position + 1 :]).steps)


def format_path(steps: Iterable[PathStep]) -> str:
    """The text form of a path; ``parse_path`` reads it back to the same steps."""
    parts: list[str] = []
    for step in steps:
        if step is None:
            parts.append("[]")
        elif isinstance(step, int):
            parts.append(f"[{step}]")
        else:
            key = step if _PLAIN_KEY.fullmatch(step) else json.dumps(step, ensure_ascii=False)
            parts.append(f".{key}" if parts else key)
    return "".join(parts)
