"""Queries with one thing changed in their text, as a slip of the pen or a broken printer changes it.

The changes know words, signs and strings of a language, and nothing of rules or trees: operators, values,
case, negation, AND and OR, wildcards, counts, windows, keys and names of fields.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

import msgspec


class Kind(enum.StrEnum):
    """What was changed."""

    OPERATOR = "operator"
    VALUE = "value"
    CASE = "case"
    NEGATION = "negation"
    JOIN = "and, or"
    WILDCARD = "wildcard"
    COUNT = "count"
    WINDOW = "window"
    KEY = "key"
    FIELD = "field"


class Change(msgspec.Struct, frozen=True):
    """What was done to a text: at which line, in what text it stood, what was there, and what is there now.
    ``around``: the line of the query; empty for a setting beside it, which ``old`` names.
    """

    kind: Kind
    line: int
    around: str
    old: str
    new: str

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.around else ""
        inside = f" in {self.around.strip()[:160]!r}" if self.around else ""
        return f"{self.kind}, {place}{self.old!r} became {self.new!r}{inside}"


Swap: TypeAlias = tuple[Kind, str, str]
"""What stands outside strings (a regular expression), and what it becomes."""

_ORDERS: Final[tuple[Swap, ...]] = (
    (Kind.OPERATOR, r">=", ">"),
    (Kind.OPERATOR, r"<=", "<"),
    (Kind.OPERATOR, r"(?<![<>=!-])>(?!=)", ">="),
    (Kind.OPERATOR, r"(?<![<>=!])<(?!=)", "<="),
)
_EQUALS: Final[tuple[Swap, ...]] = ((Kind.NEGATION, r"==", "!="), (Kind.NEGATION, r"!=", "=="))
_JOINS: Final[tuple[Swap, ...]] = ((Kind.JOIN, r"\band\b", "or"), (Kind.JOIN, r"\bor\b", "and"))
_NOTS: Final[tuple[Swap, ...]] = ((Kind.NEGATION, r"\bnot (?!in\b)", ""), (Kind.NEGATION, r"\(", "(not "))
_UPPER: Final[tuple[Swap, ...]] = (
    (Kind.JOIN, r"\bAND\b", "OR"),
    (Kind.JOIN, r"\bOR\b", "AND"),
    (Kind.NEGATION, r"\bNOT ", ""),
    (Kind.NEGATION, r"(?<=AND )\(", "NOT ("),
)

SWAPS: Final[dict[str, tuple[Swap, ...]]] = {
    "kuery": (
        *_JOINS,
        _NOTS[0],
        *_ORDERS,
        (Kind.NEGATION, r"(?<![\w.@:-])([\w.@-]+:)", r"not \1"),
        (Kind.WILDCARD, r"(?<!\\)\*", ""),
        (Kind.FIELD, r"(?<![\w.@:/-])([\w.@/-]+)\w(?=:)", r"\1"),
    ),
    "eql": (
        *_JOINS,
        *_NOTS,
        *_ORDERS,
        *_EQUALS,
        (Kind.OPERATOR, r" : ", " == "),
        (Kind.CASE, r"~", ""),
        (Kind.OPERATOR, r"\bstartsWith\b", "endsWith"),
        (Kind.OPERATOR, r"\bendsWith\b", "startsWith"),
        (Kind.OPERATOR, r"\bstringContains\b", "startsWith"),
        (Kind.NEGATION, r"!\[", "["),
        (Kind.KEY, r"\bby [\w.@`]+(, )?", ""),
        (Kind.FIELD, r"(?<![\w.`])([a-z_]\w*\.[\w.]+)\w(?=[ ,)\]])", r"\1"),
    ),
    "esql": (
        *_UPPER,
        *_ORDERS,
        *_EQUALS,
        (Kind.CASE, r"\bTO_LOWER\(", "("),
        (Kind.OPERATOR, r"\bSTARTS_WITH\b", "ENDS_WITH"),
        (Kind.OPERATOR, r"\bENDS_WITH\b", "STARTS_WITH"),
        (Kind.NEGATION, r"IS NOT NULL", "IS NULL"),
        (Kind.NEGATION, r"IS NULL", "IS NOT NULL"),
        (Kind.KEY, r"\bCOUNT_DISTINCT\(", "COUNT("),
        (Kind.KEY, r"(?<=\bBY )[\w.@`]+, ", ""),
        (Kind.FIELD, r"(?<![\w.`*-])((?!Esql\.)[a-z_]\w*\.[\w.]+)\w(?=[ ,)])", r"\1"),
    ),
    "spl": (
        *_UPPER,
        *_ORDERS,
        *_EQUALS,
        (Kind.NEGATION, r"\bisnotnull\(", "isnull("),
        (Kind.NEGATION, r"\bisnull\(", "isnotnull("),
        (Kind.CASE, r"\blower\(", "("),
        (Kind.KEY, r"\bdc\(", "count("),
        (Kind.KEY, r"(?<=\bby )[\w.{}]+ ?(?! )", ""),
        (Kind.OPERATOR, r"\blike\(", "match("),
        (Kind.FIELD, r"('[^'\n]*)[^'\n]'", r"\1'"),
        (Kind.FIELD, r"(?<![\w.'])([\w.{}]+)\w(?==[\"*\d])", r"\1"),
    ),
    "python": (
        *_JOINS,
        *_NOTS,
        *_ORDERS,
        *_EQUALS,
        (Kind.OPERATOR, r"\.startswith\(", ".endswith("),
        (Kind.OPERATOR, r"\.endswith\(", ".startswith("),
        (Kind.CASE, r"\.lower\(\)", ""),
        (Kind.NEGATION, r" not in ", " in "),
        (Kind.NEGATION, r" (?<!not )in ", " not in "),
        (Kind.OPERATOR, r"\bany\(", "all("),
        (Kind.OPERATOR, r"\ball\(", "any("),
        (Kind.NEGATION, r"is not None", "is None"),
        (Kind.VALUE, r"\bTrue\b", "False"),
        (Kind.VALUE, r"\bFalse\b", "True"),
    ),
}

_STRING: Final = re.compile(r'"(?:\\.|[^"\\])*"')
_BARE: Final = re.compile(r"(?:(?<=[^\\]):\(?|\bor\s+\(?)((?:\\.|[^\s()\":\\])++)(?!:)")
"""A value of KQL without quotes: behind a colon, or in a list."""
_NUMBER: Final = re.compile(r"(?<![\w.\"'\[])(\d+)(?=(?:[smhd]|ms)?\b)(?![\w]*[.\"'\]])")
_SPAN: Final = re.compile(r"(?:[smhd]|ms)\b| (?:milli)?(?:second|minute|hour|day)s?\b|\)?\*\d+(?= AND _time)")
_OF_TIME: Final = re.compile(r"(?:_time-\w+\)\s*[<>]=?\s*|_time\S*/|time_window=)$")
_OF_COUNT: Final = re.compile(r"(?:(?i:count\w*\W*)[<>=]=?\s*|\bruns=|\bwindow=|Threshold: )$")
_MODIFIER: Final = re.compile(r"([+-])(\d+)([smhd].*)")
_NAMING: Final = re.compile(
    r"\b(?:get|deep_get|deep_walk|texts|values|nodes|has|group_keys?)"
    r"\((?:\w+|\(|\)|, |\"(?:\\.|[^\"\\])*\")*$"
)
"""Before a string of Python: a call in which texts are keys of the event."""


def changed_query(query: str, language: str, kind: Kind | None = None) -> Iterator[tuple[Change, str]]:
    """The query with one change: what was done, and the text. ``kind``: of all of them, where it is known."""
    strings = [match.span() for match in _STRING.finditer(query)]
    for of, pattern, replacement in SWAPS[language]:
        for match in _outside(strings, re.finditer(pattern, query)):
            yield _changed(query, kind or of, match.start(), match.end(), match.expand(replacement))
    for match in _outside(strings, _NUMBER.finditer(query)):
        of = kind or _kind_of_number(query, match)
        yield _changed(query, of, match.start(), match.end(), str(int(match[0]) + 1))
    texts = [(start + 1, end - 1) for start, end in strings]
    if language == "kuery":
        texts += [match.span(1) for match in _outside(strings, _BARE.finditer(query))]
    for start, end in texts:
        names = language == "python" and bool(_NAMING.search(query[max(0, start - 300) : start - 1]))
        for of, put in _other_strings(query[start:end]):
            yield _changed(query, kind or (Kind.FIELD if names else of), start, end, put)


def _outside(strings: list[tuple[int, int]], found: Iterable[re.Match[str]]) -> Iterator[re.Match[str]]:
    """Those that do not begin inside a string."""
    for match in found:
        if not any(start < match.start() < end for start, end in strings):
            yield match


def _kind_of_number(query: str, match: re.Match[str]) -> Kind:
    if _SPAN.match(query, match.end()) or _OF_TIME.search(query, 0, match.start()):
        return Kind.WINDOW
    return Kind.COUNT if _OF_COUNT.search(query, 0, match.start()) else Kind.VALUE


def _other_strings(text: str) -> Iterator[tuple[Kind, str]]:
    """The text of a string with one letter changed, one taken away, in the other case, without wildcard."""
    span = _MODIFIER.fullmatch(text)
    if span is not None:
        yield Kind.WINDOW, f"{span[1]}{int(span[2]) + 1}{span[3]}"
        return
    letters = [index for index, char in enumerate(text) if char.isalnum() and text[index - 1 : index] != "\\"]
    if not letters:
        return
    middle = letters[len(letters) // 2]
    yield Kind.VALUE, text[:middle] + ("y" if text[middle] == "x" else "x") + text[middle + 1 :]
    yield Kind.VALUE, text[: letters[-1]] + text[letters[-1] + 1 :]
    cased = [index for index in letters if text[index].swapcase() != text[index]]
    if cased:
        yield Kind.CASE, text[: cased[0]] + text[cased[0]].swapcase() + text[cased[0] + 1 :]
    for wildcard in "*%":
        if text.startswith(wildcard) and len(text) > 1:
            yield Kind.WILDCARD, text[1:]
        if text.endswith(wildcard) and len(text) > 1 and text[-2] != "\\":
            yield Kind.WILDCARD, text[:-1]


def _changed(query: str, kind: Kind, start: int, end: int, put: str) -> tuple[Change, str]:
    line = query.count("\n", 0, start)
    change = Change(kind, line + 1, query.splitlines()[line], query[start:end], put)
    return change, query[:start] + put + query[end:]
