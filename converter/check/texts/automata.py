"""Deterministic automata, built as they are walked: a pattern's search, and value functions in front of it.

Every automaton reads classes of one :class:`Alphabet`. States are small integers; 0 is the start.
"""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from converter.check.texts.alphabet import Alphabet, changed, expanding
from converter.check.texts.limits import TooLarge
from converter.check.texts.nfa import FAR, Nfa
from converter.model.regex.classes import WORD, contains
from converter.model.regex.nodes import AnchorKind

State = TypeVar("State", bound=Hashable)

_MOST_STATES = 50_000


class Automaton(ABC, Generic[State]):
    """A set of texts, as a walk over their characters. Steps are computed once and remembered."""

    def __init__(self) -> None:
        self._numbers: dict[State, int] = {}
        self._states: list[State] = []
        self._steps: list[dict[int, int]] = []
        self._accepted: dict[int, bool] = {}

    def step(self, state: int, character: int) -> int:
        """The state after one more character (a class of the alphabet)."""
        known = self._steps[state].get(character)
        if known is None:
            known = self._number(self._next(self._states[state], character))
            self._steps[state][character] = known
        return known

    def accepts(self, state: int) -> bool:
        """Whether the text that led here is in the set."""
        known = self._accepted.get(state)
        if known is None:
            known = self._accepted[state] = self._accepts(self._states[state])
        return known

    def distance(self, state: int) -> int:
        """At least so many characters are missing to a text of the set; FAR: there is none."""
        return self._distance(self._states[state])

    def sure(self, state: int) -> bool:
        """Whether every text that begins like this is in the set, as far as is known."""
        return False

    def _number(self, state: State) -> int:
        number = self._numbers.get(state)
        if number is None:
            if len(self._states) >= _MOST_STATES:
                raise TooLarge("budget: the automaton has too many states")
            number = self._numbers[state] = len(self._states)
            self._states.append(state)
            self._steps.append({})
        return number

    @abstractmethod
    def _next(self, state: State, character: int) -> State: ...

    @abstractmethod
    def _accepts(self, state: State) -> bool: ...

    def _distance(self, state: State) -> int:
        return 0


_START, _WORD, _NEWLINE, _OTHER, _END = range(5)
"""What stands beside a place of the text."""

_LONGEST_CASE = 3
"""So many characters has the upper case of one at most (SpecialCasing.txt)."""

_SearchState = tuple[frozenset[int], int] | None


class Search(Automaton[_SearchState]):
    """The texts in which a pattern is found. A state: where the pattern may be, and what was read last;
    None once it has been found.
    """

    def __init__(self, nfa: Nfa, alphabet: Alphabet, cases: tuple[str, ...] = ()) -> None:
        """``cases``: the changes of case that the text goes through first."""
        super().__init__()
        self._nfa = nfa
        self._read_as = {
            alphabet.class_of(one): tuple(map(alphabet.class_of, changed(one, cases)))
            for case in cases
            for one in expanding(case)
        }
        self._moves = [[(alphabet.classes(label), target) for label, target in arcs] for arcs in nfa.moves]
        self._kinds = list(map(_kind_of, alphabet.characters))
        self._closures: dict[tuple[frozenset[int], int, int], frozenset[int]] = {}
        self._distances = nfa.distances
        self._number((frozenset((0,)), _START))

    def sure(self, state: int) -> bool:
        """Whether the pattern has been found already."""
        return self._states[state] is None

    def _next(self, state: _SearchState, character: int) -> _SearchState:
        for one in self._read_as.get(character, (character,)):
            state = self._after(state, one)
        return state

    def _after(self, state: _SearchState, character: int) -> _SearchState:
        if state is None:
            return None
        places, before = state
        kind = self._kinds[character]
        reached = self._closure(places, before, kind)
        if self._nfa.accept in reached:
            return None
        moved = {target for one in reached for label, target in self._moves[one] if character in label}
        moved.add(0)
        return frozenset(moved), kind if self._nfa.asks_neighbours else _OTHER

    def _accepts(self, state: _SearchState) -> bool:
        return state is None or self._nfa.accept in self._closure(state[0], state[1], _END)

    def _distance(self, state: _SearchState) -> int:
        if state is None:
            return 0
        distances = self._distances[state[1] != _START]
        least = min(distances[place] for place in state[0])
        return least if least == FAR or not self._read_as else -(-least // _LONGEST_CASE)

    def _closure(self, places: frozenset[int], before: int, after: int) -> frozenset[int]:
        """Every state reached without a character at a place between these two."""
        if not self._nfa.asks_neighbours and after != _END:
            after = _OTHER
        key = places, before, after
        known = self._closures.get(key)
        if known is not None:
            return known
        reached, todo = set(places), list(places)
        while todo:
            state = todo.pop()
            free = [target for kind, target in self._nfa.asking[state] if _holds(kind, before, after)]
            for target in (*self._nfa.free[state], *free):
                if target not in reached:
                    reached.add(target)
                    todo.append(target)
        self._closures[key] = frozenset(reached)
        return self._closures[key]


@functools.cache
def _kind_of(character: str) -> int:
    return _WORD if contains(WORD, ord(character)) else _NEWLINE if character == "\n" else _OTHER


def _holds(kind: AnchorKind, before: int, after: int) -> bool:
    match kind:
        case AnchorKind.TEXT_START:
            return before == _START
        case AnchorKind.TEXT_END:
            return after == _END
        case AnchorKind.LINE_START:
            return before in (_START, _NEWLINE)
        case AnchorKind.LINE_END:
            return after in (_END, _NEWLINE)
        case AnchorKind.WORD:
            return (before == _WORD) != (after == _WORD)
        case AnchorKind.NOT_WORD:
            return (before == _WORD) == (after == _WORD)
    raise TooLarge(f"{kind} is not RE2's")


class Basename(Automaton[int]):
    """The texts whose part behind the last of some characters is in a set: each of those begins anew."""

    def __init__(self, inner: Automaton[Any], separators: frozenset[int]) -> None:
        super().__init__()
        self._inner = inner
        self._separators = separators
        self._number(0)

    def _next(self, state: int, character: int) -> int:
        return 0 if character in self._separators else self._inner.step(state, character)

    def _accepts(self, state: int) -> bool:
        return self._inner.accepts(state)

    def _distance(self, state: int) -> int:
        return min(self._inner.distance(state), 1 + self._inner.distance(0))


class Trimmed(Automaton[tuple[int, int, bool]]):
    """The texts that are in a set once blanks at both ends are gone. A state: the inner one up to the last
    character that is no blank, the one behind the blanks since, and whether there was such a character.
    """

    def __init__(self, inner: Automaton[Any], blanks: frozenset[int]) -> None:
        super().__init__()
        self._inner = inner
        self._blanks = blanks
        self._number((0, 0, False))

    def _next(self, state: tuple[int, int, bool], character: int) -> tuple[int, int, bool]:
        kept, current, begun = state
        if character not in self._blanks:
            current = self._inner.step(current, character)
            return current, current, True
        return (kept, self._inner.step(current, character), True) if begun else state

    def _accepts(self, state: tuple[int, int, bool]) -> bool:
        return self._inner.accepts(state[0])

    def _distance(self, state: tuple[int, int, bool]) -> int:
        kept, current, _ = state
        return 0 if self._inner.accepts(kept) else self._inner.distance(current)


class Part(Automaton[tuple[int, tuple[int, ...]]]):
    """The texts of whose parts between separators the n-th is in a set (n from 0, negative from the end).

    A state: how many parts are finished, counted up to what matters; the inner states of the part being
    read and of as many finished ones before it as may still be asked for.
    """

    def __init__(self, inner: Automaton[Any], separator: frozenset[int], index: int) -> None:
        super().__init__()
        self._inner = inner
        self._separator = separator
        self._index = index
        self._kept = max(1, -index)
        self._number((0, (0,)))

    def _next(self, state: tuple[int, tuple[int, ...]], character: int) -> tuple[int, tuple[int, ...]]:
        done, parts = state
        from_end = self._index < 0
        if character in self._separator:
            if from_end:
                return 0, (*parts, 0)[-self._kept :]
            return min(done + 1, self._index + 1), parts
        if from_end or done == self._index:
            return done, (*parts[:-1], self._inner.step(parts[-1], character))
        return state

    def _accepts(self, state: tuple[int, tuple[int, ...]]) -> bool:
        done, parts = state
        there = len(parts) >= self._kept if self._index < 0 else done >= self._index
        return there and self._inner.accepts(parts[0])

    def _distance(self, state: tuple[int, tuple[int, ...]]) -> int:
        done, parts = state
        if self._index < 0:
            return max(0, self._kept - len(parts))
        if done > self._index:
            return 0 if self._inner.accepts(parts[0]) else FAR
        return min(FAR, self._index - done + self._inner.distance(parts[0]))


class Counted(Automaton[int]):
    """The texts whose length passes a test, which says the same for all lengths from ``most`` on."""

    def __init__(self, test: Callable[[int], bool], most: int) -> None:
        super().__init__()
        self._passes = [test(count) for count in range(most + 1)]
        self._number(0)

    def _next(self, state: int, character: int) -> int:
        return min(state + 1, len(self._passes) - 1)

    def _accepts(self, state: int) -> bool:
        return self._passes[state]

    def _distance(self, state: int) -> int:
        ahead = (count - state for count in range(state, len(self._passes)) if self._passes[count])
        return next(ahead, FAR)


class Every(Automaton[int]):
    """Every text."""

    def __init__(self) -> None:
        super().__init__()
        self._number(0)

    def _next(self, state: int, character: int) -> int:
        return 0

    def _accepts(self, state: int) -> bool:
        return True
