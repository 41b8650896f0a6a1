"""Names and attributes: local ones, the module's, Python's, those of other modules and of classes."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from converter.platforms.panther.importing.python import regexes
from converter.platforms.panther.importing.python.documented import DOCUMENTED, is_documented
from converter.platforms.panther.importing.python.frames import Frame
from converter.platforms.panther.importing.python.holding import Holding
from converter.platforms.panther.importing.python.interface import PythonSource
from converter.platforms.panther.importing.python.nodes import TRUE, Formula, opposite
from converter.platforms.panther.importing.python.scopes import (
    BUILTINS,
    Assigned,
    Binding,
    Imported,
    Unclear,
    bases_of,
    class_scope,
    find_class,
    located_class,
    module_scope,
)
from converter.platforms.panther.importing.python.subscripts import item
from converter.platforms.panther.importing.python.truth import unpacked_part
from converter.platforms.panther.importing.python.values import (
    Address,
    Beside,
    Collection,
    Instance,
    Kind,
    Known,
    Library,
    Method,
    Network,
    Outcome,
    Parent,
    Pieces,
    Routine,
    UnreadableError,
    Value,
    one,
    raising,
)

if TYPE_CHECKING:
    from converter.platforms.panther.importing.python.interpreter import Interpreter

_DEEPEST = 12
HELPERS: Final = frozenset({"deep_get", "deep_walk"})
"""Helpers with a documented meaning (Panther documentation, Globals), taken from any Panther module."""


class Names:
    """Looks names up for an interpreter."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self._values: dict[tuple[str, str, str], Outcome] = {}
        self._looking: set[tuple[str, str, str]] = set()

    def name(self, name: str, frame: Frame, node: ast.AST) -> Outcome:
        """What a name stands for where it is used."""
        here: Frame | None = frame
        while here is not None:
            if name in here.env:
                return self._interpreter.machine.narrowed(here.env[name])
            here = here.outer
        return self.of_module(name, frame.source, node)

    def of_module(self, name: str, source: PythonSource, node: ast.AST) -> Outcome:
        """What the top level of a module binds a name to, or Python itself."""
        scope = module_scope(source)
        bound = scope.names.get(name)
        if bound is not None:
            return self._bound(bound, name, source, None)
        for module in scope.everything:
            found = self._interpreter.machine.modules.find(module, source)
            if found is not None and name in module_scope(found).names:
                return self.of_module(name, found, node)
        if name in BUILTINS:
            return one(Library(name))
        raise UnreadableError(f"the name {name}, which nothing here defines", node, code="unknown-name")

    def _bound(self, bound: Binding, name: str, source: PythonSource, owner: str | None) -> Outcome:
        match bound:
            case ast.FunctionDef():
                return one(Routine(bound, source, None, None, owner))
            case ast.ClassDef():
                return one(Kind(source, name))
            case Imported(module, None):
                return one(self._module(module, source))
            case Imported(module, str() as member):
                return self._member(module, member, source)
            case Assigned():
                return self._constant(bound, name, source, owner)
            case Unclear(node):
                raise UnreadableError(f"{name}, which is bound in more than one way", node)
        raise UnreadableError(f"the name {name}")

    def _constant(self, bound: Assigned, name: str, source: PythonSource, owner: str | None) -> Outcome:
        key = (source.file, owner or "", name)
        if key in self._values:
            return self._values[key]
        if key in self._looking:
            raise UnreadableError(f"{name}, which is defined by itself")
        self._looking.add(key)
        machine = self._interpreter.machine
        before, machine.facts = machine.facts, Holding()
        try:
            env: dict[str, Outcome] = {}
            if owner is not None:
                env = self.class_body(source, owner, bound.value)
            found = self._interpreter.value(bound.value, Frame(env, source, owner))
            for index in bound.path:
                found = machine.bind(found, lambda value, i=index: item(machine, value, Known(i)))  # type: ignore[misc]
        finally:
            machine.facts = before
            self._looking.discard(key)
        self._values[key] = found
        return found

    def class_body(self, source: PythonSource, owner: str, expression: ast.expr) -> dict[str, Outcome]:
        """The constants of a class body that an expression within it uses."""
        node = find_class(module_scope(source), owner)
        env: dict[str, Outcome] = {}
        if node is None:
            return env
        names = class_scope(source, node).names
        for each in ast.walk(expression):
            bound = names.get(each.id) if isinstance(each, ast.Name) else None
            if isinstance(each, ast.Name) and isinstance(bound, Assigned):
                if (source.file, owner, each.id) in self._looking:
                    continue
                env[each.id] = self._constant(bound, each.id, source, owner)
        return env

    def imported(self, bound: Imported, source: PythonSource) -> Outcome:
        """What an import statement within a function binds a name to."""
        return self._bound(bound, bound.name or bound.module, source, None)

    def _module(self, module: str, source: PythonSource) -> Value:
        found = self._interpreter.machine.modules.find(module, source)
        return Beside(found) if found is not None else Library(module)

    def _member(self, module: str, member: str, source: PythonSource) -> Outcome:
        if member in HELPERS and "panther" in module:
            return one(Library(f"panther.{member}"))
        modules = self._interpreter.machine.modules
        found = modules.find(module, source)
        if found is not None:
            scope = module_scope(found)
            if member in scope.names or scope.everything:
                return self.of_module(member, found, ast.Pass())
        joined = f"{module}{member}" if module.endswith(".") else f"{module}.{member}"
        inner = modules.find(joined, source)
        return one(Beside(inner)) if inner is not None else self._of_library(module, member)

    def _of_library(self, module: str, member: str) -> Outcome:
        """A member of a module that is not the user's."""
        if not is_documented(module, member):
            return one(Library(f"{module}{member}" if module.endswith(".") else f"{module}.{member}"))
        message = f"{module} is not beside the rule; {member} is read as it is documented"
        self._interpreter.machine.note("documented-helper", message)
        return self.of_module(member, DOCUMENTED, ast.Pass())

    # -- attributes

    def attribute(self, owner: Value, name: str, node: ast.AST) -> Outcome:
        """``owner.name``."""
        match owner:
            case Library(module):
                return self._of_library(module, name)
            case Beside(source):
                return self.of_module(name, source, node)
            case Instance(source, class_name):
                return self.member(source, class_name, name, owner)
            case Parent(instance, (file, class_name)):
                found = self._inherited(instance, file, class_name, name)
                if found is not None:
                    return found
                raise UnreadableError(f"super().{name}", node)
            case Kind(source, class_name):
                return self.member(source, class_name, name, None)
            case Known(str() | int() as known) if name in ("value",) and not hasattr(known, name):
                return one(owner)
            case Address() | Network() if name in ("network_address", "ip"):
                return one(owner)
            case Network(text) if name == "version":
                return one(Known(6 if ":" in text else 4))
            case Address() if name == "version":
                four = regexes.version_is(owner, 4)
                return Outcome(((four, Known(4)), (opposite(four), Known(6))))
            case Address() if name.startswith("is_"):
                return regexes.property_of(owner, name)
            case Known(known) if type(known).__module__ == "ipaddress" and name.startswith("is_"):
                return one(Known(bool(getattr(known, name, False))))
            case _:
                return one(Method(owner, name))

    def member(self, source: PythonSource, class_name: str, name: str, instance: Instance | None) -> Outcome:
        """An attribute or method of a class, its own or inherited."""
        found = self._lookup(source, class_name, name, instance, 0)
        if found is None:
            raise UnreadableError(f"the attribute {class_name}.{name}, which is not found")
        return found

    def _lookup(
        self, source: PythonSource, class_name: str, name: str, instance: Instance | None, depth: int
    ) -> Outcome | None:
        node = find_class(module_scope(source), class_name)
        if node is None:
            where, real, node = located_class(
                source, module_scope(source), class_name, self._interpreter.machine.modules
            )
            if where is None or node is None:
                return None
            source, class_name = where, real
        bound = class_scope(source, node).names.get(name)
        if isinstance(bound, ast.FunctionDef):
            return self._method(bound, source, class_name, instance)
        if bound is not None:
            return self._bound(bound, name, source, class_name)
        return self._above(source, node, name, instance, depth)

    def _above(
        self, source: PythonSource, node: ast.ClassDef, name: str, instance: Instance | None, depth: int
    ) -> Outcome | None:
        if depth > _DEEPEST:
            return None
        for where, base, _ in bases_of(source, node, self._interpreter.machine.modules):
            if where is not None:
                found = self._lookup(where, base, name, instance, depth + 1)
                if found is not None:
                    return found
        return None

    def _inherited(self, instance: Instance, file: str, class_name: str, name: str) -> Outcome | None:
        """What ``super()`` in a method of a class finds."""
        found = self._class_in(instance.source, instance.class_name, file, class_name, 0)
        if found is None:
            return None
        source, node = found
        return self._above(source, node, name, instance, 0)

    def _class_in(
        self, source: PythonSource, name: str, file: str, wanted: str, depth: int
    ) -> tuple[PythonSource, ast.ClassDef] | None:
        node = find_class(module_scope(source), name)
        if node is None or depth > _DEEPEST:
            return None
        if (source.file, name) == (file, wanted):
            return source, node
        for where, base, _ in bases_of(source, node, self._interpreter.machine.modules):
            if where is not None:
                found = self._class_in(where, base, file, wanted, depth + 1)
                if found is not None:
                    return found
        return None

    def _method(
        self, node: ast.FunctionDef, source: PythonSource, owner: str, instance: Instance | None
    ) -> Outcome:
        kinds = {each.id for each in node.decorator_list if isinstance(each, ast.Name)}
        bound: Value | None = instance
        if "staticmethod" in kinds:
            bound = None
        elif "classmethod" in kinds:
            bound = instance or Kind(source, owner)
        routine = Routine(node, source, None, bound, owner)
        if "property" in kinds and instance is not None:
            return self._interpreter.invoke(routine, [], {})
        return one(routine)

    # -- assignment

    def assign(self, target: ast.expr, found: Outcome, frame: Frame) -> list[tuple[Formula, str]]:
        """Bind a target to a value, unpacking where it is a tuple; what that raises."""
        raises: list[tuple[Formula, str]] = []
        match target:
            case ast.Name(id=name):
                frame.env[name] = found
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                frame.env[f"self.{name}"] = found
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                machine = self._interpreter.machine
                for index, part in enumerate(parts):
                    picked = machine.bind(found, lambda value, i=index: self._unpacked(value, i, len(parts)))  # type: ignore[misc]
                    raises += [*picked.raises, *self.assign(part, Outcome(picked.cases), frame)]
            case _:
                raise UnreadableError(f"an assignment to a {type(target).__name__}", target)
        return list(dict.fromkeys(raises))

    def _unpacked(self, value: Value, index: int, size: int) -> Outcome:
        machine = self._interpreter.machine
        match value:
            case Collection(_, entries) if len(entries) == size and all(
                not entry.binders and entry.include == TRUE for entry in entries
            ):
                return entries[index].value
            case Known((*known,)):
                return one(Known(known[index])) if len(known) == size else raising("ValueError")
            case Pieces() if value.most < 0:
                return unpacked_part(value, index, size)
            case Pieces() if value.most == size - 1 or index == 0:
                return item(machine, value, Known(index))
        raise UnreadableError("an unpacking of a value of the event")
