"""When two values are equal, as Python has it: types count, and None equals None."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from converter.evaluate.values import text_of
from converter.model.expressions import Operator, Scalar
from converter.model.paths import ANY, FieldPath
from converter.platforms.panther.importing.python.formulas import both, either, under
from converter.platforms.panther.importing.python.machine import Machine, as_text, leaf, related
from converter.platforms.panther.importing.python.nodes import (
    FALSE,
    TRUE,
    Formula,
    Present,
    opposite,
    speaks_of,
)
from converter.platforms.panther.importing.python.shapes import AS_JSON, Shape
from converter.platforms.panther.importing.python.stripped import question
from converter.platforms.panther.importing.python.texts import part_is
from converter.platforms.panther.importing.python.truth import (
    counted,
    in_words,
    is_number,
    part_count,
    text_is,
    text_question,
    truth,
)
from converter.platforms.panther.importing.python.values import (
    Address,
    Binder,
    Collection,
    Count,
    Entry,
    Field,
    Known,
    Number,
    Part,
    Pieces,
    Stripped,
    Text,
    Truth,
    UnreadableError,
    Value,
    Walked,
    quantified,
)

# -- equality


def equal(machine: Machine, left: Value, right: Value, *, identical: bool = False) -> Formula:
    """When ``left == right``."""
    if isinstance(left, Known) and isinstance(right, Known):
        if identical and not isinstance(left.value, (str, tuple, int, float)):
            return TRUE if left.value is right.value else FALSE
        return TRUE if left.value == right.value and _same_type(left, right, identical) else FALSE
    if isinstance(left, Known):
        left, right = right, left
    if isinstance(right, Known):
        if identical and isinstance(right.value, bool) and _is_no_bool(machine, left):
            return FALSE
        return _equals_known(machine, left, right.value)
    match left, right:
        case Collection("set", mine), Collection("set", others):
            return both(subset(machine, mine, others), subset(machine, others, mine))
        case Truth(one_side), Truth(other_side):
            return either(both(one_side, other_side), both(opposite(one_side), opposite(other_side)))
        case Field(variable, steps), Field(other, path):
            if left == right:
                return TRUE
            if variable != other:
                return related(as_text(left), Operator.SAME_AS, as_text(right))
            if AS_JSON in path:
                steps, path = path, steps
            return leaf(variable, FieldPath(steps), Operator.SAME_AS, (FieldPath(path),))
        case (Text() | Field(), Text() | Field()):
            return related(as_text(left), Operator.SAME_AS, as_text(right))
        case Number(), Number() if left.offset == right.offset:
            return related(left, Operator.SAME_AS, right)
        case _:
            raise UnreadableError(f"{in_words(left)} == {in_words(right)}")


def subset(machine: Machine, entries: Sequence[Entry], others: Sequence[Entry]) -> Formula:
    """When every element of some entries is one of the others'."""
    missing = (
        quantified(entry, both(guard, opposite(one_of(machine, value, others))))
        for entry in entries
        for guard, value in entry.value.cases
    )
    return opposite(either(*missing))


def one_of(machine: Machine, item: Value, entries: Sequence[Entry]) -> Formula:
    """When a value is one of the elements of some entries."""
    return either(
        *(
            _is_element(machine, item, entry, guard, each)
            for entry in entries
            for guard, each in entry.value.cases
        )
    )


def _is_element(machine: Machine, item: Value, entry: Entry, guard: Formula, each: Value) -> Formula:
    """When a value is an element of an entry, where that is ``each``. What is an element of a list itself is
    compared with the whole of the other list, of which nothing else may be asked then.
    """
    match item, each, entry.binders:
        case ((Field() | Text()), Field(variable, steps), (Binder(bound, 0, listed),)) if item.variable and (
            variable == bound != item.variable
        ):
            rest = under(both(entry.include, guard), frozenset({Present(variable, steps)}))
            if not speaks_of(rest, {variable}):
                return both(rest, equal(machine, item, Field(0, (*listed, ANY, *steps))))
    return quantified(entry, both(guard, equal(machine, each, item)))


def _is_no_bool(machine: Machine, value: Value) -> bool:
    """Whether a field is known to hold something else than bools."""
    if not isinstance(value, Field) or machine.ambiguous(value):
        return False
    shape = machine.shape(value)
    if shape in (None, Shape.BOOLEAN):
        return False
    machine.taken_as(value, shape)
    return True


def _same_type(left: Known, right: Known, identical: bool) -> bool:
    return not identical or isinstance(left.value, bool) == isinstance(right.value, bool)


def _equals_known(machine: Machine, left: Value, value: Any) -> Formula:
    if value is None:
        return FALSE
    match left:
        case Truth(formula):
            return formula if value in (True, 1) else opposite(formula) if value in (False, 0) else FALSE
        case Field():
            return _field_equals(machine, left, value)
        case Walked(variable, steps) if isinstance(value, (str, int, float)):
            machine.note("several-values", f"{FieldPath(steps)} is compared as if it had one value")
            return leaf(variable, FieldPath((*steps, ANY)), Operator.IS, (value,))
        case Text():
            return text_is(left, value) if isinstance(value, str) else FALSE
        case Part():
            return part_is(left, value) if isinstance(value, str) else FALSE
        case Stripped():
            return question(left, Operator.IS, (value,)) if isinstance(value, str) else FALSE
        case Number(variable, subject, functions, offset) if is_number(value):
            return leaf(variable, subject, Operator.IS, (value - offset,), functions)
        case Count() if is_number(value):
            return counted(machine, left, "Eq", value)
        case Pieces() if is_number(value):
            return both(part_count(left, "GtE", value), opposite(part_count(left, "Gt", value)))
        case Collection("tuple", entries) if isinstance(value, tuple):
            return _tuple_equals(machine, entries, value)
        case Collection():
            if isinstance(value, (list, tuple, set, frozenset, dict)) and not value:
                return opposite(truth(machine, left))
            if isinstance(value, (str, int, float)):
                return FALSE
        case Number() | Count():
            return FALSE
        case Address(variable, subject, functions):
            raise UnreadableError("a comparison of an address with a constant")
    raise UnreadableError(f"{in_words(left)} == {value!r:.40}")


def _field_equals(machine: Machine, field: Field, value: Any) -> Formula:
    path = FieldPath(field.steps)
    if isinstance(value, (str, int, float)):
        wanted = _shape_of(value)
        shape = machine.shape(field)
        if machine.declared(field) and shape is not None and shape is not wanted:
            if shape in (Shape.TEXT, Shape.NUMBER) and not isinstance(value, bool):
                machine.note(
                    "type-strict",
                    f"{path} is declared as {shape}, and Python finds no {shape} equal to {value!r}",
                )
            if shape is not Shape.BOOLEAN or value not in (0, 1):
                return FALSE
            value = bool(value)
        else:
            machine.compared(field, wanted, value)
        return leaf(field.variable, path, Operator.IS, (value,))
    if isinstance(value, (list, tuple, dict)) and not value:
        if isinstance(value, dict) and AS_JSON in field.steps:
            raise UnreadableError("whether an object in a JSON text is empty", code="json-text")
        shape = Shape.OBJECT if isinstance(value, dict) else Shape.LIST
        machine.used(field, shape)
        if machine.shape(field) is not shape:
            return FALSE
        return both(
            Present(field.variable, field.steps), opposite(leaf(field.variable, path, Operator.EXISTS))
        )
    if isinstance(value, list) and all(isinstance(each, (str, int, float)) for each in value):
        machine.used(field, Shape.LIST)
        elements = [
            leaf(field.variable, FieldPath((*field.steps, index)), Operator.IS, (each,))
            for index, each in enumerate(value)
        ]
        beyond = leaf(field.variable, FieldPath((*field.steps, len(value))), Operator.EXISTS)
        return both(*elements, opposite(beyond))
    raise UnreadableError(f"whether a field equals a {type(value).__name__}")


def _shape_of(value: Scalar) -> Shape:
    if isinstance(value, bool):
        return Shape.BOOLEAN
    return Shape.TEXT if isinstance(value, str) else Shape.NUMBER


def equal_any(machine: Machine, item: Value, known: list[Any]) -> Formula:
    """When a value equals one of several constants; one predicate where it can be one."""
    if isinstance(item, Text):
        texts = tuple(value for value in known if isinstance(value, str))
        return text_question(item, Operator.IS, tuple(dict.fromkeys(texts))) if texts else FALSE
    if isinstance(item, Stripped):
        return question(item, Operator.IS, tuple(value for value in known if isinstance(value, str)))
    if isinstance(item, Field):
        kinds: dict[str, list[Any]] = {}
        for value in known:
            kinds.setdefault(
                _shape_of(value) if isinstance(value, (str, int, float)) else "other", []
            ).append(value)
        found: list[Formula] = []
        for kind, values in kinds.items():
            first = equal(machine, item, Known(values[0]))
            if kind != "other" and len(values) > 1 and first != FALSE:
                distinct = {text_of(value): value for value in values}
                first = leaf(item.variable, FieldPath(item.steps), Operator.IS, tuple(distinct.values()))
                found.append(first)
            elif kind != "other":
                found.append(first)
            else:
                found += [equal(machine, item, Known(value)) for value in values]
        return either(*found)
    return either(*(equal(machine, item, Known(value)) for value in known))


def _tuple_equals(machine: Machine, entries: tuple[Entry, ...], value: tuple[Any, ...]) -> Formula:
    if any(entry.binders or entry.include != TRUE for entry in entries):
        raise UnreadableError("a comparison of lists")
    if len(entries) != len(value):
        return FALSE
    return both(
        *(
            either(*(both(guard, equal(machine, each, Known(wanted))) for guard, each in entry.value.cases))
            for entry, wanted in zip(entries, value, strict=True)
        )
    )
