"""Ranges of integers and networks of addresses as regular expressions over their texts."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Iterable, Iterator

from converter.model.addresses import networks_of
from converter.model.regex.classes import char_class
from converter.model.regex.nodes import EMPTY, Literal, Node, Repeat, alternation, concat

IPv4Network = ipaddress.IPv4Network


def integers(low: int | None, high: int | None) -> Node | None:
    """The decimal texts of the integers from ``low`` to ``high`` (None: no bound); None if there is none."""
    if low is not None and high is not None and low > high:
        return None
    options: list[Node] = []
    if high is None or high >= 0:
        options += _naturals(max(low or 0, 0), high)
    if low is None or low < 0:
        nearest = 1 if high is None or high >= 0 else -high
        options += [
            concat((Literal("-"), each)) for each in _naturals(nearest, None if low is None else -low)
        ]
    return alternation(options)


def _naturals(low: int, high: int | None) -> list[Node]:
    options: list[Node] = []
    length = len(str(low))
    while high is None or low <= high:
        longest = 10**length - 1
        last = longest if high is None else min(high, longest)
        options.append(_between(str(low), str(last)))
        low, length = last + 1, length + 1
        if high is None:
            options.append(concat((_digit(1, 9), Repeat(_digit(0, 9), length - 1, None))))
            break
    return options


def _between(low: str, high: str) -> Node:
    """The digits from ``low`` to ``high``, both of the same length."""
    if not low:
        return EMPTY
    rest = len(low) - 1
    if set(low) == {"0"} and set(high) == {"9"}:
        return Repeat(_digit(0, 9), rest + 1, rest + 1)
    first, last = int(low[0]), int(high[0])
    if first == last:
        return concat((Literal(low[0]), _between(low[1:], high[1:])))
    options = [concat((Literal(low[0]), _between(low[1:], "9" * rest)))]
    if last - first > 1:
        options.append(concat((_digit(first + 1, last - 1), Repeat(_digit(0, 9), rest, rest))))
    options.append(concat((Literal(high[0]), _between("0" * rest, high[1:]))))
    return alternation(options)


def _digit(low: int, high: int) -> Node:
    return char_class(((0x30 + low, 0x30 + high),))


def addresses(networks: Iterable[IPv4Network]) -> Node | None:
    """The texts of the IPv4 addresses in some networks: four decimal octets without leading zeros."""
    options = [_network(network) for network in networks]
    return alternation(options) if options else None


def _network(network: IPv4Network) -> Node:
    first, last = network.network_address.packed, network.broadcast_address.packed
    octets = [integers(low, high) or EMPTY for low, high in zip(first, last, strict=True)]
    dotted: list[Node] = [octets[0]]
    for octet in octets[1:]:
        dotted += [Literal("."), octet]
    return concat(dotted)


@functools.cache
def class_v4(class_name: str) -> tuple[IPv4Network, ...]:
    """The IPv4 networks of a class of addresses, its exceptions taken out."""
    covered, excepted = networks_of(class_name)
    without = sorted((int(n[0]), int(n[-1])) for n in excepted if n.version == 4)
    found: list[IPv4Network] = []
    for network in covered:
        if network.version == 4:
            for low, high in _left(int(network[0]), int(network[-1]), without):
                first, last = ipaddress.IPv4Address(low), ipaddress.IPv4Address(high)
                found.extend(ipaddress.summarize_address_range(first, last))
    return tuple(found)


def _left(low: int, high: int, taken: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for first, last in taken:
        if low < first:
            yield low, min(high, first - 1)
        low = max(low, last + 1)
        if low > high:
            return
    yield low, high
