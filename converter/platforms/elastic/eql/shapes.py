"""Regular expressions (RE2) for what EQL's functions say of places in a text.

Every one fits the whole text from its start. ``indexOf``, ``substring`` and ``between`` count characters and
take first occurrences; a search by regular expression says the same with the text before spelt out.
"""

from __future__ import annotations

import re
from typing import Final

MOST: Final = 1_000
"""RE2's largest repetition."""

_START: Final = "(?s)^"


def at(position: int, text: str) -> str:
    """``text`` stands at a position, counted from 0."""
    return f"{_START}{_any(position)}{re.escape(text)}"


def between_positions(first: int, last: int, text: str) -> str:
    """``text`` stands at some position from ``first`` to ``last``."""
    return f"{_START}.{{{first},{last}}}{re.escape(text)}"


def from_position(first: int, text: str) -> str:
    """``text`` stands at a position or after it."""
    return f"{_START}{_any(first)}.*{re.escape(text)}"


def sliced(text: str, start: int, end: int | None) -> str | None:
    """The slice from ``start`` to ``end`` is ``text``, as Python slices; None if no text has such a slice.

    Raises ValueError for an end before the start that counts from the other side of the text.
    """
    length, body = len(text), re.escape(text)
    if start >= 0 and end is None:
        return f"{_START}{_any(start)}{body}$"
    if start >= 0 and end is not None and end >= 0:
        if length > end - start:
            return None
        return f"{_START}{_any(start)}{body}" + ("" if length == end - start else "$")
    if start >= 0 and end is not None:
        return f"{_START}{_any(start)}{body}{_any(-end)}$"
    if end is not None and end >= 0:
        raise ValueError("a slice from a place counted from the end to one counted from the start")
    after = 0 if end is None else -end
    if length > -start - after:
        return None
    before = ".*" if length == -start - after else ""
    return f"{_START}{before}{body}{_any(after)}$"


def enclosed(text: str, left: str, right: str, greedy: bool) -> str | None:
    """``text`` stands between the first ``left`` and the next ``right`` (``greedy``: the last one).

    None if that can never be. Raises ValueError for delimiters whose first character occurs in them again.
    """
    if right in text and not greedy:
        return None
    tail = f"{_without(right)}$" if greedy else ""
    return f"{_START}{_through(left)}{re.escape(text)}{re.escape(right)}{tail}"


def enclosed_longer(least: int, left: str, right: str) -> str:
    """At least so many characters stand between the first ``left`` and the next ``right``, of one character.

    Raises ValueError for other delimiters.
    """
    if len(right) != 1:
        raise ValueError("the length up to a delimiter of several characters")
    return f"{_START}{_through(left)}[^{re.escape(right)}]{{{least},}}{re.escape(right)}"


def _any(count: int) -> str:
    return f".{{{count}}}" if count else ""


def _parts(delimiter: str) -> tuple[str, str, str]:
    """For a delimiter whose first character is its own: that character, how a search for the rest may begin
    again, and how it may fail.
    """
    if not delimiter or delimiter[0].lower() in delimiter[1:].lower():
        raise ValueError(f"the delimiter {delimiter!r}, which may overlap itself")
    first, *rest = (re.escape(character) for character in delimiter)
    begun = ["".join(rest[:count]) for count in range(len(rest))]
    again = "|".join(part + first for part in begun)
    failed = "|".join(f"{part}[^{first}{rest[count]}]" for count, part in enumerate(begun))
    return first, f"{first}(?:{again})*" if again else first, failed


def _without(delimiter: str) -> str:
    """Any text in which the delimiter does not occur."""
    first, started, failed = _parts(delimiter)
    if not failed:
        return f"[^{first}]*"
    begun = "|".join("".join(map(re.escape, delimiter[1:count])) for count in range(1, len(delimiter)))
    return f"(?:[^{first}]|{started}(?:{failed}))*(?:{started}(?:{begun}))?"


def _through(delimiter: str) -> str:
    """Any text up to the first occurrence of the delimiter, and that."""
    first, started, failed = _parts(delimiter)
    if not failed:
        return f"[^{first}]*{first}"
    rest = "".join(map(re.escape, delimiter[1:]))
    return f"(?:[^{first}]|{started}(?:{failed}))*{started}{rest}"
