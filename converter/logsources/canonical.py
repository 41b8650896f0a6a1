"""From the shapes in which a log arrives to the one that its pack declares.

Nothing is changed in place: a raw event is shared with whoever read it.
"""

from __future__ import annotations

from typing import Any

from converter.logsources.pack import Pack, Variant
from converter.model.expressions import All, AnyOf, Expression, Not, Operator, Predicate
from converter.model.paths import FieldPath, PathStep
from converter.model.rule import JsonObject


def canonical_event(pack: Pack, raw: JsonObject) -> JsonObject:
    """``raw`` in the pack's canonical form.

    Each variant whose ``select`` holds, in order, renames and translates its own paths; what it does not
    name stays. Without such a variant the event itself is returned. The input is not changed.
    """
    event = raw
    for variant in pack.variants:
        if _holds(variant.select, event):
            event = _read(variant, event)
    return event


def _read(variant: Variant, event: JsonObject) -> JsonObject:
    for old, new in variant.rename.items():
        event = moved(event, old.keys, new.keys)
    for path, texts in variant.values.items():
        value = value_at(event, path.steps)
        if isinstance(value, str | int | float) and text_of(value) in texts:
            event = with_value(event, path.keys, texts[text_of(value)])
    return event


def _holds(expression: Expression, event: JsonObject) -> bool:
    """The few operators that a variant's ``select`` may use, on scalars."""
    match expression:
        case Predicate(FieldPath(steps), operator, values, ignore_case):
            value = value_at(event, steps)
            if operator is Operator.EXISTS:
                return value not in (None, [], {})
            if value is None or isinstance(value, dict | list):
                return False
            texts = [text_of(operand) for operand in values]
            if ignore_case:
                return text_of(value).lower() in [text.lower() for text in texts]
            return text_of(value) in texts
        case All(terms):
            return all(_holds(term, event) for term in terms)
        case AnyOf(terms):
            return any(_holds(term, event) for term in terms)
        case Not(term):
            return not _holds(term, event)
    raise ValueError(f"not a variant's select: {expression}")


def text_of(value: Any) -> str:
    """A scalar as text; booleans as JSON writes them."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def value_at(event: Any, steps: tuple[PathStep, ...]) -> Any:
    """What lies at a path of keys, None if nothing does."""
    for step in steps:
        if not isinstance(event, dict):
            return None
        event = event.get(step)
    return event


def moved(event: JsonObject, old: tuple[str, ...], new: tuple[str, ...]) -> JsonObject:
    """The event with what lies at ``old`` at ``new`` instead; no ``new``: its keys become the event's own.

    Where only the last key differs, it is renamed in every element of the lists on the way.
    """
    if old[:-1] == new[:-1] and new:
        renamed: JsonObject = _renamed(event, old, new[-1])
        return renamed
    value = value_at(event, old)
    if value is None:
        return event
    rest = without(event, old)
    if new:
        return with_value(rest, new, value)
    return {**value, **rest} if isinstance(value, dict) else rest


def without(event: JsonObject, keys: tuple[str, ...]) -> JsonObject:
    """The event less what lies at ``keys``; objects that this empties go too."""
    first, *rest = keys
    if first not in event:
        return event
    if not rest:
        return {key: value for key, value in event.items() if key != first}
    inner = event[first]
    if not isinstance(inner, dict):
        return event
    left = without(inner, tuple(rest))
    if left:
        return {**event, first: left}
    return {key: value for key, value in event.items() if key != first}


def with_value(event: JsonObject, keys: tuple[str, ...], value: Any) -> JsonObject:
    """The event with ``value`` at ``keys``, making objects on the way; a scalar there gives way."""
    first, *rest = keys
    if not rest:
        return {**event, first: value}
    inner = event.get(first)
    return {**event, first: with_value(inner if isinstance(inner, dict) else {}, tuple(rest), value)}


def _renamed(event: Any, keys: tuple[str, ...], name: str) -> Any:
    if isinstance(event, list):
        return [_renamed(element, keys, name) for element in event]
    if not isinstance(event, dict) or keys[0] not in event:
        return event
    if len(keys) > 1:
        return {**event, keys[0]: _renamed(event[keys[0]], keys[1:], name)}
    return {name if key == keys[0] else key: value for key, value in event.items()}
