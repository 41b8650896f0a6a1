"""Readers of the rule file's small values: fields, durations, dates, references, patterns, addresses.

Each ``parse_…`` takes text and gives the value, or raises :class:`BadValue` that says what was expected.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Final

from converter.model import tables
from converter.model.attack import attack_table
from converter.model.paths import ELEMENT, FieldPath, PathStep, parse_path, parse_steps
from converter.model.problems import did_you_mean, shortened
from converter.model.rule import AttackTag


class BadValue(ValueError):
    """Text that is not what its place takes."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint


_ID = re.compile(tables.ID_PATTERN)
_DURATION = re.compile(tables.DURATION_PATTERN)
_DATE = re.compile(tables.DATE_PATTERN)
_ATTACK = re.compile(tables.ATTACK_PATTERN)
_LINE = re.compile(tables.LINE_PATTERN)
_TEXT = re.compile(tables.TEXT_PATTERN)
_SURROGATE = re.compile("[\ud800-\udfff]")


@lru_cache(maxsize=16_384)
def parse_field(text: str) -> FieldPath:
    """A field path from its text."""
    return FieldPath(_steps(text, lambda: parse_path(text).steps))


def parse_json_path(text: str) -> tuple[PathStep, ...]:
    """The steps of a path inside a JSON text, from its text; "" is the whole, without steps."""
    return _steps(text, lambda: parse_steps(text))


def _steps(text: str, parse: Callable[[], tuple[PathStep, ...]]) -> tuple[PathStep, ...]:
    if len(text) > tables.MAX_PATH_CHARACTERS:
        raise BadValue("bad-field", f"a field path has at most {tables.MAX_PATH_CHARACTERS} characters")
    try:
        steps = parse()
    except ValueError as error:
        hint = 'quote a key that is not a plain word: annotations."example.com/key"' if text.strip() else None
        if text == str(ELEMENT):
            hint = "[] by itself is the element of a list, in the conditions of a for_some"
        raise BadValue("bad-field", str(error), hint) from None
    if len(steps) > tables.MAX_PATH_STEPS:
        raise BadValue("bad-field", f"a field path has at most {tables.MAX_PATH_STEPS} steps")
    if any(isinstance(step, str) and _SURROGATE.search(step) for step in steps):
        raise BadValue("bad-field", f"field path {shortened(text)}: half of a surrogate pair is no character")
    return steps


def parse_duration(text: str) -> timedelta:
    """A duration, integer and unit."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise BadValue("bad-duration", f"expected {tables.Kind.DURATION.value}, got {shortened(text)}")
    milliseconds = int(text[: match.start(1)]) * tables.DURATION_UNITS[match[1]]
    if milliseconds > tables.MAX_DURATION_DAYS * tables.DURATION_UNITS["d"]:
        raise BadValue("bad-duration", f"{text} is longer than {tables.MAX_DURATION_DAYS} days")
    return timedelta(milliseconds=milliseconds)


def parse_span(text: str) -> timedelta:
    """A duration, or none at all: ``0s``."""
    return timedelta() if text.startswith("0") and text[1:] in tables.DURATION_UNITS else parse_duration(text)


def format_span(span: timedelta) -> str:
    """The text of a duration that may be zero; ``parse_span`` reads it back."""
    return format_duration(span) if span else "0s"


def format_duration(duration: timedelta) -> str:
    """The shortest text of a duration, in its largest whole unit. Raises ValueError where there is none."""
    milliseconds, rest = divmod(duration, timedelta(milliseconds=1))
    if rest or milliseconds <= 0:
        raise ValueError(f"{duration} is not a positive number of milliseconds")
    unit = max(
        (unit for unit, size in tables.DURATION_UNITS.items() if milliseconds % size == 0),
        key=tables.DURATION_UNITS.__getitem__,
    )
    return f"{milliseconds // tables.DURATION_UNITS[unit]}{unit}"


def parse_id(text: str) -> str:
    """A rule's UUID."""
    if _ID.fullmatch(text):
        return text
    lower = text.strip().lower()
    hint = f"write it in lower case: {lower}" if _ID.fullmatch(lower) else "make one with uuidgen"
    raise BadValue("bad-id", f"expected a UUID in lower case, got {shortened(text)}", hint)


def parse_line(text: str) -> str:
    """Text of one line, not blank."""
    if _LINE.fullmatch(text):
        return text
    if not text.strip():
        raise BadValue("empty", "expected text, got nothing")
    raise BadValue("bad-text", f"one line without control characters is expected, got {shortened(text)}")


def parse_text(text: str) -> str:
    """Text of any number of lines."""
    if _TEXT.fullmatch(text):
        return text
    raise BadValue("bad-text", "control characters other than newline and tab cannot stand here")


def parse_date(text: str) -> str:
    """A calendar day, kept as text."""
    if _DATE.fullmatch(text):
        try:
            date.fromisoformat(text)
        except ValueError as error:
            raise BadValue("bad-date", f"{text} is no date: {error}") from None
        return text
    raise BadValue("bad-date", f"expected {tables.Kind.DATE.value}, got {shortened(text)}")


def parse_attack(text: str) -> AttackTag:
    """A tactic, or a tactic and one of its techniques, that the ATT&CK table knows."""
    table = attack_table()
    if not _ATTACK.fullmatch(text):
        hint = table.suggestion(text)
        raise BadValue(
            "bad-attack",
            f"expected an ATT&CK reference such as TA0007 or TA0007:T1613, got {shortened(text)}",
            f"did you mean {hint}?" if hint else None,
        )
    tactic, _, technique = text.partition(":")
    if tactic not in table.tactics:
        near = table.suggestion(technique) if technique else table.nearest_tactic(tactic)
        raise BadValue(
            "unknown-tactic",
            f"ATT&CK {table.version} has no tactic {tactic}",
            f"did you mean {near}?" if near else None,
        )
    if not technique:
        return AttackTag(tactic)
    known = table.techniques.get(technique)
    if known is None:
        parent = technique.partition(".")[0]
        hint = None
        if parent in table.techniques and parent != technique:
            hint = f"{parent} ({table.techniques[parent].name}) exists"
        else:
            hint = did_you_mean(technique, table.techniques, 0.75)
        raise BadValue("unknown-technique", f"ATT&CK {table.version} has no technique {technique}", hint)
    if tactic not in known.tactics:
        tactics = ", ".join(f"{t}:{technique}" for t in known.tactics)
        raise BadValue(
            "technique-tactic",
            f"{technique} ({known.name}) does not belong to {tactic} ({table.tactics[tactic].name})",
            f"write {tactics}",
        )
    return AttackTag(tactic, technique)


def parse_template(text: str) -> tuple[str | FieldPath, ...]:
    """A title template as literal texts and fields in turn. Doubled braces are literal ones."""
    parts: list[str | FieldPath] = []
    literal: list[str] = []
    position = 0
    while position < len(text):
        char = text[position]
        if char in "{}" and text.startswith(char * 2, position):
            literal.append(char)
            position += 2
        elif char == "{":
            if literal:
                parts.append("".join(literal))
                literal = []
            end = _closing_brace(text, position + 1)
            parts.append(parse_field(text[position + 1 : end]))
            position = end + 1
        elif char == "}":
            raise BadValue(
                "bad-template",
                f"a brace is closed at character {position + 1} that is not open",
                "}} is a literal brace",
            )
        else:
            literal.append(char)
            position += 1
    if literal:
        parts.append("".join(literal))
    return tuple(parts)


def _closing_brace(text: str, position: int) -> int:
    """Where the field that starts at ``position`` ends; braces inside of a quoted key do not count."""
    quoted = False
    start = position
    while position < len(text):
        char = text[position]
        if char == "\\" and quoted:
            position += 1
        elif char == '"':
            quoted = not quoted
        elif char == "}" and not quoted:
            return position
        position += 1
    raise BadValue("bad-template", f"the brace at character {start} is not closed", "{{ is a literal brace")


def format_template(parts: tuple[str | FieldPath, ...]) -> str:
    """A title template as text; ``parse_template`` reads it back."""
    return "".join(
        part.replace("{", "{{").replace("}", "}}") if isinstance(part, str) else f"{{{part}}}"
        for part in parts
    )


TEXT_PARSERS: Final[dict[tables.Kind, Callable[[str], Any]]] = {
    tables.Kind.ID: parse_id,
    tables.Kind.LINE: parse_line,
    tables.Kind.TEXT: parse_text,
    tables.Kind.DATE: parse_date,
    tables.Kind.FIELD: parse_field,
    tables.Kind.DURATION: parse_duration,
    tables.Kind.TEMPLATE: lambda text: parse_template(parse_line(text)),
}
"""Kinds that are written as one text."""

LIST_PARSERS: Final[dict[tables.Kind, Callable[[str], Any]]] = {
    tables.Kind.LINES: parse_line,
    tables.Kind.TEXTS: parse_text,
    tables.Kind.FIELDS: parse_field,
    tables.Kind.ATTACK: parse_attack,
}
"""Kinds that are a list of such texts."""
