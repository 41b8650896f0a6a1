"""Filters of a rule (Query DSL), and the entries of exception lists, as canonical expressions.

Sources: Elasticsearch, "Query DSL" (bool, term, terms, match, match_phrase, prefix, wildcard, regexp, range,
exists, ids, query_string); Kibana, "Filter" (``meta.negate``, ``meta.disabled``) and the Lists API
(exception items: entries of type match, match_any, exists, wildcard, nested, all of which must hold).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from converter.evaluate.values import number_of, text_of
from converter.logsources.pack import FieldType
from converter.model.expressions import (
    FALSE,
    TRUE,
    Expression,
    ForSome,
    Not,
    Operator,
    Predicate,
    Scalar,
    all_of,
    any_of,
    negated,
)
from converter.model.paths import FieldPath
from converter.model.regex import RegexError, parse, render
from converter.platforms.elastic.fields import StoredFields
from converter.platforms.elastic.importing.lucene import read_query_string
from converter.platforms.elastic.importing.values import UnreadableError, analysed, equal, ordered
from converter.platforms.elastic.patterns import Wildcard, format_like, pattern

_DEEPEST: Final = 40
_RANGES: Final = {"gt": Operator.GT, "gte": Operator.GTE, "lt": Operator.LT, "lte": Operator.LTE}
_FROM_TO: Final = {"from": Operator.GTE, "to": Operator.LTE}


def read_filter(data: Any, fields: StoredFields) -> Expression:
    """One entry of ``filters``. Raises UnreadableError for what has no canonical form."""
    if not isinstance(data, Mapping):
        raise UnreadableError("a filter that is no object")
    given = data.get("meta")
    meta: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    if meta.get("disabled"):
        return TRUE
    body = data.get("query")
    if body is None:
        body = {key: value for key, value in data.items() if key not in ("meta", "$state", "store")}
    found = _Dsl(fields).query(body, 0)
    return negated(found) if meta.get("negate") else found


def read_exception(data: Mapping[str, Any], fields: StoredFields) -> Expression:
    """An item of an exception list: all of its entries hold. Raises UnreadableError."""
    entries = data.get("entries")
    if not isinstance(entries, list) or not entries:
        raise UnreadableError("an exception without entries")
    return all_of(*(_entry(entry, fields) for entry in entries))


def _entry(entry: Any, fields: StoredFields, base: str = "") -> Expression:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("field"), str):
        raise UnreadableError("an entry without a field")
    name, kind, value = entry["field"], entry.get("type"), entry.get("value")
    if kind == "nested" and not base and isinstance(entry.get("entries"), list):
        terms = [_entry(inner, fields, f"{name}.") for inner in entry["entries"]]
        return ForSome(FieldPath((name,)), all_of(*terms))
    path = FieldPath(tuple(name.split("."))) if base else FieldPath((name,))
    whole = base + name
    match kind:
        case "match":
            found = _any_equal(fields, path, whole, [value])
        case "match_any" if isinstance(value, list):
            found = _any_equal(fields, path, whole, value)
        case "exists":
            found = Predicate(path, Operator.EXISTS)
        case "wildcard" if isinstance(value, str):
            found = _wildcard(path, value, ignore_case=False)
        case _:
            raise UnreadableError(f"an entry of type {kind!r}")
    return negated(found) if entry.get("operator") == "excluded" else found


def _any_equal(fields: StoredFields, path: FieldPath, name: str, values: Sequence[Any]) -> Expression:
    return any_of(*(equal(fields, path, _scalar(value), name) for value in values))


def _scalar(value: Any) -> Scalar:
    if not isinstance(value, bool | int | float | str):
        raise UnreadableError("a value that is no text, number or truth value")
    return value


def _wildcard(path: FieldPath, text: str, *, ignore_case: bool) -> Expression:
    """``*`` any run, ``?`` one character, a backslash takes the meaning from what follows."""
    parts: list[str | Wildcard] = []
    characters = iter(text)
    for character in characters:
        if character == "\\":
            parts.append(next(characters, "\\"))
        else:
            parts.append(Wildcard(character) if character in "*?" else character)
    made = pattern(parts)
    if made == (Wildcard.ANY,):
        return Predicate(path, Operator.EXISTS)
    if all(isinstance(part, str) for part in made):
        return Predicate(path, Operator.IS, ("".join(map(str, made)),), ignore_case=ignore_case)
    return Predicate(path, Operator.LIKE, (format_like(made),), ignore_case=ignore_case)


class _Dsl:
    """Queries over fields of known types."""

    def __init__(self, fields: StoredFields) -> None:
        self._fields = fields
        self._kinds: Mapping[str, Callable[[Any, int], Expression]] = {
            "bool": self._bool,
            "match_all": lambda body, depth: TRUE,
            "match_none": lambda body, depth: FALSE,
            "exists": self._exists,
            "term": self._equal,
            "match": self._match,
            "match_phrase": self._match,
            "terms": self._terms,
            "prefix": self._prefix,
            "wildcard": self._wildcard,
            "regexp": self._regexp,
            "range": self._range,
            "query_string": self._query_string,
            "simple_query_string": self._query_string,
            "nested": self._nested,
            "constant_score": lambda body, depth: self.query(_get(body, "filter"), depth + 1),
        }

    def query(self, data: Any, depth: int) -> Expression:
        """One query: an object with one key, its kind; several are joined by and."""
        if depth > _DEEPEST:
            raise UnreadableError("filters nested too deeply")
        if not isinstance(data, Mapping) or not data:
            raise UnreadableError("a query that is no object")
        terms = []
        for kind, body in data.items():
            read = self._kinds.get(kind)
            if read is None:
                raise UnreadableError(f"the query {str(kind)[:40]}")
            terms.append(read(body, depth))
        return all_of(*terms)

    def _bool(self, body: Any, depth: int) -> Expression:
        """``should`` is asked where nothing else is, or as ``minimum_should_match`` says."""
        if not isinstance(body, Mapping):
            raise UnreadableError("a bool query that is no object")
        clauses = {
            key: [self.query(one, depth + 1) for one in _listed(body.get(key))]
            for key in ("must", "filter", "must_not", "should")
        }
        needed = body.get("minimum_should_match")
        asked = 0 if clauses["must"] or clauses["filter"] else 1
        if needed is not None:
            if number_of(needed) not in (0, 1):
                raise UnreadableError("minimum_should_match other than 1")
            asked = int(needed)
        terms = [*clauses["must"], *clauses["filter"], *(Not(term) for term in clauses["must_not"])]
        if clauses["should"] and asked:
            terms.append(any_of(*clauses["should"]))
        return all_of(*terms)

    def _exists(self, body: Any, depth: int) -> Expression:
        return Predicate(_path(_get(body, "field")), Operator.EXISTS)

    def _one(self, body: Any, key: str) -> tuple[str, Any, Mapping[str, Any]]:
        """The field, its operand (``key`` of a long form) and the long form."""
        if not isinstance(body, Mapping):
            raise UnreadableError("a query without a field")
        entries = [(name, value) for name, value in body.items() if name not in ("boost", "_name")]
        if len(entries) != 1:
            raise UnreadableError("a query of several fields")
        name, value = entries[0]
        if isinstance(value, Mapping):
            return name, value.get(key, value.get("value")), value
        return name, value, {}

    def _equal(self, body: Any, depth: int) -> Expression:
        name, value, options = self._one(body, "value")
        return equal(
            self._fields, _path(name), _scalar(value), ignore_case=options.get("case_insensitive") is True
        )

    def _match(self, body: Any, depth: int) -> Expression:
        """Exact on a field that is not analysed, words or a phrase on one that is."""
        name, value, options = self._one(body, "query")
        if options.get("type") == "phrase" or self._fields.type_of(name) is not FieldType.TEXT:
            return equal(self._fields, _path(name), _scalar(value))
        return analysed(_path(name), text_of(_scalar(value)), in_a_row=False)

    def _terms(self, body: Any, depth: int) -> Expression:
        name, values, _ = self._one(body, "value")
        if not isinstance(values, list):
            raise UnreadableError("a terms lookup")
        return _any_equal(self._fields, _path(name), name, values)

    def _prefix(self, body: Any, depth: int) -> Expression:
        name, value, options = self._one(body, "value")
        text = text_of(_scalar(value))
        if not text:
            return Predicate(_path(name), Operator.EXISTS)
        folded = options.get("case_insensitive") is True
        return Predicate(_path(name), Operator.STARTS_WITH, (text,), ignore_case=folded)

    def _wildcard(self, body: Any, depth: int) -> Expression:
        name, value, options = self._one(body, "wildcard")
        text = text_of(_scalar(value))
        return _wildcard(_path(name), text, ignore_case=options.get("case_insensitive") is True)

    def _regexp(self, body: Any, depth: int) -> Expression:
        name, value, options = self._one(body, "value")
        try:
            text = render(parse(text_of(_scalar(value)), "lucene"), "re2")
        except RegexError as error:
            raise UnreadableError(f"a regular expression: {error}") from error
        folded = options.get("case_insensitive") is True
        return Predicate(_path(name), Operator.REGEX, (text,), ignore_case=folded)

    def _range(self, body: Any, depth: int) -> Expression:
        name, _, bounds = self._one(body, "value")
        terms = [
            ordered(self._fields, _path(name), operator, _scalar(bounds[key]))
            for key, operator in (*_RANGES.items(), *_FROM_TO.items())
            if bounds.get(key) is not None
        ]
        if not terms:
            raise UnreadableError("a range without a bound")
        return all_of(*terms)

    def _query_string(self, body: Any, depth: int) -> Expression:
        default = body.get("default_field") if isinstance(body, Mapping) else None
        listed = body.get("fields") if isinstance(body, Mapping) else None
        if isinstance(listed, list) and len(listed) == 1:
            default = listed[0]
        text = _get(body, "query")
        if not isinstance(text, str):
            raise UnreadableError("a query string that is no text")
        return read_query_string(text, self._fields, default if isinstance(default, str) else None)

    def _nested(self, body: Any, depth: int) -> Expression:
        raise UnreadableError("a nested query")


def _get(body: Any, key: str) -> Any:
    if not isinstance(body, Mapping) or key not in body:
        raise UnreadableError(f"a query without {key}")
    return body[key]


def _path(name: Any) -> FieldPath:
    if not isinstance(name, str) or not name or "*" in name:
        raise UnreadableError("a query of no one field")
    return FieldPath((name,))


def _listed(value: Any) -> Sequence[Any]:
    if value is None:
        return ()
    return value if isinstance(value, list) else (value,)
