"""Names of a Python text: what its top level binds them to, and where its imports lead."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final, TypeAlias

import msgspec

from converter.platforms.panther.importing.python.interface import Modules, PythonSource
from converter.platforms.panther.importing.python.values import UnreadableError
from converter.platforms.panther.syntax import syntax_tree

_NESTED: Final = 4


class Assigned(msgspec.Struct, frozen=True):
    """A name with one assignment: the expression; ``path`` picks a part of what is unpacked."""

    value: ast.expr
    path: tuple[int, ...] = ()


class Imported(msgspec.Struct, frozen=True):
    """A name from an import: a module, or a name of one."""

    module: str
    name: str | None = None


class Unclear(msgspec.Struct, frozen=True):
    """A name that is bound in more than one way."""

    node: ast.AST


Binding: TypeAlias = Assigned | Imported | Unclear | ast.FunctionDef | ast.ClassDef


class Scope(msgspec.Struct, frozen=True):
    """What a module or class body binds. ``everything``: modules imported with a star."""

    names: dict[str, Binding]
    everything: tuple[str, ...] = ()
    classes: tuple[ast.ClassDef, ...] = ()


@lru_cache(maxsize=256)
def parsed(text: str) -> ast.Module | UnreadableError:
    """The syntax tree of a text, or what is wrong with it."""
    try:
        return syntax_tree(text)
    except SyntaxError as error:
        place = ast.Pass(lineno=error.lineno or 1, col_offset=max((error.offset or 1) - 1, 0))
        return UnreadableError(f"not Python: {error.msg}", place, code="python-syntax")
    except (ValueError, RecursionError, MemoryError) as error:
        reason = str(error) or type(error).__name__
        return UnreadableError(f"not Python: {reason}", code="python-syntax")


def module_scope(source: PythonSource) -> Scope:
    """What the top level of a text binds. Raises UnreadableError when it is no Python."""
    return _module_scope(source.text)


@lru_cache(maxsize=256)
def _module_scope(text: str) -> Scope:
    tree = parsed(text)
    if isinstance(tree, UnreadableError):
        raise tree
    return scope_of(tree.body)


def passed_on(source: PythonSource, names: Iterable[str]) -> list[tuple[str, str | None]] | None:
    """Where a module that only passes these names on has them from: the module and the name there (None: the
    module itself is meant). None: some name is more than that.
    """
    try:
        scope = module_scope(source)
    except UnreadableError:
        return None
    found: list[tuple[str, str | None]] = []
    for name in names:
        match scope.names.get(name):
            case Imported(module, origin):
                found.append((module, origin))
            case None if not scope.everything:
                continue
            case _:
                return None
    return found


def class_scope(source: PythonSource, node: ast.ClassDef) -> Scope:
    """What the body of a class of a text's top level binds."""
    return _class_scope(source.text, node.name)


@lru_cache(maxsize=512)
def _class_scope(text: str, name: str) -> Scope:
    node = find_class(_module_scope(text), name)
    return scope_of(node.body) if node is not None else Scope({})


def scope_of(body: list[ast.stmt]) -> Scope:
    """What the statements of a body bind."""
    names: dict[str, Binding] = {}
    everything: list[str] = []
    for name, binding in _bindings(body, 0):
        if name == "*" and isinstance(binding, Imported):
            everything.append(binding.module)
        elif name in names and isinstance(binding, Unclear):
            names[name] = binding
        elif name in names and isinstance(names[name], Imported) and isinstance(binding, Imported):
            continue
        else:
            names[name] = binding
    classes = tuple(each for each in body if isinstance(each, ast.ClassDef))
    return Scope(names, tuple(everything), classes)


def _bindings(body: list[ast.stmt], depth: int) -> Iterator[tuple[str, Binding]]:
    for statement in body:
        match statement:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, statement
            case ast.Import(names=aliases):
                for alias in aliases:
                    if alias.asname is not None:
                        yield alias.asname, Imported(alias.name)
                    else:
                        yield alias.name.split(".")[0], Imported(alias.name.split(".")[0])
            case ast.ImportFrom(module=module, names=aliases, level=level):
                origin = "." * (level or 0) + (module or "")
                for alias in aliases:
                    yield alias.asname or alias.name, Imported(origin, alias.name)
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    yield from _targets(target, value, ())
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                yield from _targets(target, value, ())
            case ast.Try(body=inner) | ast.If(body=inner) if depth < _NESTED:
                yield from _bindings(inner, depth + 1)
            case ast.AnnAssign() | ast.Pass() | ast.Expr(value=ast.Constant()):
                continue
            case _:
                for name in changed_names([statement]):
                    yield name, Unclear(statement)


def _targets(target: ast.expr, value: ast.expr, path: tuple[int, ...]) -> Iterator[tuple[str, Binding]]:
    match target:
        case ast.Name(id=name):
            yield name, Assigned(value, path)
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            for index, part in enumerate(parts):
                yield from _targets(part, value, (*path, index))
        case ast.Subscript(value=ast.Name(id=name)) | ast.Attribute(value=ast.Name(id=name)):
            yield name, Unclear(target)


def changed_names(body: list[ast.stmt]) -> dict[str, ast.AST]:
    """The names that statements bind or change in place, each with where."""
    found: dict[str, ast.AST] = {}
    for statement in body:
        for node in ast.walk(statement):
            match node:
                case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                    found.setdefault(name, node)
                case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store() | ast.Del()):
                    found.setdefault(f"self.{name}", node)
                case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
                    found.setdefault(name, node)
                case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if method in CHANGING:
                    found.setdefault(name, node)
    return found


CHANGING: Final = frozenset(
    {"append", "add", "extend", "update", "insert", "remove", "discard", "pop", "clear", "setdefault", "sort"}
)


def find_class(scope: Scope, name: str) -> ast.ClassDef | None:
    """A class of the top level by its name."""
    found = scope.names.get(name)
    return found if isinstance(found, ast.ClassDef) else None


def bases_of(
    source: PythonSource, node: ast.ClassDef, modules: Modules
) -> Iterator[tuple[PythonSource | None, str, ast.ClassDef | None]]:
    """The base classes, in order: where each is defined (None: not beside the rule), its name, itself."""
    scope = module_scope(source)
    for base in node.bases:
        match base:
            case ast.Name(id=name):
                yield located_class(source, scope, name, modules)
            case ast.Attribute(value=ast.Name(id=module), attr=name):
                bound = scope.names.get(module)
                where = f"{bound.module}.{bound.name}" if isinstance(bound, Imported) and bound.name else None
                where = bound.module if isinstance(bound, Imported) and not bound.name else where
                found = modules.find(where, source) if where else None
                inner = find_class(module_scope(found), name) if found else None
                yield found if inner else None, name, inner


def located_class(
    source: PythonSource, scope: Scope, name: str, modules: Modules, depth: int = 0
) -> tuple[PythonSource | None, str, ast.ClassDef | None]:
    """Where a name that stands for a class leads, through imports."""
    bound: Any = scope.names.get(name)
    if isinstance(bound, ast.ClassDef):
        return source, name, bound
    if isinstance(bound, Imported) and bound.name is not None and depth < 8:
        found = modules.find(bound.module, source)
        if found is not None:
            try:
                inner = module_scope(found)
            except UnreadableError:
                return None, bound.name, None
            return located_class(found, inner, bound.name, modules, depth + 1)
        return None, bound.name, None
    return None, name, None


BUILTINS: Final = frozenset(name for name in dir(builtins) if not name.startswith("_"))
