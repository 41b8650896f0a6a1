import re
from collections.abc import Mapping, Sequence

EACH = None  # in a path: every element of a list
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def rule(event):
    return (
        event.get("eventName") == "AuthorizeSecurityGroupIngress"
        and event.get("errorCode") is None
        and any(
            (
                any(number in (0, 22, 3389) for number in numbers(values(item, "fromPort")))
                or "-1" in texts(item, "ipProtocol")
            )
            and (
                "0.0.0.0/0" in texts(item, "ipRanges", "items", EACH, "cidrIp")
                or "::/0" in texts(item, "ipv6Ranges", "items", EACH, "cidrIpv6")
            )
            for item in items(event, "requestParameters", "ipPermissions", "items")
        )
    )


def title(event):
    arn = event.deep_get("userIdentity", "arn", default="<unknown>")
    group_id = shown(event, "requestParameters", "groupId")
    return f"{arn} opened {group_id} to the internet"


def dedup(event):
    return first_key(event, ("requestParameters", "groupId"))


def alert_context(event):
    return {
        "userIdentity.arn": event.deep_get("userIdentity", "arn"),
        "security_group": context(event, "requestParameters", "groupId"),
        "awsRegion": event.get("awsRegion"),
        "recipientAccountId": event.get("recipientAccountId"),
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


def items(event, *path):
    """The objects in the list at a path."""
    return [node for node in nodes(event, *path, EACH) if isinstance(node, Mapping)]


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


def first_key(event, *paths):
    """The first values at some paths as one text; empty, which is the rule's own group, if one is missing."""
    firsts = [text for path in paths for text in texts(event, *path)[:1]]
    if len(firsts) < len(paths):
        return ""
    return firsts[0] if len(firsts) == 1 else str(firsts)
