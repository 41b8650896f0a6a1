"""The items of exception lists, as canonical expressions.

Source: Kibana, "Exceptions API" and Elastic Security, "Rule exceptions": all entries of an item must
hold (types match, match_any, exists, wildcard, nested; ``list`` looks into a value list elsewhere), on a host
with one of ``os_types`` where those are given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from converter.model.expressions import Expression, ForSome, Operator, Predicate, all_of, any_of, negated
from converter.model.paths import FieldPath
from converter.platforms.elastic.fields import StoredFields
from converter.platforms.elastic.importing.filters import dsl_pattern, scalar
from converter.platforms.elastic.typed import UnreadableError, equal, wildcard


def read_exception(data: Mapping[str, Any], fields: StoredFields) -> Expression:
    """An item of an exception list: all of its entries hold. Raises UnreadableError."""
    entries = data.get("entries")
    if not isinstance(entries, list) or not entries:
        raise UnreadableError("an exception without entries")
    return all_of(*_systems(data.get("os_types")), *(_entry(entry, fields) for entry in entries))


def _systems(names: Any) -> Sequence[Expression]:
    """One of the operating systems that the item is for, under either name that endpoints write."""
    if not isinstance(names, list) or not names:
        return ()
    systems = tuple(str(name) for name in names)
    kinds = Predicate(FieldPath(("host.os.type",)), Operator.IS, systems)
    return (any_of(kinds, Predicate(FieldPath(("host.os.name",)), Operator.IS, systems, ignore_case=True)),)


def _entry(entry: Any, fields: StoredFields, base: str = "") -> Expression:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("field"), str):
        raise UnreadableError("an entry without a field")
    name, kind, value = entry["field"], entry.get("type"), entry.get("value")
    if kind == "nested" and not base and isinstance(entry.get("entries"), list):
        inner = all_of(*(_entry(one, fields, f"{name}.") for one in entry["entries"]))
        return ForSome(FieldPath((name,)), inner)
    path = FieldPath(tuple(name.split("."))) if base else FieldPath((name,))
    whole = base + name
    match kind:
        case "match":
            found = _any_equal(fields, path, whole, [value])
        case "match_any" if isinstance(value, list):
            found = _any_equal(fields, path, whole, value)
        case "exists":
            found = Predicate(path, Operator.EXISTS)
        case "wildcard":
            texts = value if isinstance(value, list) else [value]
            found = any_of(*(wildcard(fields, path, dsl_pattern(text), whole) for text in texts))
        case "list":
            raise UnreadableError("a value list, which is kept elsewhere")
        case _:
            raise UnreadableError(f"an entry of type {str(kind)[:40]!r}")
    return negated(found) if entry.get("operator") == "excluded" else found


def _any_equal(fields: StoredFields, path: FieldPath, name: str, values: Sequence[Any]) -> Expression:
    return any_of(*(equal(fields, path, scalar(value), name) for value in values))
