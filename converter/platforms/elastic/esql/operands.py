"""The left side of a test: a column, or functions of columns, with its type and what makes it null.

Sources, in Elasticsearch's ES|QL reference: "Multivalued fields" (a function of a multi-valued field is null
unless its page says otherwise; order undefined), TO_LOWER/TO_UPPER ("single- or multi-valued"), SPLIT
("single byte delimiters", single-valued), MV_SLICE (index from 0, negative from the end), REPLACE (Java
regular expression), LENGTH (characters), CONCAT and TRIM (single-valued), the TO_ conversions (per value),
"ES|QL limitations" (no nested, object or flattened columns).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

import msgspec

from converter.logsources.pack import FieldType, PlatformField
from converter.model.diagnostics import Fidelity
from converter.model.expressions import (
    Concat,
    Function,
    FunctionName,
    Subject,
    changes_of,
)
from converter.model.losses import Losses
from converter.model.paths import FieldPath
from converter.platforms.elastic.esql.text import identifier, string

BASENAME_PATTERN: Final = r"(?s)^.*[/\\]"
"""What REPLACE takes away to leave the last part of a path (Java regular expression)."""


class Family(enum.Enum):
    """What the values of an operand can be compared with."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    IP = "ip"
    DATE = "date"


FAMILIES: Final = {
    FieldType.KEYWORD: Family.TEXT,
    FieldType.TEXT: Family.TEXT,
    FieldType.WILDCARD: Family.TEXT,
    FieldType.INTEGER: Family.NUMBER,
    FieldType.FLOAT: Family.NUMBER,
    FieldType.BOOLEAN: Family.BOOLEAN,
    FieldType.IP: Family.IP,
    FieldType.DATE: Family.DATE,
}


ECS_LISTS: Final = frozenset({"event.category", "event.type", "tags", "process.args", "process.parent.args"})
"""Fields that hold lists in the Elastic Common Schema (ECS reference, "should contain an array of values"),
for conditions on fields that no log source declares."""


class Operand(msgspec.Struct, frozen=True):
    """``text`` is an expression of ES|QL; ``many`` says that it may hold several values.

    ``guards`` as in :class:`converter.platforms.elastic.esql.condition.Leaf`. ``exact_text`` is false where
    Elasticsearch's text form of the value differs from the one in the log (floats, dates).
    """

    text: str
    family: Family
    many: bool = False
    guards: tuple[str, ...] | None = ()
    exact_text: bool = True

    def called(self, template: str, family: Family | None = None, *, always: bool = True) -> Operand:
        """A function of the operand: ``template`` holds ``{}``; ``always``: it gives null for null alone."""
        return msgspec.structs.replace(
            self,
            text=template.replace("{}", self.text),
            family=family or self.family,
            guards=self.guards if always else None,
        )


class Operands:
    """Makes operands of subjects, and records what that loses."""

    def __init__(self, fields: Mapping[FieldPath, PlatformField], losses: Losses) -> None:
        self._fields = fields
        self._losses = losses

    def of(self, subject: Subject, functions: tuple[Function, ...] = ()) -> Operand | None:
        """The operand, or None when it can have no value (an index beyond a single value)."""
        operand = self._concat(subject) if isinstance(subject, Concat) else self.column(subject)
        for function in functions:
            if operand is not None:
                operand = self._applied(operand, function)
        return operand

    def column(self, path: FieldPath) -> Operand | None:
        """A stored field as it is, or the single value of one that has an index step."""
        stored = str(path.steps[0])
        field = self._fields.get(path) or PlatformField(name=stored, is_list=stored in ECS_LISTS)
        name = identifier(stored)
        indexes = path.steps[1:]
        if field.type not in FAMILIES:
            self._losses.refuse("field-type", f"ES|QL cannot read {field.type} fields such as {field.name}")
            return Operand(name, Family.TEXT, guards=(name,))
        if indexes and field.is_list:
            self._losses.lose(
                "array-index",
                Fidelity.WIDER,
                f"Elasticsearch keeps no order of values: any element of {field.name} is looked at, not [n]",
            )
        elif any(index not in (0, -1) for index in indexes):
            return None
        return Operand(
            name,
            FAMILIES[field.type],
            field.is_list,
            (name,),
            field.type not in (FieldType.FLOAT, FieldType.DATE),
        )

    def as_text(self, operand: Operand) -> Operand:
        """The operand as text."""
        if operand.family is Family.TEXT:
            return operand
        if not operand.exact_text:
            self._losses.refuse(
                "field-type",
                f"Elasticsearch writes the values of {operand.text} in its own form, not as the log did",
                "compare the number or the time instead of its text",
            )
        return operand.called("TO_STRING({})", Family.TEXT)

    def single(self, operand: Operand, what: str) -> Operand:
        """The operand under a function that is null for several values: those events are not seen."""
        if not operand.many:
            return operand
        self._losses.lose(
            "multi-value",
            Fidelity.NARROWER,
            f"{what} of {operand.text} is null in ES|QL where the field holds several values",
        )
        return msgspec.structs.replace(operand, many=False, guards=None)

    def _concat(self, concat: Concat) -> Operand | None:
        parts: list[str] = []
        guards: tuple[str, ...] | None = ()
        for part in concat.parts:
            if isinstance(part, str):
                parts.append(string(part))
                continue
            operand = self.of(*changes_of(part))
            if operand is None:
                return None
            operand = self.single(self.as_text(operand), "a concatenation")
            guards = None if guards is None or operand.guards is None else (*guards, *operand.guards)
            parts.append(operand.text)
        text = f"CONCAT({', '.join(parts)})" if len(parts) > 1 else parts[0]
        return Operand(text, Family.TEXT, False, None if guards is None else tuple(dict.fromkeys(guards)))

    def _applied(self, operand: Operand, function: Function) -> Operand:
        text = self.as_text(operand)
        match function.name:
            case FunctionName.LOWER:
                return text.called("TO_LOWER({})")
            case FunctionName.UPPER:
                return text.called("TO_UPPER({})")
            case FunctionName.TRIM:
                return self.single(text, "trim").called("TRIM({})")
            case FunctionName.LENGTH:
                return self.single(text, "length").called("LENGTH({})", Family.NUMBER)
            case FunctionName.BASENAME:
                return _wrapped(
                    self.single(text, "basename"), "REPLACE(", f', {string(BASENAME_PATTERN)}, "")'
                )
            case FunctionName.SPLIT:
                return self._split(self.single(text, "split"), function)
            case FunctionName.JSON:
                self._losses.refuse(
                    "value-function", f"ES|QL looks into the JSON text {operand.text} in no released version"
                )
                return text

    def _split(self, operand: Operand, function: Function) -> Operand:
        separator, index = function.separator or "", function.index or 0
        if len(separator.encode("utf-8", "replace")) != 1:
            self._losses.refuse(
                "value-function", f"ES|QL splits at single-byte separators alone, not at {separator!r}"
            )
        tail = f", {string(separator)})"
        if index == 0:
            return _wrapped(operand, "MV_FIRST(SPLIT(", tail + ")")
        if index == -1:
            return _wrapped(operand, "MV_LAST(SPLIT(", tail + ")")
        part = _wrapped(operand, "MV_SLICE(SPLIT(", f"{tail}, {index})")
        return msgspec.structs.replace(part, guards=None)


def _wrapped(operand: Operand, before: str, after: str) -> Operand:
    return msgspec.structs.replace(operand, text=before + operand.text + after)
