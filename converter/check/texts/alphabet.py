"""The characters of a problem, cut into classes whose members no condition of it can tell apart.

Left out of every alphabet are lone surrogates, which no UTF-8 text holds, and the few characters whose
lower or upper case is not one character whatever stands beside it (İ, Σ, ß …): no automaton that reads
one character after the other has their case. A condition that asks for one of them by name makes the
alphabet ``incomplete``, and then nothing is concluded from finding no text.
"""

from __future__ import annotations

import functools
from bisect import bisect_right
from collections.abc import Iterable

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
def odd_characters() -> Ranges:
    """The characters whose case depends on their neighbours or has several characters, and surrogates."""
    odd = [one for one in _with_case() if len(one.lower()) != 1 or len(one.upper()) != 1 or one == "Σ"]
    return normal((*_SURROGATES, *of_characters(odd)))


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

    def __init__(self, sets: Iterable[Ranges]) -> None:
        asked = list(dict.fromkeys(sets))
        odd = odd_characters()
        cuts = {0, MAX_CODE_POINT + 1}
        for ranges in (*asked, odd):
            for low, high in ranges:
                cuts.update((low, high + 1))
        starts = sorted(cuts)[:-1]
        signature = dict.fromkeys(starts, 0)
        for bit, ranges in enumerate((odd, *asked)):
            for low, high in ranges:
                position = bisect_right(starts, low) - 1
                while position < len(starts) and starts[position] <= high:
                    signature[starts[position]] |= 1 << bit
                    position += 1
        found: dict[int, str] = {}
        for character in _PREFERRED:
            found.setdefault(signature[starts[bisect_right(starts, ord(character)) - 1]], character)
        for start, bits in signature.items():
            found.setdefault(bits, chr(start))
        kept = {bits: character for bits, character in found.items() if not bits & 1}
        self.characters = "".join(kept.values())
        self._sets = {
            ranges: frozenset(i for i, bits in enumerate(kept) if bits >> (bit + 1) & 1)
            for bit, ranges in enumerate(asked)
        }
        self.incomplete = any(ranges and not self._sets[ranges] for ranges in asked)

    def classes(self, ranges: Ranges) -> frozenset[int]:
        """The classes that one of the problem's sets is made of."""
        return self._sets[ranges]
