"""What the reader of Python detections takes and gives."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from converter.model.diagnostics import Diagnostic, Fidelity, Severity
from converter.model.expressions import FALSE, Expression
from converter.model.paths import FieldPath
from converter.model.rule import Choice, Level, OutputField

PLATFORM = "panther"


class PythonSource(msgspec.Struct, frozen=True, kw_only=True):
    """A Python text. ``file``: its name as the user gave it. ``class_name``: in class form (pypanther) the
    class whose methods are the detection's functions; None: the functions of the module.
    """

    file: str
    text: str
    class_name: str | None = None


class DataModel(msgspec.Struct, frozen=True, kw_only=True):
    """The data model of a log type (Panther documentation, Data Models): ``paths`` from a name to its
    ``Path`` (keys joined by dots, or JSONPath), ``methods`` to the name of a function of ``source``.
    """

    paths: Mapping[str, str] = msgspec.field(default_factory=dict)
    methods: Mapping[str, str] = msgspec.field(default_factory=dict)
    source: PythonSource | None = None


class Modules(Protocol):
    """Where the imports of a detection lead, and the data models that ``event.udm`` asks."""

    def find(self, module: str, importer: PythonSource) -> PythonSource | None:
        """The text of a module (``pkg.mod``; leading dots: relative); None: not beside the rule."""
        ...

    def data_model(self, log_types: Sequence[str]) -> DataModel | None:
        """The data model of the first of these log types that has one."""
        ...

    def has_data_models(self) -> bool:
        """Whether any data model is at hand; where none is, what they say cannot be known."""
        ...


class Detection(msgspec.Struct, frozen=True, kw_only=True):
    """What a detection's functions say.

    ``condition`` is what makes ``rule()`` return True, over the paths of the raw event; FALSE when refused.
    ``group_by_known`` is False where ``dedup()`` (without one: ``title()``, which then groups) is no plain
    joining of fields; a diagnostic says so. ``keys``: by which a threshold counts, choices among them; None
    where they are not known either. ``severity``: a constant ``severity()``; None: there is none, or
    it depends on the event, which a note tells. ``residue``: parts of ``rule()`` left out, as written.
    """

    condition: Expression = FALSE
    fidelity: Fidelity = Fidelity.EXACT
    residue: tuple[str, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    title: tuple[str | FieldPath, ...] = ()
    group_by: tuple[FieldPath, ...] = ()
    group_by_known: bool = True
    keys: tuple[FieldPath | Choice, ...] | None = None
    severity: Level | None = None
    output: tuple[OutputField, ...] = ()
    distinct: FieldPath | None = None


class Made(msgspec.Struct, frozen=True):
    """A call in a class attribute, as data: ``RuleTest(name="…", log={…})``."""

    name: str
    positional: tuple[Any, ...]
    named: Mapping[str, Any]
    line: int


class Attribute(msgspec.Struct, frozen=True):
    """A class attribute: its value (scalars, lists, dicts, :class:`Made`), or the problem why it has none."""

    value: Any
    line: int
    problem: Diagnostic | None = None


def finding(
    code: str,
    message: str,
    *,
    file: str | None,
    node: ast.AST | None = None,
    severity: Severity = Severity.NOTE,
    effect: Fidelity | None = None,
    hint: str | None = None,
) -> Diagnostic:
    """A diagnostic about a place of a Python text, its first character if none is given."""
    return Diagnostic(
        code=code,
        severity=severity,
        message=message,
        hint=hint,
        file=file,
        line=getattr(node, "lineno", 1),
        column=getattr(node, "col_offset", 0) + 1,
        platform=PLATFORM,
        effect=effect,
    )
