"""Where each page lies in the site. A page's place depends on its own subject alone, so links to it last."""

from __future__ import annotations

from converter.catalog.keys import Key
from converter.catalog.records import Record, short_hash, slug


def rule_place(record: Record) -> str:
    """The page of a rule."""
    return f"rules/{record.key}.html"


def field_place(name: str) -> str:
    """The page of a field."""
    return _place("fields", name, name)


def rare_place(name: str) -> str:
    """The page of the values of a field that one rule alone has."""
    return _place("fields", f"{name}-rare", name, "rare")


def value_place(key: Key) -> str:
    """The page of a value that several rules share."""
    return _place("values", key[2], *key)


def false_positive_place(text: str) -> str:
    """The page of a false positive that several rules know."""
    return _place("false-positives", text, text)


def technique_place(technique: str) -> str:
    """The page of an ATT&CK technique."""
    return f"techniques/{technique}.html"


def logsource_place(name: str) -> str:
    """The page of a log source."""
    return _place("logsources", name, name)


def _place(folder: str, name: str, *identity: str) -> str:
    return f"{folder}/{f'{slug(name)}-'.lstrip('-')}{short_hash(*identity, size=5)}.html"
