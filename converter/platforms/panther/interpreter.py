"""Reads Python detections by interpreting their syntax tree over abstract values; nothing is executed.

What is interpreted is the structure: early returns, boolean operators, comparisons, comprehensions under
``any`` and ``all``, constants, local names, and the functions of the helper library, which are known by
their bodies. Comparisons mean what Python makes of well-formed events: ``==`` between a text and a number is
never true. Keys are taken as written, although Panther ignores their case.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Final

from converter.model.expressions import FALSE, TRUE, Expression
from converter.model.paths import FieldPath
from converter.platforms.panther import abstract as a
from converter.platforms.panther.abstract import Condition, UnreadableError, Value
from converter.platforms.panther.calls import Calls
from converter.platforms.panther.comparisons import compared
from converter.platforms.panther.fields import Fields, Kind
from converter.platforms.panther.library import IMPORTS, helpers, shape
from converter.platforms.panther.syntax import syntax_tree

_BUILTINS: Final = frozenset({"any", "all", "str", "bool", "len", "tuple", "list", "set", "sorted"})
Env = Mapping[str, Value]


class Interpreter:
    """One Python file. Raises UnreadableError when it is no Python, or none that has a canonical meaning."""

    def __init__(self, source: str, fields: Fields) -> None:
        try:
            self._module = syntax_tree(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise UnreadableError(f"not Python: {error}") from error
        self._fields = fields
        self._bases: dict[int, tuple[str, ...]] = {0: ()}
        self._functions: dict[str, ast.FunctionDef] = {}
        self._constants: dict[str, ast.expr] = {}
        self._imported: dict[str, str] = {}
        self._values: dict[str, Value] = {}
        self._next = 0
        self._calls = Calls(self)
        for statement in self._module.body:
            self._top_level(statement)

    def function(self, name: str) -> bool:
        """Whether the file defines this function."""
        return name in self._functions

    def condition(self, name: str) -> Expression:
        """What makes a function of the event return True."""
        found = self.block(self._body(name), self._arguments(name))
        if found.open or found.scopes - {0}:
            raise UnreadableError(f"{name}() speaks of something that is not the event")
        return found.expression

    def returned(self, name: str) -> Value:
        """The value of a function whose body is assignments and one ``return``."""
        return self._run(self._body(name), dict(self._arguments(name)))

    def statements(self, name: str) -> list[ast.stmt]:
        """A function's body without its docstring."""
        return self._body(name)

    def evaluate_in(self, name: str, node: ast.expr) -> Value:
        """An expression of a function's body, with the event as its argument."""
        return self.value(node, self._arguments(name))

    # -- statements

    def block(self, statements: list[ast.stmt], env: Env) -> Condition:
        """What makes the statements return True; falling off the end returns nothing, which is no True."""
        local = dict(env)
        for position, statement in enumerate(statements):
            match statement:
                case ast.Return(value=None):
                    return a.NEVER
                case ast.Return(value=ast.expr() as value):
                    return self.truth(self.value(value, local), value)
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    local[name] = self.value(value, local)
                case ast.If(test=test, body=body, orelse=orelse):
                    rest = statements[position + 1 :]
                    found = self.truth(self.value(test, local), test)
                    inside = self.block([*body, *rest], local)
                    outside = self.block([*orelse, *rest], local)
                    return _chosen(found, inside, outside, statement)
                case ast.Expr(value=ast.Constant()) | ast.Pass():
                    continue
                case _:
                    raise UnreadableError(f"a {type(statement).__name__} statement", statement)
        return a.NEVER

    def _run(self, statements: list[ast.stmt], env: dict[str, Value]) -> Value:
        for statement in statements:
            match statement:
                case ast.Return(value=ast.expr() as value):
                    return self.value(value, env)
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    env[name] = self.value(value, env)
                case _:
                    raise UnreadableError(f"a {type(statement).__name__} statement", statement)
        raise UnreadableError("a function that returns nothing")

    # -- expressions

    def value(self, node: ast.expr, env: Env) -> Value:
        """The abstract value of an expression."""
        match node:
            case ast.Constant(value=value):
                return a.Constant(value)
            case ast.Name(id=name):
                return self._name(name, env, node)
            case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items):
                return a.Several(tuple(self.value(item, env) for item in items))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self._not(self.value(operand, env), node)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return a.Constant(-number)
            case ast.BoolOp(op=operator, values=values):
                found = [self.truth(self.value(value, env), value) for value in values]
                return a.both(found, node) if isinstance(operator, ast.And) else a.either(found)
            case ast.Compare():
                return self._compare(node, env)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return _added(self.value(left, env), self.value(right, env), node)
            case ast.Attribute(value=owner, attr=name):
                return self._attribute(self.value(owner, env), name)
            case ast.Call():
                return self._calls.call(node, env)
            case ast.ListComp():
                return self._calls.list_of(node, env)
            case _:
                raise UnreadableError(f"a {type(node).__name__} expression", node)

    def truth(self, value: Value, node: ast.AST | None = None) -> Condition:
        """When a value counts as true."""
        match value:
            case Condition():
                return value
            case a.Constant(value=constant):
                return a.ALWAYS if constant else a.NEVER
            case a.Gathered(kind="raw" | "text"):
                return a.some_value(value)
            case a.Match(found):
                return found
            case a.Inside():
                return self._calls.inside(value, node)
            case _:
                raise UnreadableError(f"the truth of a {type(value).__name__}", node)

    def bind(self, source: a.Gathered) -> int:
        """A number for a variable that stands for one of these values."""
        self._next += 1
        if isinstance(source.subject, FieldPath):
            base = () if source.subject.rooted else self._bases[source.scope]
            self._bases[self._next] = base + source.subject.keys
        return self._next

    def _kind(self, lookup: a.Lookup) -> Kind:
        base = () if lookup.path.rooted else self._bases[lookup.scope]
        return self._fields.kind(lookup.path.steps, base)

    # -- parts

    def _compare(self, node: ast.Compare, env: Env) -> Condition:
        terms = [self.value(term, env) for term in (node.left, *node.comparators)]
        found = [
            compared(left, type(operator), right, self._kind, node)
            for left, operator, right in zip(terms, node.ops, terms[1:], strict=False)
        ]
        return found[0] if len(found) == 1 else a.both(found, node)

    def _not(self, value: Value, node: ast.AST) -> Value:
        if isinstance(value, a.Inside):
            return a.Inside(value.element, value.networks, not value.positive)
        return a.opposite(self.truth(value, node), node)

    def _attribute(self, owner: Value, name: str) -> Value:
        if isinstance(owner, a.Element) and owner.source.kind == "address" and name == "version":
            return a.Version(owner)
        if isinstance(owner, a.Named):
            return a.Named(f"{owner.name}.{name}")
        return a.Method(owner, name)

    def _name(self, name: str, env: Env, node: ast.AST) -> Value:
        if name in env:
            return env[name]
        if name in self._values:
            return self._values[name]
        if name in self._constants:
            self._values[name] = self.value(self._constants[name], {})
            return self._values[name]
        if name in self._functions:
            if self.knows(name):
                return a.Named(name)
            raise UnreadableError(f"the function {name}, which is not one of the known helpers", node)
        if name in self._imported or name in _BUILTINS:
            return a.Named(name)
        raise UnreadableError(f"the name {name}", node)

    def knows(self, name: str) -> bool:
        """Whether a function of the file, and all that it uses, is the helper of that name."""
        known = helpers().get(name)
        if known is None or shape(self._functions[name]) != known.shape:
            return False
        for use in known.uses:
            if use in self._functions and not self._is_helper_or_itself(use, name):
                return False
            if use in helpers() and not helpers()[use].is_function and not self._same_constant(use):
                return False
        return True

    def _is_helper_or_itself(self, use: str, name: str) -> bool:
        return use == name or self.knows(use)

    def _same_constant(self, name: str) -> bool:
        node = self._constants.get(name)
        if node is None:
            return False
        assignment = ast.Assign(targets=[ast.Name(id=name, ctx=ast.Store())], value=node)
        return shape(assignment) == helpers()[name].shape

    def _arguments(self, name: str) -> Env:
        arguments = self._functions[name].args.args
        if len(arguments) != 1:
            raise UnreadableError(f"{name}() takes {len(arguments)} arguments", self._functions[name])
        return {arguments[0].arg: a.Mapped(0)}

    def _body(self, name: str) -> list[ast.stmt]:
        function = self._functions.get(name)
        if function is None:
            raise UnreadableError(f"there is no function {name}()")
        has_docstring = ast.get_docstring(function, clean=False) is not None
        return function.body[1:] if has_docstring else function.body

    def _top_level(self, statement: ast.stmt) -> None:
        match statement:
            case ast.FunctionDef(name=name):
                self._functions[name] = statement
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self._constants[name] = value
            case ast.Import(names=names):
                self._imported.update({alias.asname or alias.name: alias.name for alias in names})
            case ast.ImportFrom(module=module, names=names):
                for alias in names:
                    if IMPORTS.get(alias.name) == f"from {module} import {alias.name}" and not alias.asname:
                        self._imported[alias.name] = alias.name
            case ast.Expr(value=ast.Constant()):
                pass
            case _:
                raise UnreadableError(f"a {type(statement).__name__} at top level", statement)


def _chosen(test: Condition, inside: Condition, outside: Condition, node: ast.AST) -> Condition:
    """``inside`` where the test holds, else ``outside``."""
    if inside.expression == FALSE:
        return a.both([a.opposite(test, node), outside], node)
    if inside.expression == TRUE:
        return a.either([test, outside])
    if outside.expression == FALSE:
        return a.both([test, inside], node)
    other = a.both([a.opposite(test, node), outside], node)
    return a.either([a.both([test, inside], node), other])


def _added(left: Value, right: Value, node: ast.AST) -> Value:
    match left, right:
        case a.Constant(value=str() as one), a.Constant(value=str() as other):
            return a.Constant(one + other)
        case _:
            return a.Joining((*_texts(left, node), *_texts(right, node)))


def _texts(value: Value, node: ast.AST) -> tuple[a.Element | str, ...]:
    match value:
        case a.Constant(value=str() as text):
            return (text,)
        case a.Element(source=a.Gathered(kind="text")):
            return (value,)
        case a.Joining(parts):
            return parts
        case _:
            raise UnreadableError("a sum of something that is no text", node)
