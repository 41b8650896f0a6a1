import re
from collections.abc import Mapping, Sequence

EACH = None  # in a path: every element of a list
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def rule(event):
    return (
        event.get("stage") == "ResponseComplete"
        and str(event.deep_get("user", "username", default="")).startswith("system:serviceaccount:")
        and str(event.deep_get("impersonatedUser", "username", default="")).startswith("system:serviceaccount:")
        and not any(
            same(one, other)
            for one in parts(texts(event, "impersonatedUser", "username"), ":", 2)
            for other in parts(texts(event, "user", "username"), ":", 2)
        )
        and event.deep_get("user", "username") != "system:serviceaccount:flux-system:kustomize-controller"
    )


def title(event):
    username = event.deep_get("user", "username", default="<unknown>")
    username_2 = event.deep_get("impersonatedUser", "username", default="<unknown>")
    return f"{username} acted as {username_2}"


def dedup(event):
    return first_key(event, ("user", "username"))


def alert_context(event):
    return {
        "user.username": event.deep_get("user", "username"),
        "impersonatedUser.username": event.deep_get("impersonatedUser", "username"),
        "verb": event.get("verb"),
        "objectRef.resource": event.deep_get("objectRef", "resource"),
        "objectRef.namespace": event.deep_get("objectRef", "namespace"),
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


def same(one, other, ignore_case=False):
    """Whether two values are the same number, where one of them is a number, or else the same text."""
    if any(isinstance(value, (int, float)) and not isinstance(value, bool) for value in (one, other)):
        pair = numbers([one, other])
        if len(pair) == 2:
            return pair[0] == pair[1]
    if ignore_case:
        return text(one).lower() == text(other).lower()
    return text(one) == text(other)


def parts(found, separator, index):
    """The index-th part of each text that has so many."""
    cut = [value.split(separator) for value in found]
    return [pieces[index] for pieces in cut if -len(pieces) <= index < len(pieces)]


def first_key(event, *paths):
    """The first values at some paths as one text; empty, which is the rule's own group, if one is missing."""
    firsts = [text for path in paths for text in texts(event, *path)[:1]]
    if len(firsts) < len(paths):
        return ""
    return firsts[0] if len(firsts) == 1 else str(firsts)
