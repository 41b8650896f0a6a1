"""An object put together from what stands at its paths."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from converter.check.constraints.answers import Answer, Found
from converter.check.constraints.choices import Goal
from converter.check.constraints.groups import Keys
from converter.check.placing import ABSENT
from converter.model.rule import JsonObject


class Construction:
    """What is asked at each path, what stands there for it, and more that comes to be asked."""

    def __init__(
        self, groups: Mapping[Keys, list[Goal]], solve: Callable[[Keys, Iterable[Goal]], Answer]
    ) -> None:
        self._solve = solve
        self._asked: dict[Keys, tuple[Goal, ...]] = {}
        self._contents: dict[Keys, Any] = {}
        for keys, atoms in groups.items():
            self.ask(keys, atoms)

    def ask(self, keys: Keys, atoms: Iterable[Goal]) -> bool:
        """Ask more at a path; False, and nothing has changed, if that is not to be had."""
        asked = tuple(dict.fromkeys((*self._asked.get(keys, ()), *atoms)))
        answer = self._solve(keys, asked)
        if not isinstance(answer, Found):
            return False
        self._asked[keys] = asked
        self._contents[keys] = answer.value
        return True

    def wants(self, keys: Keys) -> bool:
        """Whether something is asked to be at a path."""
        return any(atom.wanted for atom in self._asked.get(keys, ()))

    def data(self) -> JsonObject:
        """The object. What is asked below a path outranks a value that only says that something is there."""
        made: JsonObject = {}
        for keys in sorted(self._contents, key=len):
            content = self._contents[keys]
            if content is not ABSENT:
                _put(made, keys, content)
        return made


def _put(node: JsonObject, keys: Keys, content: Any) -> None:
    for key in keys[:-1]:
        inner = node.get(key)
        if not isinstance(inner, dict):
            inner = node[key] = {}
        node = inner
    node[keys[-1]] = content
