"""Changing a rule's text at random, the same way for the same seed."""

from __future__ import annotations

import random
from collections.abc import Sequence

EVERYWHERE = (
    *"| * ? \\ ' \" : [ ] { } ( ) - & ! % # ~ , = == != < >= + / ` ^ $ @ . ; \n \t \0".split(" "),
    *('"""', "'''", "\ufeff", "é", "İ", "\u2028", "\x85", "\x1b", "\U0001f512", "''", "\\u", "\\u{110000}"),
    *(
        "null",
        "true",
        "-1",
        "0x",
        "1e999",
        "99999999999999999999",
        "1.5.2",
        "0",
        "nan",
        "10.0.0.0/33",
        "::/0",
    ),
    *("not ", " and ", " or ", " in ", "a{9999}", "(?<=x)", "[[:alpha:]]", "(a*)*b", ".*.*.*", "now-30d/d"),
)
"""Pieces that mean something in many of the languages that are read."""

LONGEST = 60_000
"""Characters. Repeating a piece stops here: a file that long is as good as an endless one."""


def mutated(text: str, other: str, pieces: Sequence[str], chance: random.Random, start: int, end: int) -> str:
    """``text`` changed in one to six places, most of them between ``start`` and ``end``.

    Cut, doubled, swapped, reversed, replaced by a piece, by many (nesting), or by a part of ``other``.
    """
    for _ in range(chance.randint(1, 6)):
        inside = chance.random() < 0.8 and start < min(end, len(text))
        low, high = (start, min(end, len(text))) if inside else (0, len(text))
        place = chance.randint(low, high)
        stop = min(len(text), place + chance.choice((0, 0, 1, 2, 5, 20, 80)))
        made = _replacement(text[place:stop], other, pieces, chance)
        text = (text[:place] + made + text[stop:])[:LONGEST]
        end += len(made) - (stop - place)
    return text


def _replacement(piece: str, other: str, pieces: Sequence[str], chance: random.Random) -> str:
    match chance.randrange(8):
        case 0:
            return ""
        case 1:
            return piece * 2
        case 2:
            return piece[::-1]
        case 3:
            begin = chance.randrange(len(other) + 1)
            return other[begin : begin + chance.choice((3, 20, 100))]
        case 4:
            return chance.choice(pieces) * chance.choice((5, 50, 500, 5_000))
        case 5:
            return piece * chance.choice((10, 200))
        case _:
            return piece + chance.choice(pieces)
