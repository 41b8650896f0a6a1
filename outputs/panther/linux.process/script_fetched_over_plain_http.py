from collections.abc import Mapping, Sequence

EACH = None  # in a path: every element of a list


def rule(event):
    return (
        "process" in texts(event, "event", "category")
        and event.deep_get("host", "os", "type") == "linux"
        and event.deep_get("event", "action") == "exec"
        and event.deep_get("process", "name") in ("curl", "wget")
        and any(
            item.lower().startswith("http://") and item.endswith((".sh", ".py", ".pl"))
            for item in texts(event, "process", "args")
        )
        and not any(
            value.startswith("http://mirror.example.org/")
            for value in texts(event, "process", "args", EACH)
        )
    )


def title(event):
    name = event.deep_get("user", "name", default="<unknown>")
    name_2 = event.deep_get("host", "name", default="<unknown>")
    return f"{name} fetched a script on {name_2}"


def dedup(event):
    return first_key(event, ("host", "name"))


def alert_context(event):
    return {
        "host.name": event.deep_get("host", "name"),
        "user.name": event.deep_get("user", "name"),
        "process.command_line": event.deep_get("process", "command_line"),
        "process.parent.executable": event.deep_get("process", "parent", "executable"),
        "process.working_directory": event.deep_get("process", "working_directory"),
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


def first_key(event, *paths):
    """The first values at some paths as one text; empty, which is the rule's own group, if one is missing."""
    firsts = [text for path in paths for text in texts(event, *path)[:1]]
    if len(firsts) < len(paths):
        return ""
    return firsts[0] if len(firsts) == 1 else str(firsts)
