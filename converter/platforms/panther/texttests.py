"""Tests of one text in Python: equality, beginnings, endings, parts, wildcards, regular expressions."""

from __future__ import annotations

from typing import Final

import msgspec

from converter.evaluate.values import text_of
from converter.model.expressions import (
    Operator,
    Predicate,
    constants,
)
from converter.model.losses import Losses
from converter.model.paths import FieldPath
from converter.model.regex import RegexError, nullable, parse, render
from converter.platforms.panther import layout
from converter.platforms.panther.layout import Doc
from converter.platforms.panther.literals import python_raw, python_text
from converter.platforms.panther.module import Module, words

TEXT_FORMS: Final = {
    Operator.IS: "equal",
    Operator.STARTS_WITH: "startswith",
    Operator.ENDS_WITH: "endswith",
    Operator.CONTAINS: "contains",
}


class TextTest(msgspec.Struct, frozen=True):
    """A test of one text. ``form``: which; ``operand``: a literal, or a tuple when ``several``.

    ``fold`` is put behind the text where case is ignored; ``takes_empty``: whether "" may satisfy it.
    """

    form: str
    operand: str
    several: bool
    fold: str
    takes_empty: bool

    def of(self, element: str) -> Doc:
        """The test of the text that a Python expression gives."""
        text = element + self.fold
        match self.form:
            case "equal":
                return layout.compared(text, "in" if self.several else "==", self.operand)
            case "contains" if self.several:
                return layout.Any(layout.compared("part", "in", text), (f"for part in {self.operand}",))
            case "contains":
                return layout.compared(self.operand, "in", text)
            case "like":
                return layout.call(f"like({text}, {self.operand})")
            case "search":
                found = f"{self.operand}.search({text})"
                return layout.Text(f"bool({found})", f"not {found}")
            case _:
                return layout.call(f"{text}.{self.form}({self.operand})")


class TextTests:
    """Makes the tests of a predicate's operands, their constants in one module."""

    def __init__(self, module: Module, losses: Losses) -> None:
        self._module = module
        self._losses = losses

    def of(self, predicate: Predicate, path: FieldPath | None) -> list[TextTest] | None:
        """The tests of one text that any operand's satisfaction comes to; None if there are none."""
        operands = list(map(text_of, constants(predicate)))
        fold = ".lower()" if predicate.ignore_case else ""
        if predicate.operator is Operator.REGEX:
            return [
                test for operand in operands if (test := self._regex(operand, predicate, path)) is not None
            ]
        forms: dict[Operator, list[str]] = {}
        for operand in operands:
            operator: Operator = predicate.operator
            text = operand.lower() if fold else operand
            if operator is Operator.LIKE:
                operator, text = _like(text)
            forms.setdefault(operator, []).append(text)
        tests: list[TextTest] = []
        for operator, found in forms.items():
            texts = list(dict.fromkeys(found))
            if operator is Operator.LIKE:
                self._module.use("like")
                tests += [
                    TextTest("like", python_raw(text), False, fold, not text.strip("*")) for text in texts
                ]
            else:
                literals = [python_text(text) for text in texts]
                choices = literals[0] if len(texts) == 1 else self._module.choices(path, literals)
                tests.append(TextTest(TEXT_FORMS[operator], choices, len(texts) > 1, fold, "" in texts))
        return tests

    def _regex(self, pattern: str, predicate: Predicate, path: FieldPath | None) -> TextTest | None:
        try:
            node = parse(f"(?i){pattern}" if predicate.ignore_case else pattern, "re2")
            text = render(node, "python")
        except RegexError as error:
            self._losses.refuse("regex-construct", f"the regex {pattern!r} has no Python form: {error}")
            return None
        except RecursionError:
            self._losses.refuse("regex-construct", "the regex is nested too deeply")
            return None
        return TextTest("search", self._pattern(python_raw(text), path), False, "", nullable(node))

    def _pattern(self, literal: str, path: FieldPath | None) -> str:
        self._module.use("re")
        stem = words(path) if path is not None else "text"
        return self._module.constant(f"{stem}_pattern", f"re.compile({literal})")


def _wildcard_tokens(pattern: str) -> list[tuple[bool, str]]:
    """(is a wildcard, character) for each character of a ``like`` pattern, escapes resolved."""
    tokens: list[tuple[bool, str]] = []
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if character == "\\" and position + 1 < len(pattern) and pattern[position + 1] in "*?\\":
            position += 1
            tokens.append((False, pattern[position]))
        else:
            tokens.append((character in "*?", character))
        position += 1
    return tokens


def _like(pattern: str) -> tuple[Operator, str]:
    """A pattern with ``*`` at its ends only is one of the plainer operators; else it stays ``like``."""
    tokens = _wildcard_tokens(pattern)
    before = bool(tokens) and tokens[0] == (True, "*")
    after = len(tokens) > 1 and tokens[-1] == (True, "*")
    inner = tokens[before : len(tokens) - after]
    text = "".join(character for _, character in inner)
    if any(is_wild for is_wild, _ in inner) or ((before or after) and not text):
        return Operator.LIKE, pattern
    if before and after:
        return Operator.CONTAINS, text
    if before:
        return Operator.ENDS_WITH, text
    return (Operator.STARTS_WITH, text) if after else (Operator.IS, text)
