"""Regular expressions, wildcards and addresses on texts of the event."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from converter.evaluate.operators import TESTS
from converter.model.expressions import Operator
from converter.model.regex import as_literal, parse
from converter.platforms.panther.abstract import Pattern as OwnPattern
from converter.platforms.panther.abstract import UnreadableError as OwnError
from converter.platforms.panther.comparisons import re2_pattern
from converter.platforms.panther.importing.python.formulas import either
from converter.platforms.panther.importing.python.machine import Machine, as_text, leaf
from converter.platforms.panther.importing.python.nodes import FALSE, TRUE, Formula, opposite
from converter.platforms.panther.importing.python.shapes import Shape
from converter.platforms.panther.importing.python.values import (
    NONE,
    Address,
    Field,
    Found,
    Known,
    Matches,
    Network,
    Outcome,
    Pattern,
    Text,
    UnreadableError,
    Value,
    gathered,
    one,
    raising,
    unless,
    when,
)

_NO_NODE: Final = None
SEARCHES: Final = frozenset({"search", "match", "fullmatch", "findall"})
FLAGS: Final = frozenset({"IGNORECASE", "I", "DOTALL", "S", "MULTILINE", "M", "ASCII", "A", "VERBOSE", "X"})
_V4_SPECIAL: Final = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/29",
    "192.0.0.170/31",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "255.255.255.255/32",
)
_V6_SPECIAL: Final = (
    "::1/128",
    "::/128",
    "::ffff:0:0/96",
    "100::/64",
    "2001::/23",
    "2001:2::/48",
    "2001:db8::/32",
    "2001:10::/28",
    "fc00::/7",
    "fe80::/10",
)
_SHARED: Final = "100.64.0.0/10"
_TOKEN: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?>", re.DOTALL)
_PROPERTIES: Final[dict[str, tuple[str, ...]]] = {
    "is_private": (*_V4_SPECIAL, *_V6_SPECIAL),
    "is_loopback": ("127.0.0.0/8", "::1/128"),
    "is_link_local": ("169.254.0.0/16", "fe80::/10"),
    "is_multicast": ("224.0.0.0/4", "ff00::/8"),
    "is_unspecified": ("0.0.0.0/32", "::/128"),
}
"""Python documentation, ipaddress: the networks behind the properties (IANA's special-purpose registries)."""


def search(machine: Machine, pattern: Pattern, method: str, subject: Value) -> Outcome:
    """``pattern.search(subject)``, ``match`` or ``fullmatch``: a match, or None; ``findall``: a list."""
    text = re2_of(pattern, "search" if method == "findall" else method)
    match subject:
        case Known(str(known)):
            matches = TESTS[Operator.REGEX](text, False)(known)
            if method == "findall":
                return one(Matches(TRUE if matches else FALSE))
            return one(Found(text) if matches else NONE)
        case Known():
            return raising("TypeError")
        case Field() | Text():
            if isinstance(subject, Field):
                machine.used(subject, Shape.TEXT)
            found = _question(as_text(subject), text)
            if method == "findall":
                return one(Matches(found))
            return gathered([(found, Found(pattern.text)), (opposite(found), NONE)])
    raise UnreadableError("a regular expression on what is no text")


def _question(text: Text, pattern: str) -> Formula:
    plain = as_literal(parse(pattern, "re2"))
    if plain is not None and not text.functions:
        return leaf(text.variable, text.subject, plain[0], (plain[1],))
    return leaf(text.variable, text.subject, Operator.REGEX, (pattern,), text.functions)


def re2_of(pattern: Pattern, method: str) -> str:
    """The RE2 pattern that finds what a method of Python's pattern finds."""
    import ast

    try:
        return re2_pattern(OwnPattern(pattern.text, pattern.flags), method, ast.Pass())
    except OwnError as error:
        raise UnreadableError(str(error), code="regex") from error


def wildcard(machine: Machine, subject: Value, pattern: str) -> Outcome:
    """``fnmatch(subject, pattern)``: ``*``, ``?`` and ``[…]`` over the whole text, with case."""
    if isinstance(subject, Known):
        return raising("TypeError")
    if not isinstance(subject, (Field, Text)):
        raise UnreadableError("fnmatch on what is no text")
    if isinstance(subject, Field):
        machine.used(subject, Shape.TEXT)
    text = as_text(subject)
    if "[" in pattern:
        found = re2_of(Pattern(_translated(pattern)), "match")
        return when(leaf(text.variable, text.subject, Operator.REGEX, (found,), text.functions))
    operand = pattern.replace("\\", "\\\\")
    from converter.platforms.panther.importing.python.truth import text_question

    return when(text_question(text, Operator.LIKE, (operand,)))


def _translated(pattern: str) -> str:
    """The regular expression of a wildcard pattern. From Python 3.11 to 3.13 ``fnmatch.translate`` makes each
    ``*`` between others an atomic group of its shortest match, which is only faster: a later ``*`` takes up
    whatever a longer match would have.
    """
    import fnmatch

    return _TOKEN.sub(lambda found: "(?:" if found[0] == "(?>" else found[0], fnmatch.translate(pattern))


# -- addresses


def address(machine: Machine, subject: Value) -> Outcome:
    """``ip_address(subject)``."""
    match subject:
        case Known(known):
            try:
                return one(Known(ipaddress.ip_address(known)))
            except ValueError:
                return raising("ValueError")
        case Field() | Text():
            if isinstance(subject, Field):
                machine.used(subject, Shape.TEXT)
            text = as_text(subject)
            valid = leaf(text.variable, text.subject, Operator.IP, ("v4", "v6"), text.functions)
            found = Address(text.variable, text.subject, text.functions)
            return unless(machine.here(opposite(valid)), "ValueError", found)
    raise UnreadableError("ip_address of what is no text")


def network(machine: Machine, subject: Value, strict: bool = True) -> Outcome:
    """``ip_network(subject)`` of a constant; of a field, which is taken to hold single addresses."""
    if isinstance(subject, (Field, Text)):
        machine.note("address", "a field given to ip_network() is taken to hold single addresses")
        return address(machine, subject)
    if isinstance(subject, Known):
        try:
            return one(Network(str(ipaddress.ip_network(subject.value, strict=strict))))
        except ValueError:
            return raising("ValueError")
    raise UnreadableError("ip_network of a text of the event")


def property_of(value: Address, name: str) -> Outcome:
    """A property of an address: ``is_private``, ``is_global`` …"""
    if name in _PROPERTIES:
        return when(_inside(value, _PROPERTIES[name]))
    if name == "is_global":
        return when(opposite(either(_inside(value, _PROPERTIES["is_private"]), _inside(value, (_SHARED,)))))
    raise UnreadableError(f"the property {name} of an address")


def version_is(value: Address, number: int) -> Formula:
    """When an address is of IP version 4 or 6."""
    return leaf(value.variable, value.subject, Operator.IP, (f"v{number}",), value.functions)


def _inside(value: Address, networks: tuple[str, ...]) -> Formula:
    return leaf(value.variable, value.subject, Operator.CIDR, networks, value.functions)
