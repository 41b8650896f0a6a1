"""Texts of the event: what their methods give, and what can be asked of parts of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import msgspec

from converter.model.expressions import (
    Concat,
    Function,
    FunctionName,
    Operator,
    Reference,
    changes_of,
    reference,
    renamed_subject,
)
from converter.model.paths import FieldPath, rooted
from converter.platforms.panther.importing.python.machine import Machine, as_text, leaf, related
from converter.platforms.panther.importing.python.nodes import FALSE, TRUE, Formula, opposite
from converter.platforms.panther.importing.python.shapes import Shape
from converter.platforms.panther.importing.python.values import (
    Field,
    Known,
    Outcome,
    Part,
    Pieces,
    Text,
    UnreadableError,
    Value,
    one,
    raising,
    unless,
    when,
)

_CHANGES: Final = {
    "lower": FunctionName.LOWER,
    "casefold": FunctionName.LOWER,
    "upper": FunctionName.UPPER,
    "strip": FunctionName.TRIM,
}
_EDGES: Final = {"startswith": Operator.STARTS_WITH, "endswith": Operator.ENDS_WITH}
LONGEST_CONSTANT: Final = 40
"""Of a constant of so many characters at most every part that a text of the event may be is listed."""
_CLASSES: Final = {
    "isdigit": r"^[0-9]+$",
    "isdecimal": r"^[0-9]+$",
    "isnumeric": r"^[0-9]+$",
    "isalpha": r"^\pL+$",
    "isalnum": r"^[\pL\pN]+$",
    "isspace": r"^[\s\v]+$",
}
Question = Callable[[Text, Operator, tuple[str, ...]], Formula]


def text_method(
    machine: Machine, owner: Field | Text | Part, name: str, arguments: list[Value], question: Question
) -> Outcome:
    """A method of ``str`` on a text of the event."""
    if isinstance(owner, Part):
        if name in _CHANGES and not arguments:
            return one(msgspec.structs.replace(owner, text=changed(owner.text, _CHANGES[name])))
        raise UnreadableError(f".{name}() of a part of a text")
    if isinstance(owner, Field):
        machine.used(owner, Shape.TEXT)
    text = as_text(owner)
    if name in _CHANGES and not arguments:
        return one(changed(text, _CHANGES[name]))
    match arguments:
        case [Field() | Text() as other] if name in _EDGES:
            return related_texts(machine, text, _EDGES[name], other)
    constants = [value.value for value in arguments if isinstance(value, Known)]
    if len(constants) < len(arguments):
        raise UnreadableError(f".{name}() with something that is no constant")
    match name, constants:
        case (("startswith" | "endswith"), [given]):
            return _edge(text, _EDGES[name], given, question)
        case "split" | "rsplit", [str(separator), *rest] if separator:
            return one(Pieces(text, separator, int(rest[0]) if rest else -1, name == "rsplit"))
        case "partition", [str(separator)] if separator:
            return one(Pieces(text, separator, 1, False))
        case "rpartition", [str(separator)] if separator:
            return one(Pieces(text, separator, 1, True))
        case "__contains__", [str(part)]:
            return when(contained_in(text, part, question))
        case "encode" | "format" | "expandtabs", []:
            return one(text)
        case _, [] if name in _CLASSES:
            return when(question(text, Operator.REGEX, (_CLASSES[name],)))
        case "count", [str(part)] if part:
            raise UnreadableError("how often a text occurs in another")
        case _:
            raise UnreadableError(f".{name}() of a text of the event")


def changed(value: Field | Text, name: FunctionName) -> Text:
    """The text, changed by one more function."""
    text = as_text(value)
    return msgspec.structs.replace(text, functions=(*text.functions, Function(name)))


def _edge(text: Text, operator: Operator, given: object, question: Question) -> Outcome:
    options = given if isinstance(given, tuple) else (given,)
    if not all(isinstance(option, str) for option in options):
        return raising("TypeError")
    if "" in options:
        return when(TRUE)
    return when(question(text, operator, tuple(map(str, options))) if options else FALSE)


def edge_of_constant(
    machine: Machine, whole: str, name: str, edge: Field | Text, question: Question
) -> Outcome:
    """When a constant starts or ends with a text of the event: that is one of the constant's own edges."""
    if len(whole) > LONGEST_CONSTANT:
        raise UnreadableError(f".{name}() of a long constant with a text of the event")
    if isinstance(edge, Field):
        machine.used(edge, Shape.TEXT)
    sizes = range(len(whole) + 1)
    edges = (whole[:size] if name == "startswith" else whole[len(whole) - size :] for size in sizes)
    return when(question(as_text(edge), Operator.IS, tuple(edges)))


def related_texts(machine: Machine, left: Field | Text, operator: Operator, right: Field | Text) -> Outcome:
    """A text operator on two texts of the event. What is declared as no text makes Python raise."""
    for each in (left, right):
        if not isinstance(each, Field):
            continue
        machine.used(each, Shape.TEXT)
        shape = machine.shape(each)
        if shape is not Shape.TEXT:
            if machine.declared(each):
                return raising("TypeError")
            raise UnreadableError(f"{FieldPath(each.steps)}, of shape {shape}, where a text is needed")
    return when(related(as_text(left), operator, as_text(right)))


def contained_in(text: Text | Part, part: str, question: Question) -> Formula:
    """When ``part in text``."""
    if not part:
        return TRUE
    if isinstance(text, Part):
        raise UnreadableError("a search in a part of a text")
    return question(text, Operator.CONTAINS, (part,))


# -- slices


def part_is(part: Part, value: str) -> Formula:
    """When a slice of a text equals a constant."""
    text = as_text(part.text)
    lower, upper = part.lower or 0, part.upper
    folded = text.functions and text.functions[-1].name is FunctionName.LOWER
    if folded and value != value.lower():
        return FALSE
    functions = text.functions[:-1] if folded else text.functions

    def asked(operator: Operator, operand: str) -> Formula:
        return leaf(text.variable, text.subject, operator, (operand,), functions, ignore_case=bool(folded))

    size = len(value)
    if lower >= 0 and upper is not None and upper >= 0:
        wanted = max(upper - lower, 0)
        if size > wanted:
            return FALSE
        head = "?" * lower
        if size == wanted:
            return (
                asked(Operator.STARTS_WITH, value)
                if not lower
                else asked(Operator.LIKE, head + _like(value) + "*")
            )
        if size or lower:
            if not size:
                return opposite(asked(Operator.LIKE, "?" * (lower + 1) + "*")) if wanted else TRUE
            return asked(Operator.LIKE, head + _like(value))
        return asked(Operator.IS, "") if wanted else TRUE
    if lower < 0 and upper is None:
        wanted = -lower
        if size == wanted:
            return asked(Operator.ENDS_WITH, value)
        return asked(Operator.IS, value) if size < wanted else FALSE
    if lower >= 0 and upper is None:
        if not size:
            return opposite(asked(Operator.LIKE, "?" * (lower + 1) + "*"))
        return asked(Operator.LIKE, "?" * lower + _like(value))
    raise UnreadableError("a slice counted from both ends")


def _like(text: str) -> str:
    return re.sub(r"([*?\\])", r"\\\1", text)


# -- split texts


def split_at(pieces: Pieces, index: int) -> Outcome:
    """One part of a split text; where there is none, an IndexError."""
    text = pieces.text
    if pieces.most >= 0:
        plain = (0 <= index < pieces.most and not pieces.from_end) or (
            -pieces.most <= index < 0 and pieces.from_end
        )
        if not plain:
            raise UnreadableError("the rest of a text split a limited number of times")
    function = Function(FunctionName.SPLIT, pieces.separator, index)
    found = msgspec.structs.replace(text, functions=(*text.functions, function))
    if index in (0, -1):
        return one(found)
    there = leaf(text.variable, text.subject, Operator.EXISTS, (), found.functions)
    return unless(opposite(there), "IndexError", found)


def split_has(pieces: Pieces, value: str) -> Formula:
    """When a constant is one of the parts of a split text."""
    text, separator = pieces.text, pieces.separator
    if pieces.most >= 0:
        raise UnreadableError("the parts of a text split a limited number of times")
    if separator in value:
        return FALSE
    edge = re.escape(separator)
    if len(separator) > 1:
        raise UnreadableError("the parts of a text split at a longer text")
    pattern = rf"(?:^|{edge}){re.escape(value)}(?:{edge}|$)"
    return leaf(text.variable, text.subject, Operator.REGEX, (pattern,), text.functions)


def joined(machine: Machine, parts: list[Value]) -> Outcome:
    """``str()`` of every part, joined: an f-string, or ``+``."""
    if all(isinstance(part, Known) for part in parts):
        return one(Known("".join(str(part.value) for part in parts if isinstance(part, Known))))
    found: list[tuple[int, tuple[Reference | str, ...]]] = []
    for part in parts:
        match part:
            case Known(value):
                found.append((0, (str(value),)))
            case Field(variable, steps):
                found.append((variable, (FieldPath(steps),)))
            case Text(variable, FieldPath() as subject, functions):
                found.append((variable, (reference(subject, functions),)))
            case Text(variable, subject, ()) if not isinstance(subject, FieldPath):
                found.append((variable, subject.parts))
            case _:
                raise UnreadableError("a text joined of joined and changed values")
    elements = {variable for variable, _ in found if variable}
    if len(elements) > 1:
        raise UnreadableError("a text joined of elements of two lists")
    element = next(iter(elements), 0)
    flat = [_seen_from(element, variable, each) for variable, several in found for each in several]
    return one(_concat(element, flat))


def _seen_from(element: int, variable: int, part: Reference | str) -> Reference | str:
    """A part of a text, as what is said of an element of a list names it."""
    if variable == element or isinstance(part, str):
        return part
    subject, functions = changes_of(part)
    return reference(renamed_subject(subject, rooted), functions)


def _concat(variable: int, parts: list[Reference | str]) -> Text:
    merged: list[Reference | str] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        elif part != "":
            merged.append(part)
    only = merged[0]
    if len(merged) == 1 and not isinstance(only, str):
        return Text(variable, *changes_of(only))
    return Text(variable, Concat(tuple(merged)))
