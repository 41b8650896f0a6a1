"""Analysed text fields: which words a query asks for, and a pattern for texts that hold them.

Elasticsearch's standard analyzer cuts a text at the word boundaries of Unicode's text segmentation (UAX #29,
rules WB5 to WB13) and ignores case (Elasticsearch reference, "Standard analyzer"): letters, digits and
underscores hang together; a sign such as ``.`` joins two letters, and ``.`` or ``,`` two digits, but nothing
else. Left aside: scripts without blanks between words, and words beyond 255 characters, which it cuts.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

from converter.model.expressions import (
    FALSE,
    All,
    AnyOf,
    Expression,
    ForSome,
    Not,
    Operator,
    Predicate,
    Subject,
    any_of,
)
from converter.model.paths import FieldPath

MID_LETTER: Final = ".:'·‧’․"
"""Signs that join letters (Word_Break MidLetter, MidNumLet, Single_Quote)."""
MID_NUMBER: Final = ".,;'’․"
"""Signs that join digits (Word_Break MidNum, MidNumLet, Single_Quote)."""

LONGEST: Final = 4_000
"""Characters of the words in one regular expression."""

_LETTER: Final = r"\pL\pM"
_DIGIT: Final = r"\pN"
_INNER: Final = rf"{_LETTER}{_DIGIT}_"


def words_of(text: str) -> list[str]:
    """The words that the analyzer makes of a text, as they stand in it."""
    found: list[str] = []
    current = ""
    for position, character in enumerate(text):
        after = text[position + 1 : position + 2]
        if _kind(character) or (current and _joins(current[-1], character, after)):
            current += character
        elif current:
            found.append(current)
            current = ""
    return [*found, *([current] if current else [])]


def phrase(path: FieldPath, text: str) -> Expression:
    """The words of ``text`` stand in the field one after the other."""
    found = words_of(text)
    return _pattern(path, found[0], found[-1], _in_a_row(found)) if found else FALSE


def some_word(path: FieldPath, text: str) -> Expression:
    """Some word of ``text`` stands in the field."""
    return any_of(*(_pattern(path, word, word, re.escape(word)) for word in words_of(text)))


def wildcard_word(path: FieldPath, parts: Sequence[str | None]) -> Expression:
    """Some one word of the field fits a pattern; None stands for any run of characters.

    A pattern with characters that part words fits none (Elasticsearch, "Query string query": a term with a
    wildcard is not cut into words).
    """
    if not all(_kind(one) or one in MID_LETTER + MID_NUMBER for part in parts for one in part or ""):
        return FALSE
    signs = re.escape("".join(dict.fromkeys(MID_LETTER + MID_NUMBER)))
    run = rf"[{_INNER}]*(?:[{signs}][{_INNER}]+)*"
    inside = "".join([run if part is None else re.escape(part) for part in parts])
    first, last = parts[0], parts[-1]
    return _pattern(path, "_" if first is None else first, "_" if last is None else last, inside)


def _kind(character: str) -> str:
    """``L`` a letter (or a mark, which hangs on one), ``N`` a digit, ``_``; empty for what parts words."""
    if not character:
        return ""
    category = unicodedata.category(character)
    if category[0] in "LM":
        return "L"
    return "N" if category[0] == "N" else "_" if character == "_" else ""


def _joins(before: str, sign: str, after: str) -> bool:
    kinds = _kind(before), _kind(after)
    return (kinds == ("L", "L") and sign in MID_LETTER) or (kinds == ("N", "N") and sign in MID_NUMBER)


def _in_a_row(words: Sequence[str]) -> str:
    text = re.escape(words[0])
    for before, after in itertools.pairwise(words):
        text += _gap(_kind(before[-1]), _kind(after[0])) + re.escape(after)
    return text


def _signs(kind: str) -> str:
    """The signs that would join a word ending, or beginning, so with its neighbour."""
    return re.escape({"L": MID_LETTER, "N": MID_NUMBER}.get(kind, ""))


def _gap(before: str, after: str) -> str:
    """What parts two words: any signs, but not a single one that would join them."""
    if before != after or before not in ("L", "N"):
        return rf"[^{_INNER}]+"
    return rf"(?:[^{_INNER}{_signs(before)}]|[^{_INNER}]{{2,}})"


def joined(expression: Expression) -> Expression:
    """The same with words that any of may be in a field asked for at once.

    What stands beside a word costs much more to compile than the word: a list of them is one regular
    expression (or a few, no longer than :data:`LONGEST`), not one each.
    """
    match expression:
        case All(terms):
            return All(tuple(map(joined, terms)))
        case Not(term):
            return Not(joined(term))
        case ForSome(path, term):
            return ForSome(path, joined(term))
        case AnyOf(terms):
            return any_of(*_joined_terms([joined(term) for term in terms]))
    return expression


def _joined_terms(terms: Sequence[Expression]) -> Iterator[Expression]:
    asked: dict[tuple[Subject, str, str], list[str]] = {}
    for term in terms:
        parts = _parts(term)
        if parts is None:
            yield term
        else:
            subject, start, inside, end = parts
            asked.setdefault((subject, start, end), []).append(inside)
    for (subject, start, end), words in asked.items():
        for some in _chunks(words):
            text = f"{start}(?:{'|'.join(some)}){end}"
            yield Predicate(subject, Operator.REGEX, (text,), ignore_case=True)


def _chunks(words: Sequence[str]) -> Iterator[list[str]]:
    """The words in lists of at most :data:`LONGEST` characters, or of one word."""
    some: list[str] = []
    for word in words:
        if some and sum(map(len, some)) + len(some) + len(word) > LONGEST:
            yield some
            some = []
        some.append(word)
    yield some


def _parts(term: Expression) -> tuple[Subject, str, str, str] | None:
    """The field, what stands before the words, the words and what stands after them; None for other terms."""
    if not (isinstance(term, Predicate) and term.operator is Operator.REGEX and term.ignore_case):
        return None
    if len(term.values) != 1 or term.functions or term.all_of:
        return None
    text = str(term.values[0])
    start = next((edge for edge in map(_before, "LN_") if text.startswith(f"{edge}(?:")), None)
    end = next((edge for edge in map(_after, "LN_") if text.endswith(f"){edge}")), None)
    if start is None or end is None:
        return None
    return term.subject, start, text[len(start) + 3 : len(text) - len(end) - 1], end


def _pattern(path: FieldPath, first: str, last: str, inside: str) -> Predicate:
    text = f"{_before(_kind(first[0]))}(?:{inside}){_after(_kind(last[-1]))}"
    return Predicate(path, Operator.REGEX, (text,), ignore_case=True)


def _before(kind: str) -> str:
    return f"(?:^|{_edge(kind, True)})"


def _after(kind: str) -> str:
    return f"(?:$|{_edge(kind, False)})"


def _edge(kind: str, before: bool) -> str:
    """What stands beside a word that begins (``before``) or ends with a character of this kind."""
    signs = _signs(kind)
    plain = rf"[^{_INNER}{signs}]"
    if not signs:
        return plain
    other = rf"[^{_LETTER if kind == 'L' else _DIGIT}]"
    return rf"{plain}|(?:^|{other})[{signs}]" if before else rf"{plain}|[{signs}](?:$|{other})"
