"""What an operand looks like to a stored field of a given type, and whether it can be equal to it at all.

Elasticsearch compares by the mapping's type (Elasticsearch reference, "Field data types"), the canonical
rule by number or text; these functions bring the two together.
"""

from __future__ import annotations

import ipaddress
import math
import re
from functools import cache
from typing import Final

from converter.evaluate.timestamps import parse_text, to_text
from converter.evaluate.values import number_of, text_of
from converter.logsources.pack import FieldType
from converter.model.addresses import Network, networks_of, without
from converter.model.expressions import Operator, Scalar

TEXT_TYPES: Final = frozenset({FieldType.KEYWORD, FieldType.WILDCARD})
"""Types that hold exact text and take patterns."""

EXACT_TYPES: Final = TEXT_TYPES | {FieldType.FLATTENED}
"""Types that hold exact text."""

NUMBER_TYPES: Final = frozenset({FieldType.INTEGER, FieldType.FLOAT})

_LONG: Final = 2**63

_ALL_IPV4: Final = ipaddress.IPv4Network("0.0.0.0/0")
_ALL_IPV6: Final = ipaddress.IPv6Network("::/0")
_MAPPED: Final = ipaddress.IPv6Network("::ffff:0:0/96")


def equal_operand(value: Scalar, kind: FieldType, ignore_case: bool = False) -> Scalar | None:
    """The operand as a field of this type would hold it; None if no such field can be equal to it."""
    if kind in NUMBER_TYPES:
        number = number_of(value)
        if number is None or _beyond(number, kind):
            return None
        if number == int(number):
            return int(number)
        return number if kind is FieldType.FLOAT else None
    if kind is FieldType.BOOLEAN:
        text = text_of(value).lower() if ignore_case else text_of(value)
        return text == "true" if text in ("true", "false") else None
    if kind is FieldType.IP:
        return text_of(value) if address_of(text_of(value)) is not None else None
    if kind is FieldType.DATE:
        return moment_text(text_of(value))
    return text_of(value)


def always_ordered(operator: Operator, number: float, kind: FieldType) -> bool | None:
    """Whether every value of a number field compares so with a number beyond all of them; None within range.

    Elasticsearch refuses a range over ``long`` whose bound is no ``long``.
    """
    if not _beyond(number, kind):
        return None
    return (number > 0) == (operator in (Operator.LT, Operator.LTE))


def _beyond(number: float, kind: FieldType) -> bool:
    """Whether no field of the type can hold so large a number."""
    return not math.isfinite(number) or (kind is FieldType.INTEGER and not -_LONG <= number < _LONG)


def moment_text(text: str) -> str | None:
    """A timestamp in full, to the millisecond, as a ``date`` field keeps it; None if the text is none.

    Written in full because Elasticsearch fills what a date leaves out with the *end* of the day or second
    for ``<=`` and ``>`` (Elasticsearch reference, "Range query", missing date components).
    """
    moment = parse_text(text)
    if moment is None:
        return None
    return _to_millisecond(moment)


def moment_after(text: str) -> str | None:
    """The first moment behind the day, minute or second that a text is; None if it is more exact."""
    moment = parse_text(text)
    if moment is None or "." in text or "," in text:
        return None
    colons = _OFFSET.sub("", text).count(":")
    return _to_millisecond(moment + _LENGTHS[colons] * 1_000_000_000)


_OFFSET: Final = re.compile(r"(?<=\d)\s?[+-]\d\d:?\d\d$", re.ASCII)
_LENGTHS: Final = {0: 86_400, 1: 60, 2: 1}
"""So many colons in a text → how many seconds it stands for."""


def _to_millisecond(moment: int) -> str:
    full = to_text(moment - moment % 1_000_000)
    return full if "." in full else f"{full[:-1]}.000Z"


def address_of(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The IP address that a text is."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


@cache
def class_networks(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """An address class as networks: those it covers, and those taken out again.

    Elasticsearch keeps IPv4 addresses as mapped IPv6 ones and takes no network of those
    (elastic/elasticsearch, InetAddresses.parseCidr: an error), so none is named; what covers all of IPv6
    takes IPv4 out.
    """
    covered, excepted = ([n for n in networks if not _is_mapped(n)] for networks in networks_of(name))
    if _ALL_IPV6 in covered and _ALL_IPV4 not in covered:
        excepted.append(_ALL_IPV4)
    return tuple(map(str, covered)), tuple(map(str, excepted))


@cache
def class_as_union(name: str) -> tuple[str, ...]:
    """An address class as networks alone, none to be taken out: what a multi-valued field needs."""
    covered, excepted = networks_of(name)
    remaining: list[Network] = list(covered)
    for hole in (*excepted, _MAPPED):
        remaining = [piece for network in remaining for piece in without(network, hole)]
    v4 = ipaddress.collapse_addresses([n for n in remaining if isinstance(n, ipaddress.IPv4Network)])
    v6 = ipaddress.collapse_addresses([n for n in remaining if isinstance(n, ipaddress.IPv6Network)])
    return (*map(str, v4), *map(str, v6))


@cache
def network_as_union(text: str) -> tuple[str, ...]:
    """A network, or an address, as networks that hold the same addresses to Elasticsearch.

    None for IPv4-mapped ones, which are IPv4 there; of a larger IPv6 network those are taken out.
    """
    network = ipaddress.ip_network(text)
    if not isinstance(network, ipaddress.IPv6Network):
        return (text,)
    if network.subnet_of(_MAPPED):
        return ()
    return tuple(map(str, without(network, _MAPPED))) if _MAPPED.subnet_of(network) else (text,)


def stored_network(text: str) -> tuple[str, ...]:
    """The canonical networks of one that a query names: host bits are ignored, ``::/0`` holds IPv4 too.

    Raises ValueError for what is no network.
    """
    network = ipaddress.ip_network(text, strict=False)
    holds_ipv4 = isinstance(network, ipaddress.IPv6Network) and _MAPPED.subnet_of(network)
    return (str(network), str(_ALL_IPV4)) if holds_ipv4 else (str(network),)


def _is_mapped(network: Network) -> bool:
    """Whether all addresses of the network are IPv4 ones to Elasticsearch."""
    return isinstance(network, ipaddress.IPv6Network) and network.subnet_of(_MAPPED)


def has_case(text: str) -> bool:
    """Whether ignoring case makes a difference to what the text matches."""
    return text.lower() != text or text.upper() != text


def folds_beyond_ascii(text: str) -> bool:
    """Whether the text has a letter whose case Elasticsearch does not ignore.

    Elasticsearch's ``case_insensitive`` covers ASCII letters only (Elasticsearch reference, "Wildcard query":
    ASCII case insensitive matching).
    """
    return not text.isascii() and any(not c.isascii() and has_case(c) for c in text)
