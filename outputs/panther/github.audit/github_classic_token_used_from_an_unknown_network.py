import re
from collections.abc import Mapping, Sequence
from ipaddress import ip_address, ip_network

EACH = None  # in a path: every element of a list
NOT_PUBLIC_NETWORKS = [
    ip_network(network)
    for network in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "127.0.0.0/8", "::1/128",
        "169.254.0.0/16", "fe80::/10", "224.0.0.0/4", "ff00::/8", "0.0.0.0/8", "100.64.0.0/10",
        "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "240.0.0.0/4", "::/128", "::ffff:0:0/96", "64:ff9b:1::/48", "100::/64", "2001::/23",
        "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16",
    )
]
RESERVED_NETWORKS = [
    ip_network(network)
    for network in (
        "0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "::/128", "::ffff:0:0/96", "64:ff9b:1::/48",
        "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16",
    )
]
ACTOR_IP_NETWORKS = [ip_network(network) for network in ("203.0.113.0/24", "2001:db8:17::/48")]
USER_AGENT_PATTERN = re.compile("^(?:github-actions|GitHubEnterpriseImporter)/[.0-9]+")


def rule(event):
    return (
        any(
            value.strip(" \t\r\n\f\v").lower() == "personal access token (classic)"
            for value in texts(event, "programmatic_access_type")
        )
        and (
            any(
                not in_networks(address, NOT_PUBLIC_NETWORKS)
                for address in addresses(values(event, "actor_ip"))
            )
            or any(
                in_networks(address, RESERVED_NETWORKS)
                for address in addresses(values(event, "actor_ip"))
            )
        )
        and not (
            any(
                in_networks(address, ACTOR_IP_NETWORKS)
                for address in addresses(values(event, "actor_ip"))
            )
            or bool(USER_AGENT_PATTERN.search(str(event.deep_get("user_agent", default=""))))
        )
    )


def title(event):
    actor = event.deep_get("actor", default="<unknown>")
    actor_ip = event.deep_get("actor_ip", default="<unknown>")
    return f"Classic token of {actor} used from {actor_ip}"


def dedup(event):
    return first_key(event, ("actor",), ("actor_ip",))


def alert_context(event):
    return {
        "actor": event.get("actor"),
        "actor_ip": event.get("actor_ip"),
        "country": event.deep_get("actor_location", "country_code"),
        "action": event.get("action"),
        "repo": event.get("repo"),
        "user_agent": event.get("user_agent"),
    }


def is_list(value):
    """Event lists are sequences, but no Python lists."""
    return isinstance(value, Sequence) and not isinstance(value, str)


def nodes(event, *path):
    """What stands at a path. A text is a key; EACH is every element of a list, a number one of them."""
    found = [event]
    for step in path:
        if isinstance(step, str):
            found = [value.get(step) for value in found if isinstance(value, Mapping)]
            continue
        lists = [list(value) if is_list(value) else [value] for value in found]
        if step is not EACH:
            lists = [each[step:][:1] if -len(each) <= step < len(each) else [] for each in lists]
        found = [value for each in lists for value in each]
    return found


def values(event, *path):
    """The texts, numbers and booleans at a path; the elements of a list are taken one by one."""
    pending = nodes(event, *path)[::-1]
    found = []
    while pending:
        value = pending.pop()
        if is_list(value):
            pending.extend(list(value)[::-1])
        elif value is not None and not isinstance(value, Mapping):
            found.append(value)
    return found


def text(value):
    """A value as text: true, 403, the text itself."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53:
        return str(int(value))
    return str(value)


def texts(event, *path):
    """The values at a path as texts."""
    return [text(value) for value in values(event, *path)]


def addresses(found):
    """The IP addresses among values."""
    result = []
    for value in found:
        try:
            if isinstance(value, str):
                result.append(ip_address(value))
        except ValueError:
            continue
    return result


def in_networks(address, networks):
    """Whether the address lies in one of the networks."""
    return any(address in network for network in networks)


def first_key(event, *paths):
    """The first values at some paths as one text; empty, which is the rule's own group, if one is missing."""
    firsts = [text for path in paths for text in texts(event, *path)[:1]]
    if len(firsts) < len(paths):
        return ""
    return firsts[0] if len(firsts) == 1 else str(firsts)
