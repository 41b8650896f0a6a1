"""The characters of a problem, cut into classes whose members no condition of it can tell apart.

Lone surrogates, which no UTF-8 text holds, are left out. A few characters have a case of several characters
(``İ`` in lower case, ``ß`` in upper case): where case is changed, each is a class of its own and is read as
what it becomes. The lower case of ``Σ`` depends on its neighbours; a problem that tells its two forms apart
makes the alphabet ``incomplete``, and then nothing is concluded from finding no text.
"""

from __future__ import annotations

import functools
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from converter.model.regex.classes import Ranges, normal, of_characters, without
from converter.model.regex.nodes import MAX_CODE_POINT

_PREFERRED = (
    "xaqz0159 ABCDEFGHIJKLMNOPQRSTUVWXYZbcdefghijklmnoprstuvwy234678-_/.:,;=+@#$%&*?!()[]{}<>|\\'\"~^`"
)
_SURROGATES: Ranges = ((0xD800, 0xDFFF),)
_FEW = 64
_CASED_END = 0x1E944
"""Above this no code point has a case (CaseFolding.txt ends with the Adlam letters)."""


@functools.cache
def _with_case() -> tuple[str, ...]:
    """The characters that have another case."""
    characters = map(chr, range(_CASED_END))
    return tuple(one for one in characters if one.lower() != one or one.upper() != one)


@functools.cache
def expanding(case: str) -> str:
    """The characters whose ``case`` (``lower`` or ``upper``) is several characters."""
    return "".join(one for one in _with_case() if len(getattr(one, case)()) != 1)


def changed(text: str, cases: Iterable[str]) -> str:
    """The text after changes of case, one after the other."""
    for case in cases:
        text = getattr(text, case)()
    return text


@functools.cache
def _cased() -> dict[str, dict[str, str]]:
    """For ``lower`` and ``upper``: character → the other characters that become it."""
    tables: dict[str, dict[str, str]] = {"lower": {}, "upper": {}}
    for character in _with_case():
        for name, table in tables.items():
            changed = getattr(character, name)()
            if changed != character and len(changed) == 1:
                table[changed] = table.get(changed, "") + character
    return tables


@functools.lru_cache(maxsize=4096)
def becoming(ranges: Ranges, case: str) -> Ranges:
    """The characters whose ``case`` (``lower`` or ``upper``) lies in the ranges."""
    if sum(high - low + 1 for low, high in ranges) <= _FEW:
        table = _cased()[case]
        asked = [chr(code) for low, high in ranges for code in range(low, high + 1)]
        fixed = "".join(character for character in asked if getattr(character, case)() == character)
        return of_characters(fixed + "".join(table.get(character, "") for character in asked))
    table = _cased()[case]
    changing = of_characters("".join(table.values()))
    sources = [
        source
        for changed, every in table.items()
        if any(low <= ord(changed) <= high for low, high in ranges)
        for source in every
    ]
    return normal((*without(ranges, changing), *of_characters(sources)))


class Alphabet:
    """A partition of the characters by the sets that the problem's conditions speak of.

    ``characters``: one of each class, the pleasant ones first; a class is a position in it.
    """

    def __init__(self, sets: Iterable[Ranges], cases: Iterable[str] = ()) -> None:
        """``cases``: the changes of case that some condition makes."""
        kinds = tuple(dict.fromkeys(cases))
        apart = [of_characters(one) for case in kinds for one in expanding(case)]
        asked = list(dict.fromkeys((*sets, *apart)))
        signature = _signatures((_SURROGATES, *asked))
        self._starts = list(signature)
        found: dict[int, str] = {}
        for character in _PREFERRED:
            found.setdefault(signature[self._start_of(character)], character)
        for start, bits in signature.items():
            found.setdefault(bits, chr(start))
        kept = {bits: character for bits, character in found.items() if not bits & 1}
        numbers = {bits: number for number, bits in enumerate(kept)}
        self.characters = "".join(kept.values())
        self._of_start = {start: numbers.get(bits, -1) for start, bits in signature.items()}
        self._sets = {
            ranges: frozenset(numbers[bits] for bits in kept if bits >> (bit + 1) & 1)
            for bit, ranges in enumerate(asked)
        }
        sigmas = "lower" in kinds and self.class_of("σ") != self.class_of("ς")
        self.incomplete = sigmas or any(ranges and not self._sets[ranges] for ranges in asked)

    def classes(self, ranges: Ranges) -> frozenset[int]:
        """The classes that one of the problem's sets is made of."""
        return self._sets[ranges]

    def class_of(self, character: str) -> int:
        """The class of a character that is no surrogate."""
        return self._of_start[self._start_of(character)]

    def _start_of(self, character: str) -> int:
        return self._starts[bisect_right(self._starts, ord(character)) - 1]


def _signatures(sets: Sequence[Ranges]) -> dict[int, int]:
    """The first characters of the runs that no set cuts, in order, each with the sets it is in as bits."""
    cuts = {0}
    for ranges in sets:
        for low, high in ranges:
            cuts.update((low, high + 1))
    starts = sorted(cuts - {MAX_CODE_POINT + 1})
    signature = dict.fromkeys(starts, 0)
    for bit, ranges in enumerate(sets):
        for low, high in ranges:
            position = bisect_right(starts, low) - 1
            while position < len(starts) and starts[position] <= high:
                signature[starts[position]] |= 1 << bit
                position += 1
    return signature
