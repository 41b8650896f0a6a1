"""Plain data to YAML text in one canonical layout.

Mappings and lists are written in block style, those wrapped in :class:`Flow` on one line where they fit.
A text is quoted only where a plain scalar would be read as something else, by this package's loader
(YAML 1.2 core schema) or by the readers of YAML 1.1 that are still common (``on``, ``1_000``, ``1:30``).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

import msgspec

from converter.model.tables import MAX_INTEGER, MAX_YAML_DEPTH, MIN_INTEGER

WIDTH: Final = 100
"""Columns that a line should not exceed; a single scalar may."""
_MAX_KEY: Final = 500
"""Longer keys need YAML's explicit form; libyaml takes a simple key of at most 1,024 characters."""


class Flow(msgspec.Struct, frozen=True):
    """A mapping or list that is written on one line where it fits; if not, what it holds is tried again."""

    value: Any


class Prose(msgspec.Struct, frozen=True):
    """A text for people: when it is one long line, it is folded into several."""

    text: str


Yaml: TypeAlias = Any
"""None, bool, int, float, str, dict with text keys, list, tuple, Flow or Prose."""

_PRINTABLE = "\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff"
_ALL_PRINTABLE = re.compile(f"[{_PRINTABLE}]*")
_NOT_PRINTABLE = re.compile(f'[^{_PRINTABLE}]|["\\\\]')
_BLOCK_TEXT = re.compile(rf"[\t{_PRINTABLE}]*")
_PLAIN_START = re.compile(r"[^\s\-?:,\[\]{}#&*!|>'\"%@`=~]|-(?=[A-Za-z/-])")
_NOT_PLAIN = re.compile(r": |:$| #|^---|^\.\.\.|\s$|[\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_NOT_PLAIN_IN_FLOW = re.compile(r"[,\[\]{}?]")
_FOLD = re.compile(r"(?<=[^ ]) (?=[^ ])")
_READ_AS_OTHER = re.compile(
    r"""
      null | true | false | yes | no | on | off | y | n | <<
    | [-+]?(?:[0-9][0-9_]*+)?\.?[0-9_]*(?:e[-+]?[0-9]+)?
    | [-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?
    | [-+]?0(?:x[0-9a-f_]+|o?[0-7_]+|b[01_]+)
    | [-+]?\.(?:inf|nan)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NAMED_ESCAPES: Final = {
    "\0": r"\0",
    "\a": r"\a",
    "\b": r"\b",
    "\t": r"\t",
    "\n": r"\n",
    "\v": r"\v",
    "\f": r"\f",
    "\r": r"\r",
    "\x1b": r"\e",
    '"': r"\"",
    "\\": r"\\",
    "\x85": r"\N",
    "\u2028": r"\L",
    "\u2029": r"\P",
}


def scalar(value: object, *, in_flow: bool = True) -> str:
    """A scalar on one line, safe between brackets too unless ``in_flow`` is off.

    Raises ValueError for what YAML or JSON cannot hold.
    """
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return _text(value, in_flow)
        case int() if MIN_INTEGER <= value <= MAX_INTEGER:
            return str(int(value))
        case float() if math.isfinite(value):
            return repr(float(value))
        case int() | float():
            raise ValueError(f"the number {value} has no place in JSON")
        case _:
            raise ValueError(f"a {type(value).__name__} is no JSON value")


def _text(text: str, in_flow: bool) -> str:
    if not _ALL_PRINTABLE.fullmatch(text):
        return _double_quoted(text)
    if (
        _PLAIN_START.match(text)
        and not _NOT_PLAIN.search(text)
        and not (in_flow and _NOT_PLAIN_IN_FLOW.search(text))
        and not _READ_AS_OTHER.fullmatch(text)
    ):
        return text
    if "\\" in text or '"' in text:
        return "'" + text.replace("'", "''") + "'"
    return f'"{text}"'


def _double_quoted(text: str) -> str:
    return '"' + _NOT_PRINTABLE.sub(_escape, text) + '"'


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    named = _NAMED_ESCAPES.get(char)
    if named is not None:
        return named
    code = ord(char)
    if 0xD800 <= code <= 0xDFFF:
        raise ValueError(f"half of a surrogate pair, U+{code:04X}, is no character")
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"


def write_yaml(data: dict[str, Yaml]) -> str:
    """A mapping as a YAML document that ends in a newline. Raises ValueError for what cannot be written."""
    return "".join(f"{line}\n" for line in _mapping(data, 0))


def _mapping(data: dict[str, Yaml], indent: int) -> Iterator[str]:
    pad = " " * indent
    for key, value in data.items():
        name = scalar(str(key))
        if len(name) > _MAX_KEY:
            yield f"{pad}? {name}"
            yield from _entry(f"{pad}:", value, indent)
        else:
            yield from _entry(f"{pad}{name}:", value, indent)


def _list(data: list[Yaml] | tuple[Yaml, ...], indent: int) -> Iterator[str]:
    prefix = " " * indent + "-"
    for value in data:
        item = value.value if isinstance(value, Flow) else value
        if not isinstance(item, dict) or not item or _fits(prefix, value):
            yield from _entry(prefix, value, indent)
            continue
        first = True
        for line in _mapping(_inner(value), indent + 2):
            yield f"{prefix} {line[indent + 2 :]}" if first else line
            first = False


def _entry(prefix: str, value: Yaml, indent: int) -> Iterator[str]:
    """The lines of what stands behind a key or a dash at ``indent``."""
    if indent > 2 * MAX_YAML_DEPTH:
        raise ValueError(f"nested more than {MAX_YAML_DEPTH} deep")
    item = value.value if isinstance(value, Flow) else value.text if isinstance(value, Prose) else value
    if isinstance(item, str) and _is_block_text(item):
        yield from _block_text(prefix, item, indent + 2)
    elif isinstance(value, Prose) and len(prefix) + len(value.text) >= WIDTH and _can_fold(value.text):
        yield f"{prefix} >-"
        yield from _folded(value.text, indent + 2)
    elif not isinstance(item, (dict, list, tuple)):
        yield f"{prefix} {scalar(item, in_flow=False)}"
    elif not item or _fits(prefix, value):
        yield f"{prefix} {_flow(item)}"
    else:
        yield prefix
        inner = _inner(value)
        yield from _mapping(inner, indent + 2) if isinstance(inner, dict) else _list(inner, indent + 2)


def _inner(value: Yaml) -> Any:
    """The members of a collection; those of a Flow that did not fit are tried one by one."""
    if not isinstance(value, Flow):
        return value
    if isinstance(value.value, dict):
        return {key: _flowing(member) for key, member in value.value.items()}
    return [_flowing(member) for member in value.value]


def _flowing(value: Yaml) -> Flow:
    return value if isinstance(value, Flow) else Flow(value)


def _fits(prefix: str, value: Yaml) -> bool:
    if not isinstance(value, Flow):
        return False
    text = _flow(value.value, WIDTH)
    return text is not None and len(prefix) + 1 + len(text) <= WIDTH


def _flow(value: Yaml, limit: int | None = None) -> str | None:
    """A value on one line; None as soon as it is longer than ``limit``."""
    item = value.value if isinstance(value, Flow) else value
    if not isinstance(item, (dict, list, tuple)):
        return scalar(item)
    texts: list[str] = []
    length = 0
    members = item.items() if isinstance(item, dict) else ((None, member) for member in item)
    for key, member in members:
        text = _flow(member, limit)
        if text is None:
            return None
        if key is not None:
            text = f"{scalar(str(key))}: {text}"
        texts.append(text)
        length += len(text) + 2
        if limit is not None and length > limit:
            return None
    joined = ", ".join(texts)
    return f"{{{joined}}}" if isinstance(item, dict) else f"[{joined}]"


def _is_block_text(text: str) -> bool:
    """Whether ``|`` can carry the text as it is: several lines, none of them only spaces."""
    if "\n" not in text or text[0] in " \t\n":
        return False
    lines = text.split("\n")
    return all(_BLOCK_TEXT.fullmatch(line) and (not line or not line.isspace()) for line in lines)


def _can_fold(text: str) -> bool:
    """Whether ``>`` can carry a text: one line of printable text that starts with no space."""
    return bool(_ALL_PRINTABLE.fullmatch(text)) and not text[0].isspace() and bool(_FOLD.search(text))


def _folded(text: str, indent: int) -> Iterator[str]:
    """The text cut at single spaces, which is what YAML joins folded lines with."""
    pad = " " * indent
    line = pad
    for part in _FOLD.split(text):
        if line != pad and len(line) + 1 + len(part) > WIDTH:
            yield line
            line = pad
        line += part if line == pad else f" {part}"
    yield line


def _block_text(prefix: str, text: str, indent: int) -> Iterator[str]:
    body = text.rstrip("\n")
    ends = len(text) - len(body)
    yield f"{prefix} |{'-' if ends == 0 else '' if ends == 1 else '+'}"
    pad = " " * indent
    for line in body.split("\n"):
        yield f"{pad}{line}" if line else ""
    for _ in range(ends - 1):
        yield ""
