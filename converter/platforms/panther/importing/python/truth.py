"""When a value is true, and when two are equal, ordered, or one is in the other, as Python has it."""

from __future__ import annotations

import math
from typing import Any, Final

import msgspec

from converter.model.expressions import Concat, Function, FunctionName, Operator, Scalar
from converter.model.paths import FieldPath
from converter.platforms.panther.importing.python.formulas import both, either
from converter.platforms.panther.importing.python.machine import Machine, leaf
from converter.platforms.panther.importing.python.nodes import FALSE, TRUE, Formula, opposite
from converter.platforms.panther.importing.python.shapes import AS_JSON, Shape
from converter.platforms.panther.importing.python.stripped import is_not_empty
from converter.platforms.panther.importing.python.texts import part_is
from converter.platforms.panther.importing.python.values import (
    Collection,
    Count,
    Entry,
    Field,
    Joined,
    Keyed,
    Known,
    Matches,
    Number,
    Opaque,
    Outcome,
    Part,
    Pieces,
    Stripped,
    Table,
    Text,
    Truth,
    UnreadableError,
    Value,
    Walked,
    quantified,
    unless,
)

LENGTH: Final = Function(FunctionName.LENGTH)
_EMPTY: Final[dict[Shape | None, tuple[Scalar, ...]]] = {
    Shape.TEXT: ("",),
    Shape.NUMBER: (0,),
    None: ("", 0, False),
}


def truth(machine: Machine, value: Value) -> Formula:
    """When ``bool(value)`` is True."""
    match value:
        case Known(known):
            return TRUE if known else FALSE
        case Truth(formula):
            return formula
        case Joined():
            return TRUE
        case Opaque(_, truthy):
            return machine.unknown(value) if truthy is None else TRUE if truthy else FALSE
        case Field():
            return _field_truth(machine, value)
        case Walked(variable, steps):
            return leaf(variable, FieldPath(steps), Operator.EXISTS)
        case Text(variable, subject, functions):
            if isinstance(subject, Concat) and any(isinstance(part, str) and part for part in subject.parts):
                return TRUE
            return opposite(leaf(variable, subject, Operator.IS, ("",), functions))
        case Number(variable, subject, functions, offset):
            return opposite(leaf(variable, subject, Operator.IS, (-offset,), functions))
        case Part():
            return opposite(part_is(value, ""))
        case Stripped():
            return is_not_empty(value)
        case Matches(found):
            return found
        case Collection(_, entries):
            return either(
                *(quantified(entry, either(*(g for g, _ in entry.value.cases))) for entry in entries)
            )
        case Table(entries):
            return TRUE if entries else FALSE
        case Keyed():
            return quantified(Entry(value.value, (value.binder,), value.include), TRUE)
        case Count(collection, 0):
            return truth(machine, collection)
        case Count():
            raise UnreadableError("whether a count is zero")
        case _:
            return TRUE


def is_bool(value: Value) -> bool:
    """Whether a value is a bool whatever the event."""
    return isinstance(value, Truth) or (isinstance(value, Known) and isinstance(value.value, bool))


def _field_truth(machine: Machine, field: Field) -> Formula:
    if field == Field(0, ()):
        return TRUE
    path = FieldPath(field.steps)
    shape = machine.shape(field)
    match shape:
        case Shape.BOOLEAN:
            return leaf(field.variable, path, Operator.IS, (True,))
        case Shape.LIST | Shape.OBJECT:
            if shape is Shape.OBJECT and AS_JSON in field.steps:
                machine.note("empty", f"an empty object {path} counts as one that is not")
            return leaf(field.variable, path, Operator.EXISTS)
        case _:
            if shape is None:
                machine.note(
                    "unknown-shape",
                    f"nothing tells what {path} holds; any text, number or bool that is empty, 0 or false "
                    "counts as false, also written as a text",
                )
            return opposite(leaf(field.variable, path, Operator.IS, _EMPTY[shape]))


def text_is(text: Text, value: str) -> Formula:
    """When a changed text equals a constant; lower case becomes ``ignore_case``."""
    return text_question(text, Operator.IS, (value,))


def text_question(text: Text, operator: Operator, values: tuple[str, ...]) -> Formula:
    """A text operator on a changed text; ``lower()`` as the last change becomes ``ignore_case``."""
    functions = text.functions
    if functions and functions[-1].name is FunctionName.LOWER and operator is not Operator.REGEX:
        values = tuple(value for value in values if value == value.lower())
        if not values:
            return FALSE
        return leaf(text.variable, text.subject, operator, values, functions[:-1], ignore_case=True)
    return leaf(text.variable, text.subject, operator, values, functions)


def counted(machine: Machine, count: Count, name: str, limit: float) -> Formula:
    """How a count compares with a number, as far as that asks whether there is an element, or an n-th."""
    entries = count.collection.entries if isinstance(count.collection, Collection) else ()
    sure = sum(1 for entry in entries if not entry.binders and entry.include == TRUE)
    rest = tuple(entry for entry in entries if entry.binders or entry.include != TRUE)
    base = count.offset + sure
    if name == "Eq":
        low, high = counted(machine, count, "GtE", limit), counted(machine, count, "Gt", limit)
        return both(low, opposite(high))
    if name in ("Lt", "LtE"):
        return opposite(counted(machine, count, "GtE" if name == "Lt" else "Gt", limit))
    limit -= base
    least = int(limit // 1) + 1 if name == "Gt" else -int(-limit // 1)
    if least <= 0:
        return TRUE
    if isinstance(count.collection, Matches):
        if least > 1:
            raise UnreadableError("how often a regular expression matches a text")
        return count.collection.found
    if least == 1:
        return truth(machine, Collection("list", rest))
    if all(not entry.binders for entry in rest) and len(rest) <= 8:
        return _at_least(least, [entry.include for entry in rest])
    match rest:
        case (entry,) if len(entry.binders) == 1 and entry.include == TRUE and least <= 1000:
            binder = entry.binders[0]
            path = FieldPath((*binder.steps, least - 1))
            return leaf(binder.source, path, Operator.EXISTS)
    raise UnreadableError("whether a number of elements is reached")


def part_count(pieces: Pieces, name: str, limit: float) -> Formula:
    """How the number of parts of a split text, its length, compares with a number."""
    if name in ("Lt", "LtE"):
        return opposite(part_count(pieces, "GtE" if name == "Lt" else "Gt", limit))
    least = int(limit // 1) + 1 if name == "Gt" else -int(-limit // 1)
    if least <= 1:
        return TRUE
    if least > 1000:
        raise UnreadableError("a very large number of parts of a text")
    text = pieces.text
    function = Function(FunctionName.SPLIT, pieces.separator, least - 1)
    return leaf(text.variable, text.subject, Operator.EXISTS, (), (*text.functions, function))


def unpacked_part(pieces: Pieces, index: int, size: int) -> Outcome:
    """One part of a split text that is unpacked into so many names; a ValueError unless there are as many."""
    text = pieces.text
    as_many = both(part_count(pieces, "GtE", size), opposite(part_count(pieces, "Gt", size)))
    function = Function(FunctionName.SPLIT, pieces.separator, index)
    found = msgspec.structs.replace(text, functions=(*text.functions, function))
    return unless(opposite(as_many), "ValueError", found)


def _at_least(wanted: int, formulas: list[Formula]) -> Formula:
    if wanted <= 0:
        return TRUE
    if wanted > len(formulas):
        return FALSE
    first, rest = formulas[0], formulas[1:]
    return either(both(first, _at_least(wanted - 1, rest)), _at_least(wanted, rest))


def is_number(value: Any) -> bool:
    """Whether a constant is a number to be compared with: finite, and no bool."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def in_words(value: Value) -> str:
    """A value in words."""
    match value:
        case Known(known):
            return f"{known!r:.40}"
        case Field(_, steps):
            return str(FieldPath(steps)) if steps else "an element"
        case Text(_, FieldPath() as subject, _):
            return f"a changed {subject}" if subject.steps else "a changed element"
        case _:
            return f"a {type(value).__name__.lower()}"
