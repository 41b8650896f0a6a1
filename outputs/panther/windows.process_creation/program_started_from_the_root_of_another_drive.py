import re
from collections.abc import Mapping, Sequence

EACH = None  # in a path: every element of a list
CURRENT_DIRECTORY_PATTERN = re.compile(r"^[D-Zd-z]:\\\Z")


def rule(event):
    return (
        event.get("EventID") == 1
        and event.get("Channel") == "Microsoft-Windows-Sysmon/Operational"
        and str(event.deep_get("ExtraEventData", "ParentImage", default="")).lower().endswith("\\explorer.exe")
        and bool(CURRENT_DIRECTORY_PATTERN.search(str(event.deep_get("ExtraEventData", "CurrentDirectory", default=""))))
        and any(
            one.lower().startswith(other.lower())
            for one in texts(event, "ExtraEventData", "Image")
            for other in texts(event, "ExtraEventData", "CurrentDirectory")
        )
        and event.deep_get("ExtraEventData", "Company") != "Example Games Ltd"
    )


def title(event):
    user = event.deep_get("ExtraEventData", "User", default="<unknown>")
    image = event.deep_get("ExtraEventData", "Image", default="<unknown>")
    computer = event.deep_get("Computer", default="<unknown>")
    return f"{user} started {image} on {computer}"


def dedup(event):
    return first_key(event, ("Computer",), ("ExtraEventData", "Image"))


def alert_context(event):
    return {
        "Computer": event.get("Computer"),
        "User": event.deep_get("ExtraEventData", "User"),
        "Image": event.deep_get("ExtraEventData", "Image"),
        "CurrentDirectory": event.deep_get("ExtraEventData", "CurrentDirectory"),
        "CommandLine": event.deep_get("ExtraEventData", "CommandLine"),
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
