"""Python's built-in functions, its library's and Panther's documented helpers, on values of the event."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from converter.model.expressions import Operator
from converter.model.paths import FieldPath
from converter.platforms.panther.importing.python import constants, events, regexes
from converter.platforms.panther.importing.python.constants import bounded
from converter.platforms.panther.importing.python.machine import Machine, as_text, leaf
from converter.platforms.panther.importing.python.nodes import FALSE, TRUE, Formula, opposite
from converter.platforms.panther.importing.python.quantifiers import (
    all_of,
    any_of,
    collection_of,
    filtered,
    length_of,
    mapped,
    next_of,
    sorted_list,
)
from converter.platforms.panther.importing.python.shapes import Shape
from converter.platforms.panther.importing.python.truth import truth
from converter.platforms.panther.importing.python.values import (
    NONE,
    Collection,
    Field,
    Kind,
    Known,
    Library,
    Number,
    Opaque,
    Outcome,
    Pattern,
    Table,
    Text,
    Truth,
    UnreadableError,
    Value,
    Walked,
    one,
    raising,
    unless,
    when,
)

if TYPE_CHECKING:
    from converter.platforms.panther.importing.python.interpreter import Interpreter

NUMERIC: Final = r"^[+-]?[0-9]+$"
_REFUSED: Final[tuple[tuple[str, str, str], ...]] = (
    ("datetime", "the clock or dates (datetime)", "clock"),
    ("time", "the clock (time)", "clock"),
    ("json", "JSON inside a text (json)", "json-text"),
    ("panther_oss_helpers", "state kept between events", "state"),
    ("requests", "a request to another system", "request"),
    ("boto3", "a request to another system", "request"),
    ("random", "chance (random)", "random"),
)
_CLASSES: Final[Mapping[str, Shape]] = {
    "str": Shape.TEXT,
    "int": Shape.NUMBER,
    "float": Shape.NUMBER,
    "bool": Shape.BOOLEAN,
}
_ABSTRACT: Final[Mapping[str, Shape]] = {
    "Mapping": Shape.OBJECT,
    "Sequence": Shape.LIST,
    "Iterable": Shape.LIST,
    "ImmutableList": Shape.LIST,
    "ImmutableCaseInsensitiveDict": Shape.OBJECT,
}
_PLAIN: Final[Mapping[str, type]] = {
    each.__name__: each
    for each in (
        *(str, bytes, int, float, bool, list, dict, tuple, set, frozenset),
        *(Mapping, Sequence, Iterable),
    )
}


def call(
    interpreter: Interpreter, name: str, positional: list[Value], named: dict[str, Value], node: ast.AST
) -> Outcome:
    """A call of a function of Python's or Panther's by its full name."""
    plain = [value for value in (*positional, *named.values()) if isinstance(value, Known)]
    if constants.knows_function(name) and len(plain) == len(positional) + len(named):
        given = [value.value for value in positional if isinstance(value, Known)]
        if not (name == "str" and given and not isinstance(given[0], (str, int, float, bool, type(None)))):
            keywords = {key: value.value for key, value in named.items() if isinstance(value, Known)}
            try:
                return one(Known(constants.call_function(name, given, keywords)))
            except constants.ERRORS as error:
                return raising(type(error).__name__)
    known = _FUNCTIONS.get(name.removeprefix("builtins.").removeprefix("typing."))
    if known is None and name.startswith("re.") and name[3:] in regexes.SEARCHES:
        return _regex(interpreter, name[3:], positional, named)
    if known is not None:
        return known(interpreter, positional, named)
    for prefix, reason, code in _REFUSED:
        if name == prefix or name.startswith(f"{prefix}."):
            raise UnreadableError(reason, node, code=code)
    raise UnreadableError(f"the function {name}", node, code="unknown-function")


Arguments = tuple["Interpreter", list[Value], dict[str, Value]]


def _str(interpreter: Interpreter, positional: list[Value], named: dict[str, Value]) -> Outcome:
    if not positional:
        return one(Known(""))
    match positional[0]:
        case Field() as field:
            if interpreter.machine.shape(field) in (Shape.LIST, Shape.OBJECT):
                raise UnreadableError("str() of a list or object of the event")
            if interpreter.machine.shape(field) is Shape.BOOLEAN:
                raise UnreadableError("str() of a bool of the event")
            return one(as_text(field))
        case Text() as text:
            return one(text)
    raise UnreadableError("str() of a value of the event")


def _bool(interpreter: Interpreter, positional: list[Value], named: dict[str, Value]) -> Outcome:
    if isinstance(positional[0], Opaque):
        return one(positional[0])
    return when(truth(interpreter.machine, positional[0]))


def _int(interpreter: Interpreter, positional: list[Value], named: dict[str, Value]) -> Outcome:
    match positional:
        case [Field() as field]:
            number = Number(field.variable, FieldPath(field.steps))
            if interpreter.machine.shape(field) is not Shape.TEXT:
                interpreter.machine.used(field, Shape.NUMBER)
                return one(number)
            numeric = leaf(field.variable, FieldPath(field.steps), Operator.REGEX, (NUMERIC,))
            return unless(interpreter.machine.here(opposite(numeric)), "ValueError", number)
        case [Text() as text]:
            numeric = leaf(text.variable, text.subject, Operator.REGEX, (NUMERIC,), text.functions)
            number = Number(text.variable, text.subject, text.functions)
            return unless(interpreter.machine.here(opposite(numeric)), "ValueError", number)
        case [Number() as number]:
            return one(number)
    raise UnreadableError("int() of a value of the event")


def _float(interpreter: Interpreter, positional: list[Value], named: dict[str, Value]) -> Outcome:
    match positional:
        case [Field() as field]:
            if interpreter.machine.shape(field) is Shape.TEXT:
                interpreter.machine.note("float-of-text", "a text that is no number makes float() raise")
            return one(Number(field.variable, FieldPath(field.steps)))
    raise UnreadableError("float() of a value of the event")


def _isinstance(interpreter: Interpreter, positional: list[Value], named: dict[str, Value]) -> Outcome:
    value, kinds = positional
    names = [_class_name(kind) for kind in _classes(interpreter, kinds)]
    machine = interpreter.machine
    match value:
        case Known(known):
            kinds_here = tuple(_PLAIN[name] for name in names if name in _PLAIN)
            return when(TRUE if isinstance(known, kinds_here) else FALSE)
        case Field() as field:
            shapes = {shape for name in names if (shape := _shape_named(name)) is not None}
            if not shapes:
                return when(FALSE)
            if machine.ambiguous(field):
                return when(_is_one_of(machine, field, shapes))
            found = machine.shape(field)
            if found is None and len(shapes) == 1:
                found = next(iter(shapes))
                machine.used(field, found)
            if found is None:
                raise UnreadableError(f"the type of {FieldPath(field.steps)}, of which nothing is known")
            return when(TRUE if found in shapes else FALSE)
        case Text():
            return when(TRUE if "str" in names else FALSE)
        case Collection(kind, _):
            return when(TRUE if kind in names else FALSE)
        case Walked():
            return when(TRUE if {"list", "Sequence"} & set(names) else FALSE)
        case Table():
            return when(TRUE if {"dict", "Mapping"} & set(names) else FALSE)
        case Truth():
            return when(TRUE if {"bool", "int"} & set(names) else FALSE)
    raise UnreadableError("the type of a value of the event")


def _is_one_of(machine: Machine, field: Field, shapes: set[Shape]) -> Formula:
    """Whether a field that holds texts in some events and objects in others holds one of the shapes."""
    path, held = FieldPath(field.steps), machine.shapes_of(field)
    if held <= shapes:
        return TRUE
    if held != {Shape.TEXT, Shape.OBJECT}:
        raise UnreadableError(f"the type of {path}, which holds several")
    is_text = leaf(field.variable, path, Operator.LIKE, ("*",))
    return is_text if Shape.TEXT in shapes else opposite(is_text) if Shape.OBJECT in shapes else FALSE


def _classes(interpreter: Interpreter, kinds: Value) -> list[Value]:
    match kinds:
        case Collection(_, entries):
            return [single for entry in entries if (single := entry.value.single) is not None]
        case _:
            return [kinds]


def _class_name(kind: Value) -> str:
    match kind:
        case Library(name):
            return name.rpartition(".")[2]
        case Kind(_, name):
            return name
        case _:
            raise UnreadableError("isinstance() with what is no class")


def _shape_named(name: str) -> Shape | None:
    return _CLASSES.get(name) or _ABSTRACT.get(name)


def _loads(interpreter: Interpreter, positional: list[Value], named: dict[str, Value]) -> Outcome:
    """``json.loads(text)``: what the text says, at the step that is the JSON in it."""
    machine = interpreter.machine
    match positional:
        case [Known(str() as text)] if not named:
            try:
                return one(Known(bounded(json.loads(text))))
            except (ValueError, RecursionError):
                return raising("JSONDecodeError")
        case [Known()]:
            return raising("TypeError")
        case [Field() as field] if not named:
            if not machine.ambiguous(field):
                if machine.shape(field) not in (None, Shape.TEXT):
                    return raising("TypeError")
                machine.used(field, Shape.TEXT)
            return events.decoded(machine, field)
    raise UnreadableError("JSON inside a text that was changed first (json)", code="json-text")


def _compile(interpreter: Interpreter, positional: list[Value], named: dict[str, Value]) -> Outcome:
    match positional:
        case [Known(str(text)), *rest]:
            flags = rest[0] if rest else named.get("flags")
            return one(Pattern(text, _flags(flags)))
        case [Pattern() as pattern]:
            return one(pattern)
    raise UnreadableError("a regular expression that depends on the event")


def _flags(value: Value | None) -> frozenset[str]:
    match value:
        case None | Known(0):
            return frozenset()
        case Library(name):
            names = frozenset(each.removeprefix("re.") for each in name.split("|"))
            if names <= regexes.FLAGS:
                return names
    raise UnreadableError("flags of a regular expression", code="regex")


def _regex(
    interpreter: Interpreter, method: str, positional: list[Value], named: dict[str, Value]
) -> Outcome:
    pattern, subject, *rest = positional
    flags = rest[0] if rest else named.get("flags")
    compiled = _compile(interpreter, [pattern, *([] if flags is None else [flags])], {}).single
    assert isinstance(compiled, Pattern)
    return regexes.search(interpreter.machine, compiled, method, subject)


def _fnmatch(interpreter: Interpreter, positional: list[Value], named: dict[str, Value]) -> Outcome:
    match positional:
        case [subject, Known(str(pattern))]:
            return regexes.wildcard(interpreter.machine, subject, pattern)
    raise UnreadableError("a wildcard pattern that depends on the event")


def _ip_address(interpreter: Interpreter, positional: list[Value], named: dict[str, Value]) -> Outcome:
    return regexes.address(interpreter.machine, positional[0])


def _ip_network(interpreter: Interpreter, positional: list[Value], named: dict[str, Value]) -> Outcome:
    strict = named.get("strict", positional[1] if len(positional) > 1 else Known(True))
    return regexes.network(
        interpreter.machine, positional[0], not (isinstance(strict, Known) and strict.value is False)
    )


def _deep_get(interpreter: Interpreter, positional: list[Value], named: dict[str, Value]) -> Outcome:
    return _helper(interpreter, positional, named, walk=False)


def _deep_walk(interpreter: Interpreter, positional: list[Value], named: dict[str, Value]) -> Outcome:
    return _helper(interpreter, positional, named, walk=True)


def _helper(
    interpreter: Interpreter, positional: list[Value], named: dict[str, Value], *, walk: bool
) -> Outcome:
    owner, *keys = positional
    default = named.get("default", NONE)
    machine = interpreter.machine
    match owner:
        case Field():
            if not walk:
                return events.deep_get(machine, owner, keys, default)
            wanted: Any = named.get("return_val", Known("all"))
            return events.deep_walk(machine, owner, keys, default, str(getattr(wanted, "value", "?")))
        case Known(dict() as known) if all(isinstance(key, Known) for key in keys):
            found: Any = known
            for key in keys:
                found = found.get(key.value) if isinstance(found, dict) and isinstance(key, Known) else None
            return one(default if found is None else Known(found))
        case Known():
            return one(default)
        case Table(entries) if isinstance(keys[0], Known):
            there = next((outcome for key, outcome in entries if key == keys[0].value), one(NONE))
            return machine.bind(there, lambda value: _further(interpreter, value, keys[1:], named, walk))
    raise UnreadableError("deep_get of what is no object of the event")


def _further(
    interpreter: Interpreter, value: Value, keys: list[Value], named: dict[str, Value], walk: bool
) -> Outcome:
    """What stands under further keys of a value that stands in a dict made here."""
    if value == NONE:
        return one(named.get("default", NONE))
    if keys:
        return _helper(interpreter, [value, *keys], named, walk=walk)
    listed = isinstance(value, Field) and interpreter.machine.shape(value) is Shape.LIST
    if walk and (listed or not isinstance(value, (Field, Text, Known))):
        raise UnreadableError("deep_walk of a list in a dict")
    return one(value)


def _get_attribute(interpreter: Interpreter, positional: list[Value], named: dict[str, Value]) -> Outcome:
    match positional:
        case [owner, Known(str(name)), *_]:
            return interpreter.names.attribute(owner, name, ast.Pass())
    raise UnreadableError("getattr()")


def _cast(interpreter: Interpreter, positional: list[Value], named: dict[str, Value]) -> Outcome:
    return one(positional[-1])


_FUNCTIONS: Final[Mapping[str, Callable[[Any, list[Value], dict[str, Value]], Outcome]]] = {
    "any": any_of,
    "all": all_of,
    "str": _str,
    "bool": _bool,
    "int": _int,
    "float": _float,
    "len": length_of,
    "list": collection_of("list"),
    "tuple": collection_of("tuple"),
    "set": collection_of("set"),
    "frozenset": collection_of("set"),
    "dict": collection_of("dict"),
    "sorted": sorted_list,
    "filter": filtered,
    "map": mapped,
    "next": next_of,
    "isinstance": _isinstance,
    "getattr": _get_attribute,
    "cast": _cast,
    "json.loads": _loads,
    "re.compile": _compile,
    "fnmatch.fnmatch": _fnmatch,
    "fnmatch.fnmatchcase": _fnmatch,
    "ipaddress.ip_address": _ip_address,
    "ipaddress.IPv4Address": _ip_address,
    "ipaddress.ip_network": _ip_network,
    "ipaddress.IPv4Network": _ip_network,
    "panther.deep_get": _deep_get,
    "panther.deep_walk": _deep_walk,
}
