"""The condition language of Sigma: names of detections joined by not, and, or, parentheses and selectors.

Written here rather than taken from pySigma for three reasons: places of mistakes are known, nesting is
bounded, and names that begin like an operator (``notepad``) stay names. The language is that of the Sigma
specification, "Condition" (not binds before and, and before or; ``1 of x*``, ``any of``, ``all of them``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias

import msgspec

from converter.model.wildcards import wildcard_regex

_TOKEN = re.compile(r"\s*(?:(?P<bracket>[()])|(?P<pipe>\|)|(?P<word>[^\s()|]+))")
_OPERATORS: Final = frozenset({"and", "or", "not"})
_QUANTIFIERS: Final = {"1": False, "any": False, "all": True}

MAX_CONDITION_DEPTH: Final = 66
"""Levels of parentheses and negations: rules need three or four."""


class Name(msgspec.Struct, frozen=True):
    """A detection by its name. ``offset``: where in the text it stands, from 0."""

    name: str
    offset: int = 0


class Selector(msgspec.Struct, frozen=True):
    """``1 of PATTERN`` or, with ``every``, ``all of PATTERN``; the pattern may be ``them``."""

    pattern: str
    every: bool
    offset: int = 0

    def names(self, detections: Iterable[str]) -> list[str]:
        """The detections that are meant. Names with a leading underscore take a pattern that has one."""
        pattern = "*" if self.pattern == "them" else self.pattern
        wanted = re.compile(wildcard_regex(pattern), re.DOTALL)
        return [
            name
            for name in detections
            if wanted.fullmatch(name) and (pattern.startswith("_") or not name.startswith("_"))
        ]


class Negation(msgspec.Struct, frozen=True):
    """``not``."""

    term: Condition


class Junction(msgspec.Struct, frozen=True):
    """``and`` (``every``) or ``or`` of two terms or more."""

    terms: tuple[Condition, ...]
    every: bool


Condition: TypeAlias = Name | Selector | Negation | Junction


class ConditionError(ValueError):
    """A condition that is not in the language. ``code``: what kind of mistake; ``offset``: where, from 0."""

    def __init__(self, code: str, message: str, offset: int, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.offset = offset
        self.hint = hint


def parse_condition(text: str) -> Condition:
    """Read a condition. Raises :class:`ConditionError`."""
    parser = _Parser(list(_tokens(text)), len(text))
    condition = parser.either(0)
    parser.finish()
    return condition


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    position = 0
    while match := _TOKEN.match(text, position):
        word = match[match.lastgroup or 0]
        start = match.end() - len(word)
        if word == "|":
            raise ConditionError(
                "aggregation",
                "an aggregation behind a pipe is no longer part of Sigma",
                start,
                "write it as a correlation rule",
            )
        yield word, start
        position = match.end()


class _Parser:
    def __init__(self, tokens: list[tuple[str, int]], end: int) -> None:
        self._tokens = tokens
        self._at = 0
        self._end = end

    def either(self, depth: int) -> Condition:
        return self._joined("or", self._both, depth)

    def _both(self, depth: int) -> Condition:
        return self._joined("and", self._negated, depth)

    def _joined(self, word: str, part: Callable[[int], Condition], depth: int) -> Condition:
        terms = [part(depth)]
        while self._peek().lower() == word:
            self._at += 1
            terms.append(part(depth))
        return terms[0] if len(terms) == 1 else Junction(tuple(terms), every=word == "and")

    def _negated(self, depth: int) -> Condition:
        if depth > MAX_CONDITION_DEPTH:
            raise ConditionError(
                "too-deep", f"nested more than {MAX_CONDITION_DEPTH} deep", self._offset(), "simplify it"
            )
        if self._peek().lower() == "not":
            self._at += 1
            return Negation(self._negated(depth + 1))
        return self._operand(depth)

    def _operand(self, depth: int) -> Condition:
        word, offset = self._peek(), self._offset()
        if word == "(":
            self._at += 1
            inner = self.either(depth + 1)
            if self._peek() != ")":
                raise self._expected("')'")
            self._at += 1
            return inner
        if word in ("", ")") or word.lower() in _OPERATORS:
            raise self._expected("the name of a detection")
        self._at += 1
        if self._peek().lower() != "of":
            return Name(word, offset)
        if word.lower() not in _QUANTIFIERS:
            message = f"'{word} of' is no quantifier"
            raise ConditionError("condition", message, offset, "Sigma has '1 of', 'any of' and 'all of'")
        self._at += 1
        pattern = self._peek()
        if pattern in ("", "(", ")") or pattern.lower() in _OPERATORS:
            raise self._expected("'them' or a pattern of names")
        self._at += 1
        return Selector(pattern, _QUANTIFIERS[word.lower()], offset)

    def finish(self) -> None:
        if self._peek():
            raise self._expected("'and', 'or' or the end")

    def _peek(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    def _offset(self) -> int:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else self._end

    def _expected(self, what: str) -> ConditionError:
        found = self._peek()
        message = f"expected {what}, found {found[:60]!r}" if found else f"expected {what} at the end"
        return ConditionError("condition", f"condition: {message}", self._offset())
