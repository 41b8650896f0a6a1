"""Calls: of the user's functions, of methods, and of Python's and Panther's own functions."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from converter.platforms.panther.importing.python import events, functions
from converter.platforms.panther.importing.python.formulas import both
from converter.platforms.panther.importing.python.frames import Frame
from converter.platforms.panther.importing.python.methods import Methods
from converter.platforms.panther.importing.python.nodes import TRUE, opposite
from converter.platforms.panther.importing.python.scopes import changed_names
from converter.platforms.panther.importing.python.values import (
    Kind,
    Known,
    Library,
    Method,
    Opaque,
    Outcome,
    Parent,
    Routine,
    Table,
    UnreadableError,
    Value,
    one,
)

if TYPE_CHECKING:
    from converter.platforms.panther.importing.python.interpreter import Interpreter


class Calls:
    """Reads calls for an interpreter."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self._machine = interpreter.machine
        self._methods = Methods(interpreter)

    def call(self, node: ast.Call, frame: Frame) -> Outcome:
        """What a call gives."""
        if isinstance(node.func, ast.Name) and node.func.id == "super" and "super" not in frame.env:
            return self._super(frame)
        called = self._interpreter.value(node.func, frame)
        return self._machine.bind(called, lambda value: self._called(value, node, frame))

    def _called(self, value: Value, node: ast.Call, frame: Frame) -> Outcome:
        if isinstance(value, Opaque):
            return one(value)
        if isinstance(value, Routine):
            return self._routine(value, node, frame)

        def taken(arguments: list[Value]) -> Outcome:
            try:
                return self._with_arguments(value, arguments, node)
            except UnreadableError as error:
                return self._machine.opaque(error, node, frame.source)

        return self._machine.bind_all(self._evaluations(node, frame), taken)

    def _evaluations(self, node: ast.Call, frame: Frame) -> list[Callable[[], Outcome]]:
        def evaluation(expression: ast.expr) -> Callable[[], Outcome]:
            return lambda: self._interpreter.value(expression, frame)

        plain = [each.value if isinstance(each, ast.Starred) else each for each in node.args]
        return [evaluation(each) for each in (*plain, *(keyword.value for keyword in node.keywords))]

    def _with_arguments(self, called: Value, values: list[Value], node: ast.Call) -> Outcome:
        positional: list[Value] = []
        for expression, value in zip(node.args, values, strict=False):
            if isinstance(expression, ast.Starred):
                for entry in events.entries_of(self._machine, value):
                    single = entry.value.single
                    if single is None or entry.binders or entry.include != TRUE:
                        raise UnreadableError("starred arguments that depend on the event", node)
                    positional.append(single)
            else:
                positional.append(value)
        named: dict[str, Value] = {}
        for keyword, value in zip(node.keywords, values[len(node.args) :], strict=True):
            if keyword.arg is None:
                raise UnreadableError("arguments from a dict", node)
            named[keyword.arg] = value
        return self.apply(called, positional, named, node)

    def apply(
        self, called: Value, positional: list[Value], named: dict[str, Value], node: ast.AST
    ) -> Outcome:
        """A call of a value with arguments that are known one by one."""
        for value in (*positional, *named.values()):
            if isinstance(value, Opaque):
                return one(value)
        match called:
            case Routine():
                given = [one(value) for value in positional]
                return self._interpreter.invoke(called, given, {key: one(v) for key, v in named.items()})
            case Method(owner, name):
                return self._methods.call(owner, name, positional, named, node)
            case Library(name):
                return functions.call(self._interpreter, name, positional, named, node)
            case Kind(_, name):
                raise UnreadableError(f"an object of the class {name}", node)
        raise UnreadableError("a call of what is no known function", node)

    def _routine(self, routine: Routine, node: ast.Call, frame: Frame) -> Outcome:
        """The user's own function; its arguments keep all their cases."""
        positional: list[Outcome] = []
        named: dict[str, Outcome] = {}
        raises: list[tuple[Any, str]] = []
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                single = self._interpreter.value(argument.value, frame).single
                if single is None:
                    raise UnreadableError("starred arguments that depend on the event", node)
                positional += [entry.value for entry in events.entries_of(self._machine, single)]
                continue
            found = self._interpreter.value(argument, frame)
            raises += found.raises
            positional.append(Outcome(found.cases))
        for keyword in node.keywords:
            found = self._interpreter.value(keyword.value, frame)
            raises += found.raises
            if keyword.arg is None:
                match found.single:
                    case Known(dict() as known):
                        named |= {str(key): one(Known(each)) for key, each in known.items()}
                    case Table(entries):
                        named |= {str(key): outcome for key, outcome in entries}
                    case _:
                        raise UnreadableError("arguments from a dict", node)
            else:
                named[keyword.arg] = Outcome(found.cases)
        fine = both(*(opposite(guard) for guard, _ in raises))
        with self._machine.given(fine):
            result = self._interpreter.invoke(routine, positional, named, frame.env)
        self._forget(routine, frame, node)
        if not raises:
            return result
        cases = tuple((both(fine, guard), value) for guard, value in result.cases)
        return Outcome(cases, (*raises, *((both(fine, guard), name) for guard, name in result.raises)))

    def _forget(self, routine: Routine, frame: Frame, node: ast.Call) -> None:
        """Attributes that a method sets on ``self`` are not known after its call."""
        if routine.bound is None or isinstance(routine.node, ast.Lambda):
            return
        for name in changed_names(routine.node.body):
            if name.startswith("self."):
                residue = self._machine.residue(f"{name}, which a method sets", node, frame.source)
                frame.env[name] = one(Opaque(residue))

    def _super(self, frame: Frame) -> Outcome:
        if frame.instance is None or frame.owner is None:
            raise UnreadableError("super() outside a method")
        return one(Parent(frame.instance, (frame.source.file, frame.owner)))
