"""Parts of texts: between separators, behind one, so many characters, what a search finds.

Sources: Elasticsearch, "Dissect processor" and "Grok"; ES|QL reference, LEFT, RIGHT, SUBSTRING.
"""

from __future__ import annotations

from typing import Final

import msgspec

from converter.model.regex import Alternation, AnyChar, Concat, Empty, Literal, Node, Repeat
from converter.model.regex.analysis import bare, nullable
from converter.model.regex.classes import char_class, complement, of_characters
from converter.model.regex.nodes import ANY_TEXT, EMPTY, alternation, concat
from converter.platforms.elastic.esql.steps import StepError, common, length, of_set, rewritten

_LONGEST: Final = 200
"""Characters of all separators in front of a part: how each is found first is said in nested parts."""


def until(text: str) -> Node:
    """Everything up to the first occurrence of ``text``, and that: the shortest text that ends with it.

    The automaton of Knuth, Morris and Pratt, its states taken away from the last to the first: of each state
    is known which ways lead from it back to an earlier one.
    """
    loops: list[Node] = [EMPTY] * len(text)
    later: dict[int, Node] = {}
    for state in reversed(range(len(text))):
        ways = _ways_back(text, state)
        loop = later.pop(state + 1, None)
        if state + 1 < len(text):
            loops[state + 1] = Repeat(loop, 0, None) if loop is not None else EMPTY
        for target, way in later.items():
            ways.setdefault(target, []).append(concat((Literal(text[state]), loops[state + 1], way)))
        later = {target: alternation(found) for target, found in ways.items()}
    loops[0] = Repeat(later[0], 0, None)
    return concat(part for loop, letter in zip(loops, text, strict=True) for part in (loop, Literal(letter)))


def _ways_back(text: str, state: int) -> dict[int, list[Node]]:
    """Which single characters lead from a state to no later one: state → those characters."""
    found: dict[int, list[str]] = {}
    for letter in dict.fromkeys(text):
        seen = text[:state] + letter
        target = next(size for size in range(state + 1, -1, -1) if seen.endswith(text[:size]))
        if target <= state:
            found.setdefault(target, []).append(letter)
    zero = found.pop(0, [])
    others = [letter for letter in dict.fromkeys(text) if letter not in zero]
    ways = {target: [_one_of(letters)] for target, letters in found.items()}
    return {**ways, 0: [char_class(of_characters(others), negated=True)]}


def _one_of(letters: list[str]) -> Node:
    return Literal(letters[0]) if len(letters) == 1 else char_class(of_characters(letters))


class Cut(msgspec.Struct, frozen=True):
    """What stands between separators, as a scan from left to right finds them (DISSECT).

    ``start``: what the text begins with; ``before`` and ``after``: the separators in front of the part and
    behind it, in their order. ``end``: the separator that ends the part, empty where it goes on to the end.
    """

    start: str
    before: tuple[str, ...]
    end: str
    after: tuple[str, ...] = ()

    def pulled(self, asked: Node) -> Node | None:
        """Where the part may begin with anything, any place of the separators before it will do."""
        inside = self._inside(asked)
        if inside is None:
            return None
        free = asked == ANY_TEXT or (not self.end and _starts_free(asked))
        if not free and sum(map(len, self.before)) > _LONGEST:
            raise StepError(f"a part behind separators of more than {_LONGEST} characters")
        runs = ((ANY_TEXT, Literal(one)) if free else (until(one),) for one in self.before)
        rest = [part for one in (self.end, *self.after) if one for part in (Literal(one), ANY_TEXT)]
        return concat((_text(self.start), *(part for run in runs for part in run), inside, *rest))

    def _inside(self, asked: Node) -> Node | None:
        if asked == ANY_TEXT:
            return asked if self.before or self.end else Repeat(AnyChar(newline=True), 1, None)
        if not self.before and not self.end and nullable(asked):
            raise StepError("a part that may be empty, of the whole text")
        if len(self.end) <= 1:
            allowed = complement(of_characters(self.end))
            return rewritten(asked, lambda ranges, _: of_set(common(ranges, allowed)))
        return self._constant(asked)

    def _constant(self, asked: Node) -> Node | None:
        """Of a part that ends at several characters only whole texts can be asked."""
        match bare(asked):
            case Alternation(options):
                kept = [one for option in options if (one := self._constant(option)) is not None]
                return alternation(kept) if kept else None
            case Literal(text, ignore_case) as found:
                fits = (text + self.end).find(self.end) == len(text)
                folded = (text + self.end).lower().find(self.end.lower()) == len(text)
                if ignore_case and not folded:
                    raise StepError("a text that may hold its own separator")
                return found if fits else None
            case Empty() as found:
                return found
        raise StepError(f"a pattern of a part that ends at {self.end!r}")


def _text(text: str) -> Node:
    return Literal(text) if text else EMPTY


def _starts_free(asked: Node) -> bool:
    return isinstance(asked, Concat) and bare(asked.parts[0]) == ANY_TEXT


class Behind(msgspec.Struct, frozen=True):
    """What stands behind the last ``mark`` of a line: of the first line that has one."""

    mark: str

    def pulled(self, asked: Node) -> Node | None:
        """The lines before have no mark."""
        allowed = complement(of_characters(f"{self.mark}\n"))
        inside = rewritten(asked, lambda ranges, _: of_set(common(ranges, allowed)))
        if inside is None:
            return None
        line = Repeat(AnyChar(), 0, None)
        unmarked = Repeat(char_class(of_characters(f"{self.mark}\n"), negated=True), 0, None)
        lines = Repeat(concat((unmarked, Literal("\n"))), 0, None)
        more = Repeat(concat((Literal("\n"), ANY_TEXT)), 0, 1)
        return concat((lines, line, Literal(self.mark), inside, more))


class Found(msgspec.Struct, frozen=True):
    """Some part of what a search for a pattern finds."""

    pattern: Node

    def pulled(self, asked: Node) -> Node | None:
        """Whether it finds anything."""
        if asked != ANY_TEXT:
            raise StepError("what a search finds first")
        return concat((ANY_TEXT, self.pattern, ANY_TEXT))


class Section(msgspec.Struct, frozen=True):
    """So many characters: from the ``start``-th on (counted from 0), or with ``last`` those at the end."""

    size: int | None
    start: int = 0
    last: bool = False

    def pulled(self, asked: Node) -> Node | None:
        """Of texts of one length, and of what the section begins (or ends) with."""
        if asked == ANY_TEXT:
            return asked
        skipped = Repeat(AnyChar(newline=True), self.start, self.start) if self.start else EMPTY
        if nullable(asked) and self.start:
            short = Repeat(AnyChar(newline=True), 0, self.start)
            return short if isinstance(asked, Empty) else self._behind_end(short, concat((skipped, asked)))
        if self.size is None:
            return concat((skipped, asked))
        if isinstance(inner := bare(asked), Alternation):
            kept = [one for option in inner.options if (one := self.pulled(option)) is not None]
            return alternation(kept) if kept else None
        parts = inner.parts if isinstance(inner, Concat) else (inner,)
        open_end = parts[0 if self.last else -1] == ANY_TEXT
        found = concat(parts[1:] if open_end and self.last else parts[: len(parts) - open_end])
        size = length(found)
        if size is None:
            raise StepError("a pattern of a section of a text")
        if size > self.size:
            return None
        rest = ANY_TEXT if open_end or size == self.size else EMPTY
        return concat((rest, found)) if self.last else concat((skipped, found, rest))

    def _behind_end(self, short: Node, long: Node) -> Node:
        """A section that begins behind the end of the text is empty."""
        if self.size is not None:
            raise StepError("a pattern of a section of a text")
        return alternation((short, long))
