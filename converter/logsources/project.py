"""From a canonical event to what each platform stores of it.

Flat platforms get a mapping from stored name to scalar or list of scalars. JSON numbers and booleans stay
what they are on Elastic; Splunk keeps text, so booleans become ``true`` and ``false`` there, while numbers
stay numbers, which no operator tells from their text. Missing, null and empty values have no key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

from converter.logsources.canonical import moved, text_of, value_at, without
from converter.logsources.lookup import changed_key, known, nested_above, stored_field
from converter.logsources.naming import flat_name, is_flat
from converter.logsources.pack import FieldType, Pack, PlatformField
from converter.model.paths import FieldPath, PathStep, parse_path
from converter.model.rule import JsonObject

_AFTER_SLASHES = re.compile(r"[/\\]")
_MOST_PATHS = 50_000
"""Paths remembered per log source and platform: free-form objects may have new keys in every event."""
_DEEPEST = 200
"""Deeper nesting than this is cut off: no platform stores it (Elasticsearch's own limit is 20)."""


def project(pack: Pack, event: JsonObject, platform: str) -> Mapping[str, Any]:
    """A canonical event as ``platform`` stores it (see :data:`converter.platforms.base.StoredEvent`).

    A declared field is stored under its declared name, also where an event has a list in place of a value or
    the other way round. Undeclared fields keep their own dotted name; one whose name a declared field has
    there is left out.
    """
    if not is_flat(platform):
        return _nested(pack, event, platform)
    stored: dict[str, list[Any]] = {}
    homes = _homes(pack, platform)
    for path, value in _leaves(event, ()):
        home = homes.of(path)
        if isinstance(home, str):
            stored.setdefault(home, []).append(_as_stored(value, None, platform))
        elif home is not None:
            for name, part in _kept(value, home, platform):
                stored.setdefault(name, []).append(part)
    _add_shared(pack, event, platform, stored)
    result = _single(stored)
    result.update(_nested_objects(pack, event, platform))
    result.update(pack.constants.get(platform, {}))
    return result


class _Homes:
    """Where a flat platform stores the values of a log source, path by path, each looked up once."""

    def __init__(self, pack: Pack, platform: str) -> None:
        self.pack = pack
        self._platform = platform
        declared = (field.platforms.get(platform) for field in pack.fields.values())
        self._taken = {field.name for field in declared if field is not None}
        self._found: dict[tuple[PathStep, ...], PlatformField | str | None] = {}

    def of(self, path: tuple[PathStep, ...]) -> PlatformField | str | None:
        """The declared field, the own name of an undeclared one, or None for what is not stored."""
        if path not in self._found:
            if len(self._found) >= _MOST_PATHS:
                self._found.clear()
            self._found[path] = self._looked_up(path)
        return self._found[path]

    def _looked_up(self, path: tuple[PathStep, ...]) -> PlatformField | str | None:
        at = FieldPath(path)
        found = known(self.pack, at)
        if found is None:
            name = flat_name(path, self._platform)
            return None if name in self._taken else name
        field = stored_field(found, self._platform)
        return None if nested_above(self.pack, at, self._platform) is not None else field


_HOMES: dict[tuple[int, str], _Homes] = {}


def _homes(pack: Pack, platform: str) -> _Homes:
    """The table of a pack (the very object: packs are not hashable) on a platform, kept between events."""
    key = (id(pack), platform)
    homes = _HOMES.get(key)
    if homes is None or homes.pack is not pack:
        homes = _HOMES[key] = _Homes(pack, platform)
    return homes


def _kept(value: Any, field: PlatformField, platform: str) -> Iterator[tuple[str, Any]]:
    """The stored fields that one value goes into."""
    if field.join:
        parts = text_of(value).split(field.separator)
        if len(parts) == len(field.join):
            yield from zip(field.join, parts, strict=True)
        return
    yield field.name, _as_stored(value, field, platform)
    if field.ip is not None and _is_address(value):
        yield field.ip, value
    if field.basename is not None:
        yield field.basename, _AFTER_SLASHES.split(text_of(value))[-1]


def _add_shared(pack: Pack, event: JsonObject, platform: str, stored: dict[str, list[Any]]) -> None:
    """Where a platform's field is also another value's: that one, if the field has none of its own."""
    for field in pack.fields.values():
        at = field.platforms.get(platform)
        if at is not None and at.shared is not None and at.name not in stored:
            value = value_at(event, parse_path(at.shared).steps)
            if value is not None and not isinstance(value, dict | list):
                stored[at.name] = [_as_stored(value, at, platform)]


def _nested_objects(pack: Pack, event: JsonObject, platform: str) -> Iterator[tuple[str, list[Any]]]:
    """Elastic's fields of type nested: lists of flat objects, with names relative to the element."""
    for field in pack.fields.values():
        stored = field.platforms.get(platform)
        if stored is not None and stored.type is FieldType.NESTED:
            value = value_at(event, field.path.steps)
            found = value if isinstance(value, list) else [value]
            objects = [
                flat for element in found if isinstance(element, dict) and (flat := _flat(element, platform))
            ]
            if objects:
                yield stored.name, objects


def _flat(element: JsonObject, platform: str) -> dict[str, Any]:
    values: dict[str, list[Any]] = {}
    for path, value in _leaves(element, ()):
        values.setdefault(flat_name(path, platform), []).append(_as_stored(value, None, platform))
    return _single(values)


def _single(values: Mapping[str, list[Any]]) -> dict[str, Any]:
    return {name: found[0] if len(found) == 1 else found for name, found in values.items()}


def _nested(pack: Pack, event: JsonObject, platform: str) -> JsonObject:
    """The raw-shaped object with the fields that the platform names differently moved."""
    for path, field in pack.fields.items():
        stored = field.platforms.get(platform)
        if stored is None:
            event = without(event, path.keys)
            continue
        target = _path(stored.name)
        if target != path:
            event = moved(event, path.keys, target.keys)
        if stored.values or stored.case:
            event = _changed_at(event, target.keys, stored)
        if stored.keys and isinstance(value_at(event, target.steps), dict):
            event = _rekeyed_at(event, target.keys, stored)
    return {**event, **pack.constants.get(platform, {})}


@lru_cache(maxsize=4096)
def _path(name: str) -> FieldPath:
    return parse_path(name).without_indexes()


def _changed_at(event: Any, keys: tuple[str, ...], field: PlatformField) -> Any:
    """The platform's change of value, applied to every scalar at ``keys``, through lists."""
    if isinstance(event, list):
        return [_changed_at(element, keys, field) for element in event]
    if not keys:
        return _changed(event, field)
    if not isinstance(event, dict) or keys[0] not in event:
        return event
    return {**event, keys[0]: _changed_at(event[keys[0]], keys[1:], field)}


def _rekeyed_at(event: Any, keys: tuple[str, ...], field: PlatformField) -> Any:
    if keys:
        return {**event, keys[0]: _rekeyed_at(event[keys[0]], keys[1:], field)}
    return {changed_key(key, field): value for key, value in event.items()}


def _changed(value: Any, field: PlatformField) -> Any:
    if value is None or isinstance(value, dict | list):
        return value
    text = text_of(value)
    if text in field.values:
        return field.values[text]
    if field.case and isinstance(value, str):
        return value.lower() if field.case == "lower" else value.upper()
    return value


def _as_stored(value: Any, field: PlatformField | None, platform: str) -> Any:
    if field is not None:
        value = _changed(value, field)
    if platform == "splunk" and isinstance(value, bool):
        return text_of(value)
    return value


def _leaves(value: Any, path: tuple[PathStep, ...]) -> Iterator[tuple[tuple[PathStep, ...], Any]]:
    """Every non-null scalar with its path, ``[]`` for each list that it lies in."""
    if len(path) > _DEEPEST:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)))
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, (*path, None))
    elif value is not None:
        yield path, value


def _is_address(value: Any) -> bool:
    try:
        ip_address(value if isinstance(value, str) else "")
    except ValueError:
        return False
    return True
