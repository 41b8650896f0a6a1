from collections.abc import Mapping, Sequence

EACH = None  # in a path: every element of a list


def rule(event):
    return (
        event.get("eventType") == "user.session.start"
        and event.deep_get("outcome", "result") in ("FAILURE", "SUCCESS")
    )


def title(event):
    ip_address_2 = event.deep_get("client", "ipAddress", default="<unknown>")
    return f"Of many users tried from {ip_address_2} one got in"


def dedup(event):
    if not texts(event, "actor", "alternateId"):
        return str(event.get("p_row_id"))
    return open_group_key(event, ("client", "ipAddress"), ("client", "userAgent", "rawUserAgent"))


def unique(event):
    return group_key(event, ("actor", "alternateId"))


def alert_context(event):
    return {
        "client.ipAddress": event.deep_get("client", "ipAddress"),
        "client.geographicalContext.country": event.deep_get("client", "geographicalContext", "country"),
        "actor.alternateId": event.deep_get("actor", "alternateId"),
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


def group_key(event, *paths):
    """The values at some paths as one text. An event that lacks one of them is a group of its own."""
    groups = [texts(event, *path) for path in paths]
    if not all(groups):
        return str(event.get("p_row_id"))
    return groups[0][0] if [len(group) for group in groups] == [1] else str(groups)


def open_group_key(event, *paths):
    """The values at some paths as one text; events that lack one of them are a group, too."""
    return str([texts(event, *path) for path in paths])
