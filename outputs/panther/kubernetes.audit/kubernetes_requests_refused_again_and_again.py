from collections.abc import Mapping, Sequence

EACH = None  # in a path: every element of a list


def rule(event):
    return (
        event.get("stage") == "ResponseComplete"
        and event.deep_get("annotations", "authorization.k8s.io/decision") == "forbid"
    )


def title(event):
    return "Kubernetes refuses one request of an identity after another"


def dedup(event):
    if event.deep_get("impersonatedUser", "username") is not None:
        chosen = texts(event, "impersonatedUser", "username")
    else:
        chosen = texts(event, "user", "username")
    return joint_key(event, [chosen])


def alert_context(event):
    return {
        "user.username": event.deep_get("user", "username"),
        "impersonatedUser.username": event.deep_get("impersonatedUser", "username"),
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


def joint_key(event, keys):
    """The texts of some keys as one text. An event that lacks one of them is a group of its own."""
    if not all(keys):
        return str(event.get("p_row_id"))
    return keys[0][0] if [len(found) for found in keys] == [1] else str(keys)
