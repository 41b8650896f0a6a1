"""From a canonical event to what each platform stores of it.

Flat platforms get a mapping from stored name to scalar or list of scalars. JSON numbers and booleans stay
what they are on Elastic; Splunk keeps text, so booleans become ``true`` and ``false`` there, while numbers
stay numbers, which no operator tells from their text. Missing, null and empty values have no key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address
from typing import Any, TypeAlias

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

Path: TypeAlias = tuple[PathStep, ...]
"""The steps to a scalar, ``[]`` for each list that it lies in."""
Values: TypeAlias = dict[str, list[Any]]
"""Stored name → the values under it."""
Store: TypeAlias = Callable[[Any, Values], None]
"""What becomes of a scalar: it is added to the stored values."""


def project(pack: Pack, event: JsonObject, platform: str) -> Mapping[str, Any]:
    """A canonical event as ``platform`` stores it (see :data:`converter.platforms.base.StoredEvent`).

    A declared field is stored under its declared name, also where an event has a list in place of a value or
    the other way round. Undeclared fields keep their own dotted name; one whose name a declared field has
    there is left out.
    """
    key = (id(pack), platform)
    projection = _PROJECTIONS.get(key)
    if projection is None or projection.pack is not pack:
        projection = (_Flat if is_flat(platform) else _Nested)(pack, platform)
        _PROJECTIONS[key] = projection
    return projection.stored(event)


class _Place:
    """A path in the events of a log source: what becomes of the values there, and the places below it.

    What becomes of them is asked when the first event has one.
    """

    __slots__ = ("_ask", "_inside", "_path", "_store", "_within")

    def __init__(self, ask: Callable[[Path], Store], path: Path = ()) -> None:
        self._ask, self._path = ask, path
        self._inside: dict[str, _Place] = {}
        self._within: _Place | None = None
        self._store: Store | None = None

    def collect(self, value: Any, stored: Values) -> None:
        """Add every non-null scalar of what lies here to the stored fields that it goes into."""
        if isinstance(value, dict):
            if len(self._path) < _DEEPEST:
                inside = self._inside
                for key, inner in value.items():
                    (inside.get(key) or self._below(str(key))).collect(inner, stored)
        elif isinstance(value, list):
            if len(self._path) < _DEEPEST:
                if self._within is None:
                    self._within = _Place(self._ask, (*self._path, None))
                for inner in value:
                    self._within.collect(inner, stored)
        elif value is not None:
            if self._store is None:
                self._store = self._ask(self._path)
            self._store(value, stored)

    def _below(self, key: str) -> _Place:
        if key not in self._inside:
            self._inside[key] = _Place(self._ask, (*self._path, key))
        return self._inside[key]


class _Flat:
    """How a flat platform stores the events of one log source."""

    def __init__(self, pack: Pack, platform: str) -> None:
        self.pack = pack
        self._platform = platform
        declared = [(field, at) for field in pack.fields.values() if (at := field.platforms.get(platform))]
        self._taken = {at.name for _, at in declared}
        self._shared = [(at, parse_path(at.shared).steps) for _, at in declared if at.shared is not None]
        self._nested = [(at.name, field.path.steps) for field, at in declared if at.type is FieldType.NESTED]
        self._constants = pack.constants.get(platform, {})
        self._forget()

    def _forget(self) -> None:
        self._paths = 0
        self._event, self._element = _Place(self._at), _Place(self._at_element)

    def stored(self, event: JsonObject) -> Mapping[str, Any]:
        """The event as stored."""
        if self._paths > _MOST_PATHS:
            self._forget()
        stored: Values = {}
        self._event.collect(event, stored)
        for at, steps in self._shared:
            if at.name not in stored:
                self._share(at, value_at(event, steps), stored)
        result = _single(stored)
        for name, steps in self._nested:
            objects = self._objects(value_at(event, steps))
            if objects:
                result[name] = objects
        result.update(self._constants)
        return result

    def _share(self, at: PlatformField, value: Any, stored: Values) -> None:
        """Where a platform's field is also another value's: that one, if the field has none of its own."""
        if value is not None and not isinstance(value, dict | list):
            stored[at.name] = [_as_stored(value, at, self._platform)]

    def _objects(self, value: Any) -> list[dict[str, Any]]:
        """Elastic's fields of type nested: lists of flat objects, with names relative to the element."""
        objects = []
        for element in value if isinstance(value, list) else [value]:
            if isinstance(element, dict):
                stored: Values = {}
                self._element.collect(element, stored)
                if stored:
                    objects.append(_single(stored))
        return objects

    def _at_element(self, path: Path) -> Store:
        self._paths += 1
        return self._under(flat_name(path, self._platform))

    def _at(self, path: Path) -> Store:
        self._paths += 1
        home = self._home(path)
        if home is None:
            return _left_out
        if isinstance(home, str):
            return self._under(home)
        if home.values or home.case or home.join or home.ip is not None or home.basename is not None:
            return lambda value, stored: _keep(value, home, self._platform, stored)
        return self._under(home.name)

    def _home(self, path: Path) -> PlatformField | str | None:
        """The declared field, the own name of an undeclared one, or None for what is not stored."""
        at = FieldPath(path)
        found = known(self.pack, at)
        if found is None:
            name = flat_name(path, self._platform)
            return None if name in self._taken else name
        field = stored_field(found, self._platform)
        return None if nested_above(self.pack, at, self._platform) is not None else field

    def _under(self, name: str) -> Store:
        """Values are stored as they are, under one name."""

        def store(value: Any, stored: Values) -> None:
            stored.setdefault(name, []).append(value)

        def store_text(value: Any, stored: Values) -> None:
            stored.setdefault(name, []).append(_as_stored(value, None, self._platform))

        return store_text if self._platform == "splunk" else store


def _left_out(value: Any, stored: Values) -> None:
    """The platform does not store it."""


def _keep(value: Any, field: PlatformField, platform: str, stored: Values) -> None:
    """Put a value into each of the fields that the platform makes of it."""
    if field.join:
        parts = text_of(value).split(field.separator)
        if len(parts) == len(field.join):
            for name, part in zip(field.join, parts, strict=True):
                stored.setdefault(name, []).append(part)
        return
    stored.setdefault(field.name, []).append(_as_stored(value, field, platform))
    if field.ip is not None and _is_address(value):
        stored.setdefault(field.ip, []).append(value)
    if field.basename is not None:
        stored.setdefault(field.basename, []).append(_AFTER_SLASHES.split(text_of(value))[-1])


def _single(values: Mapping[str, list[Any]]) -> dict[str, Any]:
    return {name: found[0] if len(found) == 1 else found for name, found in values.items()}


class _Nested:
    """How a platform that keeps the raw shape stores the events of one log source: fields that it names
    differently are moved.
    """

    def __init__(self, pack: Pack, platform: str) -> None:
        self.pack = pack
        self._changes = [
            (first.keys[0], change)
            for path, field in pack.fields.items()
            for first, change in _changes(path, field.platforms.get(platform))
        ]
        """The key without which there is nothing to change, and the change; in this order."""
        self._constants = pack.constants.get(platform, {})

    def stored(self, event: JsonObject) -> Mapping[str, Any]:
        """The event as stored."""
        for key, change in self._changes:
            if key in event:
                event = change(event)
        return {**event, **self._constants}


def _changes(
    path: FieldPath, stored: PlatformField | None
) -> Iterator[tuple[FieldPath, Callable[[JsonObject], JsonObject]]]:
    """What has to be done to an event for one declared field, and where; for most there is nothing."""
    if stored is None:
        yield path, lambda event: without(event, path.keys)
        return
    target = parse_path(stored.name).without_indexes()
    if target != path:
        yield path, lambda event: moved(event, path.keys, target.keys)
    if stored.values or stored.case:
        yield target, lambda event: _changed_at(event, target.keys, stored)
    if stored.keys:
        yield target, lambda event: _rekeyed_at(event, target.keys, stored)


_PROJECTIONS: dict[tuple[int, str], _Flat | _Nested] = {}
"""By pack (the very object: packs are not hashable) and platform, kept between events."""


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
    """The platform's change of the keys of the object at ``keys``, where there is one."""
    if not isinstance(event, dict) or (keys and keys[0] not in event):
        return event
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


def _is_address(value: Any) -> bool:
    try:
        ip_address(value if isinstance(value, str) else "")
    except ValueError:
        return False
    return True
