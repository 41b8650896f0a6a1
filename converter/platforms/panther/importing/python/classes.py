"""Rules in class form (pypanther): which classes of a text are rules, and their attributes as literals."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any, Final

from converter.model.diagnostics import Severity
from converter.platforms.panther.importing.python.frames import Frame
from converter.platforms.panther.importing.python.interface import (
    Attribute,
    Made,
    Modules,
    PythonSource,
    finding,
)
from converter.platforms.panther.importing.python.interpreter import Interpreter
from converter.platforms.panther.importing.python.machine import Machine
from converter.platforms.panther.importing.python.scopes import (
    Assigned,
    bases_of,
    class_scope,
    find_class,
    module_scope,
)
from converter.platforms.panther.importing.python.shapes import Shapes
from converter.platforms.panther.importing.python.values import (
    ExhaustedError,
    Known,
    Library,
    Opaque,
    Routine,
    UnreadableError,
)

BASE: Final = "Rule"
_DEEPEST: Final = 12


def rule_classes(source: PythonSource, modules: Modules) -> tuple[str, ...]:
    """The names of the classes that are rules: those that inherit, here or elsewhere, from ``Rule``."""
    try:
        scope = module_scope(source)
    except UnreadableError:
        return ()
    return tuple(node.name for node in scope.classes if _is_rule(source, node, modules, 0))


def _is_rule(source: PythonSource, node: ast.ClassDef, modules: Modules, depth: int) -> bool:
    for where, name, base in bases_of(source, node, modules):
        if name == BASE:
            return True
        if (
            where is not None
            and base is not None
            and depth < _DEEPEST
            and _is_rule(where, base, modules, depth + 1)
        ):
            return True
    return False


def class_attributes(source: PythonSource, modules: Modules) -> Mapping[str, Attribute]:
    """The attributes of the class ``source.class_name``, those of its bases included, as literals.

    Calls become :class:`Made`, members of enumerations their values (where the enumeration is not beside the
    rule, their names). An attribute that is no literal has a located problem instead of a value.
    """
    found: dict[str, Attribute] = {}
    try:
        node = find_class(module_scope(source), source.class_name or "")
        if node is not None:
            _collect(source, node, modules, found, 0)
    except UnreadableError:
        return found
    return found


def _collect(
    source: PythonSource, node: ast.ClassDef, modules: Modules, found: dict[str, Attribute], depth: int
) -> None:
    literals = _Literals(source, node.name, modules)
    for name, bound in class_scope(source, node).names.items():
        if name not in found and isinstance(bound, Assigned) and not bound.path:
            found[name] = literals.attribute(bound.value)
    if depth < _DEEPEST:
        for where, name, base in bases_of(source, node, modules):
            if where is not None and base is not None and name != BASE:
                _collect(where, base, modules, found, depth + 1)


class _Literals:
    def __init__(self, source: PythonSource, class_name: str, modules: Modules) -> None:
        self._source = source
        self._class_name = class_name
        self._interpreter = Interpreter(Machine(modules, (), Shapes(), {}))

    def attribute(self, node: ast.expr) -> Attribute:
        """The attribute's value, or why it has none."""
        try:
            return Attribute(self._literal(node), node.lineno)
        except (UnreadableError, ExhaustedError, RecursionError) as error:
            problem = finding(
                "no-literal",
                f"{error or 'it nests too deep'}: not a literal that can be read",
                file=self._source.file,
                node=getattr(error, "node", None) or node,
                severity=Severity.WARNING,
            )
            return Attribute(None, node.lineno, problem)

    def _literal(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=value):
                return value
            case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
                return [each for item in items for each in self._items(item)]
            case ast.Dict(keys=keys, values=values):
                return dict(self._pairs(keys, values))
            case ast.Call(func=function, args=arguments, keywords=keywords) if self._makes(function):
                name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "?")
                named = {keyword.arg or "**": self._literal(keyword.value) for keyword in keywords}
                return Made(name, tuple(map(self._literal, arguments)), named, node.lineno)
        return self._computed(node)

    def _items(self, node: ast.expr) -> Iterator[Any]:
        if not isinstance(node, ast.Starred):
            yield self._literal(node)
            return
        found = self._literal(node.value)
        if not isinstance(found, list | tuple | set | frozenset | dict | str):
            raise UnreadableError("what is unpacked into a list is none", node.value)
        yield from found

    def _pairs(self, keys: list[ast.expr | None], values: list[ast.expr]) -> Iterator[tuple[Any, Any]]:
        for key, value in zip(keys, values, strict=True):
            found = self._literal(value)
            if key is not None:
                named = self._literal(key)
                try:
                    hash(named)
                except TypeError as error:
                    raise UnreadableError("a key that is no constant", key) from error
                yield named, found
            elif isinstance(found, dict):
                yield from found.items()
            else:
                raise UnreadableError("a dict unpacked into another", value)

    def _makes(self, function: ast.expr) -> bool:
        """Whether a call makes an object (a capitalised name), rather than computing a constant."""
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        return bool(name) and name[:1].isupper()

    def _computed(self, node: ast.expr) -> Any:
        env = self._interpreter.names.class_body(self._source, self._class_name, node)
        found = self._interpreter.value(node, Frame(env, self._source, self._class_name)).single
        match found:
            case Known(value):
                return value
            case Library(name):
                return name.rpartition(".")[2]
            case Routine(node=ast.FunctionDef(name=name)):
                return name
            case Opaque(number):
                residue = self._interpreter.machine.residues[number]
                raise UnreadableError(residue.message, residue.node)
        raise UnreadableError("a value that is not constant", node)
