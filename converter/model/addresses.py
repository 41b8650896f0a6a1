"""Classes of IP addresses for the ``ip`` operator, as lists of networks.

Source: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and its updates). The lists are
data of this package, so that a verdict never depends on the Python version that runs it.
"""

from __future__ import annotations

from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from types import MappingProxyType
from typing import Final, TypeAlias

Network: TypeAlias = IPv4Network | IPv6Network

PRIVATE: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
LOOPBACK: Final = ("127.0.0.0/8", "::1/128")
LINK_LOCAL: Final = ("169.254.0.0/16", "fe80::/10")
MULTICAST: Final = ("224.0.0.0/4", "ff00::/8")
UNSPECIFIED: Final = ("0.0.0.0/32", "::/128")
RESERVED: Final = (
    "0.0.0.0/8",
    "100.64.0.0/10",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "::/128",
    "::ffff:0:0/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
)
"""Set aside by IANA for something that is not a host on the public internet, and in no list above."""

_NOT_PUBLIC: Final = (*PRIVATE, *LOOPBACK, *LINK_LOCAL, *MULTICAST, *RESERVED)

CLASSES: Final = MappingProxyType(
    {
        "private": (PRIVATE, ()),
        "loopback": (LOOPBACK, ()),
        "link_local": (LINK_LOCAL, ()),
        "multicast": (MULTICAST, ()),
        "unspecified": (UNSPECIFIED, ()),
        "reserved": (RESERVED, ()),
        "v4": (("0.0.0.0/0",), ()),
        "v6": (("::/0",), ()),
        "public": (("0.0.0.0/0", "::/0"), _NOT_PUBLIC),
    }
)
"""Class name → (networks that it covers, networks taken out of those). An address is in the class when
it is in one of the first and in none of the second."""


@cache
def blocks_of(class_name: str) -> tuple[Network, ...]:
    """The fewest networks that together hold the class's addresses and no others, in order of the lists.
    Raises KeyError for an unknown class.
    """
    blocks, excepted = networks_of(class_name)
    for hole in excepted:
        blocks = tuple(rest for block in blocks for rest in without(block, hole))
    return blocks


def without(network: Network, hole: Network) -> list[Network]:
    """A network's parts outside of another one: itself where they have nothing in common."""
    if isinstance(network, IPv4Network) and isinstance(hole, IPv4Network):
        if network.subnet_of(hole):
            return []
        return list(network.address_exclude(hole)) if hole.subnet_of(network) else [network]
    if isinstance(network, IPv6Network) and isinstance(hole, IPv6Network):
        if network.subnet_of(hole):
            return []
        return list(network.address_exclude(hole)) if hole.subnet_of(network) else [network]
    return [network]


@cache
def networks_of(class_name: str) -> tuple[tuple[Network, ...], tuple[Network, ...]]:
    """The class's networks and its exceptions, parsed. Raises KeyError for an unknown class."""
    covered, excepted = CLASSES[class_name]
    return tuple(map(ip_network, covered)), tuple(map(ip_network, excepted))
