import re
from collections.abc import Mapping, Sequence

EACH = None  # in a path: every element of a list
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
EVENT_NAME_PATTERN = re.compile(r"^(?:Create|Update|Tag)(?:Role|AssumeRolePolicy)\Z")


def rule(event):
    return (
        event.get("eventSource") == "iam.amazonaws.com"
        and event.get("readOnly") is False
        and event.get("errorCode") is None
        and event.deep_get("userIdentity", "accountId") is not None
        and not any(
            same(one, other)
            for one in values(event, "userIdentity", "accountId")
            for other in values(event, "recipientAccountId")
        )
        and not (
            like(str(event.deep_get("userIdentity", "arn", default="")), "arn:aws:sts::999900001111:assumed-role/deploy-*/*")
            and bool(EVENT_NAME_PATTERN.search(str(event.deep_get("eventName", default=""))))
        )
    )


def title(event):
    arn = event.deep_get("userIdentity", "arn", default="<unknown>")
    event_name = event.deep_get("eventName", default="<unknown>")
    recipient_account_id = event.deep_get("recipientAccountId", default="<unknown>")
    return f"{arn} called {event_name} in account {recipient_account_id}"


def alert_context(event):
    return {
        "userIdentity.arn": event.deep_get("userIdentity", "arn"),
        "foreign_account": event.deep_get("userIdentity", "accountId"),
        "recipientAccountId": event.get("recipientAccountId"),
        "eventName": event.get("eventName"),
        "sourceIPAddress": event.get("sourceIPAddress"),
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


def like(value, pattern):
    """Whether a whole text fits a pattern: * is any run, ? any character, a backslash takes them literally."""
    tokens = re.findall(r"\\[*?\\]|.", pattern, re.DOTALL)
    at = token = resume = 0
    star = None
    while at < len(value):
        if token < len(tokens) and tokens[token] == "*":
            star, resume, token = token, at, token + 1
        elif token < len(tokens) and tokens[token] in ("?", value[at], "\\" + value[at]):
            at, token = at + 1, token + 1
        elif star is not None:
            resume += 1
            at, token = resume, star + 1
        else:
            return False
    return all(left == "*" for left in tokens[token:])
