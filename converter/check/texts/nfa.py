"""A regular expression's tree as a nondeterministic automaton that is searched for anywhere in a text.

Thompson's construction (CACM 11/6, 1968): states joined by empty moves, by moves on a set of characters and
by moves that ask something of the place (start of text, word boundary …).
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from converter.check.texts.limits import TooLarge
from converter.model.regex.classes import ALL, Ranges, complement, normal, of_characters, orbit
from converter.model.regex.nodes import (
    MAX_CODE_POINT,
    Alternation,
    Anchor,
    AnchorKind,
    AnyChar,
    CharClass,
    Concat,
    Empty,
    Group,
    Literal,
    Node,
    Repeat,
)

FAR: Final = 1 << 30
"""The distance of a state from which no text is accepted."""

_MOST_STATES = 20_000
_NOT_NEWLINE: Ranges = complement(((0x0A, 0x0A),))

Relabel = Callable[[Ranges], Ranges]


class Nfa:
    """States from 0; state 0 is the start. ``moves``: (characters, next state); ``free``: next states;
    ``asking``: (what the place must be, next state).
    """

    def __init__(self, tree: Node, relabel: Relabel | None = None) -> None:
        """``relabel``: the characters that stand for a set of characters (what changes into one of them)."""
        self.moves: list[list[tuple[Ranges, int]]] = []
        self.free: list[list[int]] = []
        self.asking: list[list[tuple[AnchorKind, int]]] = []
        self._relabel = relabel or (lambda ranges: ranges)
        start = self._state()
        self.accept = self._built(tree, start)
        kinds = {kind for arcs in self.asking for kind, _ in arcs}
        self.asks_neighbours = bool(kinds - {AnchorKind.TEXT_START, AnchorKind.TEXT_END})
        self.asks_words = bool(kinds & {AnchorKind.WORD, AnchorKind.NOT_WORD})

    def labels(self) -> Iterable[Ranges]:
        """Every set of characters that a move is on."""
        return dict.fromkeys(label for arcs in self.moves for label, _ in arcs)

    @functools.cached_property
    def distances(self) -> tuple[list[int], list[int]]:
        """For each state the least number of characters to acceptance, as if every place were as asked: when
        the start of the text may still be asked for, and when it may not.
        """
        return self._distances(from_start=True), self._distances(from_start=False)

    def _distances(self, from_start: bool) -> list[int]:
        back: list[list[tuple[int, int]]] = [[] for _ in self.moves]
        for state in range(len(self.moves)):
            for label, target in self.moves[state]:
                if label:
                    back[target].append((state, 1))
            for target in self.free[state]:
                back[target].append((state, 0))
            for kind, target in self.asking[state]:
                if from_start or kind is not AnchorKind.TEXT_START:
                    back[target].append((state, 0))
        found = [FAR] * len(self.moves)
        found[self.accept] = 0
        queue = deque([self.accept])
        while queue:
            state = queue.popleft()
            for source, cost in back[state]:
                if found[state] + cost < found[source]:
                    found[source] = found[state] + cost
                    (queue.append if cost else queue.appendleft)(source)
        return found

    def _state(self) -> int:
        if len(self.moves) >= _MOST_STATES:
            raise TooLarge("budget: the pattern has too many states")
        self.moves.append([])
        self.free.append([])
        self.asking.append([])
        return len(self.moves) - 1

    def _moved(self, state: int, label: Ranges) -> int:
        target = self._state()
        self.moves[state].append((self._relabel(label), target))
        return target

    def _built(self, node: Node, state: int) -> int:
        """Add the node behind a state; the state behind the node."""
        match node:
            case Empty():
                return state
            case Literal(text, ignore_case):
                for character in text:
                    state = self._moved(state, of_characters(orbit(character) if ignore_case else character))
                return state
            case AnyChar(newline):
                return self._moved(state, ALL if newline else _NOT_NEWLINE)
            case CharClass():
                return self._moved(state, class_members(node))
            case Anchor(kind):
                target = self._state()
                self.asking[state].append((kind, target))
                return target
            case Concat(parts):
                for part in parts:
                    state = self._built(part, state)
                return state
            case Alternation(options):
                return self._alternated(options, state)
            case Group(inner):
                return self._built(inner, state)
            case Repeat(inner, minimum, maximum):
                return self._repeated(inner, minimum, maximum, state)
        raise TypeError(f"not a node of a regular expression: {node!r}")

    def _alternated(self, options: Iterable[Node], state: int) -> int:
        end = self._state()
        for option in options:
            begin = self._state()
            self.free[state].append(begin)
            self.free[self._built(option, begin)].append(end)
        return end

    def _repeated(self, inner: Node, minimum: int, maximum: int | None, state: int) -> int:
        for _ in range(minimum):
            state = self._built(inner, state)
        if maximum is None:
            loop, end = self._state(), self._state()
            self.free[state].append(loop)
            self.free[self._built(inner, loop)].append(loop)
            self.free[loop].append(end)
            return end
        end = self._state()
        self.free[state].append(end)
        for _ in range(maximum - minimum):
            state = self._built(inner, state)
            self.free[state].append(end)
        return end


def class_members(node: CharClass) -> Ranges:
    """The code points of a class; Unicode properties are RE2's own."""
    ranges = normal((*node.ranges, *(r for p in node.properties for r in _of_property(p, node.folds))))
    return complement(ranges) if node.negated else ranges


@functools.lru_cache(maxsize=64)
def _of_property(prop: tuple[str, bool], folds: bool) -> Ranges:
    import re2

    name, negated = prop
    pattern = f"{'(?i)' if folds else ''}\\{'P' if negated else 'p'}{{{name}}}+"
    return normal((ord(run[0]), ord(run[-1])) for run in re2.findall(pattern, _every_character()) if run)


@functools.cache
def _every_character() -> str:
    return "".join(chr(code) for code in range(MAX_CODE_POINT + 1) if not 0xD800 <= code <= 0xDFFF)
