"""Which packs a Sigma log source means, and where the whole text of their logs is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from converter.logsources.pack import Pack
from converter.model.paths import FieldPath
from converter.platforms.sigma.documents import NAME

KEYS: Final = ("category", "product", "service")
RAW: Final = "raw"
_TEXT_NAMES: Final = ("message", "Message", "_raw", "event.original")


def logsource(data: Any) -> dict[str, str]:
    """Category, product and service of a rule's log source, as far as they are given."""
    if not isinstance(data, Mapping):
        return {}
    return {key: str(data[key]).strip().lower() for key in KEYS if data.get(key) not in (None, "")}


def contains(outer: Mapping[str, str], inner: Mapping[str, str]) -> bool:
    """Whether the log source ``outer``, of a filter, covers ``inner``, of a rule."""
    return all(inner.get(key) == value for key, value in outer.items())


def text_fields(packs: Sequence[Pack]) -> tuple[str, ...] | None:
    """The stored field that holds the whole text of each pack's logs; None where a pack has none.

    A pack names it (``platforms: {sigma: {message: FIELD}}``) or has a field of one of the usual names; a log
    that keeps every name of its own has its text under ``message``.
    """
    names = [_text_field(pack) for pack in packs]
    if not names or any(name is None for name in names):
        return None
    return tuple(dict.fromkeys(name for name in names if name is not None))


def _text_field(pack: Pack) -> str | None:
    named = pack.platforms.get(NAME, {}).get("message")
    if isinstance(named, str) and named:
        return named
    stored = {field.platforms[NAME].name for field in pack.fields.values() if NAME in field.platforms}
    known = next((name for name in _TEXT_NAMES if name in stored), None)
    if known is None and FieldPath(()) in pack.open_fields:
        return _TEXT_NAMES[0]
    return known


def names_of(packs: Iterable[Pack]) -> tuple[str, ...]:
    """The packs' names, each once."""
    return tuple(dict.fromkeys(pack.name for pack in packs))
