"""When a value is true, and when two are equal, ordered, or one is in the other, as Python has it."""

from __future__ import annotations

import math
import operator as operators
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any, Final

from converter.evaluate.values import text_of
from converter.model.expressions import Concat, Function, FunctionName, Operator, Scalar
from converter.model.paths import ANY, FieldPath
from converter.platforms.panther.importing.python.formulas import (
    FALSE,
    TRUE,
    Formula,
    Null,
    Present,
    both,
    either,
    opposite,
)
from converter.platforms.panther.importing.python.machine import Machine, as_text, leaf
from converter.platforms.panther.importing.python.shapes import Shape
from converter.platforms.panther.importing.python.texts import contained_in, part_is, split_has
from converter.platforms.panther.importing.python.values import (
    NO,
    YES,
    Address,
    Collection,
    Count,
    Entry,
    Field,
    Joined,
    Keyed,
    Known,
    Network,
    Number,
    Opaque,
    Outcome,
    Part,
    Pieces,
    Table,
    Text,
    Truth,
    UnreadableError,
    Value,
    Walked,
    one,
    quantified,
    raising,
    when,
)

LENGTH: Final = Function(FunctionName.LENGTH)
_ORDER: Final = {"Gt": Operator.GT, "GtE": Operator.GTE, "Lt": Operator.LT, "LtE": Operator.LTE}
_TURNED: Final = {"Gt": "Lt", "GtE": "LtE", "Lt": "Gt", "LtE": "GtE"}
_COMPUTED: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "Gt": operators.gt,
    "GtE": operators.ge,
    "Lt": operators.lt,
    "LtE": operators.le,
}
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
            return leaf(field.variable, path, Operator.EXISTS)
        case _:
            if shape is None:
                machine.note(
                    "unknown-shape",
                    f"nothing tells what {path} holds; any text, number or bool that is empty, 0 or false "
                    "counts as false, also written as a text",
                )
            return opposite(leaf(field.variable, path, Operator.IS, _EMPTY[shape]))


def compare(machine: Machine, left: Value, name: str, right: Value) -> Outcome:
    """A comparison by the name of its operator in Python's syntax tree."""
    if isinstance(left, Opaque) or isinstance(right, Opaque):
        unread = left if isinstance(left, Opaque) else right
        return one(Opaque(unread.number)) if isinstance(unread, Opaque) else one(unread)
    match name:
        case "Eq" | "Is":
            return when(equal(machine, left, right, identical=name == "Is"))
        case "NotEq" | "IsNot":
            return when(opposite(equal(machine, left, right, identical=name == "IsNot")))
        case "In":
            return contains(machine, left, right)
        case "NotIn":
            return machine.bind(contains(machine, left, right), lambda found: _negated(machine, found))
        case _:
            return ordered(machine, left, name, right)


def _negated(machine: Machine, value: Value) -> Outcome:
    return one(value) if isinstance(value, Opaque) else when(opposite(truth(machine, value)))


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
        return _equals_known(machine, left, right.value)
    match left, right:
        case Truth(one_side), Truth(other_side):
            return either(both(one_side, other_side), both(opposite(one_side), opposite(other_side)))
        case Field(variable, steps), Field(other, path):
            if left == right:
                return TRUE
            if variable != other:
                raise UnreadableError("a comparison of an element of a list with something outside it")
            return leaf(variable, FieldPath(steps), Operator.SAME_AS, (FieldPath(path),))
        case (Text() | Field(), Text() | Field()):
            return _same_text(as_text(left), as_text(right))
        case _:
            raise UnreadableError(f"{_named(left)} == {_named(right)}")


def _same_type(left: Known, right: Known, identical: bool) -> bool:
    return not identical or isinstance(left.value, bool) == isinstance(right.value, bool)


def _same_text(left: Text, right: Text) -> Formula:
    """Two texts that change in the same way: both lower-cased, or only one of them is changed."""
    if left.variable != right.variable:
        raise UnreadableError("a comparison of an element of a list with something outside it")
    folded = left.functions == right.functions == (Function(FunctionName.LOWER),)
    if folded and isinstance(left.subject, FieldPath) and isinstance(right.subject, FieldPath):
        return leaf(left.variable, left.subject, Operator.SAME_AS, (right.subject,), ignore_case=True)
    if not left.functions or (
        isinstance(left.subject, FieldPath) and not isinstance(right.subject, FieldPath)
    ):
        left, right = right, left
    if right.functions or not isinstance(right.subject, FieldPath):
        raise UnreadableError("a comparison of two changed texts")
    return leaf(left.variable, left.subject, Operator.SAME_AS, (right.subject,), left.functions)


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
        case Number(variable, subject, functions, offset) if _is_number(value):
            return leaf(variable, subject, Operator.IS, (value - offset,), functions)
        case Count() if _is_number(value):
            return _counted(machine, left, "Eq", value)
        case Pieces() if _is_number(value):
            return both(_parts(left, "GtE", value), opposite(_parts(left, "Gt", value)))
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
    raise UnreadableError(f"{_named(left)} == {value!r:.40}")


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
        case Pieces():
            if isinstance(item, Known) and isinstance(item.value, str):
                return when(split_has(container, item.value))
        case Collection(_, entries):
            found = [
                quantified(entry, both(guard, equal(machine, value, item)))
                for entry in entries
                for guard, value in entry.value.cases
            ]
            return when(either(*found))
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
    raise UnreadableError(f"{_named(item)} in {_named(container)}")


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
    if isinstance(item, (Field, Text)) and len(whole) <= 40:
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


def equal_any(machine: Machine, item: Value, known: list[Any]) -> Formula:
    """When a value equals one of several constants; one predicate where it can be one."""
    if isinstance(item, Text):
        texts = tuple(value for value in known if isinstance(value, str))
        return text_question(item, Operator.IS, tuple(dict.fromkeys(texts))) if texts else FALSE
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


def _in_field(machine: Machine, item: Value, container: Field) -> Outcome:
    shape = machine.shape(container)
    variable, steps = container.variable, container.steps
    if shape is None:
        shape = (
            Shape.TEXT if not (isinstance(item, Known) and not isinstance(item.value, str)) else Shape.LIST
        )
        machine.used(container, shape)
    match shape, item:
        case Shape.OBJECT, Known(str(key)):
            place = (*steps, machine.spelled(container, key))
            return when(either(Present(variable, place), Null(variable, place)))
        case Shape.TEXT, Known(value):
            if not isinstance(value, str):
                return raising("TypeError")
            return when(contained_in(as_text(container), value, text_question))
        case Shape.LIST, Known(value):
            if isinstance(value, (str, int, float)):
                return when(leaf(variable, FieldPath((*steps, ANY)), Operator.IS, (value,)))
            if value is None:
                return when(Null(variable, (*steps, ANY)))
        case Shape.LIST, Field(other, path) if other == variable:
            return when(leaf(variable, FieldPath((*steps, ANY)), Operator.SAME_AS, (FieldPath(path),)))
        case Shape.LIST, Text():
            return when(_same_text(item, Text(variable, FieldPath((*steps, ANY)))))
        case ((Shape.NUMBER | Shape.BOOLEAN), _):
            return raising("TypeError")
    raise UnreadableError(f"{_named(item)} in {FieldPath(steps)}, which is of shape {shape}")


# -- order


def ordered(machine: Machine, left: Value, name: str, right: Value) -> Outcome:
    """``<``, ``<=``, ``>``, ``>=``."""
    if isinstance(left, Known) and isinstance(right, Known):
        try:
            return one(YES if _COMPUTED[name](left.value, right.value) else NO)
        except TypeError:
            return raising("TypeError")
    if isinstance(left, Known):
        left, name, right = right, _TURNED[name], left
    if not isinstance(right, Known):
        raise UnreadableError(f"the order of {_named(left)} and {_named(right)}")
    limit = right.value
    if limit is None or isinstance(limit, (list, dict, tuple)):
        return raising("TypeError")
    match left:
        case Field(variable, steps) if _is_number(limit):
            machine.used(left, Shape.NUMBER)
            return when(leaf(variable, FieldPath(steps), _ORDER[name], (limit,)))
        case Number(variable, subject, functions, offset) if _is_number(limit):
            return when(leaf(variable, subject, _ORDER[name], (limit - offset,), functions))
        case Pieces() if _is_number(limit):
            return when(_parts(left, name, limit))
        case Count() if _is_number(limit):
            return when(_counted(machine, left, name, limit))
    raise UnreadableError(f"the order of {_named(left)} and {limit!r:.40}")


def _counted(machine: Machine, count: Count, name: str, limit: float) -> Formula:
    """How a count compares with a number, as far as that asks whether there is an element, or an n-th."""
    sure = sum(1 for entry in count.collection.entries if not entry.binders and entry.include == TRUE)
    rest = tuple(entry for entry in count.collection.entries if entry.binders or entry.include != TRUE)
    base = count.offset + sure
    if name == "Eq":
        low, high = _counted(machine, count, "GtE", limit), _counted(machine, count, "Gt", limit)
        return both(low, opposite(high))
    if name in ("Lt", "LtE"):
        return opposite(_counted(machine, count, "GtE" if name == "Lt" else "Gt", limit))
    limit -= base
    least = int(limit // 1) + 1 if name == "Gt" else -int(-limit // 1)
    if least <= 0:
        return TRUE
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


def _parts(pieces: Pieces, name: str, limit: float) -> Formula:
    """How the number of parts of a split text, its length, compares with a number."""
    if name in ("Lt", "LtE"):
        return opposite(_parts(pieces, "GtE" if name == "Lt" else "Gt", limit))
    least = int(limit // 1) + 1 if name == "Gt" else -int(-limit // 1)
    if least <= 1:
        return TRUE
    if least > 1000:
        raise UnreadableError("a very large number of parts of a text")
    text = pieces.text
    function = Function(FunctionName.SPLIT, pieces.separator, least - 1)
    return leaf(text.variable, text.subject, Operator.EXISTS, (), (*text.functions, function))


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


def _at_least(wanted: int, formulas: list[Formula]) -> Formula:
    if wanted <= 0:
        return TRUE
    if wanted > len(formulas):
        return FALSE
    first, rest = formulas[0], formulas[1:]
    return either(both(first, _at_least(wanted - 1, rest)), _at_least(wanted, rest))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _named(value: Value) -> str:
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
