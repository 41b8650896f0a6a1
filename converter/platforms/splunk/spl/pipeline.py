"""SPL text before it is parsed: comments, macros, pipes and brackets.

Macros are expanded as text, without parentheses of their own, before anything else is read (Knowledge
Manager Manual, "Use search macros in searches"). A command's subsearches are cut out, each leaving a
bracketed number of the same length, so that offsets stay true.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping

import msgspec

from converter.platforms.splunk.spl.errors import SplError

_COMMENT = re.compile(r"```.*?```", re.DOTALL)
_MACRO = re.compile(r"`([^`(\s]+)(?:\((.*?)\))?`", re.DOTALL)
_NAME = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)")
_QUOTING_COMMANDS = frozenset(
    {"eval", "where", "stats", "eventstats", "streamstats", "fieldformat", "foreach"}
)
_DEEPEST = 20
_LONGEST = 1_000_000


class MacroText(msgspec.Struct, frozen=True):
    """A macro's definition and the names of its arguments, written ``$name$`` in it."""

    definition: str
    arguments: tuple[str, ...] = ()


class Expanded(msgspec.Struct, frozen=True):
    """Text after expansion. ``starts`` and ``origins`` map its offsets to those of the text as written;
    ``unknown`` are the macros that nobody defined, which stand in it unexpanded.
    """

    text: str
    starts: tuple[int, ...]
    origins: tuple[tuple[int, bool], ...]
    source: str
    unknown: tuple[str, ...] = ()

    def origin(self, offset: int) -> int:
        """The offset in the text as written; that of a macro's call for what the macro says."""
        index = bisect_right(self.starts, offset) - 1
        origin, fixed = self.origins[index]
        return origin if fixed else origin + offset - self.starts[index]

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column, from 1, in the text as written; a place in a macro's text is the macro's call."""
        at = self.origin(offset)
        line = self.source.count("\n", 0, at) + 1
        return line, at - self.source.rfind("\n", 0, at)


def unexpanded(text: str) -> Expanded:
    """A text as it is, for places in one whose macros cannot be expanded."""
    return Expanded(text, (0,), ((0, False),), text)


class Part(msgspec.Struct, frozen=True):
    """One command: name (lower case; empty for a lone macro), text behind it, its offset, its subsearches."""

    name: str
    text: str
    offset: int
    subsearches: tuple[tuple[str, int], ...] = ()


def expand(text: str, macros: Mapping[str, MacroText]) -> Expanded:
    """The text with its comments blanked and its macros expanded. Raises SplError when they never end."""
    source = text
    text = _COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    parts: list[str] = []
    starts: list[int] = []
    origins: list[tuple[int, bool]] = []
    unknown: list[str] = []
    length = position = 0
    for start, end, name, arguments in _calls(text):
        body = _expanded(name, arguments, macros, 0, unknown)
        if body is None:
            continue
        for piece, origin, fixed in ((text[position:start], position, False), (body, start, True)):
            starts.append(length)
            origins.append((origin, fixed))
            parts.append(piece)
            length += len(piece)
        if length > _LONGEST:
            raise SplError("the macros expand to more than a million characters", start)
        position = end
    starts.append(length)
    origins.append((position, False))
    parts.append(text[position:])
    return Expanded("".join(parts), tuple(starts), tuple(origins), source, tuple(dict.fromkeys(unknown)))


def _calls(text: str) -> list[tuple[int, int, str, str | None]]:
    """The macro calls outside of quotes: start, end, name, arguments' text."""
    found = []
    position = 0
    while position < len(text):
        character = text[position]
        if character == "\\":
            position += 1
        elif character == '"':
            position = _end_of_string(text, position)
        elif character == "`":
            call = _MACRO.match(text, position)
            if call is not None:
                found.append((call.start(), call.end(), call[1], call[2]))
                position = call.end() - 1
        position += 1
    return found


def _expanded(
    name: str, arguments: str | None, macros: Mapping[str, MacroText], depth: int, unknown: list[str]
) -> str | None:
    values = _arguments(arguments)
    macro = macros.get(f"{name}({len(values)})") or macros.get(name)
    if macro is None:
        unknown.append(name)
        return None
    if depth > _DEEPEST:
        raise SplError(f"the macro {name} calls itself", 0)
    body = macro.definition
    for key, value in zip(macro.arguments, values, strict=False):
        body = body.replace(f"${key}$", value)

    def inner(call: re.Match[str]) -> str:
        text = _expanded(call[1], call[2], macros, depth + 1, unknown)
        return call[0] if text is None else text

    return _MACRO.sub(inner, body)


def _arguments(text: str | None) -> list[str]:
    if not text:
        return []
    values: list[str] = []
    current = ""
    position = 0
    while position < len(text):
        if text[position] == '"':
            end = _end_of_string(text, position)
            current += text[position : end + 1]
            position = end + 1
            continue
        if text[position] == ",":
            values.append(current.strip())
            current = ""
        else:
            current += text[position]
        position += 1
    return [*values, current.strip()]


_PLAIN = re.compile(r"""[^\s|"\\'\[][^|"\\'\[]*""")
"""A run of characters that say nothing of where a command ends."""


def split(text: str, base: int = 0) -> list[Part]:
    """The commands of a pipeline. Raises SplError at a quote or bracket that is never closed."""
    parts: list[Part] = []
    start = position = 0
    quoting = False
    subsearches: list[tuple[str, int]] = []
    buffer = list(text)
    while position <= len(text):
        if start == position:
            named = _NAME.match(text, position)
            quoting = named is not None and named[1].lower() in _QUOTING_COMMANDS
        if position == len(text) or text[position] == "|":
            _add(
                parts,
                "".join(buffer[start:position]),
                base + start,
                tuple(subsearches),
                not parts and start == 0,
            )
            subsearches = []
            start = position + 1
        elif text[position] == '"':
            position = _end_of_string(text, position, base)
        elif text[position] == "\\" and text[position + 1 : position + 2] == '"':
            position += 1
        elif text[position] == "'" and quoting:
            end = text.find("'", position + 1)
            if end < 0:
                raise SplError("a single quote is never closed", base + position)
            position = end
        elif text[position] == "[":
            end = _end_of_brackets(text, position, base)
            subsearches.append((text[position + 1 : end], base + position + 1))
            mark = str(len(subsearches) - 1).ljust(end - position - 1)
            if len(mark) > end - position - 1:
                raise SplError("empty brackets", base + position)
            buffer[position + 1 : end] = list(mark)
            position = end
        elif (plain := _PLAIN.match(text, position)) is not None:
            position = plain.end() - 1
        position += 1
    return parts


def _add(
    parts: list[Part], text: str, offset: int, subsearches: tuple[tuple[str, int], ...], first: bool
) -> None:
    if not text.strip():
        if not first:
            raise SplError("an empty command", offset)
        return
    stripped = text.lstrip()
    lead = len(text) - len(stripped)
    if stripped.startswith("`"):
        name, skip = ("search" if first else ""), 0
    elif first and not (stripped.lower().startswith("search ") or (subsearches and stripped.startswith("["))):
        name, skip = "search", 0
    else:
        named = _NAME.match(stripped)
        if named is None:
            name, skip = "search", 0
            if not first:
                raise SplError("a command's name is expected here", offset + lead)
        else:
            name, skip = named[1].lower(), named.end()
    parts.append(Part(name, stripped[skip:], offset + lead + skip, subsearches))


def _end_of_string(text: str, start: int, base: int = 0) -> int:
    position = start + 1
    while position < len(text):
        if text[position] == "\\":
            position += 1
        elif text[position] == '"':
            return position
        position += 1
    raise SplError("a quote is never closed", base + start)


def _end_of_brackets(text: str, start: int, base: int) -> int:
    depth = 0
    position = start
    while position < len(text):
        character = text[position]
        if character == '"':
            position = _end_of_string(text, position, base)
        elif character == "[":
            depth += 1
        elif character == "]":
            depth -= 1
            if depth == 0:
                return position
        position += 1
    raise SplError("a bracket is never closed", base + start)
