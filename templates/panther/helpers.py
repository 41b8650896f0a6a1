"""The functions that a written detection may need, each copied into it when it does.

They take any event without raising, and a value for what it is: a null, a list or an object where a text was
expected matches nothing.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from itertools import product

EACH = None  # in a path: every element of a list

NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")

MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s?(Z|[+-]\d\d:?\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)


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


def items(event, *path):
    """The objects in the list at a path."""
    return [node for node in nodes(event, *path, EACH) if isinstance(node, Mapping)]


def elements(event, *path):
    """The objects and the values in the list at a path; lists in it are taken apart."""
    pending = nodes(event, *path)
    for value in pending:
        if is_list(value):
            pending.extend(value)
    return [value for value in pending if value is not None and not is_list(value)]


def exists(event, *path):
    """Whether anything stands at a path: not null, and not a list or object without anything in it."""
    pending = nodes(event, *path)
    while pending:
        value = pending.pop()
        if isinstance(value, Mapping):
            pending.extend(value.values())
        elif is_list(value):
            pending.extend(value)
        elif value is not None:
            return True
    return False


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


def order(one, other):
    """Below, at or above 0 as two numbers, or else two timestamps, follow one another; NaN for other pairs."""
    for kind in (numbers, moments):
        pair = kind([one, other])
        if len(pair) == 2:
            return (pair[0] > pair[1]) - (pair[0] < pair[1])
    return float("nan")


def addresses(found):
    """The IP addresses among values."""
    result = []
    for value in found:
        try:
            if isinstance(value, str):
                result.append(ip_address(value))
        except ValueError:
            continue
    return result


def in_networks(address, networks):
    """Whether the address lies in one of the networks."""
    return any(address in network for network in networks)


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


def basename(path):
    """What follows the last slash or backslash."""
    return path[max(path.rfind("/"), path.rfind("\\")) + 1 :]


def parts(found, separator, index):
    """The index-th part of each text that has so many."""
    cut = [value.split(separator) for value in found]
    return [pieces[index] for pieces in cut if -len(pieces) <= index < len(pieces)]


def decoded(value):
    """What a JSON text says; None for a text that is none."""
    try:
        return json.loads(value, parse_constant=int)  # int() fails on NaN and Infinity
    except (ValueError, RecursionError):
        return None


def in_json(found, *path):
    """The values at a path inside JSON texts, as texts."""
    return [inner for value in found for inner in texts(decoded(value), *path)]


def exists_in_json(found, *path):
    """Whether anything but null stands at a path inside some JSON text, be it an empty list or object."""
    return any(node is not None for value in found for node in nodes(decoded(value), *path))


def shown(event, *path):
    """The values at a path for a reader."""
    return ", ".join(texts(event, *path)) or "<unknown>"


def context(event, *path):
    """What stands at a path, lists and objects as they are; a list of it where the path has EACH."""
    found = [node for node in nodes(event, *path) if node is not None]
    return found if EACH in path else next(iter(found), None)


def group_key(event, *paths):
    """The values at some paths as one text. An event that lacks one of them is a group of its own."""
    groups = [texts(event, *path) for path in paths]
    if not all(groups):
        return str(event.get("p_row_id"))
    return groups[0][0] if [len(group) for group in groups] == [1] else str(groups)


def open_group_key(event, *paths):
    """The values at some paths as one text; events that lack one of them are a group, too."""
    return str([texts(event, *path) for path in paths])


def joint_key(event, keys):
    """The texts of some keys as one text. An event that lacks one of them is a group of its own."""
    if not all(keys):
        return str(event.get("p_row_id"))
    return keys[0][0] if [len(found) for found in keys] == [1] else str(keys)


def open_joint_key(keys):
    """The texts of some keys as one text; events that lack one of them are a group, too."""
    return str(keys)


def group_keys(event, *paths):
    """Every combination of the values at some paths, each as one text."""
    combinations = list(product(*(texts(event, *path) for path in paths)))
    return [key[0] if len(key) == 1 else str(list(key)) for key in combinations]


def first_key(event, *paths):
    """The first values at some paths as one text; empty, which is the rule's own group, if one is missing."""
    firsts = [text for path in paths for text in texts(event, *path)[:1]]
    if len(firsts) < len(paths):
        return ""
    return firsts[0] if len(firsts) == 1 else str(firsts)
