"""Methods of events, of their texts, lists and objects, and of constants."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, Final

from converter.platforms.panther.importing.python import constants, events, regexes
from converter.platforms.panther.importing.python.arithmetic import SETS, intersection
from converter.platforms.panther.importing.python.equality import subset
from converter.platforms.panther.importing.python.formulas import both
from converter.platforms.panther.importing.python.interface import DataModel, PythonSource
from converter.platforms.panther.importing.python.membership import contains
from converter.platforms.panther.importing.python.nodes import FALSE, TRUE, Formula, opposite
from converter.platforms.panther.importing.python.selecting import looked_up
from converter.platforms.panther.importing.python.shapes import Shape
from converter.platforms.panther.importing.python.stripped import STRIPPING, stripped
from converter.platforms.panther.importing.python.stripped import method as of_stripped
from converter.platforms.panther.importing.python.subscripts import look_up
from converter.platforms.panther.importing.python.texts import edge_of_constant, joined, text_method
from converter.platforms.panther.importing.python.truth import text_question, truth
from converter.platforms.panther.importing.python.values import (
    NONE,
    Address,
    Beside,
    Collection,
    Entry,
    Field,
    Found,
    Instance,
    Keyed,
    Known,
    Network,
    Number,
    Opaque,
    Outcome,
    Parent,
    Part,
    Pattern,
    Pieces,
    Routine,
    SeveralModelsError,
    Stripped,
    Table,
    Text,
    Truth,
    UnreadableError,
    Value,
    Walked,
    gathered,
    one,
    raising,
    when,
)

if TYPE_CHECKING:
    from converter.platforms.panther.importing.python.interpreter import Interpreter

_OF_SETS: Final = frozenset({*SETS, "isdisjoint", "issubset", "issuperset"})


class Methods:
    """Reads calls of methods for an interpreter."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self._machine = interpreter.machine

    def call(
        self, owner: Value, name: str, positional: list[Value], named: dict[str, Value], node: ast.AST
    ) -> Outcome:
        """A method of a value."""
        match owner:
            case Opaque():
                return one(owner)
            case Field() if self._is_object_method(owner, name):
                return self._of_object(owner, name, positional, named, node)
            case Field() if self._machine.shape(owner) is Shape.LIST:
                if name in ("copy", "as_list"):
                    return one(owner)
                if name in ("lower", "upper", "startswith", "endswith", "split", "strip", "get"):
                    return raising("AttributeError")
                raise UnreadableError(f".{name}() of a list of the event", node)
            case Field() | Text() if name in STRIPPING and (positional or name != "strip"):
                return stripped(owner, name, positional)
            case Stripped():
                return of_stripped(owner, name, positional)
            case Field() | Text() | Part():
                return self._of_text(owner, name, positional, named)
            case Known(known):
                return self._of_constant(known, name, positional, named, node)
            case Pattern() if name in regexes.SEARCHES and positional:
                return regexes.search(self._machine, owner, name, positional[0])
            case Collection() | Pieces() | Walked():
                return self._of_collection(owner, name, positional, node)
            case Keyed() if name == "get" and positional and isinstance(positional[0], Known):
                default = positional[1] if len(positional) > 1 else NONE
                return looked_up(self._machine, owner, positional[0].value, default)
            case Table():
                return self._of_table(owner, name, positional)
            case Address() if name in ("subnet_of", "overlaps") and isinstance(positional[0], Network):
                return contains(self._machine, owner, positional[0])
            case Network() if name in ("supernet_of", "overlaps") and isinstance(positional[0], Address):
                return contains(self._machine, positional[0], owner)
            case Truth() | Number() | Address() | Network():
                raise UnreadableError(f".{name}() of a {type(owner).__name__.lower()}", node)
            case Found():
                raise UnreadableError(f".{name}() of a match of a regular expression", node)
            case Instance() | Beside() | Parent():
                raise UnreadableError(f".{name}()", node)
        raise UnreadableError(f".{name}() of a {type(owner).__name__.lower()}", node)

    def _is_object_method(self, owner: Field, name: str) -> bool:
        if name in ("get", "deep_get", "deep_walk", "udm", "items", "keys", "values", "lookup", "to_dict"):
            return True
        return self._machine.shape(owner) is Shape.OBJECT

    def _of_object(
        self, owner: Field, name: str, positional: list[Value], named: dict[str, Value], node: ast.AST
    ) -> Outcome:
        machine = self._machine
        default = named.get("default", NONE)
        match name, positional:
            case "get", [key]:
                if (
                    machine.shape(owner) in (Shape.TEXT, Shape.NUMBER, Shape.BOOLEAN, Shape.LIST)
                    and owner.steps
                ):
                    return raising("AttributeError")
                return events.get(machine, owner, key, default)
            case "get", [key, given]:
                return events.get(machine, owner, key, given)
            case "deep_get", keys:
                return events.deep_get(machine, owner, keys, default)
            case "deep_walk", keys:
                wanted = named.get("return_val", Known("all"))
                return events.deep_walk(
                    machine, owner, keys, default, str(wanted.value) if isinstance(wanted, Known) else "?"
                )
            case "udm", [key, *rest]:
                return self._udm(owner, key, rest[0] if rest else default, node)
            case (("keys" | "to_dict" | "copy"), []):
                return one(owner)
            case (("items" | "values"), []):
                raise UnreadableError(f".{name}() of an object of the event: keys that are not known", node)
            case "lookup", _:
                raise UnreadableError("a look-up in a table of Panther's (lookup)", node, code="lookup")
            case "event_time_epoch", _:
                raise UnreadableError("the time of the event", node, code="clock")
        raise UnreadableError(f".{name}() of an object of the event", node)

    def _udm(self, owner: Field, key: Value, default: Value, node: ast.AST) -> Outcome:
        """``event.udm(name)``: what the log type's data model says; log types with several are told apart."""
        if not isinstance(key, Known) or not isinstance(key.value, str):
            raise UnreadableError("udm() of what is no constant", node)
        models = self._machine.data_models()
        if not any(model for _, model in models) and not self._machine.modules.has_data_models():
            message = f"{key.value} of the data models (udm), of which none is beside the rule"
            raise UnreadableError(message, node, code="data-model")
        meanings: dict[str, list[str]] = {}
        chosen: dict[str, DataModel | None] = {}
        for names, model in models:
            meaning = _meaning(model, key.value)
            meanings.setdefault(meaning, []).extend(names)
            chosen.setdefault(meaning, model)
        if len(meanings) < 2:
            return self._by_model(next(iter(chosen.values()), None), owner, key, default, node)
        if not self._machine.lenient:
            raise SeveralModelsError
        cases = []
        raises = []
        rest: Formula = TRUE
        for meaning, types in meanings.items():
            guard = self._machine.here(both(rest, events.log_type_is(types)))
            rest = both(rest, opposite(events.log_type_is(types)))
            if guard == FALSE:
                continue
            with self._machine.given(guard):
                found = self._by_model(chosen[meaning], owner, key, default, node)
            cases += [(both(guard, each), value) for each, value in found.cases]
            raises += [(both(guard, each), name) for each, name in found.raises]
        with self._machine.given(rest):
            found = events.deep_get(self._machine, owner, [key], default)
        cases += [(both(rest, each), value) for each, value in found.cases]
        return gathered(cases, raises)

    def _by_model(
        self, model: DataModel | None, owner: Field, key: Known, default: Value, node: ast.AST
    ) -> Outcome:
        """Panther documentation, Data Models: a path or a method; without either, the event's own key."""
        if model is None or key.value not in {*model.paths, *model.methods}:
            return events.deep_get(self._machine, owner, [key], default)
        if key.value in model.paths:
            return events.at_path(self._machine, owner, model.paths[key.value], default)
        if model.source is None:
            raise UnreadableError("a method of a data model that is not beside the rule", node)
        routine = self._model_method(model.source, model.methods[key.value], node)
        result = self._interpreter.invoke(routine, [one(owner)], {})
        return events.or_default(self._machine, result, default) if default != NONE else result

    def _model_method(self, where: PythonSource, name: str, node: ast.AST) -> Routine:
        found: Value | None = None
        if where.class_name is not None:
            try:
                instance = Instance(where, where.class_name)
                found = self._interpreter.names.member(where, where.class_name, name, instance).single
            except UnreadableError:
                found = None
        if found is None:
            found = self._interpreter.names.of_module(name, where, node).single
        if not isinstance(found, Routine):
            raise UnreadableError(f"the data model's method {name}", node)
        return found

    def _of_text(
        self, owner: Field | Text | Part, name: str, positional: list[Value], named: dict[str, Value]
    ) -> Outcome:
        if name == "split" and "sep" in named:
            positional = [named.pop("sep"), *positional]
        if "maxsplit" in named:
            positional = [*positional, named.pop("maxsplit")]
        if named:
            raise UnreadableError(f".{name}() with named arguments")
        numeric = isinstance(owner, Field) and self._machine.shape(owner) in (Shape.NUMBER, Shape.BOOLEAN)
        if isinstance(owner, Field) and numeric and self._machine.declared(owner):
            return raising("AttributeError")
        return text_method(self._machine, owner, name, positional, text_question)

    def _of_constant(
        self, known: Any, name: str, positional: list[Value], named: dict[str, Value], node: ast.AST
    ) -> Outcome:
        plain = [value.value for value in (*positional, *named.values()) if isinstance(value, Known)]
        if known is None:
            return raising("AttributeError")
        if len(plain) == len(positional) + len(named):
            given = [value.value for value in positional if isinstance(value, Known)]
            keywords = {key: value.value for key, value in named.items() if isinstance(value, Known)}
            try:
                return one(Known(constants.call_method(known, name, given, keywords)))
            except constants.ERRORS as error:
                return raising(type(error).__name__)
        match known, name, positional:
            case dict(), "get", [Field() | Text() as key, *rest]:
                return look_up(self._machine, known, key, rest[0] if rest else NONE)
            case str(), ("startswith" | "endswith"), [Field() | Text() as text]:
                return edge_of_constant(self._machine, known, name, text, text_question)
            case str(), "format", _:
                return self._formatted(known, positional, named)
            case str(), "join", [value]:
                return self._joined(known, value, node)
            case ((set() | frozenset()), _, [other]) if name in _OF_SETS:
                return self._of_set(Known(known), name, other)
            case dict(), "get", [key, default]:
                return one(
                    Known(known[key.value]) if isinstance(key, Known) and key.value in known else default
                )
        raise UnreadableError(f".{name}() with values of the event", node)

    def _formatted(self, text: str, positional: list[Value], named: dict[str, Value]) -> Outcome:
        parts: list[Value] = []
        pieces = text.split("{}")
        if named or len(pieces) != len(positional) + 1 or any("{" in piece for piece in pieces):
            raise UnreadableError("a format specification")
        for piece, value in zip(pieces, positional, strict=False):
            parts += [Known(piece), value]
        return joined(self._machine, [*parts, Known(pieces[-1])])

    def _joined(self, separator: str, value: Value, node: ast.AST) -> Outcome:
        entries = events.entries_of(self._machine, value)
        if any(entry.binders or entry.include != TRUE or entry.value.single is None for entry in entries):
            raise UnreadableError("the elements of a list joined to a text", node)
        parts: list[Value] = []
        for entry in entries:
            single = entry.value.single
            assert single is not None
            parts += [Known(separator), single] if parts else [single]
        return joined(self._machine, parts)

    def _of_collection(self, owner: Value, name: str, positional: list[Value], node: ast.AST) -> Outcome:
        match name, positional:
            case (_, [other]) if name in _OF_SETS:
                return self._of_set(owner, name, other)
            case (("copy" | "keys"), []):
                return one(owner)
        raise UnreadableError(f".{name}() of a collection that depends on the event", node)

    def _of_set(self, owner: Value, name: str, other: Value) -> Outcome:
        machine = self._machine
        if name in SETS:
            return SETS[name](machine, owner, other)
        match name:
            case "isdisjoint":
                common = intersection(machine, owner, other).single
                assert common is not None
                return when(opposite(truth(machine, common)))
            case "issuperset":
                owner, other = other, owner
        return when(subset(machine, events.entries_of(machine, owner), events.entries_of(machine, other)))

    def _of_table(self, owner: Table, name: str, positional: list[Value]) -> Outcome:
        match name, positional:
            case "get", [Known(key), *rest]:
                for each, outcome in owner.entries:
                    if each == key:
                        return outcome
                return one(rest[0] if rest else NONE)
            case "values", []:
                return one(Collection("list", tuple(Entry(outcome) for _, outcome in owner.entries)))
            case "keys", []:
                return one(Known([key for key, _ in owner.entries]))
            case "items", []:
                pairs = (
                    Entry(one(Collection("tuple", (Entry(one(Known(key))), Entry(outcome)))))
                    for key, outcome in owner.entries
                )
                return one(Collection("list", tuple(pairs)))
        raise UnreadableError(f".{name}() of a dict that depends on the event")


def _meaning(model: DataModel | None, name: str) -> str:
    """What tells apart what two data models say of a name."""
    if model is None or name not in {*model.paths, *model.methods}:
        return ""
    where = "" if model.source is None else model.source.file
    return f"path {model.paths[name]}" if name in model.paths else f"method {model.methods[name]} {where}"
