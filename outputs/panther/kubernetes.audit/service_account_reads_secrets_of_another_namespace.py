from collections.abc import Mapping, Sequence

EACH = None  # in a path: every element of a list
USERNAMES = (
    "system:serviceaccount:kube-system:", "system:serviceaccount:cert-manager:",
)


def rule(event):
    return (
        event.get("stage") == "ResponseComplete"
        and event.deep_get("objectRef", "resource") == "secrets"
        and event.deep_get("objectRef", "namespace") is not None
        and event.get("verb") in ("get", "list", "watch")
        and str(event.deep_get("user", "username", default="")).startswith("system:serviceaccount:")
        and event.deep_get("annotations", "authorization.k8s.io/decision") == "allow"
        and not any(
            one.startswith(other)
            for one in texts(event, "user", "username")
            for other in ["system:serviceaccount:" + part_1 + ":" for part_1 in texts(event, "objectRef", "namespace")]
        )
        and not str(event.deep_get("user", "username", default="")).startswith(USERNAMES)
    )


def title(event):
    username = event.deep_get("user", "username", default="<unknown>")
    namespace = event.deep_get("objectRef", "namespace", default="<unknown>")
    return f"{username} read secrets in {namespace}"


def dedup(event):
    return first_key(event, ("user", "username"), ("objectRef", "namespace"))


def alert_context(event):
    return {
        "user.username": event.deep_get("user", "username"),
        "verb": event.get("verb"),
        "foreign_namespace": event.deep_get("objectRef", "namespace"),
        "objectRef.name": event.deep_get("objectRef", "name"),
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
