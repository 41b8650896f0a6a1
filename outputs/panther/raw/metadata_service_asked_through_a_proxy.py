import re
from collections.abc import Mapping, Sequence
from ipaddress import ip_address, ip_network

EACH = None  # in a path: every element of a list
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
LINK_LOCAL_NETWORKS = [ip_network(network) for network in ("169.254.0.0/16", "fe80::/10")]
LOOPBACK_NETWORKS = [ip_network(network) for network in ("127.0.0.0/8", "::1/128")]
UNSPECIFIED_NETWORKS = [ip_network(network) for network in ("0.0.0.0/32", "::/128")]


def rule(event):
    return (
        (
            any(
                in_networks(address, LINK_LOCAL_NETWORKS)
                for address in addresses(values(event, "http", "target_ip"))
            )
            or any(
                in_networks(address, LOOPBACK_NETWORKS)
                for address in addresses(values(event, "http", "target_ip"))
            )
            or any(
                in_networks(address, UNSPECIFIED_NETWORKS)
                for address in addresses(values(event, "http", "target_ip"))
            )
        )
        and any(number <= 399 for number in numbers(values(event, "http", "status")))
        and (
            any(value.startswith("/latest/meta-data") for value in texts(event, "http", "path"))
            or "/latest/api/token" in texts(event, "http", "path")
            or any(like(value, "/metadata/instance?*") for value in texts(event, "http", "path"))
            or "Google" in texts(event, "http", "headers", "Metadata-Flavor")
        )
        and not any(
            in_networks(address, LOOPBACK_NETWORKS)
            for address in addresses(values(event, "client_ip"))
        )
    )


def title(event):
    client_ip = shown(event, "client_ip")
    return f"{client_ip} reached the metadata service through the proxy"


def alert_context(event):
    return {
        "client_ip": context(event, "client_ip"),
        "http.method": context(event, "http", "method"),
        "http.target_ip": context(event, "http", "target_ip"),
        "http.path": context(event, "http", "path"),
        "http.status": context(event, "http", "status"),
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


def numbers(found):
    """The numbers among values, and the texts that are written like a JSON number."""
    result = []
    for value in found:
        if isinstance(value, str):
            match = NUMBER.fullmatch(value) if len(value) <= 64 else None
            if match is None:
                continue
            value = float(value) if match[2] or match[3] else int(value)
            if value in (float("inf"), float("-inf")):
                continue
        if not isinstance(value, bool):
            result.append(value)
    return result


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


def like(value, pattern):
    """Whether a whole text fits a pattern: * is any run, ? any character, a backslash takes them literally."""
    tokens = re.findall(r"\\[*?\\]|.", pattern, re.DOTALL)
    at = token = resume = 0
    star = None
    while at < len(value):
        if token < len(tokens) and tokens[token] == "*":
            star, resume, token = token, at, token + 1
        elif token < len(tokens) and tokens[token] in ("?", value[at], "\\" + value[at]):
            at, token = at + 1, token + 1
        elif star is not None:
            resume += 1
            at, token = resume, star + 1
        else:
            return False
    return all(left == "*" for left in tokens[token:])


def shown(event, *path):
    """The values at a path for a reader."""
    return ", ".join(texts(event, *path)) or "<unknown>"


def context(event, *path):
    """What stands at a path, lists and objects as they are; a list of it where the path has EACH."""
    found = [node for node in nodes(event, *path) if node is not None]
    return found if EACH in path else next(iter(found), None)
