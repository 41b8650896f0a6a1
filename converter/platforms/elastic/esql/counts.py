"""How often a pattern is found in a text, one match after the other, as a pattern that asks for so many.

So many matches that do not overlap are somewhere in a text whenever so many are found one after the other;
the other way round only where a match never takes away what two others would need. That is so where all
matches are of one length, where each has its last character, or its first one, nowhere else, and for words of
which none is in another but at its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from converter.model.regex import (
    Alternation,
    Anchor,
    AnyChar,
    CharClass,
    Concat,
    Empty,
    Group,
    Literal,
    Node,
    Repeat,
    nullable,
)
from converter.model.regex.analysis import bare
from converter.model.regex.classes import Ranges, complement, members, normal, of_characters, orbit
from converter.model.regex.nodes import ANY_TEXT, concat, walk
from converter.platforms.elastic.esql.steps import ALL, common, length, of_set

_MOST: Final = 12
"""Of matches that a search may have to look for in many ways."""
_MOST_OF_CHARACTERS: Final = 500
_MOST_WORDS: Final = 64


def at_least(pattern: Node, number: int) -> Node | None:
    """A search that succeeds where the pattern is found ``number`` times or more; None where none says it."""
    if number == 1:
        return pattern
    one = _set_of(pattern)
    if one is not None:
        other = of_set(complement(one))
        skipped = Repeat(other, 0, None) if other is not None else Empty()
        inner = of_set(one)
        fits = inner is not None and number <= _MOST_OF_CHARACTERS
        return Repeat(concat((skipped, inner)), number, number) if fits and inner is not None else None
    if number > _MOST or nullable(pattern) or not _never_takes_two(pattern):
        return None
    again = Repeat(concat((Group(pattern), ANY_TEXT)), number - 1, number - 1)
    return concat((again, Group(pattern)))


def _set_of(node: Node) -> Ranges | None:
    """The characters of which one is a match; None for longer ones."""
    match bare(node):
        case Literal(text, ignore_case) if len(text) == 1:
            return of_characters(orbit(text) if ignore_case else text)
        case AnyChar(newline):
            return ALL if newline else complement(of_characters("\n"))
        case CharClass() as found:
            return members(found)
        case Alternation(options):
            sets = [_set_of(option) for option in options]
            return None if None in sets else normal(each for one in sets for each in one or ())
    return None


def _never_takes_two(pattern: Node) -> bool:
    if length(pattern) is not None or _words_apart(pattern):
        return True
    options = _options(pattern)
    if len(options) == 1:
        return _ends_or_begins_alone(pattern)
    return all(map(_never_takes_two, options)) and _apart(options)


def _options(pattern: Node) -> tuple[Node, ...]:
    inner = bare(pattern)
    return inner.options if isinstance(inner, Alternation) else (inner,)


def _apart(options: tuple[Node, ...]) -> bool:
    """No two options have a character in common."""
    sets = [_alphabet([option]) for option in options]
    if None in sets:
        return False
    return not any(
        common(first, second)
        for position, first in enumerate(sets)
        for second in sets[position + 1 :]
        if first is not None and second is not None
    )


def _ends_or_begins_alone(option: Node) -> bool:
    """The first, or the last, character of a match is none of its others."""
    if _set_of(option) is not None:
        return True
    parts = list(_characters(option))
    edges = ((parts[0], parts[1:]), (parts[-1], parts[:-1])) if parts else ()
    for edge, rest in edges:
        one, others = _set_of(edge), _alphabet(rest)
        if one is not None and others is not None and not common(one, others):
            return True
    return False


def _characters(node: Node) -> Iterator[Node]:
    """The parts of a pattern in a row, its texts character by character, places left out."""
    inner = bare(node)
    for part in inner.parts if isinstance(inner, Concat) else (inner,):
        single = bare(part)
        if isinstance(single, Literal):
            yield from (Literal(character, single.ignore_case) for character in single.text)
        elif not isinstance(single, Anchor):
            yield single


def _alphabet(nodes: list[Node]) -> Ranges | None:
    """The characters that matches can hold; None where a class is of Unicode properties."""
    found: list[tuple[int, int]] = []
    for node in (below for top in nodes for below in walk(top)):
        match node:
            case Literal(text, ignore_case):
                orbits = (orbit(letter) if ignore_case else letter for letter in text)
                found.extend(of_characters("".join(orbits)))
            case AnyChar() | CharClass():
                one = _set_of(node)
                if one is None:
                    return None
                found.extend(one)
    return normal(found)


def _words_apart(pattern: Node) -> bool:
    """The matches are words, and none is in another one but at its end."""
    words = [bare(option) for option in _options(pattern)]
    if len(words) > _MOST_WORDS or not all(isinstance(word, Literal) for word in words):
        return False
    texts = {word.text.casefold() for word in words if isinstance(word, Literal)}
    return not any(one in other[:-1] for one in texts for other in texts if one != other)
