"""Which stored field a canonical path names on a platform."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Final

import msgspec

from converter.logsources.naming import is_flat, joined_name
from converter.logsources.pack import Field, FieldType, Pack, PlatformField
from converter.model.paths import FieldPath, PathStep


class Known(msgspec.Struct, frozen=True):
    """What a pack knows of a path: the declared field, or the open object that it lies below.

    ``rest``: the steps below that open object, empty for a declared field.
    """

    field: Field
    rest: tuple[PathStep, ...] = ()


_STANDARD_FIELD: Final = re.compile(
    r"p_(any_\w+|enrichment|udm|(log|row|event|parse|source|schema|alert|rule|header)_\w+)"
)
_ROOT = Field(path=FieldPath(()), type=FieldType.OBJECT)


def known(pack: Pack, path: FieldPath) -> Known | None:
    """What ``pack`` knows of ``path`` (which may have list steps), or None.

    Of an object of which only the fields inside are declared that is: its type, and nothing per platform.
    Below an open object that is no declared field, names are the path's own.
    """
    keys = path.without_indexes()
    declared = pack.fields.get(keys)
    if declared is not None:
        return Known(declared)
    best: FieldPath | None = None
    for free in pack.open_fields:
        if keys.steps[: len(free.steps)] == free.steps and (
            best is None or len(free.steps) > len(best.steps)
        ):
            best = free
    if best is None:
        return Known(Field(path=keys, type=FieldType.OBJECT)) if any(fields_below(pack, keys)) else None
    opened = pack.fields.get(best)
    return Known(_ROOT, path.steps) if opened is None else Known(opened, below(path, len(best.steps)))


def below(path: FieldPath, keys: int) -> tuple[PathStep, ...]:
    """The steps of ``path`` behind its first ``keys`` keys and their list steps, when those are declared."""
    if keys == 0:
        return path.steps
    seen = 0
    for position, step in enumerate(path.steps):
        if isinstance(step, str):
            if seen == keys:
                return path.steps[position:]
            seen += 1
    return ()


def stored_field(found: Known, platform: str) -> PlatformField | None:
    """The platform's field for what :func:`known` found; None where the platform does not keep it.

    Below an open object the name is derived: the object's stored name and the rest of the path behind it.
    A flattened object stays flattened below.
    """
    at = found.field.platforms.get(platform)
    if not found.rest:
        return at
    if at is None:
        if found.field is not _ROOT or (platform != "panther" and _is_of_panther(found.rest[0])):
            return None
        at = PlatformField(name="")
    in_list = at.is_list or any(not isinstance(step, str) for step in found.rest)
    kind = FieldType.FLATTENED if at.type is FieldType.FLATTENED else FieldType.KEYWORD
    steps = tuple(changed_key(step, at) if isinstance(step, str) else step for step in found.rest)
    if is_flat(platform):
        return PlatformField(name=joined_name(at.name, steps, platform), type=kind, is_list=in_list)
    rest = str(FieldPath(steps).without_indexes())
    in_list = not isinstance(steps[-1], str)
    return PlatformField(name=f"{at.name}.{rest}" if at.name else rest, type=kind, is_list=in_list)


def _is_of_panther(key: PathStep) -> bool:
    """Whether it is a field that Panther adds to every event (Panther documentation, Standard Fields)."""
    return isinstance(key, str) and _STANDARD_FIELD.fullmatch(key) is not None


def second_fields(field: PlatformField) -> Iterator[PlatformField]:
    """The fields in which a platform keeps a value, or a part of it, beside ``field``."""
    if field.ip is not None:
        yield PlatformField(name=field.ip, type=FieldType.IP, is_list=field.is_list)
    if field.basename is not None:
        yield PlatformField(name=field.basename, is_list=field.is_list)
    for name in field.join:
        yield PlatformField(name=name, is_list=field.is_list)


def stored_fields(pack: Pack, platform: str) -> Iterator[PlatformField]:
    """Every field that ``platform`` stores of the pack's declared ones."""
    for declared in pack.fields.values():
        field = declared.platforms.get(platform)
        if field is not None:
            if not field.join:
                yield field
            yield from second_fields(field)


def changed_key(key: str, field: PlatformField) -> str:
    """A key of the open object that ``field`` stores, as the platform writes it."""
    for old, new in field.keys.items():
        key = key.replace(old, new)
    return key


def fields_below(pack: Pack, path: FieldPath) -> Iterator[Field]:
    """The declared fields that lie inside the object at ``path``."""
    keys = path.keys
    for inner, field in pack.fields.items():
        if len(inner.steps) > len(keys) and inner.steps[: len(keys)] == keys:
            yield field


def nested_above(pack: Pack, path: FieldPath, platform: str) -> PlatformField | None:
    """The field of Elastic's type ``nested`` that a path lies inside, if any: the outermost one."""
    keys = path.keys
    for depth in range(1, len(keys)):
        field = pack.fields.get(FieldPath(keys[:depth]))
        stored = field.platforms.get(platform) if field is not None else None
        if stored is not None and stored.type is FieldType.NESTED:
            return stored
    return None


def nearest_names(pack: Pack, path: FieldPath) -> list[str]:
    """Up to three declared names that look like ``path``, the nearest first."""
    names = [str(field) for field in pack.fields]
    text = str(path.without_indexes())
    close = difflib.get_close_matches(text, names, n=3, cutoff=0.6)
    folded = [name for name in names if name.lower() == text.lower()]
    last = path.keys[-1].lower()
    same_end = [
        name for name, field in zip(names, pack.fields, strict=True) if field.keys[-1].lower() == last
    ]
    return list(dict.fromkeys((*folded, *close, *same_end)))[:3]
