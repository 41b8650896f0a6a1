"""What the Sigma specification says of a detection and an event, without the reader or pySigma.

Written from its text alone ("Sigma Rules Specification" and "Sigma Modifiers", 2.1.0), on flat events,
so that a misreading shows as a difference. A field has texts, numbers, booleans, null, or a list of them.
"""

from __future__ import annotations

import ipaddress
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any, Final, TypeAlias

Token: TypeAlias = str
"""A character, or one of the two wildcards."""
ANY: Final = "<any>"
ONE: Final = "<one>"
LOG: Final = "message"
"""The field with the whole text of the log."""
DASHES: Final = "-/\u2013\u2014\u2015"
Event: TypeAlias = Mapping[str, Any]
_ENCODINGS: Final = {"wide": "utf-16le", "utf16le": "utf-16le", "utf16be": "utf-16be"}


def tokens(text: str) -> list[Token]:
    """Escaping: what is a wildcard in a value, and what stands for itself."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        if text[at] == "\\" and text[at + 1 : at + 2] in ("*", "?", "\\"):
            at += 1
            found.append(text[at])
        else:
            found.append({"*": ANY, "?": ONE}.get(text[at], text[at]))
        at += 1
    return found


def fits(wanted: list[Token], text: str, cased: bool) -> bool:
    """Wildcards: the whole text, without case unless cased."""
    fold: Callable[[str], str] = str if cased else str.lower
    shapes = {ANY: ".*", ONE: "."}
    pattern = "".join(shapes[one] if one in shapes else re.escape(fold(one)) for one in wanted)
    return re.fullmatch(pattern, fold(text), re.DOTALL) is not None


def text_of(value: Any) -> str:
    """A value as text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def number_of(value: Any) -> float | None:
    """A number, or a text that is written like one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and not re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", value, re.ASCII):
        return None
    return float(value)


def values_of(event: Event, field: str) -> list[Any]:
    """The values of a field; of a field that is missing or null, none."""
    found = event.get(field)
    return [one for one in (found if isinstance(found, list) else [found]) if one is not None]


def dashed(wanted: list[Token]) -> Iterator[list[Token]]:
    """windash: each dash that begins a word as each of its kinds."""
    places = [
        at
        for at, one in enumerate(wanted)
        if one in tuple(DASHES)
        and (at == 0 or not re.fullmatch(r"\w", wanted[at - 1]))
        and at + 1 < len(wanted)
        and re.fullmatch(r"\w", wanted[at + 1])
    ]
    for chosen in product(DASHES, repeat=len(places)):
        copy = list(wanted)
        for at, dash in zip(places, chosen, strict=True):
            copy[at] = dash
        yield copy


def shifted(data: bytes) -> Iterator[str]:
    """base64offset: what does not change at each of three places."""
    for before in range(3):
        around = [b64encode(bytes([pad]) * before + data + bytes([pad]) * 2).decode() for pad in (0, 255)]
        end = (before + len(data)) * 8 // 6
        start = -(-before * 8 // 6)
        assert around[0][start:end] == around[1][start:end]
        yield around[0][start:end]


class Item:
    """One field with its modifiers, and the values."""

    def __init__(self, key: str, values: Any) -> None:
        self.field, *self.modifiers = (key if not key.startswith("|") else f"{LOG}{key}|contains").split("|")
        self.values = (values or [None]) if isinstance(values, list) else [values]
        self.cased = "cased" in self.modifiers

    def holds(self, event: Event) -> bool:
        """Any of the values, or all of them; with ``neq`` the opposite."""
        link = all if "all" in self.modifiers else any
        found = link(self.one(value, event) for value in self.values)
        return found != ("neq" in self.modifiers)

    def one(self, value: Any, event: Event) -> bool:
        """Whether some value of the field is as asked."""
        there = values_of(event, self.field)
        if value is None:
            return not there
        test = self.test(value, event)
        return bool(there) == value if test is None else any(map(test, there))

    def test(self, value: Any, event: Event) -> Callable[[Any], bool] | None:
        """What is asked of one value of the field; None for whether there is any."""
        first = self.modifiers[0] if self.modifiers else ""
        if first == "exists":
            return None
        if first == "re":
            flags = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}
            given = sum(flags.get(name, 0) for name in self.modifiers)
            pattern = re.compile(str(value), given | re.ASCII)
            return lambda own: pattern.search(text_of(own)) is not None
        if first in ("gt", "gte", "lt", "lte"):
            return lambda own: _ordered(first, number_of(own), float(value))
        if first == "cidr":
            return lambda own: _inside(text_of(own), value)
        if "fieldref" in self.modifiers:
            return lambda own: any(self.refers(own, other) for other in values_of(event, str(value)))
        if isinstance(value, int | float) and not {*self.modifiers} - {"all", "neq"}:
            if isinstance(value, bool) or number_of(value) is None:
                return lambda own: text_of(own).lower() == text_of(value)
            return lambda own: number_of(own) == number_of(value) or text_of(own) == text_of(value)
        shapes = list(self.shapes(tokens(text_of(value))))
        return lambda own: any(fits(shape, text_of(own), self.cased) for shape in shapes)

    def refers(self, own: Any, other: Any) -> bool:
        """fieldref: the text of the other field as a whole, or as the affix that a modifier asks for."""
        before = [ANY] if {"endswith", "contains"} & {*self.modifiers} else []
        after = [ANY] if {"startswith", "contains"} & {*self.modifiers} else []
        if not before and not after and number_of(own) is not None and number_of(own) == number_of(other):
            return not (isinstance(own, str) and isinstance(other, str)) or own == other
        return fits([*before, *text_of(other), *after], text_of(own), self.cased)

    def shapes(self, given: list[Token]) -> Iterator[list[Token]]:
        """The value after each of the modifiers, in the order given."""
        found: list[list[Token]] = [given]
        encoding = "utf-8"
        for name in self.modifiers:
            if name in _ENCODINGS:
                encoding = _ENCODINGS[name]
            elif name == "base64":
                found = [list(b64encode("".join(one).encode(encoding)).decode()) for one in found]
            elif name == "base64offset":
                found = [list(text) for one in found for text in shifted("".join(one).encode(encoding))]
            elif name == "windash":
                found = [variant for one in found for variant in dashed(one)]
            elif name in ("contains", "startswith", "endswith"):
                before = [ANY] if name != "startswith" else []
                after = [ANY] if name != "endswith" else []
                found = [[*before, *one, *after] for one in found]
        yield from found


def _ordered(name: str, own: float | None, wanted: float) -> bool:
    if own is None:
        return False
    return {"gt": own > wanted, "gte": own >= wanted, "lt": own < wanted, "lte": own <= wanted}[name]


def _inside(text: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(text) in ipaddress.ip_network(network)
    except ValueError:
        return False


def detected(definition: Any, event: Event) -> bool:
    """Search identifiers: maps are linked with and, lists with or; other values are somewhere in the log."""
    if isinstance(definition, Mapping):
        return all(Item(key, value).holds(event) for key, value in definition.items())
    if isinstance(definition, list):
        return any(detected(one, event) for one in definition)
    return Item(f"{LOG}|contains", definition).holds(event)
