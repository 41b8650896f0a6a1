"""From a Lucene query string to a canonical expression over stored names, with Lucene's exact meaning.

Source: Elasticsearch, "Query string query" (default operator OR) and the classic query parser of Lucene: AND
makes the clauses on both its sides required and nothing groups by precedence, so ``a OR b AND c`` asks for b
and c alone; a query of prohibited clauses alone is everything but those.
"""

from __future__ import annotations

import enum
import re
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from converter.logsources.pack import FieldType
from converter.model.expressions import TRUE, Expression, Not, Operator, Predicate, all_of, any_of
from converter.model.paths import FieldPath
from converter.model.regex import RegexError, render
from converter.model.regex import parse as parse_regex
from converter.platforms.elastic.fields import StoredFields
from converter.platforms.elastic.grammars import LeftOut, left_out, parse, query_error
from converter.platforms.elastic.patterns import Pattern, Wildcard, pattern
from converter.platforms.elastic.typed import (
    UnreadableError,
    analysed,
    bounded,
    equal,
    need_text,
    ordered,
    some_field,
    wildcard,
)

if TYPE_CHECKING:
    import lark

    Tree: TypeAlias = lark.Tree[lark.Token]

_RANGE: Final = re.compile(
    r'([\[{])\s*("(?:\\.|[^"\\])*"|\S+)\s+TO\s+("(?:\\.|[^"\\])*"|.+?)\s*([\]}])', re.DOTALL
)
_COMPARED: Final = re.compile(r"([<>]=?)\s*(.+)", re.DOTALL)
_SIGNS: Final = {">": Operator.GT, ">=": Operator.GTE, "<": Operator.LT, "<=": Operator.LTE}


def read_query_string(
    text: str,
    fields: StoredFields,
    default: str | None = None,
    *,
    every: bool = False,
    missing: list[LeftOut] | None = None,
) -> Expression:
    """The expression of a query string; ``default``: the field of values that name none; ``every``: clauses
    side by side must all hold (``default_operator: and``).

    With ``missing``, required or prohibited clauses without a canonical form are left out, and put into it.
    Raises RuleError for what is no query string, UnreadableError for what has no canonical form.
    """
    if not text.strip():
        return TRUE
    return _Reader(text, fields, every).clauses(parse("lucene", text).children, default, missing)


class _Role(enum.Enum):
    """What a clause is to the group it stands in (Lucene, ``BooleanClause.Occur``)."""

    MUST = "must"
    SHOULD = "should"
    MUST_NOT = "must not"


class _Reader:
    def __init__(self, text: str, fields: StoredFields, every: bool) -> None:
        self._text = text
        self._fields = fields
        self._every = every

    def clauses(
        self, children: list[Any], field: str | None, missing: list[LeftOut] | None = None
    ) -> Expression:
        """Clauses side by side: all required, none prohibited, some of the rest if none is required."""
        found: dict[_Role, list[Expression]] = {role: [] for role in _Role}
        for role, clause in zip(self._roles(children), children, strict=True):
            try:
                found[role].append(self._item(clause.children[-1], field))
            except UnreadableError as error:
                if missing is None or role is _Role.SHOULD:
                    raise
                reason = query_error("lucene", f"not readable: {error}", clause.meta.line, clause.meta.column)
                missing.append(left_out(self._text, clause, reason))
        if missing and len(missing) == len(children):
            raise UnreadableError(missing[0].reason.message.removeprefix("LUCENE: not readable: "))
        terms = [*found[_Role.MUST], *map(Not, found[_Role.MUST_NOT])]
        if found[_Role.SHOULD] and not found[_Role.MUST]:
            terms.insert(0, any_of(*found[_Role.SHOULD]))
        return all_of(*terms)

    def _roles(self, children: list[Any]) -> list[_Role]:
        """AND requires the clause before it too; where all are required, OR frees the one before it."""
        roles: list[_Role] = []
        for clause in children:
            words = {part.type for part in clause.children if hasattr(part, "type")}
            if "AND" in words and roles and roles[-1] is _Role.SHOULD:
                roles[-1] = _Role.MUST
            if self._every and "OR" in words and roles and roles[-1] is _Role.MUST:
                roles[-1] = _Role.SHOULD
            if words & {"NOT", "MINUS"}:
                roles.append(_Role.MUST_NOT)
            elif words & {"AND", "PLUS"} or (self._every and "OR" not in words):
                roles.append(_Role.MUST)
            else:
                roles.append(_Role.SHOULD)
        return roles

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
            name, kind, text = _plain(text.strip('"')), "term", "*"
        if "*" not in name or self._fields.declares(name):
            return self._value(kind, text, name)
        if text != "*":
            raise self._unreadable(tree, "a wildcard in a field name")
        return some_field(self._fields, name)

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
        if self._fields.type_of(name) is FieldType.TEXT and all(isinstance(part, str) for part in parts):
            return analysed(path, "".join(map(str, parts)), in_a_row=False)
        return wildcard(self._fields, path, parts)

    def _regex(self, path: FieldPath, text: str) -> Expression:
        need_text(self._fields, str(path.steps[0]), "a regular expression")
        try:
            return Predicate(path, Operator.REGEX, (render(parse_regex(text, "lucene"), "re2"),))
        except RegexError as error:
            raise UnreadableError(f"the regular expression {text!r}: {error}") from error

    def _range(self, path: FieldPath, token: str) -> Expression:
        found = _RANGE.fullmatch(token)
        if found is None:
            raise UnreadableError(f"the range {token!r}")
        opening, low, high, closing = found.groups()
        bounds = [
            (operator, _plain(text.strip('"')))
            for text, operator in (
                (low, Operator.GTE if opening == "[" else Operator.GT),
                (high, Operator.LTE if closing == "]" else Operator.LT),
            )
            if text != "*"
        ]
        return bounded(self._fields, path, bounds) if bounds else Predicate(path, Operator.EXISTS)

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
