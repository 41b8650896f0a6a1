"""From a name that a platform stores back to the canonical path, by one pack: lookup.py the other way round.

A stored name may be a field's own, one of the further names that the pack lists for it
(``platforms.NAME.aliases``), a second field that holds part of a value, a key below an open object, or the
canonical name itself, which many collectors keep beside their own.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from converter.logsources.lookup import known
from converter.logsources.naming import is_flat
from converter.logsources.pack import Field, FieldType, Pack, PlatformField
from converter.logsources.remembered import Remembered
from converter.model.paths import ANY, FieldPath, PathStep, parse_path

_ROOT: Final = FieldPath(())
_LIST_MARK: Final = "{}"
"""Splunk's mark behind the name of a list ("Search Reference: spath")."""


class Part(enum.Enum):
    """Which part of the canonical field's value a stored name holds."""

    WHOLE = "whole"
    ADDRESS = "address"
    BASENAME = "basename"
    PIECE = "piece"


class Canonical(msgspec.Struct, frozen=True):
    """A canonical path and what the stored name holds of it.

    ``field``: how the platform stores it, where values may differ from the log's. ``piece``: the number of
    the piece, from 0, of a value that is stored in parts.
    """

    path: FieldPath
    part: Part = Part.WHOLE
    field: PlatformField | None = None
    piece: int = 0


class StoredNames:
    """The names that ``platform`` stores of ``pack``'s events, each with its canonical path."""

    def __init__(self, pack: Pack, platform: str) -> None:
        self._pack = pack
        self._platform = platform
        self._flat = is_flat(platform)
        declared = pack.platforms.get(platform, {})
        self._prefix = f"{declared['prefix']}." if declared.get("prefix") else None
        self._names: dict[tuple[str, ...], Canonical] = {}
        self._roots: dict[tuple[str, ...], tuple[FieldPath, PlatformField | None]] = {}
        for field in pack.fields.values():
            stored = field.platforms.get(platform)
            if stored is not None:
                self._add_own(field, stored)
        for field in pack.fields.values():
            stored = field.platforms.get(platform)
            if stored is not None:
                self._add_second(field, stored)
        aliases: Mapping[str, str] = declared.get("aliases") or {}
        for name, text in aliases.items():
            path = parse_path(text).without_indexes()
            if known(pack, path) is not None:
                self._names.setdefault(self._keys(name), Canonical(path))
        self._folded = {} if self._flat else {_folded(keys): found for keys, found in self._names.items()}

    def known(self, path: FieldPath) -> Canonical | None:
        """What the platform stores under ``path``; None where the pack gives that name to nothing."""
        keys, rest = self._split(path)
        found = self._names.get(keys) or self._folded.get(_folded(keys))
        if found is not None:
            return msgspec.structs.replace(found, path=self._listed(found.path.keys, path))
        if self._prefix and keys[0].startswith(self._prefix):
            shorter = FieldPath((keys[0].removeprefix(self._prefix), *path.steps[1:]))
            return self.known(shorter)
        return self._below(path, rest)

    def canonical(self, path: FieldPath) -> FieldPath | None:
        """The declared path that ``path`` is already written as, if it is one."""
        own = dotted(path) if self._flat else path
        if own.without_indexes() not in self._pack.fields:
            opened = [p for p in self._pack.open_fields if p.steps and own.keys[: len(p.steps)] == p.steps]
            return own if opened else None
        return self._listed(own.keys, path)

    def declares(self, path: FieldPath) -> bool:
        """Whether the pack names this very name, and not only an object that it may be below."""
        keys, _ = self._split(path)
        own = dotted(path) if self._flat else path
        return (
            keys in self._names or _folded(keys) in self._folded or own.without_indexes() in self._pack.fields
        )

    @property
    def is_open(self) -> bool:
        """Whether the pack knows every name."""
        return _ROOT in self._pack.open_fields

    # -- the table

    def _keys(self, name: str) -> tuple[str, ...]:
        return (name,) if self._flat else parse_path(name).keys

    def _add_own(self, field: Field, stored: PlatformField) -> None:
        if stored.join:
            return
        keys = self._keys(stored.name)
        self._names.setdefault(keys, Canonical(field.path, field=stored))
        if field.type is FieldType.OBJECT:
            self._roots.setdefault(keys, (field.path, stored))

    def _add_second(self, field: Field, stored: PlatformField) -> None:
        if stored.ip is not None:
            self._names.setdefault(self._keys(stored.ip), Canonical(field.path, Part.ADDRESS, stored))
        if stored.basename is not None:
            self._names.setdefault(self._keys(stored.basename), Canonical(field.path, Part.BASENAME, stored))
        for number, name in enumerate(stored.join):
            self._names.setdefault(self._keys(name), Canonical(field.path, Part.PIECE, stored, number))

    def _split(self, path: FieldPath) -> tuple[tuple[str, ...], tuple[PathStep, ...]]:
        keys = path.keys[:1] if self._flat else path.keys
        return keys, path.steps[1:] if self._flat else ()

    # -- objects

    def _below(self, path: FieldPath, indexes: tuple[PathStep, ...]) -> Canonical | None:
        """A key inside an object whose stored name the pack knows: the longest such name counts."""
        if self._flat:
            name = path.keys[0]
            for stem in _stems(name):
                root = self._roots.get((stem,))
                if root is not None and known(self._pack, FieldPath((*root[0].steps, "key"))) is not None:
                    rest = dotted(FieldPath((f"x{name[len(stem) :]}",))).steps[1:]
                    start = self._listed_keys(root[0].keys)
                    rest = rest[1:] if rest[:1] == (ANY,) and start[-1] is ANY else rest
                    return Canonical(_indexed((*start, *rest), indexes))
            return None
        for size in range(len(path.keys) - 1, 0, -1):
            root = self._roots.get(path.keys[:size])
            if root is not None and root[0].keys != path.keys[:size]:
                return Canonical(_rekeyed(path, (*root[0].keys, *path.keys[size:])))
        return None

    # -- lists

    def _listed(self, keys: tuple[str, ...], stored: FieldPath) -> FieldPath:
        """The path with its list steps: on flat platforms where the pack has lists, else where written."""
        if not self._flat:
            return _rekeyed(stored, keys)
        return _indexed(self._listed_keys(keys), stored.steps[1:])

    def _listed_keys(self, keys: tuple[str, ...]) -> tuple[PathStep, ...]:
        steps: list[PathStep] = []
        for size, key in enumerate(keys, 1):
            steps.append(key)
            field = self._pack.fields.get(FieldPath(keys[:size]))
            if field is not None and field.is_list:
                steps.append(ANY)
        return tuple(steps)


STORED_NAMES: Final = Remembered[Pack, StoredNames](StoredNames)
"""The table of a pack on a platform, made once."""


def dotted(path: FieldPath) -> FieldPath:
    """A flat stored name as a path of its own: dots part keys, Splunk's ``{}`` are list steps."""
    name = path.steps[0]
    assert isinstance(name, str)
    steps: list[PathStep] = []
    for segment in name.split("."):
        key, marks = segment, 0
        while key.endswith(_LIST_MARK):
            key, marks = key.removesuffix(_LIST_MARK), marks + 1
        if not key:
            return path
        steps.extend((key, *[ANY] * marks))
    return _indexed(tuple(steps), path.steps[1:])


def _indexed(steps: tuple[PathStep, ...], indexes: tuple[PathStep, ...]) -> FieldPath:
    """The path with ``indexes`` in place of its last list steps, or behind it where it has too few."""
    result = list(steps)
    lists = [position for position, step in enumerate(result) if step is ANY]
    free = lists[max(0, len(lists) - len(indexes)) :]
    for position, index in zip(free, indexes, strict=False):
        result[position] = index
    return FieldPath((*result, *indexes[len(free) :]))


def _rekeyed(path: FieldPath, keys: tuple[str, ...]) -> FieldPath:
    """``path`` with other keys, its list steps kept as far from the end as they were."""
    groups: list[tuple[PathStep, ...]] = []
    for step in path.steps:
        if isinstance(step, str):
            groups.append(())
        else:
            groups[-1] = (*groups[-1], step)
    padded = [()] * (len(keys) - len(groups)) + groups[max(0, len(groups) - len(keys)) :]
    return FieldPath(tuple(step for key, marks in zip(keys, padded, strict=True) for step in (key, *marks)))


def _stems(name: str) -> Iterator[str]:
    """The beginnings of a stored name that may be an object's: longest first."""
    for position in range(len(name) - 1, 0, -1):
        if name[position] == "." or name.startswith(_LIST_MARK, position):
            yield name[:position]


def _folded(keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(key.lower() for key in keys)
