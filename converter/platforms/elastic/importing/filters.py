"""Filters of a rule (Query DSL) as canonical expressions.

Sources: Elasticsearch, "Query DSL" (bool, boosting, constant_score, dis_max, exists, match, match_phrase,
match_phrase_prefix, multi_match, nested, prefix, query_string, range, regexp, simple_query_string, term,
terms, wildcard); Kibana, "Filter" (``meta.negate``, ``meta.disabled``, combined filters).
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from converter.evaluate.values import text_of
from converter.logsources.pack import FieldType
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
    children,
    mapped,
    negated,
)
from converter.model.paths import FieldPath
from converter.model.regex import RegexError, parse, render
from converter.platforms.elastic.fields import StoredFields
from converter.platforms.elastic.importing.lucene import read_query_string
from converter.platforms.elastic.patterns import Pattern, Wildcard, pattern
from converter.platforms.elastic.typed import (
    UnreadableError,
    analysed,
    bounded,
    equal,
    need_exact,
    need_text,
    some_field,
    wildcard,
)

_DEEPEST: Final = 40
_RANGES: Final = {"gt": Operator.GT, "gte": Operator.GTE, "lt": Operator.LT, "lte": Operator.LTE}
_NEEDED: Final = re.compile(r"(-?\d{1,4})(%?)", re.ASCII)
_ONE_CLAUSE: Final = re.compile(r'[\w.*?-]*[\w.*?]|"[^"\\]*"')
_MOST_CHOICES: Final = 60
"""Of so many clauses out of so many, each a conjunction of its own."""


def read_filter(data: Any, fields: StoredFields, depth: int = 0) -> Expression:
    """One entry of ``filters``. Raises UnreadableError for what has no canonical form."""
    if not isinstance(data, Mapping) or depth > _DEEPEST:
        raise UnreadableError("a filter that is no object, or nested too deeply")
    given = data.get("meta")
    meta: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    if meta.get("disabled"):
        return TRUE
    if meta.get("type") == "combined":
        parts = [read_filter(part, fields, depth + 1) for part in _listed(meta.get("params"))]
        found = any_of(*parts) if str(meta.get("relation")).lower() == "or" else all_of(*parts)
    else:
        body = data.get("query")
        if body is None:
            body = {key: value for key, value in data.items() if key not in ("meta", "$state", "store")}
        found = _Dsl(fields).query(body, depth)
    return negated(found) if meta.get("negate") else found


def scalar(value: Any) -> Scalar:
    """The value if it is a text, number or truth value. Raises UnreadableError for others."""
    if not isinstance(value, bool | int | float | str):
        raise UnreadableError("a value that is no text, number or truth value")
    return value


def dsl_pattern(text: Any) -> Pattern:
    """``*`` any run, ``?`` one character, a backslash takes the meaning from what follows."""
    parts: list[str | Wildcard] = []
    characters = iter(text_of(scalar(text)))
    for character in characters:
        if character == "\\":
            parts.append(next(characters, "\\"))
        else:
            parts.append(Wildcard(character) if character in "*?" else character)
    return pattern(parts)


class _Dsl:
    """Queries over fields of known types."""

    def __init__(self, fields: StoredFields) -> None:
        self._fields = fields
        self._kinds: Mapping[str, Callable[[Any, int], Expression]] = {
            "bool": self._bool,
            "boosting": lambda body, depth: self.query(_get(body, "positive"), depth + 1),
            "constant_score": lambda body, depth: self.query(_get(body, "filter"), depth + 1),
            "dis_max": lambda body, depth: any_of(*self._all(_get(body, "queries"), depth)),
            "exists": lambda body, depth: self._exists(_get(body, "field")),
            "match": self._match,
            "match_all": lambda body, depth: TRUE,
            "match_none": lambda body, depth: FALSE,
            "match_phrase": self._match_phrase,
            "match_phrase_prefix": self._match_prefix,
            "multi_match": self._multi_match,
            "nested": self._nested,
            "prefix": self._prefix,
            "query_string": self._query_string,
            "range": self._range,
            "regexp": self._regexp,
            "simple_query_string": self._simple,
            "term": self._equal,
            "terms": self._terms,
            "wildcard": self._wildcard,
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

    def _all(self, data: Any, depth: int) -> list[Expression]:
        return [self.query(one, depth + 1) for one in _listed(data)]

    # -- queries of queries

    def _bool(self, body: Any, depth: int) -> Expression:
        """``should`` is asked where nothing else is, or as ``minimum_should_match`` says."""
        if not isinstance(body, Mapping):
            raise UnreadableError("a bool query that is no object")
        must, kept, excluded, should = (
            self._all(body.get(key), depth) for key in ("must", "filter", "must_not", "should")
        )
        asked = 0 if must or kept else 1
        if (needed := body.get("minimum_should_match")) is not None:
            asked = _needed(needed, len(should))
        terms = [*must, *kept, *map(negated, excluded)]
        if should and asked > 0:
            terms.append(_at_least(asked, should))
        return all_of(*terms)

    def _nested(self, body: Any, depth: int) -> Expression:
        """One element meets the query; the fields in it are named in full."""
        name = _get(body, "path")
        path = _path(name)
        return ForSome(path, _below(self.query(_get(body, "query"), depth + 1), f"{name}."))

    # -- queries of one field

    def _exists(self, name: Any) -> Expression:
        if isinstance(name, str) and "*" in name:
            return some_field(self._fields, name)
        return Predicate(_path(name), Operator.EXISTS)

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
        """The term as it stands; Elasticsearch does not cut it into words."""
        name, value, options = self._one(body, "value")
        need_exact(self._fields, name, "a term query")
        folded = options.get("case_insensitive") is True
        return equal(self._fields, _path(name), scalar(value), ignore_case=folded)

    def _terms(self, body: Any, depth: int) -> Expression:
        name, values, _ = self._one(body, "value")
        if not isinstance(values, list):
            raise UnreadableError("a terms lookup")
        need_exact(self._fields, name, "a terms query")
        return any_of(*(equal(self._fields, _path(name), scalar(value)) for value in values))

    def _match(self, body: Any, depth: int) -> Expression:
        """Exact on a field that is not analysed, some word, all words or a phrase on one that is."""
        name, value, options = self._one(body, "query")
        return self._matched(name, value, options)

    def _matched(self, name: str, value: Any, options: Mapping[str, Any]) -> Expression:
        _refuse_options(
            options, ("fuzziness", "minimum_should_match", "slop", "analyzer", "cutoff_frequency")
        )
        if options.get("type") == "phrase" or self._fields.type_of(name) is not FieldType.TEXT:
            return equal(self._fields, _path(name), scalar(value))
        every = str(options.get("operator", "or")).lower() == "and"
        return analysed(_path(name), text_of(scalar(value)), in_a_row=False, every=every)

    def _match_phrase(self, body: Any, depth: int) -> Expression:
        name, value, options = self._one(body, "query")
        return self._matched(name, value, {**options, "type": "phrase"})

    def _match_prefix(self, body: Any, depth: int) -> Expression:
        name, value, options = self._one(body, "query")
        _refuse_options(options, ("slop", "analyzer"))
        return self._starts(name, value, ignore_case=False, what="match_phrase_prefix")

    def _multi_match(self, body: Any, depth: int) -> Expression:
        """Some field matches, where each word is asked of the fields one by one."""
        kind = body.get("type", "best_fields") if isinstance(body, Mapping) else None
        if kind not in ("best_fields", "most_fields", "phrase"):
            raise UnreadableError(f"a multi_match query of type {str(kind)[:40]}")
        names = [str(name).partition("^")[0] for name in _listed(_get(body, "fields"))]
        if not names:
            raise UnreadableError("a multi_match query of every field")
        value = _get(body, "query")
        return any_of(*(self._matched(_name(name), value, body) for name in names))

    def _prefix(self, body: Any, depth: int) -> Expression:
        name, value, options = self._one(body, "value")
        folded = options.get("case_insensitive") is True
        return self._starts(name, value, ignore_case=folded, what="prefix")

    def _starts(self, name: str, value: Any, *, ignore_case: bool, what: str) -> Expression:
        need_text(self._fields, name, f"a {what} query")
        text = text_of(scalar(value))
        if not text:
            return Predicate(_path(name), Operator.EXISTS)
        return Predicate(_path(name), Operator.STARTS_WITH, (text,), ignore_case=ignore_case)

    def _wildcard(self, body: Any, depth: int) -> Expression:
        name, value, options = self._one(body, "wildcard")
        folded = options.get("case_insensitive") is True
        return wildcard(self._fields, _path(name), dsl_pattern(value), ignore_case=folded)

    def _regexp(self, body: Any, depth: int) -> Expression:
        name, value, options = self._one(body, "value")
        need_text(self._fields, name, "a regexp query")
        if str(options.get("flags", "ALL")).upper() != "ALL":
            raise UnreadableError("a regexp query with flags")
        try:
            text = render(parse(text_of(scalar(value)), "lucene"), "re2")
        except RegexError as error:
            raise UnreadableError(f"a regular expression: {error}") from error
        folded = options.get("case_insensitive") is True
        return Predicate(_path(name), Operator.REGEX, (text,), ignore_case=folded)

    def _range(self, body: Any, depth: int) -> Expression:
        """``from`` and ``to`` are older names of bounds, which belong to the range unless it is denied."""
        name, _, bounds = self._one(body, "value")
        _refuse_options(bounds, ("format", "time_zone"))
        operators = dict(_RANGES)
        operators["from"] = Operator.GT if bounds.get("include_lower") is False else Operator.GTE
        operators["to"] = Operator.LT if bounds.get("include_upper") is False else Operator.LTE
        found = [
            (operator, scalar(bounds[key]))
            for key, operator in operators.items()
            if bounds.get(key) is not None
        ]
        if not found:
            raise UnreadableError("a range without a bound")
        return bounded(self._fields, _path(name), found)

    # -- query strings

    def _query_string(self, body: Any, depth: int) -> Expression:
        text = _get(body, "query")
        if not isinstance(text, str):
            raise UnreadableError("a query string that is no text")
        _refuse_options(body, ("analyzer", "fuzziness", "minimum_should_match", "type"))
        every = str(body.get("default_operator", "or")).lower() == "and"
        listed = _listed(body.get("fields", body.get("default_field")))
        names = [_name(str(name).partition("^")[0]) for name in listed if name != "*"]
        if not names:
            return read_query_string(text, self._fields, every=every)
        if len(names) > 1 and not _is_one_clause(text):
            raise UnreadableError("a query string of several clauses over several fields")
        return any_of(*(read_query_string(text, self._fields, name, every=every) for name in names))

    def _simple(self, body: Any, depth: int) -> Expression:
        """Plain words in another syntax; of fields that hold one exact text they must be a single word."""
        text, names = _get(body, "query"), _listed(_get(body, "fields"))
        if not isinstance(text, str) or not text.isalnum() or not names:
            raise UnreadableError("a simple_query_string of more than one word, or of every field")
        return any_of(*(self._matched(_name(name), text, {}) for name in names))


def _is_one_clause(text: str) -> bool:
    """Whether a query string is one word, or one quoted text: else each word is asked of every field."""
    return _ONE_CLAUSE.fullmatch(text) is not None


def _below(condition: Expression, prefix: str) -> Expression:
    """The condition with paths from the element of a nested field, of which it must be all."""

    def inner(predicate: Predicate) -> Expression:
        name = str(predicate.subject.steps[0]) if isinstance(predicate.subject, FieldPath) else ""
        if not name.startswith(prefix):
            raise UnreadableError(f"a nested query that asks {name}")
        path = FieldPath(tuple(name.removeprefix(prefix).split(".")))
        return msgspec.structs.replace(predicate, subject=path)

    if any(isinstance(part, ForSome) for part in _parts(condition)):
        raise UnreadableError("a nested query in another one")
    return mapped(condition, inner)


def _parts(condition: Expression) -> Iterator[Expression]:
    yield condition
    for child in children(condition):
        yield from _parts(child)


def _needed(value: Any, count: int) -> int:
    """How many of so many clauses ``minimum_should_match`` asks for. Raises UnreadableError."""
    found = _NEEDED.fullmatch(text_of(scalar(value)))
    if found is None:
        raise UnreadableError(f"minimum_should_match {str(value)[:20]!r}")
    number = int(found[1])
    if found[2]:
        part = abs(number) * count // 100
        number = count - part if number < 0 else part
    elif number < 0:
        number += count
    return max(0, number)


def _at_least(number: int, terms: Sequence[Expression]) -> Expression:
    """So many of the terms hold. Raises UnreadableError where that is too long to say."""
    if number > len(terms):
        return FALSE
    if math.comb(len(terms), number) > _MOST_CHOICES:
        raise UnreadableError(f"minimum_should_match {number} of {len(terms)}")
    return any_of(*(all_of(*chosen) for chosen in itertools.combinations(terms, number)))


def _refuse_options(options: Any, names: Sequence[str]) -> None:
    for name in names:
        if isinstance(options, Mapping) and options.get(name) not in (None, 0, "best_fields", "phrase"):
            raise UnreadableError(f"a query with {name}")


def _get(body: Any, key: str) -> Any:
    if not isinstance(body, Mapping) or key not in body:
        raise UnreadableError(f"a query without {key}")
    return body[key]


def _name(name: Any) -> str:
    if not isinstance(name, str) or not name or "*" in name:
        raise UnreadableError("a query of no one field")
    return name


def _path(name: Any) -> FieldPath:
    return FieldPath((_name(name),))


def _listed(value: Any) -> Sequence[Any]:
    if value is None:
        return ()
    return value if isinstance(value, list) else (value,)
