"""The functions beside ``rule()``: title, dedup, severity, alert_context and unique.

They are read for what they show: a look-up with a default is the field it looks up, a text joined of fields
is those fields and the texts between. What is not that plain is told in a note, and left to the engineer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from converter.model.diagnostics import Diagnostic
from converter.model.expressions import (
    Concat,
    changes_of,
)
from converter.model.paths import ANY, FieldPath
from converter.model.rule import Level, OutputField
from converter.platforms.panther.importing.python.formulas import TooLargeError, allow_effort
from converter.platforms.panther.importing.python.functions_of import EVENT, function_of
from converter.platforms.panther.importing.python.grouping import Key, group_keys
from converter.platforms.panther.importing.python.interface import Modules, PythonSource, finding
from converter.platforms.panther.importing.python.interpreter import Interpreter
from converter.platforms.panther.importing.python.machine import Machine
from converter.platforms.panther.importing.python.shapes import AS_JSON, Shape, Shapes, Steps
from converter.platforms.panther.importing.python.values import (
    Collection,
    ExhaustedError,
    Field,
    Joined,
    Known,
    Outcome,
    Table,
    Text,
    UnreadableError,
    Value,
    Walked,
    one,
)

SIMPLIFICATIONS: Final = 4_000
SECONDS: Final = 0.3
LEVELS: Final = {level.value: level for level in Level}
"""Panther documentation, Writing Python Detections: severity() gives INFO, LOW, MEDIUM, HIGH or CRITICAL."""
_LONGEST_OUTPUT = 100


class Alerts(msgspec.Struct, frozen=True, kw_only=True):
    """What an alert of the detection shows, and by what it is grouped.

    ``keys``: fields and choices by which a threshold counts; None where they are not known.
    """

    title: tuple[str | FieldPath, ...] = ()
    group_by: tuple[FieldPath, ...] = ()
    group_by_known: bool = True
    keys: tuple[Key, ...] | None = None
    severity: Level | None = None
    output: tuple[OutputField, ...] = ()
    distinct: FieldPath | None = None
    diagnostics: tuple[Diagnostic, ...] = ()


def read_alerts(
    source: PythonSource,
    modules: Modules,
    log_types: Sequence[str],
    shapes: Shapes,
    usage: dict[Steps, Shape],
) -> Alerts:
    """What the functions beside ``rule()`` say, as far as they are plain."""

    def read(name: str) -> Outcome | None:
        """What a function gives; None: there is none, or it cannot be read."""
        allow_effort(SIMPLIFICATIONS, SECONDS)
        interpreter = Interpreter(Machine(modules, log_types, shapes, dict(usage), lenient=True))
        routine = function_of(interpreter, source, name)
        if routine is None:
            return None
        found.add(name)
        try:
            return interpreter.invoke(routine, [one(EVENT)], {})
        except (UnreadableError, ExhaustedError, TooLargeError, RecursionError):
            return None

    found: set[str] = set()
    return _alerts(source, read, found)


def _alerts(source: PythonSource, outcome_of: Callable[[str], Outcome | None], found: set[str]) -> Alerts:
    notes: list[Diagnostic] = []

    def read(name: str) -> Value | None:
        """What a function most likely gives."""
        outcome = outcome_of(name)
        return None if outcome is None else _likeliest(outcome)

    def note(code: str, message: str) -> None:
        notes.append(finding(code, message, file=source.file))

    titled = outcome_of("title")
    title = None if titled is None else _template(_likeliest(titled))
    if title is None and "title" in found:
        note("title", "title() is no plain text of fields; the alert's title is the rule's")
    grouping = outcome_of("dedup")
    likeliest = None if grouping is None else _likeliest(grouping)
    group = _group(likeliest) if "dedup" in found else _group_of_title(title, found)
    keyed = grouping if "dedup" in found else titled
    if group is None:
        by = "dedup()" if "dedup" in found else "title(), by which alerts are grouped,"
        note("group-by", f"{by} is no plain joining of fields")
    severity = read("severity")
    level = LEVELS.get(str(severity.value).lower()) if isinstance(severity, Known) else None
    if level is None and "severity" in found:
        note("severity", "severity() depends on the event; the rule keeps the one it is given beside it")
    context = read("alert_context")
    output = tuple(_output(context)) if context is not None else ()
    if not output and "alert_context" in found:
        note("alert-context", "alert_context() is no plain dict of fields")
    counted = read("unique")
    distinct = _path(counted) if counted is not None else None
    if distinct is None and "unique" in found:
        note("unique", "unique() is no plain field")
    return Alerts(
        title=title or (),
        group_by=group or (),
        group_by_known=group is not None,
        keys=None if keyed is None else group_keys(keyed),
        severity=level,
        output=output[:_LONGEST_OUTPUT],
        distinct=distinct,
        diagnostics=tuple(notes),
    )


def _likeliest(outcome: Outcome) -> Value | None:
    """The value that shows most: one with a field rather than a default."""
    values = [value for _, value in outcome.cases]
    shown = [value for value in values if not isinstance(value, Known)]
    if len(shown) == 1:
        return shown[0]
    if not shown and len(values) == 1:
        return values[0]
    paths = {path for value in shown if (path := _path(value)) is not None}
    return shown[0] if len(paths) == 1 and len(shown) == len(paths) else None


def _path(value: Value | None) -> FieldPath | None:
    found = _path_of(value)
    return None if found is None or AS_JSON in found.steps else found


def _path_of(value: Value | None) -> FieldPath | None:
    match value:
        case Field(0, steps) if steps:
            return FieldPath(steps)
        case Walked(0, steps):
            return FieldPath(steps)
        case Text(0, FieldPath() as path, _):
            return path
        case Joined((single,)):
            return _path(_likeliest(single))
        case _:
            return None


def _template(value: Value | None) -> tuple[str | FieldPath, ...] | None:
    """Literal texts and fields in turn; None: something else is among them."""
    parts: list[str | FieldPath] = []
    for part in _parts(value):
        if part is None:
            return None
        if isinstance(part, str) and parts and isinstance(parts[-1], str):
            parts[-1] += part
        elif part != "":
            parts.append(part)
    return tuple(parts) or None


def _parts(value: Value | None) -> Iterator[str | FieldPath | None]:
    match value:
        case Known(str() as text):
            yield text
        case Joined(parts):
            for part in parts:
                yield from _parts(_likeliest(part))
        case Text(0, Concat(joined), ()):
            yield from (
                part if isinstance(part, str) else _path(Text(0, *changes_of(part))) for part in joined
            )
        case _:
            yield _path(value)


def _group(value: Value | None) -> tuple[FieldPath, ...] | None:
    template = _template(value)
    if template is None:
        return None
    return tuple(dict.fromkeys(part for part in template if isinstance(part, FieldPath)))


def _group_of_title(
    title: tuple[str | FieldPath, ...] | None, found: set[str]
) -> tuple[FieldPath, ...] | None:
    """Without ``dedup()`` alerts are grouped by their title (Panther documentation, Deduplication)."""
    if "title" not in found:
        return ()
    if title is None:
        return None
    return tuple(dict.fromkeys(part for part in title if isinstance(part, FieldPath)))


def _output(value: Value, prefix: str = "") -> Iterator[OutputField]:
    """The fields of an alert context, each under the name it has there."""
    match value:
        case Table(entries):
            for key, outcome in entries:
                inner = _likeliest(outcome)
                name = f"{prefix}{key}"
                if inner is None:
                    continue
                if isinstance(inner, Table):
                    yield from _output(inner, f"{name}.")
                    continue
                path = _path(inner)
                if path is None and isinstance(inner, Collection):
                    path = _list_path(inner)
                if path is not None:
                    yield OutputField(path, None if str(path) == name else name)
        case _:
            return


def _list_path(collection: Collection) -> FieldPath | None:
    """The list of the event whose elements a collection holds."""
    match collection.entries:
        case (entry,) if len(entry.binders) == 1 and entry.binders[0].source == 0:
            inner = entry.value.single
            if isinstance(inner, Field) and inner.variable == entry.binders[0].variable:
                return FieldPath((*entry.binders[0].steps, ANY, *inner.steps))
    return None
