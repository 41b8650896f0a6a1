"""A text that is in some sets and in none of others: best-first search over the product of their automata.

Each automaton says how many characters it still misses at least. Where their sum is small the search goes on
first, which leads to a short text soon, if not to a shortest; an exhausted search proves that there is none.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from itertools import count
from typing import Any

from converter.check.texts.alphabet import Alphabet
from converter.check.texts.automata import Automaton
from converter.check.texts.limits import Budget, TooLarge
from converter.check.texts.nfa import FAR

MOST_STEPS = 80_000
"""Steps of automata that one search may take."""

_HASTE = 4
"""A missing character counts as so many that are read: rather a longer text than a long search."""

_States = tuple[int, ...]


def find_text(
    alphabet: Alphabet,
    wanted: Sequence[Automaton[Any]],
    unwanted: Sequence[Automaton[Any]],
    budget: Budget | None = None,
) -> str | None:
    """A text in every ``wanted`` and in no ``unwanted`` set; None: there is none over the alphabet.

    Raises TooLarge when that takes too long to find out, or more than is left of the ``budget``.
    """
    automata = (*wanted, *unwanted)
    needed = len(wanted)

    def left(states: _States) -> int:
        if any(automaton.sure(state) for automaton, state in zip(unwanted, states[needed:], strict=True)):
            return FAR
        pairs = zip(wanted, states[:needed], strict=True)
        return min(FAR, sum(automaton.distance(state) for automaton, state in pairs))

    def ends(states: _States) -> bool:
        return all(
            automaton.accepts(state) is (position < needed)
            for position, (automaton, state) in enumerate(zip(automata, states, strict=True))
        )

    start: _States = (0,) * len(automata)
    came: dict[_States, tuple[_States, int] | None] = {start: None}
    length = {start: 0}
    order = count()
    budget = budget or Budget(MOST_STEPS)
    least = max(0, budget.left - MOST_STEPS)
    heap = [(0, 0, next(order), start)] if left(start) < FAR else []
    while heap:
        *_, states = heapq.heappop(heap)
        if ends(states):
            return _spelled(alphabet, came, states)
        so_far = length[states] + 1
        for character in range(len(alphabet.characters)):
            following = tuple([a.step(s, character) for a, s in zip(automata, states, strict=True)])
            if so_far < length.get(following, FAR):
                length[following] = so_far
                came[following] = states, character
                ahead = left(following)
                if ahead < FAR:
                    heapq.heappush(heap, (so_far + _HASTE * ahead, -so_far, next(order), following))
        budget.spend(len(alphabet.characters) * len(automata))
        if budget.left <= least:
            raise TooLarge("budget: the conditions allow too many texts to search")
    return None


def _spelled(alphabet: Alphabet, came: dict[_States, tuple[_States, int] | None], states: _States) -> str:
    text: list[str] = []
    while (step := came[states]) is not None:
        states, character = step
        text.append(alphabet.characters[character])
    return "".join(reversed(text))
