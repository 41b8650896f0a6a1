"""From a raw event to what each platform stores of it.

Flat platforms get a mapping from stored name to scalar or list of scalars. JSON numbers and booleans stay
what they are on Elastic; Splunk keeps text, so booleans become ``true`` and ``false`` there, while numbers
stay numbers, which no operator tells from their text. Missing, null and empty values have no key.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from converter.logsources.lookup import changed_key, known, nested_above, stored_field
from converter.logsources.naming import flat_name, is_flat
from converter.logsources.pack import FieldType, Pack, PlatformField
from converter.model.expressions import All, AnyOf, Expression, Not, Operator, Predicate
from converter.model.paths import FieldPath, PathStep, parse_path
from converter.model.rule import JsonObject

_DEEPEST = 200
"""Deeper nesting than this is cut off: no platform stores it (Elasticsearch's own limit is 20)."""


def canonical_event(pack: Pack, raw: JsonObject) -> JsonObject:
    """``raw`` in the pack's canonical form.

    Each variant whose ``select`` holds, in order, renames and translates its own paths; what it does not
    name stays. Without such a variant the event itself is returned. The input is not changed.
    """
    event = raw
    for variant in pack.variants:
        if not _holds(variant.select, event):
            continue
        if event is raw:
            event = copy.deepcopy(raw)
        for old, new in variant.rename.items():
            _move(event, old, new)
        for path, texts in variant.values.items():
            value = _get(event, path.steps)
            if isinstance(value, str | int | float) and _text(value) in texts:
                _put(event, path.keys, texts[_text(value)])
    return event


def project(pack: Pack, event: JsonObject, platform: str) -> Mapping[str, Any]:
    """A canonical event as ``platform`` stores it (see :data:`converter.platforms.base.StoredEvent`).

    Undeclared fields keep their own dotted name; one whose name a declared field has there is left out.
    """
    if not is_flat(platform):
        return _nested(pack, event, platform)
    stored: dict[str, list[Any]] = {}
    objects: dict[str, list[Any]] = {}
    taken = {field.platforms[platform].name for field in pack.fields.values() if platform in field.platforms}
    for path, value in _leaves(event, ()):
        found = known(pack, FieldPath(path))
        if found is None:
            name = flat_name(path, platform)
            if name not in taken:
                stored.setdefault(name, []).append(_as_stored(value, None, platform))
            continue
        field = stored_field(found, platform)
        if field is not None and nested_above(pack, FieldPath(path), platform) is None:
            stored.setdefault(field.name, []).append(_as_stored(value, field, platform))
    for inner in pack.fields.values():
        field = inner.platforms.get(platform)
        if field is not None and field.type is FieldType.NESTED:
            elements = _objects(_get(event, inner.path.steps))
            if elements:
                objects[field.name] = elements
    result: dict[str, Any] = {
        name: values[0] if len(values) == 1 else values for name, values in stored.items()
    }
    result.update(objects)
    result.update(pack.constants.get(platform, {}))
    return result


def _nested(pack: Pack, event: JsonObject, platform: str) -> JsonObject:
    """The raw-shaped object with the fields that the platform names differently moved."""
    result: JsonObject = copy.deepcopy(event)
    for field in pack.fields.values():
        stored = field.platforms.get(platform)
        if stored is None:
            _take(result, field.path.keys)
            continue
        target = parse_path(stored.name)
        if target.keys != field.path.keys:
            _move(result, field.path, target.without_indexes())
        if stored.values or stored.case:
            _change(result, target.keys, stored)
        if stored.keys:
            _change_keys(_get(result, target.keys), stored)
    result.update(pack.constants.get(platform, {}))
    return result


def _change(event: Any, keys: tuple[str, ...], field: PlatformField) -> None:
    """Apply the platform's change of value to every scalar at ``keys``, through lists."""
    if isinstance(event, list):
        for element in event:
            _change(element, keys, field)
    elif isinstance(event, dict) and keys[0] in event:
        if len(keys) > 1:
            _change(event[keys[0]], keys[1:], field)
        else:
            value = event[keys[0]]
            if isinstance(value, list):
                event[keys[0]] = [_changed(element, field) for element in value]
            else:
                event[keys[0]] = _changed(value, field)


def _change_keys(value: Any, field: PlatformField) -> None:
    if isinstance(value, dict):
        for key in list(value):
            value[changed_key(key, field)] = value.pop(key)


def _changed(value: Any, field: PlatformField) -> Any:
    if value is None or isinstance(value, dict | list):
        return value
    text = _text(value)
    if text in field.values:
        return field.values[text]
    if field.case and isinstance(value, str):
        return value.lower() if field.case == "lower" else value.upper()
    return value


def _as_stored(value: Any, field: PlatformField | None, platform: str) -> Any:
    if field is not None:
        value = _changed(value, field)
    if platform == "splunk" and isinstance(value, bool):
        return _text(value)
    return value


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


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


def _objects(value: Any) -> list[Any]:
    found = value if isinstance(value, list) else [value]
    return [element for element in found if isinstance(element, dict) and element]


def _holds(expression: Expression, event: JsonObject) -> bool:
    """The few operators that a variant's ``select`` may use, on scalars."""
    match expression:
        case All(terms):
            return all(_holds(term, event) for term in terms)
        case AnyOf(terms):
            return any(_holds(term, event) for term in terms)
        case Not(term):
            return not _holds(term, event)
        case Predicate(FieldPath(steps), operator, values, ignore_case):
            value = _get(event, steps)
            if operator is Operator.EXISTS:
                return value not in (None, [], {})
            if value is None or isinstance(value, dict | list):
                return False
            texts = [_text(operand) for operand in values]
            if ignore_case:
                return _text(value).lower() in [text.lower() for text in texts]
            return _text(value) in texts
    raise ValueError(f"not a variant's select: {expression}")


def _get(event: Any, steps: tuple[PathStep, ...]) -> Any:
    for step in steps:
        if not isinstance(event, dict):
            return None
        event = event.get(step)
    return event


def _take(event: Any, keys: tuple[str, ...]) -> Any:
    """Remove and return the value at ``keys``; objects that this empties go too. None if there is none."""
    if not isinstance(event, dict) or keys[0] not in event:
        return None
    if len(keys) == 1:
        return event.pop(keys[0])
    value = _take(event[keys[0]], keys[1:])
    if event[keys[0]] == {}:
        del event[keys[0]]
    return value


def _put(event: JsonObject, keys: tuple[str, ...], value: Any) -> None:
    """Set the value at ``keys``, making objects on the way; a scalar in the way is replaced."""
    for key in keys[:-1]:
        inner = event.get(key)
        if not isinstance(inner, dict):
            inner = event[key] = {}
        event = inner
    event[keys[-1]] = value


def _move(event: JsonObject, old: FieldPath, new: FieldPath) -> None:
    if len(old.keys) > 1 and old.keys[:-1] == new.keys[:-1]:
        _rename_in_lists(event, old.keys, new.keys[-1])
        return
    value = _take(event, old.keys)
    if value is None:
        return
    if new.steps:
        _put(event, new.keys, value)
    elif isinstance(value, dict):
        for key, inner in value.items():
            event.setdefault(key, inner)


def _rename_in_lists(event: Any, keys: tuple[str, ...], name: str) -> None:
    """Rename the last key, in every element where lists lie on the way."""
    if isinstance(event, list):
        for element in event:
            _rename_in_lists(element, keys, name)
    elif isinstance(event, dict) and keys[0] in event:
        if len(keys) > 1:
            _rename_in_lists(event[keys[0]], keys[1:], name)
        else:
            event[name] = event.pop(keys[0])
