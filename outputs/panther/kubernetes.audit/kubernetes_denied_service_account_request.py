from collections.abc import Mapping, Sequence

EACH = None  # in a path: every element of a list


def rule(event):
    return (
        str(event.deep_get("user", "username", default="")).startswith("system:serviceaccount:")
        and event.deep_get("annotations", "authorization.k8s.io/decision") == "forbid"
    )


def title(event):
    username = event.deep_get("user", "username", default="<unknown>")
    verb = event.deep_get("verb", default="<unknown>")
    resource = event.deep_get("objectRef", "resource", default="<unknown>")
    return f"Service account {username} was refused {verb} {resource}"


def alert_context(event):
    return {
        "user.username": event.deep_get("user", "username"),
        "verb": event.get("verb"),
        "objectRef.resource": event.deep_get("objectRef", "resource"),
        "objectRef.namespace": event.deep_get("objectRef", "namespace"),
        "requestURI": event.get("requestURI"),
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


def context(event, *path):
    """What stands at a path, lists and objects as they are; a list of it where the path has EACH."""
    found = [node for node in nodes(event, *path) if node is not None]
    return found if EACH in path else next(iter(found), None)
