"""``in``: a part of a text, an element of a list, a key of an object, by what the container holds."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

from converter.model.expressions import Operator
from converter.model.paths import ANY, FieldPath
from converter.platforms.panther.importing.python.equality import equal, equal_any, one_of
from converter.platforms.panther.importing.python.formulas import both, either
from converter.platforms.panther.importing.python.machine import Machine, as_text, leaf, related
from converter.platforms.panther.importing.python.nodes import FALSE, TRUE, Null, Present
from converter.platforms.panther.importing.python.shapes import AS_JSON, Shape
from converter.platforms.panther.importing.python.stripped import question
from converter.platforms.panther.importing.python.texts import (
    LONGEST_CONSTANT,
    contained_in,
    related_texts,
    split_has,
)
from converter.platforms.panther.importing.python.truth import in_words, text_question
from converter.platforms.panther.importing.python.values import (
    Address,
    Collection,
    Entry,
    Field,
    Keyed,
    Known,
    Network,
    Outcome,
    Part,
    Pieces,
    Stripped,
    Table,
    Text,
    UnreadableError,
    Value,
    Walked,
    quantified,
    raising,
    when,
)

# -- membership


def contains(machine: Machine, item: Value, container: Value) -> Outcome:
    """``item in container``."""
    match container:
        case Known(str(whole)):
            return _in_text(machine, item, whole)
        case Known(list() | tuple() | set() | frozenset() | dict() | range() as known):
            return _in_constants(machine, item, in_order(known))
        case Known():
            return raising("TypeError")
        case Field():
            return _in_field(machine, item, container)
        case Walked(variable, steps):
            if isinstance(item, Known) and isinstance(item.value, (str, int, float)):
                plain = machine.shape(Field(variable, steps)) in (Shape.TEXT, Shape.NUMBER, Shape.BOOLEAN)
                path = FieldPath(steps if plain else (*steps, ANY))
                return when(leaf(variable, path, Operator.IS, (item.value,)))
        case Text() | Part():
            if isinstance(item, Known):
                if not isinstance(item.value, str):
                    return raising("TypeError")
                return when(contained_in(container, item.value, text_question))
            if isinstance(item, Field | Text) and isinstance(container, Text):
                return related_texts(machine, container, Operator.CONTAINS, item)
        case Stripped():
            if isinstance(item, Known):
                if not isinstance(item.value, str):
                    return raising("TypeError")
                return when(question(container, Operator.CONTAINS, (item.value,)) if item.value else TRUE)
        case Pieces():
            if isinstance(item, Known) and isinstance(item.value, str):
                return when(split_has(container, item.value))
        case Collection(_, entries):
            return when(one_of(machine, item, entries))
        case Keyed(key, value, binder, include) if isinstance(item, Known):
            test = [both(guard, equal(machine, each, item)) for guard, each in key.cases]
            return when(quantified(Entry(value, (binder,), include), either(*test)))
        case Table(entries):
            return _in_constants(machine, item, [key for key, _ in entries])
        case Network(network):
            if isinstance(item, Known) and type(item.value).__module__ == "ipaddress":
                return when(TRUE if item.value in ip_network(network) else FALSE)
            if isinstance(item, Address):
                return when(leaf(item.variable, item.subject, Operator.CIDR, (network,), item.functions))
    raise UnreadableError(f"{in_words(item)} in {in_words(container)}")


def in_order(known: Any) -> list[Any]:
    """The elements of a constant; those of a set, which has no order, sorted."""
    return sorted(known, key=repr) if isinstance(known, (set, frozenset)) else list(known)


def _in_text(machine: Machine, item: Value, whole: str) -> Outcome:
    if isinstance(item, Known):
        return (
            when(TRUE if item.value in whole else FALSE)
            if isinstance(item.value, str)
            else raising("TypeError")
        )
    if isinstance(item, (Field, Text)) and len(whole) <= LONGEST_CONSTANT:
        parts = {whole[start:end] for start in range(len(whole)) for end in range(start + 1, len(whole) + 1)}
        if isinstance(item, Field):
            machine.used(item, Shape.TEXT)
        return when(text_question(as_text(item), Operator.IS, (*sorted(parts | {whole[:0]}),)))
    raise UnreadableError("whether a field is a part of a constant text")


def _in_constants(machine: Machine, item: Value, known: list[Any]) -> Outcome:
    if isinstance(item, Known):
        return when(
            TRUE if any(item.value == each and _hashed_alike(item.value, each) for each in known) else FALSE
        )
    if isinstance(item, Collection) and item.kind in ("list", "set"):
        raise UnreadableError("whether a list is an element of another")
    return when(equal_any(machine, item, known))


def _hashed_alike(left: Any, right: Any) -> bool:
    return isinstance(left, str) == isinstance(right, str)


def _in_field(machine: Machine, item: Value, container: Field) -> Outcome:
    shape = machine.shape(container)
    variable, steps = container.variable, container.steps
    if shape is None:
        shape = (
            Shape.TEXT if not (isinstance(item, Known) and not isinstance(item.value, str)) else Shape.LIST
        )
        if steps[-1:] == (AS_JSON,):
            shape = Shape.OBJECT
        machine.used(container, shape)
    match shape, item:
        case Shape.OBJECT, Known(str(key)):
            place = (*steps, machine.spelled(container, key))
            return when(either(Present(variable, place), Null(variable, place)))
        case Shape.TEXT, Known(value):
            if not isinstance(value, str):
                return raising("TypeError")
            return when(contained_in(as_text(container), value, text_question))
        case Shape.TEXT, Field() | Text():
            return related_texts(machine, container, Operator.CONTAINS, item)
        case Shape.LIST, Known(value):
            if isinstance(value, (str, int, float)):
                return when(leaf(variable, FieldPath((*steps, ANY)), Operator.IS, (value,)))
            if value is None:
                return when(Null(variable, (*steps, ANY)))
        case Shape.LIST, Field():
            return when(equal(machine, Field(variable, (*steps, ANY)), item))
        case Shape.LIST, Text():
            return when(related(item, Operator.SAME_AS, Text(variable, FieldPath((*steps, ANY)))))
        case ((Shape.NUMBER | Shape.BOOLEAN), _):
            return raising("TypeError")
    raise UnreadableError(f"{in_words(item)} in {FieldPath(steps)}, which is of shape {shape}")
