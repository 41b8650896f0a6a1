"""A stand-in for panther_core's event, for tests that run without it; tests with it are in test_engine.py."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


class EventDict(Mapping[str, Any]):
    """Reads like PantherEvent: objects and lists are wrapped, ``deep_get`` has its default for null."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data

    def __getitem__(self, key: str) -> Any:
        return _wrapped(self._data[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def deep_get(self, *keys: str, default: Any = None) -> Any:
        value: Any = self
        for key in keys:
            value = value.get(key, default) if isinstance(value, Mapping) else default
        return default if value is None else value


class EventList(Sequence[Any]):
    """A list field: a sequence that is no list and has no hash."""

    def __init__(self, items: list[Any]) -> None:
        self._items = tuple(items)

    def __getitem__(self, index: Any) -> Any:
        return _wrapped(self._items[index])

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EventList) and self._items == other._items

    __hash__ = None  # type: ignore[assignment]


def _wrapped(value: Any) -> Any:
    if isinstance(value, dict):
        return EventDict(value)
    return EventList(value) if isinstance(value, list) else value
