"""How much work a search may take."""

from __future__ import annotations


class TooLarge(Exception):
    """A problem is beyond what is searched; it is neither solved nor proved impossible."""


class Budget:
    """The work that is left for the searches of one rule, in steps of an automaton."""

    def __init__(self, steps: int) -> None:
        self._left = steps

    @property
    def left(self) -> int:
        """Steps; none when it is used up."""
        return max(0, self._left)

    def spend(self, steps: int) -> None:
        """Take from what is left."""
        self._left -= steps
