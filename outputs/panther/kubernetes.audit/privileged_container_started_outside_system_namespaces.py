import re
from collections.abc import Mapping, Sequence

EACH = None  # in a path: every element of a list
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def rule(event):
    return (
        event.get("stage") == "ResponseComplete"
        and event.get("verb") == "create"
        and event.deep_get("objectRef", "resource") == "pods"
        and event.deep_get("objectRef", "subresource") is None
        and any(number >= 200 for number in numbers(values(event, "responseStatus", "code")))
        and any(number < 300 for number in numbers(values(event, "responseStatus", "code")))
        and any(
            item.deep_get("securityContext", "privileged") is True
            and item.deep_get("securityContext", "runAsNonRoot") is not True
            for item in items(event, "requestObject", "spec", "containers")
        )
        and event.deep_get("objectRef", "namespace") not in ("kube-system", "calico-system", "gatekeeper-system")
    )


def title(event):
    username = event.deep_get("user", "username", default="<unknown>")
    namespace = event.deep_get("objectRef", "namespace", default="<unknown>")
    return f"{username} started a privileged container in {namespace}"


def dedup(event):
    return first_key(event, ("objectRef", "namespace"), ("user", "username"))


def alert_context(event):
    return {
        "user.username": event.deep_get("user", "username"),
        "objectRef.namespace": event.deep_get("objectRef", "namespace"),
        "images": context(event, "requestObject", "spec", "containers", EACH, "image"),
        "src_ip": context(event, "sourceIPs", EACH),
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
