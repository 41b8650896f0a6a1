import re
from collections.abc import Mapping, Sequence

EACH = None  # in a path: every element of a list
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
QUERY_PATTERN = re.compile(r"^(?:[^.]+\.){3,}[^.]+\Z")


def rule(event):
    return (
        any(number >= 60 for number in [len(value) for value in texts(event, "dns", "query")])
        and any(bool(QUERY_PATTERN.search(value)) for value in texts(event, "dns", "query"))
        and any(number > 3.8 for number in numbers(values(event, "dns", "entropy")))
        and (
            any(value in ("TXT", "NULL", "CNAME") for value in texts(event, "dns", "type"))
            or 10 in numbers(values(event, "dns", "type"))
        )
        and not any(
            value.lower().endswith((".example-cdn.net", ".in-addr.arpa", ".ip6.arpa"))
            for value in texts(event, "dns", "query")
        )
    )


def title(event):
    client_ip = shown(event, "client_ip")
    return f"{client_ip} seems to tunnel through DNS"


def dedup(event):
    return group_key(event, ("client_ip",))


def alert_context(event):
    return {
        "client_ip": context(event, "client_ip"),
        "dns.query": context(event, "dns", "query"),
        "dns.type": context(event, "dns", "type"),
        "dns.entropy": context(event, "dns", "entropy"),
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


def shown(event, *path):
    """The values at a path for a reader."""
    return ", ".join(texts(event, *path)) or "<unknown>"


def context(event, *path):
    """What stands at a path, lists and objects as they are; a list of it where the path has EACH."""
    found = [node for node in nodes(event, *path) if node is not None]
    return found if EACH in path else next(iter(found), None)


def group_key(event, *paths):
    """The values at some paths as one text. An event that lacks one of them is a group of its own."""
    groups = [texts(event, *path) for path in paths]
    if not all(groups):
        return str(event.get("p_row_id"))
    return groups[0][0] if [len(group) for group in groups] == [1] else str(groups)
