"""Tables that are made once per pack (or collection of packs) and kept for as long as they are in use.

Packs hold mappings, so they have no hash; what is kept here is found by which object it was made for.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Made = TypeVar("Made")
For = TypeVar("For")

_KEPT = 512
"""More objects than this and the one asked for longest ago is forgotten."""


class Remembered(Generic[For, Made]):
    """``make`` of an object and a platform, once for each of both. The object must not change."""

    def __init__(self, make: Callable[[For, str], Made]) -> None:
        self._make = make
        self._made: OrderedDict[tuple[int, str], tuple[For, Made]] = OrderedDict()

    def __call__(self, made_for: For, platform: str) -> Made:
        """What ``make`` gives; the object is held on to, so that its identity stays its own."""
        key = id(made_for), platform
        found = self._made.get(key)
        if found is not None:
            self._made.move_to_end(key)
            return found[1]
        made = self._make(made_for, platform)
        self._made[key] = made_for, made
        if len(self._made) > _KEPT:
            self._made.popitem(last=False)
        return made
