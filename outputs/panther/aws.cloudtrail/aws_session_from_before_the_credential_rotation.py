import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone

EACH = None  # in a path: every element of a list
MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s?(Z|[+-]\d\d:?\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)


def rule(event):
    return (
        any(
            at < moment("2026-01-15T00:00:00Z")
            for at in moments(values(event, "userIdentity", "sessionContext", "attributes", "creationDate"))
        )
        and any(at >= moment("2026-01-15T12:00:00Z") for at in moments(values(event, "eventTime")))
        and event.deep_get("userIdentity", "type") != "AWSService"
    )


def title(event):
    arn = event.deep_get("userIdentity", "arn", default="<unknown>")
    return f"{arn} still uses a session from before the rotation"


def dedup(event):
    return first_key(event, ("userIdentity", "arn"))


def alert_context(event):
    return {
        "userIdentity.arn": event.deep_get("userIdentity", "arn"),
        "userIdentity.sessionContext.attributes.creationDate": event.deep_get("userIdentity", "sessionContext", "attributes", "creationDate"),
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


def moment(value):
    """An ISO 8601 text as nanoseconds since 1970, UTC unless it says otherwise; None for anything else."""
    match = MOMENT.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = match.groups(default="")
    leap = second == "60"
    second = 59 if leap else int(second or 0)
    try:
        since = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), second, tzinfo=timezone.utc
        ) - datetime(1970, 1, 1, tzinfo=timezone.utc)
    except ValueError:
        return None
    seconds = since // timedelta(seconds=1) + leap
    if offset and offset.upper() != "Z":
        shift = int(offset[1:3]) * 3600 + int(offset[-2:]) * 60
        seconds += -shift if offset[0] == "+" else shift
    return seconds * 1_000_000_000 + int(fraction.ljust(9, "0") or 0)


def moments(found):
    """The timestamps among values, to be compared with one another."""
    return [at for at in map(moment, found) if at is not None]


def first_key(event, *paths):
    """The first values at some paths as one text; empty, which is the rule's own group, if one is missing."""
    firsts = [text for path in paths for text in texts(event, *path)[:1]]
    if len(firsts) < len(paths):
        return ""
    return firsts[0] if len(firsts) == 1 else str(firsts)
