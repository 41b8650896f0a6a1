from collections.abc import Mapping, Sequence

EACH = None  # in a path: every element of a list


def rule(event):
    return (
        str(event.deep_get("user", "username", default="")).lower() == "system:anonymous"
        and str(event.deep_get("verb", default="")).lower() == "list"
        and str(event.deep_get("objectRef", "resource", default="")).lower() == "pods"
        and str(event.deep_get("requestURI", default="")).lower() == "/api/v1/pods"
        and exists(event, "sourceIPs", EACH)
        and exists(event, "user", "groups", EACH)
    )


def title(event):
    username = event.deep_get("user", "username", default="<unknown>")
    return f"{username} listed the pods of every namespace"


def alert_context(event):
    return {
        "src_ip": context(event, "sourceIPs", EACH),
        "user.username": event.deep_get("user", "username"),
        "user.groups[]": context(event, "user", "groups", EACH),
        "responseStatus.reason": event.deep_get("responseStatus", "reason"),
        "responseStatus.code": event.deep_get("responseStatus", "code"),
        "userAgent": event.get("userAgent"),
        "verb": event.get("verb"),
        "requestURI": event.get("requestURI"),
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


def exists(event, *path):
    """Whether anything stands at a path: not null, and not a list or object without anything in it."""
    pending = nodes(event, *path)
    while pending:
        value = pending.pop()
        if isinstance(value, Mapping):
            pending.extend(value.values())
        elif is_list(value):
            pending.extend(value)
        elif value is not None:
            return True
    return False


def context(event, *path):
    """What stands at a path, lists and objects as they are; a list of it where the path has EACH."""
    found = [node for node in nodes(event, *path) if node is not None]
    return found if EACH in path else next(iter(found), None)
