"""From KQL text to a canonical expression over stored names, with KQL's exact meaning.

What a literal means depends on the field's type (Kibana, kuery "is" and "range" functions; Elasticsearch,
"match", "match_phrase", "wildcard" and "range" queries): exact and with case on keywords, one word or a
phrase on analysed text, a network on addresses. ``not`` is ``must_not``: it matches missing fields.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from converter.evaluate.values import number_of
from converter.logsources.pack import FieldType
from converter.model.diagnostics import RuleError
from converter.model.expressions import (
    FALSE,
    TRUE,
    Expression,
    ForSome,
    Operator,
    Predicate,
    Scalar,
    all_of,
    any_of,
    negated,
)
from converter.model.paths import FieldPath
from converter.platforms.elastic.analysis import phrase, some_word, wildcard_word
from converter.platforms.elastic.fields import StoredFields
from converter.platforms.elastic.grammars import LeftOut, left_out, parse, query_error
from converter.platforms.elastic.kql.settings import BLANKS
from converter.platforms.elastic.operands import NUMBER_TYPES, equal_operand, moment_text, stored_network
from converter.platforms.elastic.patterns import ANY, Pattern, format_like, pattern

if TYPE_CHECKING:
    import lark

Literal: TypeAlias = "Quoted | Pattern"

_UNQUOTED_ESCAPE = re.compile(
    r'\\u([0-9a-fA-F]{4})|\\([trn])|\\((?i:or|and|not)|[\\():<>"*{}])|(\*)|([^*\\]+)'
)
_QUOTED_ESCAPE = re.compile(r'\\u([0-9a-fA-F]{4})|\\([trn])|\\([\\"])', re.DOTALL)
_BLANK_ESCAPES = {"t": "\t", "r": "\r", "n": "\n"}
_RANGES = {">": Operator.GT, ">=": Operator.GTE, "<": Operator.LT, "<=": Operator.LTE}
_EXISTS: Pattern = (ANY,)


class Quoted(str):
    """The text of a quoted literal: no wildcards, and a phrase on an analysed field."""

    __slots__ = ()


def read(text: str, fields: StoredFields) -> Expression:
    """The expression of a KQL query; an empty query matches everything. Raises RuleError."""
    tree = parse("kql", text)
    return _Reader(fields).query(tree.children[0]) if tree.children else TRUE  # type: ignore[arg-type]


def read_partly(text: str, fields: StoredFields) -> tuple[Expression, list[LeftOut]]:
    """As :func:`read`, but parts of the outermost conjunction that have no canonical form are left out.

    Raises RuleError for what is not KQL, and where nothing can be read.
    """
    tree = parse("kql", text)
    if not tree.children:
        return TRUE, []
    top: lark.Tree[lark.Token] = tree.children[0]  # type: ignore[assignment]
    parts = top.children if top.data == "and_" else [top]
    read_terms: list[Expression] = []
    missing: list[LeftOut] = []
    for part in parts:
        try:
            read_terms.append(_Reader(fields).query(part))  # type: ignore[arg-type]
        except RuleError as error:
            if len(missing) + 1 == len(parts):
                raise
            missing.append(left_out(text, part, error))
    return all_of(*read_terms), missing


class _Reader:
    def __init__(self, fields: StoredFields) -> None:
        self._fields = fields
        self._nested = ""

    def query(self, tree: lark.Tree[lark.Token]) -> Expression:
        if tree.data == "field":
            name = self._name_or_all(tree.children[0])
            return self._values(tree.children[1], lambda literal: self._compared(tree, name, literal))  # type: ignore[arg-type]
        if tree.data == "range":
            return self._range(tree)
        if tree.data == "nested":
            return self._nested_query(tree)
        if tree.data == "bare":
            raise self._error(tree, "a value without a field searches every field; name the field")
        return _combined(tree, self.query)

    def _values(self, tree: lark.Tree[lark.Token], compared: Callable[[Literal], Expression]) -> Expression:
        if tree.data == "value":
            return compared(_literal(tree.children[0]))
        return _combined(tree, lambda inner: self._values(inner, compared))

    def _nested_query(self, tree: lark.Tree[lark.Token]) -> Expression:
        name = self._name(tree.children[0])
        outer, self._nested = self._nested, name + "."
        try:
            inner = self.query(tree.children[1])  # type: ignore[arg-type]
        finally:
            self._nested = outer
        return ForSome(FieldPath((name.removeprefix(outer),)), inner)

    def _path(self, name: str) -> FieldPath:
        """A stored field is one key; the elements of a nested field are objects with keys of their own."""
        if not self._nested:
            return FieldPath((name,))
        return FieldPath(tuple(name.removeprefix(self._nested).split(".")))

    def _name_or_all(self, tree: object) -> str | None:
        """The field's name; None for an unquoted ``*``, which is every field."""
        return None if _literal(tree) == _EXISTS else self._name(tree)

    def _name(self, tree: object) -> str:
        literal = _literal(tree)
        if isinstance(literal, Quoted):
            return self._nested + str(literal)
        if ANY in literal:
            raise self._error(tree, "a wildcard in a field name")
        return self._nested + "".join(map(str, literal))

    # -- one comparison

    def _compared(self, place: object, name: str | None, literal: Literal) -> Expression:
        if name is None:
            if literal == _EXISTS:
                return TRUE
            raise self._error(place, "a search of every field")
        path = self._path(name)
        kind = self._fields.type_of(name)
        if literal == _EXISTS:
            return Predicate(path, Operator.EXISTS)
        if kind is FieldType.TEXT:
            return _analysed(path, literal)
        if isinstance(literal, Quoted):
            return self._equal(place, path, kind, str(literal))
        if ANY not in literal:
            text = "".join(map(str, literal))
            if text == "null":
                raise self._error(place, "null is no value to search for; use not field:*")
            return self._equal(place, path, kind, text)
        if kind in (FieldType.WILDCARD, FieldType.FLATTENED):
            pieces = _split(literal)
            if kind is FieldType.FLATTENED and not all(map(_is_prefix, pieces)):
                raise self._error(place, f"a wildcard on the flattened field {name}, other than at the end")
            return any_of(*(_wild(path, piece) for piece in pieces))
        if kind is not FieldType.KEYWORD:
            raise self._error(place, f"a wildcard on {name}, which is of type {kind.value}")
        return _wild(path, literal)

    def _equal(self, place: object, path: FieldPath, kind: FieldType, text: str) -> Expression:
        if kind is FieldType.IP:
            return Predicate(path, Operator.CIDR, self._networks(place, text))
        operand = equal_operand(text, kind)
        if operand is None:
            if kind in NUMBER_TYPES and number_of(text) is not None:
                return FALSE
            raise self._error(place, f"{text!r} is no value for a field of type {kind.value}")
        if kind is FieldType.DATE:
            return all_of(
                Predicate(path, Operator.GTE, (operand,)), Predicate(path, Operator.LTE, (operand,))
            )
        return Predicate(path, Operator.IS, (operand,))

    def _networks(self, place: object, text: str) -> tuple[str, ...]:
        try:
            return stored_network(text) if "/" in text else (str(ipaddress.ip_address(text)),)
        except ValueError as error:
            raise self._error(place, f"{text!r} is no address and no network") from error

    def _range(self, tree: lark.Tree[lark.Token]) -> Expression:
        name = self._name(tree.children[0])
        literal = _literal(tree.children[2])
        text = literal if isinstance(literal, Quoted) else "".join(map(str, literal))
        kind = self._fields.type_of(name)
        operand: Scalar | None = None
        if kind in NUMBER_TYPES or not self._fields.declares(name):
            operand = number_of(str(text))
        elif kind is FieldType.DATE:
            operand = moment_text(str(text))
        if operand is None:
            raise self._error(tree, f"a range over {name} ({kind.value}) with {str(text)!r}")
        path = self._path(name)
        return Predicate(path, _RANGES[str(tree.children[1])], (operand,))

    def _error(self, place: object, what: str) -> Exception:
        meta = getattr(place, "meta", None)
        return query_error(
            "kql", f"not readable: {what}", getattr(meta, "line", None), getattr(meta, "column", None)
        )


def _combined(
    tree: lark.Tree[lark.Token], read_term: Callable[[lark.Tree[lark.Token]], Expression]
) -> Expression:
    terms = [read_term(child) for child in tree.children]  # type: ignore[arg-type]
    if tree.data == "not_":
        return negated(terms[0])
    return all_of(*terms) if tree.data == "and_" else any_of(*terms)


def _literal(tree: object) -> Literal:
    """The text of a literal with its escapes resolved; unquoted, the pattern that it is."""
    token = tree.children[0]  # type: ignore[attr-defined]
    if token.type == "QUOTED":
        return Quoted(_QUOTED_ESCAPE.sub(_unescaped, str(token)[1:-1]))
    parts = [
        ANY if match.group(4) else match.group(5) or _unescaped(match)
        for match in _UNQUOTED_ESCAPE.finditer(str(token).strip(BLANKS))
    ]
    return pattern(parts)


def _unescaped(match: re.Match[str]) -> str:
    code, blank, itself = match.group(1), match.group(2), match.group(3)
    if code is not None:
        return chr(int(code, 16))
    return _BLANK_ESCAPES[blank] if blank is not None else itself


def _wild(path: FieldPath, parts: Pattern) -> Expression:
    if parts == _EXISTS:
        return Predicate(path, Operator.EXISTS)
    if ANY not in parts:
        return Predicate(path, Operator.IS, ("".join(map(str, parts)),))
    return Predicate(path, Operator.LIKE, (format_like(parts),))


def _split(parts: Pattern) -> list[Pattern]:
    """The pattern as Lucene's query string takes it: cut at blanks."""
    pieces: list[list[str | object]] = [[]]
    for part in parts:
        if not isinstance(part, str):
            pieces[-1].append(part)
            continue
        first, *others = re.split(r"\s+", part)
        pieces[-1].append(first)
        pieces.extend([other] for other in others)
    return [made for piece in pieces if (made := pattern(piece))]  # type: ignore[arg-type]


def _is_prefix(parts: Pattern) -> bool:
    return ANY not in parts[:-1]


def _analysed(path: FieldPath, literal: Literal) -> Expression:
    """A text field: a quoted literal is a phrase of words, an unquoted one any of its words."""
    if isinstance(literal, Quoted):
        return phrase(path, str(literal))
    if ANY in literal:
        return wildcard_word(path, [None if part is ANY else str(part) for part in literal])
    return some_word(path, "".join(map(str, literal)))
