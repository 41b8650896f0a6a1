"""Sets of characters as ranges of code points, the named classes, and case folding.

Facts: the Perl and POSIX classes are ASCII in RE2 ("Syntax" page of RE2); ``\\s`` there is
``[\\t\\n\\f\\r ]`` and in PCRE also the vertical tab (pcre2pattern, "Generic character types"). Python's
``str`` patterns take ``\\w``, ``\\d`` and ``\\s`` from Unicode (library reference, "re"). Case folding
is Unicode's simple folding (CaseFolding.txt, statuses C and S) in RE2 and PCRE; Python adds that i, I,
İ and ı are one letter (same page, "re.IGNORECASE").
"""

from __future__ import annotations

import functools
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping

from converter.model.regex.nodes import MAX_CODE_POINT, CharClass

Ranges = tuple[tuple[int, int], ...]

ALL: Ranges = ((0, MAX_CODE_POINT),)
DIGIT: Ranges = ((0x30, 0x39),)
WORD: Ranges = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
SPACE: Ranges = ((0x09, 0x0A), (0x0C, 0x0D), (0x20, 0x20))
SPACE_VT: Ranges = ((0x09, 0x0D), (0x20, 0x20))
LUCENE_SPACE: Ranges = ((0x09, 0x0A), (0x0D, 0x0D), (0x20, 0x20))
UNICODE_SPACE: Ranges = (
    *((0x09, 0x0D), (0x1C, 0x20), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A)),
    *((0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000)),
)
HORIZONTAL: Ranges = (
    *((0x09, 0x09), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x180E, 0x180E), (0x2000, 0x200A)),
    *((0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000)),
)
VERTICAL: Ranges = ((0x0A, 0x0D), (0x85, 0x85), (0x2028, 0x2029))

POSIX: dict[str, Ranges] = {
    "alnum": ((0x30, 0x39), (0x41, 0x5A), (0x61, 0x7A)),
    "alpha": ((0x41, 0x5A), (0x61, 0x7A)),
    "ascii": ((0x00, 0x7F),),
    "blank": ((0x09, 0x09), (0x20, 0x20)),
    "cntrl": ((0x00, 0x1F), (0x7F, 0x7F)),
    "digit": DIGIT,
    "graph": ((0x21, 0x7E),),
    "lower": ((0x61, 0x7A),),
    "print": ((0x20, 0x7E),),
    "punct": ((0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E)),
    "space": SPACE_VT,
    "upper": ((0x41, 0x5A),),
    "word": WORD,
    "xdigit": ((0x30, 0x39), (0x41, 0x46), (0x61, 0x66)),
}

WORD_PROPERTIES = (("L", False), ("N", False))
"""Python's Unicode ``\\w`` is every letter and number, and the underscore."""
DIGIT_PROPERTIES = (("Nd", False),)

_TURKIC = frozenset("iIİı")
_FOLDING_ENDS = 0x1E944
"""Above this no code point has a case (CaseFolding.txt ends with the Adlam letters)."""


def normal(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The same set, sorted, with overlapping and touching ranges joined."""
    joined: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return tuple(joined)


def complement(ranges: Ranges) -> Ranges:
    """Every code point that is not in the (normal) ranges."""
    gaps: list[tuple[int, int]] = []
    start = 0
    for low, high in ranges:
        if low > start:
            gaps.append((start, low - 1))
        start = high + 1
    if start <= MAX_CODE_POINT:
        gaps.append((start, MAX_CODE_POINT))
    return tuple(gaps)


def without(ranges: Ranges, taken: Ranges) -> Ranges:
    """What is in the first set and not in the second."""
    return complement(normal((*complement(ranges), *taken)))


def contains(ranges: Ranges, code_point: int) -> bool:
    """Whether the set has this code point."""
    return any(low <= code_point <= high for low, high in ranges)


def of_characters(characters: Iterable[str]) -> Ranges:
    """The set of these characters."""
    return normal((ord(character), ord(character)) for character in characters)


def characters_of(ranges: Ranges) -> Iterable[str]:
    """Every character of the set, in order. Only for sets known to be small."""
    for low, high in ranges:
        yield from map(chr, range(low, high + 1))


def _fold_key(character: str) -> str:
    folded = character.casefold()
    if len(folded) == 1:
        return folded
    lower = character.lower()
    return lower if len(lower) == 1 else character


@functools.cache
def _orbits() -> dict[str, str]:
    """Character → all characters that fold together with it, for characters that have such company."""
    together: dict[str, list[str]] = {}
    for code_point in range(_FOLDING_ENDS):
        character = chr(code_point)
        if character.isalpha() or character.casefold() != character:
            together.setdefault(_fold_key(character), []).append(character)
    return {one: "".join(every) for every in together.values() if len(every) > 1 for one in every}


_ASCII_ORBITS = {
    letter: letter.lower() + letter.upper() + {"k": "\u212a", "s": "\u017f"}.get(letter.lower(), "")
    for letter in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
}


def orbit(character: str) -> str:
    """All characters that are the same letter when case is ignored, the character itself among them."""
    if character < "\x80":
        return _ASCII_ORBITS.get(character, character)
    return _orbits().get(character, character)


def python_orbit(character: str) -> str:
    """The same as :func:`orbit`, as Python's ``re.IGNORECASE`` sees it."""
    return "iIİı" if character in _TURKIC else orbit(character)


def ascii_orbit(character: str) -> str:
    """Lower and upper case of an ASCII letter; any other character is alone."""
    return character.lower() + character.upper() if character.isascii() and character.isalpha() else character


@functools.cache
def _letters(beyond_ascii: bool, python: bool) -> list[int]:
    """The code points that fold together with others, sorted."""
    tables = [*(_orbits() if beyond_ascii else _ASCII_ORBITS), *(_TURKIC if python else "")]
    return sorted(set(map(ord, tables)))


@functools.lru_cache(maxsize=1024)
def folded(ranges: Ranges, python: bool = False, ascii_only: bool = False) -> Ranges:
    """The set with every case of each of its characters."""
    letters = _letters(not ascii_only and any(high >= 0x80 for _, high in ranges), python)
    one = ascii_orbit if ascii_only else python_orbit if python else orbit
    extra = [
        same
        for low, high in ranges
        for letter in letters[bisect_left(letters, low) : bisect_right(letters, high)]
        for same in one(chr(letter))
    ]
    return normal((*ranges, *of_characters(extra)))


def char_class(
    ranges: Iterable[tuple[int, int]],
    negated: bool = False,
    properties: Iterable[tuple[str, bool]] = (),
    folds: bool = False,
) -> CharClass:
    """A class in normal form: equal sets of ranges compare equal."""
    kept = tuple(dict.fromkeys(properties))
    return CharClass(normal(ranges), negated, kept, folds and bool(kept))


def members(node: CharClass) -> Ranges | None:
    """The code points that a class stands for, or None when Unicode properties are among them."""
    if node.properties:
        return None
    return complement(node.ranges) if node.negated else node.ranges


_FOLDED_OUT: Mapping[str, tuple[str, str]] = {
    "L": ("M", "\u0345"),
    "M": ("L", "\u0399\u03b9\u1fbe"),
    "N": ("", ""),
}
"""Whole Unicode classes: folding takes these characters in (CaseFolding.txt: the iota below is a mark that
folds with the letters), which the other class already holds."""


def closed_by_folding(node: CharClass) -> Ranges | None:
    """The ranges that make a class the same with and without ignoring case, beside its Unicode classes.

    None where those are not letters, marks and numbers, each as a whole.
    """
    whole = {name for name, negated in node.properties if not negated}
    if len(whole) < len(node.properties) or not whole <= _FOLDED_OUT.keys():
        return None
    more = "".join(extra for held, extra in map(_FOLDED_OUT.__getitem__, whole) if held not in whole)
    return folded(normal((*node.ranges, *of_characters(more))))
