"""Indicator match rules: events whose fields equal those of some threat indicator.

Source: Elastic Security, "Create an indicator match rule", and Kibana's rule schema: ``threat_mapping`` lists
groups of entries; all entries of a group must agree with one and the same indicator, and one group is enough.
``threat_query`` and ``threat_filters`` choose the indicators.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from converter.evaluate import compile_expression
from converter.model.diagnostics import RuleError
from converter.model.expressions import TRUE, Expression, Predicate, all_of, any_of
from converter.model.paths import FieldPath
from converter.platforms.elastic.fields import StoredFields
from converter.platforms.elastic.importing.beside import Item
from converter.platforms.elastic.importing.filters import read_filter, scalar
from converter.platforms.elastic.importing.lucene import read_query_string
from converter.platforms.elastic.kql.reader import read_partly
from converter.platforms.elastic.typed import UnreadableError, equal

MOST: Final = 5_000
"""Values, or indicators of several fields, that a rule may list."""

Group = Sequence[tuple[str, str]]
"""Pairs of an event's field and an indicator's."""


def indicator_match(rule: Mapping[str, Any], indicators: Sequence[Item], fields: StoredFields) -> Expression:
    """Whether an event agrees with one of the indicators. Raises UnreadableError where that cannot be said,
    also if the rule chooses none of them.
    """
    groups = [_group(one) for one in _listed(rule.get("threat_mapping")) if isinstance(one, Mapping)]
    chosen = list(_chosen(rule, indicators, fields))
    if not groups or not chosen:
        raise UnreadableError("no mapping, or no indicator that the rule chooses")
    found = [_agrees(group, chosen, fields) for group in groups]
    if not any(found):
        raise UnreadableError("no indicator with the mapped fields")
    return any_of(*(one for terms in found for one in terms))


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _group(data: Mapping[str, Any]) -> Group:
    entries = data.get("entries")
    pairs = []
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, Mapping) or entry.get("negate") or entry.get("type") != "mapping":
            raise UnreadableError("a mapping other than of equal fields")
        pairs.append((str(entry.get("field")), str(entry.get("value"))))
    if not pairs:
        raise UnreadableError("a mapping without entries")
    return pairs


def _chosen(rule: Mapping[str, Any], indicators: Sequence[Item], fields: StoredFields) -> Iterable[Item]:
    """The indicators that the rule's query and filters choose; how old they are is not asked."""
    text = rule.get("threat_query")
    terms: list[Expression] = []
    if isinstance(text, str) and text.strip():
        try:
            if rule.get("threat_language") == "lucene":
                terms.append(read_query_string(text, fields, missing=[]))
            else:
                terms.append(read_partly(text, fields)[0])
        except RuleError as error:
            raise UnreadableError(f"threat_query: {error}") from error
    terms += [read_filter(one, fields) for one in _listed(rule.get("threat_filters"))]
    condition = all_of(*terms)
    if condition == TRUE:
        return indicators
    return filter(compile_expression(condition), indicators)


def _agrees(group: Group, indicators: Iterable[Item], fields: StoredFields) -> list[Expression]:
    """An event agrees with one indicator in all of the group's fields."""
    if len(group) == 1:
        ((name, key),) = group
        values = dict.fromkeys(value for item in indicators for value in _values(item, key))
        return _merged(equal(fields, FieldPath((name,)), scalar(value)) for value in _bounded(list(values)))
    found = []
    for item in indicators:
        parts = [
            any_of(*_merged(equal(fields, FieldPath((name,)), scalar(value)) for value in _values(item, key)))
            for name, key in group
            if key in item
        ]
        if len(parts) == len(group):
            found.append(all_of(*parts))
    return list(_bounded(list(dict.fromkeys(found))))


def _values(item: Item, key: str) -> Sequence[Any]:
    value = item.get(key, [])
    return value if isinstance(value, list) else [value]


def _bounded(values: Sequence[Any]) -> Sequence[Any]:
    if len(values) > MOST:
        raise UnreadableError(f"more than {MOST} indicators")
    return values


def _merged(terms: Iterable[Expression]) -> list[Expression]:
    """Questions of one kind about one field as one question with all their operands."""
    merged: dict[Any, list[Any]] = {}
    others: list[Expression] = []
    for term in terms:
        if isinstance(term, Predicate) and term.values:
            merged.setdefault(msgspec.structs.replace(term, values=()), []).extend(term.values)
        else:
            others.append(term)
    return [*(msgspec.structs.replace(one, values=tuple(values)) for one, values in merged.items()), *others]
