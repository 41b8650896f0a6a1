"""From a pack file's plain data to a :class:`~converter.logsources.pack.Pack`.

The keys of a pack file are described in docs/logsources.md. A mistake is a PackProblem
that names where in the data it is; :mod:`converter.logsources.loader` turns it into a file and line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from converter.logsources import checks
from converter.logsources.checks import Keys, PackProblem
from converter.logsources.fields import FieldBuilder, plain
from converter.logsources.pack import Field, Pack, TimeField, TimeFormat, Variant
from converter.model.expressions import All, AnyOf, Expression, Not, Operator, Predicate
from converter.model.paths import FieldPath

PLATFORMS = ("panther", "elastic", "splunk", "sigma")
_PACK_KEYS = (
    "name", "extends", "title", "description", "sources", "time", "select", "naming", "platforms",
    "constants", "fields", "open_fields", "entities", "variants",
)  # fmt: skip
_FIELD_TABLE = frozenset({"naming", "fields", "open_fields"})
_EVERYTHING = FieldPath(())
_NAME = re.compile(r"[A-Za-z0-9](?:[\w.-]*\w)?", re.ASCII)
"""Names of log sources become names of folders."""


def merged(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The data of a pack that extends another: its own entries over those of ``base``.

    Mappings are merged key by key (below ``platforms`` at every depth), lists are joined, other values
    replaced; a field, platform or constant set to null is taken out.
    """
    result = dict(base)
    for key, value in own.items():
        there = base.get(key)
        if isinstance(value, Mapping) and isinstance(there, Mapping) and key != "time":
            result[key] = _merged_mapping(there, value, deep=key in ("platforms", "constants"))
        elif isinstance(value, list) and isinstance(there, list) and key not in ("select",):
            result[key] = [*there, *value]
        else:
            result[key] = value
    result.pop("extends", None)
    return result


def _merged_mapping(base: Mapping[str, Any], own: Mapping[str, Any], *, deep: bool) -> dict[str, Any]:
    result = dict(base)
    for key, value in own.items():
        there = base.get(key)
        if value is None:
            result.pop(key, None)
        elif deep and isinstance(value, Mapping) and isinstance(there, Mapping):
            result[key] = _merged_mapping(there, value, deep=True)
        else:
            result[key] = value
    return result


def pack_from_data(data: Mapping[str, Any], like: Pack | None = None) -> Pack:
    """Build the pack. Raises :class:`PackProblem` at the first mistake.

    ``like``: a pack with the same field table, for one that extends it and says nothing of fields itself.
    """
    checks.check_keys(data, _PACK_KEYS, ())
    name = checks.text(data, "name", ())
    if not _NAME.fullmatch(name):
        raise PackProblem(
            ("name",), f"a log source's name is letters, digits, '.', '_' and '-', not {name!r}"
        )
    platforms = checks.mappings(data, "platforms", ())
    fields, open_fields = (like.fields, like.open_fields) if like else _fields(data, platforms)
    pack = Pack(
        name=name,
        title=checks.text(data, "title", ()),
        description=str(data.get("description", "")).strip(),
        sources=tuple(str(source) for source in checks.items(data, "sources", ())),
        select=checks.conditions(data, ()),
        time=_time(checks.mapping(data, "time", ())),
        platforms=platforms,
        constants=checks.mappings(data, "constants", ()),
        variants=tuple(
            _variant(entry, ("variants", number))
            for number, entry in enumerate(checks.items(data, "variants", ()))
        ),
        fields=fields,
        open_fields=open_fields,
        entities=_entities(data),
    )
    _check_entities(pack)
    _check_platforms(platforms)
    return pack


def says_of_fields(data: Mapping[str, Any]) -> bool:
    """Whether a pack's own data changes anything about the fields of the pack that it extends."""
    return not _FIELD_TABLE.isdisjoint(data)


def _fields(
    data: Mapping[str, Any], platforms: Iterable[str]
) -> tuple[Mapping[FieldPath, Field], tuple[FieldPath, ...]]:
    """The field table, and the paths below which any key is known."""
    builder = FieldBuilder(checks.mapping(data, "naming", ()), (*PLATFORMS, *platforms))
    fields, open_fields = builder.build(checks.mapping(data, "fields", ()))
    for number, text in enumerate(checks.items(data, "open_fields", ())):
        path = _EVERYTHING if text == "*" else checks.path(text, ("open_fields", number)).without_indexes()
        open_fields.append(path)
    return fields, tuple(dict.fromkeys(open_fields))


def _entities(data: Mapping[str, Any]) -> dict[str, tuple[FieldPath, ...]]:
    kinds = checks.mapping(data, "entities", ())
    return {
        kind: tuple(
            checks.path(text, ("entities", kind)).without_indexes()
            for text in checks.texts(kinds, kind, ("entities",))
        )
        for kind in kinds
    }


def _check_platforms(platforms: Mapping[str, Mapping[str, Any]]) -> None:
    for platform, names in platforms.items():
        keys: Keys = ("platforms", platform)
        for key in ("log_types", "index", "integration"):
            checks.texts(names, key, keys)
        for key in ("dataset", "category", "macro", "definition", "sourcetype", "misses"):
            checks.optional_text(names, key, keys)
        checks.conditions(names, keys, "guard")  # read by converter.logsources.guard; checked here


def _check_entities(pack: Pack) -> None:
    for kind, paths in pack.entities.items():
        for path in paths:
            if path not in pack.fields and not any(
                path.steps[: len(p.steps)] == p.steps for p in pack.open_fields
            ):
                raise PackProblem(
                    ("entities", kind),
                    f"entity {kind} names {path}, which is no field of the pack",
                    checks.nearest(str(path), map(str, pack.fields)),
                )


def _time(data: Mapping[str, Any]) -> TimeField:
    checks.check_keys(data, ("fields", "format"), ("time",))
    fields = checks.items(data, "fields", ("time",))
    if not fields:
        raise PackProblem(("time",), "time: expected `fields`, a list of field paths")
    text = data.get("format", "iso8601")
    if text not in list(TimeFormat):
        raise PackProblem(
            ("time", "format"), f"unknown time format {text!r}; expected one of {', '.join(TimeFormat)}"
        )
    return TimeField(
        fields=tuple(checks.path(f, ("time", "fields")) for f in fields), format=TimeFormat(text)
    )


def _variant(entry: Any, keys: Keys) -> Variant:
    if not isinstance(entry, Mapping):
        raise PackProblem(keys, "a variant is a mapping with name, select, rename and values")
    checks.check_keys(entry, ("name", "select", "rename", "values", "description"), keys)
    select = checks.conditions(entry, keys)
    _check_simple(select, (*keys, "select"))
    rename = {}
    for old, new in checks.mapping(entry, "rename", keys).items():
        here = (*keys, "rename", str(old))
        rename[checks.path(old, here)] = _EVERYTHING if new == "*" else checks.path(new, here)
    per_field = checks.mapping(entry, "values", keys)
    here = (*keys, "values")
    values = {
        checks.path(field, here): {
            plain(old): plain(new) for old, new in checks.mapping(per_field, field, here).items()
        }
        for field in per_field
    }
    return Variant(name=checks.text(entry, "name", keys), select=select, rename=rename, values=values)


def _check_simple(expression: Expression, keys: Keys) -> None:
    match expression:
        case All(terms) | AnyOf(terms):
            for term in terms:
                _check_simple(term, keys)
        case Not(term):
            _check_simple(term, keys)
        case Predicate(FieldPath(steps), operator, functions=()) if operator in (
            Operator.IS,
            Operator.EXISTS,
        ):
            if any(not isinstance(step, str) for step in steps):
                raise PackProblem(keys, "a variant's select names no list elements")
        case _:
            raise PackProblem(keys, "a variant's select knows only is, exists, all, any and not")
