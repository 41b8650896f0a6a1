"""What the ``search`` command can say of a condition: exactly, or as a pre-filter that the condition implies.

``search`` runs where the events are read, so every term there saves reading; but it compares without case
and cannot say a literal ``*`` (Search Reference, "search"). A term is therefore *exact* or merely *implied*;
what is not exact is said again, exactly, by ``where``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from converter.evaluate.values import number_of, text_of
from converter.logsources.pack import FieldType, PlatformField
from converter.model.expressions import (
    ORDER_OPERATORS,
    All,
    AnyOf,
    Expression,
    ForSome,
    Not,
    Operator,
    Predicate,
    Reference,
    Scalar,
    fields_of,
)
from converter.model.paths import FieldPath
from converter.platforms.splunk.spl.text import (
    has_case,
    has_inner_wildcard,
    is_exact_in_search,
    is_subnet_shaped,
    search_name,
    search_pattern,
    search_value,
)
from converter.platforms.splunk.spl.values import number_text

_ORDER = {Operator.GT: ">", Operator.GTE: ">=", Operator.LT: "<", Operator.LTE: "<="}
_NUMBER_LIKE = re.compile(r"[+-]?[0-9.]+([eE][+-]?[0-9]+)?")
_PLAIN_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_NUMERIC_TYPES = frozenset({FieldType.INTEGER, FieldType.FLOAT})

NOTHING = "NOT *"
"""The search that matches no event."""


class Term(NamedTuple):
    """Search text that the condition implies (None: no restriction), and whether it says all of it."""

    text: str | None
    exact: bool


class _Pattern(NamedTuple):
    text: str
    exact: bool


class SearchTerms:
    """Prints conditions as ``search`` terms. ``fields`` tells how each stored path is stored."""

    def __init__(self, fields: Mapping[FieldPath, PlatformField]) -> None:
        self._fields = fields

    def term(self, expression: Expression) -> Term:
        """The search term of a condition without :class:`ForSome` but of plain values."""
        match expression:
            case ForSome(path):
                return Term(f"{search_name(str(path.steps[0]))}=*", False)
            case All(terms):
                return self._all([self.term(term) for term in terms])
            case AnyOf(terms):
                return self._any([self.term(term) for term in terms])
            case Not(term):
                inner = self.term(term)
                if not inner.exact:
                    return Term(None, False)
                return Term(NOTHING if inner.text is None else f"NOT {_grouped(inner.text)}", True)
            case Predicate():
                return self._predicate(expression)
        raise TypeError(f"not a flat condition: {expression!r}")

    def _all(self, terms: list[Term]) -> Term:
        texts = [term.text for term in terms if term.text is not None]
        exact = all(term.exact for term in terms)
        if not texts:
            return Term(None, exact)
        return Term(texts[0] if len(texts) == 1 else f"({' AND '.join(texts)})", exact)

    def _any(self, terms: list[Term]) -> Term:
        texts = [term.text for term in terms if term.text is not None]
        exact = all(term.exact for term in terms)
        if len(texts) < len(terms):
            return Term(None, exact and any(term.text is None and term.exact for term in terms))
        if not texts:
            return Term(NOTHING, True)
        return Term(texts[0] if len(texts) == 1 else f"({' OR '.join(texts)})", exact)

    def _predicate(self, predicate: Predicate) -> Term:
        paths = fields_of(predicate.subject)
        present = self._all([Term(f"{search_name(str(path.steps[0]))}=*", False) for path in paths])
        if not isinstance(predicate.subject, FieldPath) or predicate.functions:
            return Term(present.text, False)
        path = predicate.subject
        name, whole = search_name(str(path.steps[0])), len(path.steps) == 1
        if predicate.operator is Operator.EXISTS:
            return Term(f"{name}=*", whole)
        patterns = [self._pattern(predicate, value, path) for value in predicate.values]
        if not patterns or any(pattern is None for pattern in patterns):
            return Term(present.text, False)
        found = [pattern for pattern in patterns if pattern is not None]
        exact = whole and all(pattern.exact for pattern in found)
        if predicate.operator in ORDER_OPERATORS:
            sign = _ORDER[predicate.operator]
            texts = [f"{name}{sign}{pattern.text}" for pattern in found]
            joint = " AND " if predicate.all_of else " OR "
            return Term(texts[0] if len(texts) == 1 else f"({joint.join(texts)})", exact)
        if len(found) == 1:
            return Term(f"{name}={found[0].text}", exact)
        if predicate.all_of:
            return Term("(" + " AND ".join(f"{name}={pattern.text}" for pattern in found) + ")", exact)
        return Term(f"{name} IN ({', '.join(dict.fromkeys(pattern.text for pattern in found))})", exact)

    def _pattern(self, predicate: Predicate, value: Scalar | Reference, path: FieldPath) -> _Pattern | None:
        """The right-hand side for one operand; None when the operator has none here."""
        if isinstance(value, Reference):
            return None
        field = self._fields.get(path)
        if predicate.operator in ORDER_OPERATORS:
            number = number_of(value)
            if number is None or field is None or field.type not in _NUMERIC_TYPES:
                return None
            return _Pattern(number_text(number), True)
        text = text_of(value)
        caseless = predicate.ignore_case or not has_case(text)
        match predicate.operator:
            case Operator.IS:
                boolean = isinstance(value, bool) and field is not None and field.type is FieldType.BOOLEAN
                return _whole(text, caseless or boolean, value)
            case Operator.STARTS_WITH:
                return _Pattern(
                    search_value(search_pattern(text) + "*"), caseless and is_exact_in_search(text)
                )
            case Operator.ENDS_WITH:
                return _Pattern(
                    search_value("*" + search_pattern(text)), caseless and is_exact_in_search(text)
                )
            case Operator.CONTAINS:
                pattern = search_value("*" + search_pattern(text) + "*")
                return _Pattern(pattern, caseless and is_exact_in_search(text))
            case Operator.LIKE:
                return _like(text, caseless)
            case _:
                return None


def _whole(text: str, caseless: bool, value: Scalar) -> _Pattern | None:
    if is_subnet_shaped(text) or not text.strip():
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool) and _PLAIN_INTEGER.fullmatch(text):
        return _Pattern(text, True)
    if _NUMBER_LIKE.fullmatch(text) and not _PLAIN_INTEGER.fullmatch(text):
        return None
    return _Pattern(search_value(search_pattern(text)), caseless and is_exact_in_search(text))


def _like(pattern: str, caseless: bool) -> _Pattern:
    """A ``like`` pattern: ``*`` is search's own wildcard, ``?`` and escaped characters are widened to it."""
    parts: list[str] = []
    exact = True
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if character == "\\" and pattern[position + 1 : position + 2] in ("*", "?", "\\"):
            position += 1
            parts.append(pattern[position])
            exact = exact and pattern[position] != "*"
        elif character == "?":
            parts.append("*")
            exact = False
        else:
            parts.append(character)
        position += 1
    text = "".join(parts)
    literal = text.replace("*", "")
    exact = exact and (not literal or is_exact_in_search(literal)) and text == text.strip()
    exact = exact and "*" in text and not has_inner_wildcard(text)
    return _Pattern(search_value(search_pattern(text)), exact and caseless)


def _grouped(text: str) -> str:
    return text if text.startswith("(") else f"({text})"
