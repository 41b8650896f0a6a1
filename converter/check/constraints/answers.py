"""What the search for a value, a text or an event comes to."""

from __future__ import annotations

from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from converter.model.expressions import Predicate


class Literal(NamedTuple):
    """A predicate and the truth that is asked of it."""

    predicate: Predicate
    wanted: bool


class Found(msgspec.Struct, frozen=True):
    """What was asked for."""

    value: Any


class Impossible(msgspec.Struct, frozen=True):
    """A proof that there is none, among events whose values have the types and forms that their log source
    declares.
    """


class Unsolved(msgspec.Struct, frozen=True):
    """Neither found nor proved impossible. ``reason``: what was beyond the search."""

    reason: str


Answer: TypeAlias = Found | Impossible | Unsolved

IMPOSSIBLE: Final = Impossible()
