"""IP classes and networks in terms of CIDR_MATCH.

Elasticsearch keeps an IPv4 address as the IPv6 address ``::ffff:a.b.c.d`` and compares the 16 bytes
(elastic/elasticsearch, CIDRUtils), so ``::/0`` takes in every IPv4 address. A network of such addresses alone
(``::ffff:0:0/96``) is an error there (InetAddresses.parseCidr). The rule language keeps the two versions
apart; here ``0.0.0.0/0`` is what tells them.
"""

from __future__ import annotations

from ipaddress import IPv6Network, ip_network

from converter.model.addresses import CLASSES

IPV4 = "0.0.0.0/0"
MAPPED = IPv6Network("::ffff:0:0/96")


def stored(networks: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Networks in two groups: what CIDR_MATCH takes as it is, and IPv6 networks that hold IPv4 there as well.

    Networks of mapped addresses alone are left out: no stored IPv6 address is in them.
    """
    plain: list[str] = []
    wide: list[str] = []
    for text in networks:
        network = ip_network(text)
        if not isinstance(network, IPv6Network):
            plain.append(text)
        elif not MAPPED.supernet_of(network):
            (wide if network.supernet_of(MAPPED) else plain).append(text)
    return tuple(plain), tuple(wide)


def class_networks(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A class of addresses: the networks it covers and those taken out again. Raises KeyError."""
    return CLASSES[name]
