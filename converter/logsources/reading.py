"""From a pack file's plain data to a :class:`~converter.logsources.pack.Pack`.

The keys of a pack file are described in docs/logsources.md. A mistake is a :class:`PackProblem` that names
where in the data it is; :mod:`converter.logsources.loader` turns it into a file and line.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from converter.logsources.naming import flat_name, is_flat
from converter.logsources.pack import (
    Field,
    FieldType,
    Pack,
    PlatformField,
    TimeField,
    TimeFormat,
    Variant,
)
from converter.model.diagnostics import RuleError
from converter.model.expressions import (
    TRUE,
    All,
    AnyOf,
    Expression,
    Not,
    Operator,
    Predicate,
    all_of,
)
from converter.model.load import expression_from_data
from converter.model.paths import FieldPath, parse_path

Keys: TypeAlias = tuple[str | int, ...]
"""Where in a pack file's data something stands: the keys and indexes from its root."""

PLATFORMS = ("panther", "elastic", "splunk", "sigma")
_PACK_KEYS = (
    "name", "extends", "title", "description", "sources", "time", "select", "naming", "platforms",
    "constants", "fields", "open_fields", "entities", "variants",
)  # fmt: skip
_FIELD_KEYS = ("type", "description", "open")
_STORED_KEYS = ("name", "type", "list", "values", "case", "keys", "ip", "shared")
_EVERYTHING = FieldPath(())


class PackProblem(ValueError):
    """A mistake in a pack: its place in the data, what is wrong, and what would be right."""

    def __init__(self, keys: Keys, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.keys = keys
        self.message = message
        self.hint = hint


def merged(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The data of a pack that extends another: its own entries over those of ``base``.

    Mappings are merged key by key (two levels), lists are joined, other values replaced; a field, platform
    or constant set to null is taken out.
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
            result[key] = _merged_mapping(there, value, deep=False)
        else:
            result[key] = value
    return result


def pack_from_data(data: Mapping[str, Any], file: str) -> Pack:
    """Build the pack. Raises :class:`PackProblem` at the first mistake."""
    _check_keys(data, _PACK_KEYS, ())
    name = _text(data, "name", ())
    platforms = _mappings(data, "platforms", ())
    builder = _FieldBuilder(_mapping(data, "naming", ()), (*PLATFORMS, *platforms))
    fields, open_fields = builder.build(_mapping(data, "fields", ()))
    for number, text in enumerate(_list(data, "open_fields", ())):
        path = _EVERYTHING if text == "*" else _path(text, ("open_fields", number)).without_indexes()
        open_fields.append(path)
    pack = Pack(
        name=name,
        title=_text(data, "title", ()),
        description=str(data.get("description", "")).strip(),
        sources=tuple(str(source) for source in _list(data, "sources", ())),
        select=_select(data, (), file),
        time=_time(_mapping(data, "time", ())),
        platforms=platforms,
        constants=_mappings(data, "constants", ()),
        variants=tuple(
            _variant(entry, ("variants", number), file)
            for number, entry in enumerate(_list(data, "variants", ()))
        ),
        fields=fields,
        open_fields=tuple(dict.fromkeys(open_fields)),
        entities={
            kind: tuple(_path(text, ("entities", kind)).without_indexes() for text in texts)
            for kind, texts in _mapping(data, "entities", ()).items()
        },
    )
    _check_entities(pack)
    return pack


def _check_entities(pack: Pack) -> None:
    for kind, paths in pack.entities.items():
        for path in paths:
            if path not in pack.fields and not any(
                path.steps[: len(p.steps)] == p.steps for p in pack.open_fields
            ):
                raise PackProblem(
                    ("entities", kind),
                    f"entity {kind} names {path}, which is no field of the pack",
                    _nearest(str(path), map(str, pack.fields)),
                )


class _FieldBuilder:
    """Builds the field table; ``naming`` is the pack's rule for stored names per platform."""

    def __init__(self, naming: Mapping[str, Any], platforms: Iterable[str]) -> None:
        self._naming = {str(platform): str(pattern) for platform, pattern in naming.items()}
        self._platforms = tuple(dict.fromkeys(platforms))
        self._fields: dict[FieldPath, Field] = {}
        self._open: list[FieldPath] = []

    def build(self, data: Mapping[str, Any]) -> tuple[dict[FieldPath, Field], list[FieldPath]]:
        """All fields by their path without list steps, and the paths of the open ones."""
        for text, entry in data.items():
            if entry is not None:
                self._add(str(text), entry)
        return self._fields, self._open

    def _add(self, text: str, entry: Any) -> None:
        keys: Keys = ("fields", text)
        written = _path(text, keys)
        if isinstance(entry, str):
            entry = {"type": entry}
        if not isinstance(entry, Mapping):
            raise PackProblem(keys, f"field {text}: expected a type or a mapping")
        _check_keys(entry, (*_FIELD_KEYS, *self._platforms), keys)
        kind, is_open = _field_type(entry.get("type", "keyword"), keys)
        path = written.without_indexes()
        ends_in_list = not isinstance(written.steps[-1], str)
        in_list = any(not isinstance(step, str) for step in written.steps)
        if is_open or entry.get("open"):
            self._open.append(path)
        if path in self._fields and self._fields[path].type is not FieldType.OBJECT:
            raise PackProblem(keys, f"field {path} is declared twice")
        self._fields[path] = Field(
            path=path,
            type=kind,
            is_list=ends_in_list,
            description=entry.get("description"),
            platforms={
                platform: stored
                for platform in self._platforms
                if (stored := self._stored(written, kind, in_list, platform, entry, keys)) is not None
            },
        )
        self._add_lists_above(written)

    def _add_lists_above(self, written: FieldPath) -> None:
        """``target[].id`` declares that ``target`` is a list of objects."""
        for position in range(1, len(written.steps) - 1):
            if isinstance(written.steps[position], str) or isinstance(
                written.steps[position + 1], int | None
            ):
                continue
            above = FieldPath(written.steps[: position + 1])
            path = above.without_indexes()
            if path not in self._fields:
                stored = {
                    platform: PlatformField(
                        name=self._derived(above, platform), type=FieldType.OBJECT, is_list=True
                    )
                    for platform in self._platforms
                }
                self._fields[path] = Field(path=path, type=FieldType.OBJECT, is_list=True, platforms=stored)

    def _derived(self, written: FieldPath, platform: str) -> str:
        pattern = self._naming.get(platform, "*")
        if not is_flat(platform):
            return pattern.replace("*", str(written.without_indexes()))
        return pattern.replace("*", flat_name(written.steps, platform))

    def _stored(
        self, written: FieldPath, kind: FieldType, in_list: bool, platform: str,
        entry: Mapping[str, Any], keys: Keys,
    ) -> PlatformField | None:  # fmt: skip
        if not is_flat(platform):
            in_list = not isinstance(written.steps[-1], str)
        if platform not in entry:
            return PlatformField(name=self._derived(written, platform), type=kind, is_list=in_list)
        own = entry[platform]
        if own is None:
            return None
        here = (*keys, platform)
        if isinstance(own, str):
            own = {"name": own}
        if not isinstance(own, Mapping):
            raise PackProblem(here, f"expected a name, null or a mapping for {platform}")
        _check_keys(own, _STORED_KEYS, here)
        case = own.get("case")
        if case not in (None, "lower", "upper"):
            raise PackProblem(here, f"case is 'lower' or 'upper', not {case!r}")
        name = str(own["name"]) if "name" in own else self._derived(written, platform)
        if not is_flat(platform):
            _path(name, here)
        return PlatformField(
            name=name,
            type=_field_type(own["type"], here)[0] if "type" in own else kind,
            is_list=bool(own.get("list", in_list)),
            values={_plain(key): _plain(value) for key, value in (own.get("values") or {}).items()},
            case=case,
            ip=own.get("ip"),
            shared=own.get("shared"),
            keys={str(key): str(value) for key, value in (own.get("keys") or {}).items()},
        )


def _plain(value: Any) -> str:
    """YAML's unquoted true and 1 as the text that a log holds."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _field_type(text: Any, keys: Keys) -> tuple[FieldType, bool]:
    if text == "open":
        return FieldType.OBJECT, True
    try:
        return FieldType(text), False
    except ValueError:
        known = ["open", *FieldType]
        raise PackProblem(
            keys, f"unknown type {text!r}; expected one of {', '.join(known)}", _nearest(str(text), known)
        ) from None


def _time(data: Mapping[str, Any]) -> TimeField:
    _check_keys(data, ("fields", "format"), ("time",))
    fields = _list(data, "fields", ("time",))
    if not fields:
        raise PackProblem(("time",), "time: expected `fields`, a list of field paths")
    text = data.get("format", "iso8601")
    if text not in list(TimeFormat):
        raise PackProblem(
            ("time", "format"), f"unknown time format {text!r}; expected one of {', '.join(TimeFormat)}"
        )
    return TimeField(fields=tuple(_path(f, ("time", "fields")) for f in fields), format=TimeFormat(text))


def _select(data: Mapping[str, Any], keys: Keys, file: str) -> Expression:
    terms = []
    for number, entry in enumerate(_list(data, "select", keys)):
        here = (*keys, "select", number)
        try:
            terms.append(expression_from_data(entry))
        except RuleError as error:
            first = error.diagnostics[0] if error.diagnostics else None
            raise PackProblem(
                here, first.message if first else str(error), first.hint if first else None
            ) from error
    return all_of(*terms) if terms else TRUE


def _variant(entry: Any, keys: Keys, file: str) -> Variant:
    if not isinstance(entry, Mapping):
        raise PackProblem(keys, "a variant is a mapping with name, select, rename and values")
    _check_keys(entry, ("name", "select", "rename", "values", "description"), keys)
    select = _select(entry, keys, file)
    _check_simple(select, (*keys, "select"))
    rename = {}
    for old, new in _mapping(entry, "rename", keys).items():
        here = (*keys, "rename", str(old))
        rename[_path(old, here)] = _EVERYTHING if new == "*" else _path(new, here)
    values = {
        _path(field, (*keys, "values")): {_plain(old): _plain(new) for old, new in texts.items()}
        for field, texts in _mapping(entry, "values", keys).items()
    }
    return Variant(name=_text(entry, "name", keys), select=select, rename=rename, values=values)


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


def _path(text: Any, keys: Keys) -> FieldPath:
    try:
        return parse_path(str(text))
    except ValueError as error:
        raise PackProblem(keys, str(error)) from error


def _check_keys(data: Mapping[str, Any], known: Iterable[str], keys: Keys) -> None:
    known = tuple(known)
    for key in data:
        if key not in known:
            raise PackProblem(
                (*keys, key),
                f"unknown key {key!r}; expected one of {', '.join(known)}",
                _nearest(str(key), known),
            )


def _nearest(text: str, known: Iterable[str]) -> str | None:
    close = difflib.get_close_matches(text, list(known), n=3, cutoff=0.6)
    return f"did you mean {' or '.join(close)}?" if close else None


def _text(data: Mapping[str, Any], key: str, keys: Keys) -> str:
    value = data.get(key)
    if not isinstance(value, str) or not value.strip():
        raise PackProblem((*keys, key) if key in data else keys, f"expected a text under {key!r}")
    return value.strip()


def _mapping(data: Mapping[str, Any], key: str, keys: Keys) -> Mapping[str, Any]:
    value: Any = data.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise PackProblem((*keys, key), f"expected a mapping under {key!r}")
    return value


def _mappings(data: Mapping[str, Any], key: str, keys: Keys) -> dict[str, dict[str, Any]]:
    """A mapping of mappings, each copied."""
    outer = _mapping(data, key, keys)
    return {str(name): dict(_mapping(outer, name, (*keys, key))) for name in outer}


def _list(data: Mapping[str, Any], key: str, keys: Keys) -> list[Any]:
    value = data.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise PackProblem((*keys, key), f"expected a list under {key!r}")
    return value
