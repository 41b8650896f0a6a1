import re
from collections.abc import Mapping, Sequence

EACH = None  # in a path: every element of a list
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
ORIGINAL_FILE_NAMES = (
    "powershell.exe", "cmd.exe", "certutil.exe", "rundll32.exe", "regsvr32.exe", "mshta.exe",
    "wmic.exe", "psexesvc.exe",
)
IMAGES = (
    "c:\\windows\\winsxs\\", "c:\\windows\\softwaredistribution\\",
)


def rule(event):
    return (
        event.get("EventID") == 1
        and event.get("Channel") == "Microsoft-Windows-Sysmon/Operational"
        and str(event.deep_get("ExtraEventData", "OriginalFileName", default="")).lower() in ORIGINAL_FILE_NAMES
        and not any(
            same(one, other, ignore_case=True)
            for one in [basename(value) for value in texts(event, "ExtraEventData", "Image")]
            for other in values(event, "ExtraEventData", "OriginalFileName")
        )
        and not str(event.deep_get("ExtraEventData", "Image", default="")).lower().startswith(IMAGES)
    )


def title(event):
    original_file_name = event.deep_get("ExtraEventData", "OriginalFileName", default="<unknown>")
    image = event.deep_get("ExtraEventData", "Image", default="<unknown>")
    computer = event.deep_get("Computer", default="<unknown>")
    return f"{original_file_name} runs as {image} on {computer}"


def dedup(event):
    return first_key(event, ("Computer",), ("ExtraEventData", "Image"))


def alert_context(event):
    return {
        "Computer": event.get("Computer"),
        "User": event.deep_get("ExtraEventData", "User"),
        "Image": event.deep_get("ExtraEventData", "Image"),
        "OriginalFileName": event.deep_get("ExtraEventData", "OriginalFileName"),
        "CommandLine": event.deep_get("ExtraEventData", "CommandLine"),
        "ParentImage": event.deep_get("ExtraEventData", "ParentImage"),
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


def basename(path):
    """What follows the last slash or backslash."""
    return path[max(path.rfind("/"), path.rfind("\\")) + 1 :]


def first_key(event, *paths):
    """The first values at some paths as one text; empty, which is the rule's own group, if one is missing."""
    firsts = [text for path in paths for text in texts(event, *path)[:1]]
    if len(firsts) < len(paths):
        return ""
    return firsts[0] if len(firsts) == 1 else str(firsts)
