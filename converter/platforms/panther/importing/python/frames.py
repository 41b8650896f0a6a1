"""Where reading stands: the local names of a call, and how a statement ends."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from converter.platforms.panther.importing.python.interface import PythonSource
from converter.platforms.panther.importing.python.nodes import Formula
from converter.platforms.panther.importing.python.values import Instance, Outcome, Value

Env: TypeAlias = dict[str, Outcome]
"""Local names, each with what it stands for."""


class Frame(msgspec.Struct):
    """The names of one call: ``env`` holds the local ones. ``owner``: the class whose method it is."""

    env: dict[str, Outcome]
    source: PythonSource
    owner: str | None = None
    instance: Instance | None = None
    outer: Frame | None = None

    def child(self, env: dict[str, Outcome]) -> Frame:
        """The same place with other local names."""
        return Frame(env, self.source, self.owner, self.instance, self.outer)


class Flow(msgspec.Struct):
    """How a statement ends: each way with when, relative to its beginning."""

    go_on: Formula
    env: Env
    returns: list[tuple[Formula, Value]] = msgspec.field(default_factory=list)
    raises: list[tuple[Formula, str, Env]] = msgspec.field(default_factory=list)
    breaks: list[tuple[Formula, Env]] = msgspec.field(default_factory=list)
    continues: list[tuple[Formula, Env]] = msgspec.field(default_factory=list)
