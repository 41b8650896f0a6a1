"""From a Lucene query string to a canonical expression over stored names, with Lucene's exact meaning.

Source: Elasticsearch, "Query string query" (default operator OR) and the classic query parser of Lucene: AND
makes the clauses on both its sides required and nothing groups by precedence, so ``a OR b AND c`` asks for b
and c alone; a query of prohibited clauses alone is everything but those.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from converter.logsources.pack import FieldType
from converter.model.expressions import TRUE, Expression, Not, Operator, Predicate, all_of, any_of
from converter.model.paths import FieldPath
from converter.model.regex import RegexError, render
from converter.model.regex import parse as parse_regex
from converter.platforms.elastic.fields import StoredFields
from converter.platforms.elastic.grammars import parse
from converter.platforms.elastic.importing.values import UnreadableError, analysed, equal, ordered
from converter.platforms.elastic.patterns import Pattern, Wildcard, format_like, pattern

if TYPE_CHECKING:
    import lark

    Tree: TypeAlias = lark.Tree[lark.Token]

_RANGE: Final = re.compile(
    r'([\[{])\s*("(?:\\.|[^"\\])*"|\S+)\s+TO\s+("(?:\\.|[^"\\])*"|.+?)\s*([\]}])', re.DOTALL
)
_COMPARED: Final = re.compile(r"([<>]=?)\s*(.+)", re.DOTALL)
_SIGNS: Final = {">": Operator.GT, ">=": Operator.GTE, "<": Operator.LT, "<=": Operator.LTE}


def read_query_string(text: str, fields: StoredFields, default: str | None = None) -> Expression:
    """The expression of a query string; ``default``: the field of values that name none.

    Raises RuleError for what is no query string, UnreadableError for what has no canonical form.
    """
    if not text.strip():
        return TRUE
    return _Reader(fields).clauses(parse("lucene", text).children, default)


class _Reader:
    def __init__(self, fields: StoredFields) -> None:
        self._fields = fields

    def clauses(self, children: list[Any], field: str | None) -> Expression:
        """Clauses side by side: all required, none prohibited, some of the rest if none is required."""
        required: list[Expression] = []
        optional: list[Expression] = []
        prohibited: list[Expression] = []
        last_optional = False
        for clause in children:
            words = [part.type for part in clause.children if hasattr(part, "type")]
            found = self._item(clause.children[-1], field)
            if "AND" in words and last_optional:
                required.append(optional.pop())
            last_optional = False
            if "NOT" in words or "MINUS" in words:
                prohibited.append(found)
            elif "AND" in words or "PLUS" in words:
                required.append(found)
            else:
                optional.append(found)
                last_optional = True
        terms = [*required, *map(Not, prohibited)]
        if optional and not required:
            terms.insert(0, any_of(*optional))
        return all_of(*terms)

    def _item(self, tree: Tree, field: str | None) -> Expression:
        parts: list[Any] = list(tree.children)
        named = parts.pop(0) if hasattr(parts[0], "type") else None
        value = next(part for part in parts if hasattr(part, "data"))
        name = field if named is None else _plain(str(named))
        kind = str(value.data)
        if kind == "group":
            return self.clauses(value.children, name)
        if len(value.children) > 1:
            raise self._unreadable(tree, "fuzzy matching (~)")
        text = str(value.children[0])
        if kind == "term" and text == "*" and name in (None, "*"):
            return TRUE
        if name is None:
            raise self._unreadable(tree, "a value without a field, which searches every field")
        if name == "_exists_":
            return Predicate(FieldPath((_plain(text),)), Operator.EXISTS)
        if "*" in name:
            raise self._unreadable(tree, "a wildcard in a field name")
        return self._value(kind, text, name)

    def _value(self, kind: str, token: str, name: str) -> Expression:
        path = FieldPath((name,))
        match kind:
            case "phrase":
                return equal(self._fields, path, _plain(token[1:-1]))
            case "regex":
                return self._regex(path, token[1:-1].replace("\\/", "/"))
            case "range":
                return self._range(path, token)
            case "compared":
                sign, text = _COMPARED.fullmatch(token).groups()  # type: ignore[union-attr]
                return ordered(self._fields, path, _SIGNS[sign], _plain(text.strip('"')))
        parts = _pattern(token)
        if parts == (Wildcard.ANY,):
            return Predicate(path, Operator.EXISTS)
        if all(isinstance(part, str) for part in parts):
            text = "".join(map(str, parts))
            if self._fields.type_of(name) is FieldType.TEXT:
                return analysed(path, text, in_a_row=False)
            return equal(self._fields, path, text)
        if self._fields.type_of(name) not in (FieldType.KEYWORD, FieldType.WILDCARD):
            raise UnreadableError(
                f"a wildcard on {name}, which is of type {self._fields.type_of(name).value}"
            )
        return Predicate(path, Operator.LIKE, (format_like(parts),))

    def _regex(self, path: FieldPath, text: str) -> Expression:
        try:
            return Predicate(path, Operator.REGEX, (render(parse_regex(text, "lucene"), "re2"),))
        except RegexError as error:
            raise UnreadableError(f"the regular expression {text!r}: {error}") from error

    def _range(self, path: FieldPath, token: str) -> Expression:
        found = _RANGE.fullmatch(token)
        if found is None:
            raise UnreadableError(f"the range {token!r}")
        opening, low, high, closing = found.groups()
        terms = []
        for text, operator in (
            (low, Operator.GTE if opening == "[" else Operator.GT),
            (high, Operator.LTE if closing == "]" else Operator.LT),
        ):
            if text != "*":
                terms.append(ordered(self._fields, path, operator, _plain(text.strip('"'))))
        return all_of(*terms) if terms else Predicate(path, Operator.EXISTS)

    def _unreadable(self, tree: Tree, what: str) -> UnreadableError:
        return UnreadableError(f"{what} (character {tree.meta.column} of line {tree.meta.line})")


def _plain(text: str) -> str:
    """The text with its escapes resolved: a backslash makes the next character itself."""
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def _pattern(token: str) -> Pattern:
    parts: list[str | Wildcard] = []
    for piece in re.findall(r"\\.|[*?]|[^\\*?]+", token, flags=re.DOTALL):
        parts.append(Wildcard(piece) if piece in ("*", "?") else _plain(piece))
    return pattern(parts)
