"""From KQL text to a canonical expression over stored names, with KQL's exact meaning.

What a literal means depends on the field's type (Kibana, kuery "is" and "range" functions; Elasticsearch,
"match", "match_phrase", "wildcard" and "range" queries): exact and with case on keywords, one word or a
phrase on analysed text, a network on addresses. ``not`` is ``must_not``: it matches missing fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from converter.logsources.pack import FieldType
from converter.model.diagnostics import RuleError
from converter.model.expressions import (
    TRUE,
    Expression,
    ForSome,
    Operator,
    Predicate,
    all_of,
    any_of,
    negated,
)
from converter.model.paths import FieldPath
from converter.platforms.elastic.fields import StoredFields
from converter.platforms.elastic.grammars import LeftOut, left_out, parse, query_error
from converter.platforms.elastic.kql.settings import BLANKS
from converter.platforms.elastic.patterns import ANY, Pattern, Wildcard, format_like, pattern
from converter.platforms.elastic.typed import UnreadableError, analysed, equal, ordered, some_field, wildcard

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
            if self._asks_for_some_field(tree):
                prefix = "".join(map(_shown, _literal(tree.children[0])))
                return self._typed(tree, lambda: some_field(self._fields, prefix))
            name = self._name_or_all(tree.children[0])
            return self._values(tree.children[1], lambda literal: self._compared(tree, name, literal))  # type: ignore[arg-type]
        if tree.data == "range":
            return self._range(tree)
        if tree.data == "nested":
            return self._nested_query(tree)
        if tree.data == "bare":
            if _literal(tree.children[0]) == _EXISTS:
                return TRUE
            raise self._error(tree, "a value without a field searches every field; name the field")
        return _combined(tree, self.query)

    def _asks_for_some_field(self, tree: lark.Tree[lark.Token]) -> bool:
        """Whether it is ``prefix.*:*``, outside of nested fields."""
        name, values = tree.children
        literal = _literal(name)
        exists = values.data == "value" and _literal(values.children[0]) == _EXISTS  # type: ignore[union-attr]
        wild = not isinstance(literal, Quoted) and len(literal) > 1 and ANY in literal
        return exists and wild and not self._nested

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
        """A field's name; one with wildcards only if a log source knows it as the name of a list's fields."""
        literal = _literal(tree)
        if isinstance(literal, Quoted):
            return self._nested + str(literal)
        name = self._nested + "".join(map(_shown, literal))
        if ANY in literal and not self._fields.declares(name):
            raise self._error(tree, "a wildcard in a field name")
        return name

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
        if isinstance(literal, Quoted) or ANY not in literal:
            text = str(literal) if isinstance(literal, Quoted) else "".join(map(str, literal))
            if text == "null" and not isinstance(literal, Quoted):
                raise self._error(place, "null is no value to search for; use not field:*")
            if kind is FieldType.TEXT:
                in_a_row = isinstance(literal, Quoted)
                return self._typed(place, lambda: analysed(path, text, in_a_row=in_a_row))
            return self._typed(place, lambda: equal(self._fields, path, text, name))
        if kind in (FieldType.WILDCARD, FieldType.FLATTENED):
            return any_of(*(_wild(path, piece) for piece in _split(literal)))
        if kind is FieldType.TEXT:
            words = _split(literal)
            return self._typed(
                place, lambda: any_of(*(wildcard(self._fields, path, one, name) for one in words))
            )
        return self._typed(place, lambda: wildcard(self._fields, path, literal, name))

    def _range(self, tree: lark.Tree[lark.Token]) -> Expression:
        name = self._name(tree.children[0])
        literal = _literal(tree.children[2])
        text = str(literal) if isinstance(literal, Quoted) else "".join(map(_shown, literal))
        if not isinstance(literal, Quoted) and ANY in literal:
            raise self._error(tree, "a range to a wildcard")
        operator = _RANGES[str(tree.children[1])]
        return self._typed(tree, lambda: ordered(self._fields, self._path(name), operator, text, name))

    def _typed(self, place: object, read: Callable[[], Expression]) -> Expression:
        try:
            return read()
        except UnreadableError as error:
            raise self._error(place, str(error)) from error

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


def _shown(part: str | Wildcard) -> str:
    return part if isinstance(part, str) else part.value


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
