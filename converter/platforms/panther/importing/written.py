"""Detections as this project writes them: the same file is read back as the rule it was.

The reader of written artifacts knows the helper library by its functions' bodies, and takes the plain Python
between them for what it means where log sources declare what a field holds. A detection of anybody's whose
look-ups are all of declared fields, and which has no further function, is of that form too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any, Final

import msgspec

from converter.logsources.pack import Pack
from converter.model.diagnostics import RuleError
from converter.model.expressions import Expression
from converter.model.paths import ANY, FieldPath, PathStep
from converter.model.rule import OutputField, Rule
from converter.platforms.base import Artifact, Context, File
from converter.platforms.panther.alerting import SEQUENCE_KEY
from converter.platforms.panther.fields import Fields, Kind
from converter.platforms.panther.importing.python import PythonSource
from converter.platforms.panther.library import helpers, shape
from converter.platforms.panther.reader import read_artifact
from converter.platforms.panther.syntax import syntax_tree

_FUNCTIONS: Final = frozenset({"rule", "title", "dedup", "unique", "alert_context"})
_LOOKUPS: Final = ("get", "deep_get")
_GATHERING: Final = ("shown", "context", "group_keys", "group_key")
_ROW: Final = FieldPath(("p_row_id",))
"""Panther's own number of a row, which sets an event apart that is not to be counted."""
_KEYS: Final = ("Threshold", "DedupPeriodMinutes", "LogTypes")


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A written detection: its rule over stored names, and what its other functions show.

    ``join``: the fields of a sequence's join key; None where the alert's context has none.
    """

    rule: Rule
    title: tuple[str | FieldPath, ...] = ()
    output: tuple[OutputField, ...] = ()
    join: tuple[FieldPath, ...] | None = None

    @property
    def condition(self) -> Expression:
        """What ``rule()`` asks."""
        return self.rule.condition


def as_written(source: PythonSource, data: Mapping[str, Any], packs: Sequence[Pack]) -> Written | None:
    """The detection, if it is one that this project writes; never raises."""
    if not packs or source.class_name is not None:
        return None
    try:
        functions = _functions(source.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    asking = () if functions is None else filter(None, (functions["rule"], functions.get("dedup")))
    if functions is None or not all(_all_declared(one, Fields(packs)) for one in asking):
        return None
    shown = _title(functions.get("title"))
    context = _context(functions.get("alert_context"))
    if shown is None or context is None or _grouped_by_title(data, functions, shown):
        return None
    rule = _read(source, data, packs)
    if rule is None:
        return None
    output = tuple(
        OutputField(paths[0], name if str(paths[0]) != name else None)
        for name, paths in context.items()
        if name != SEQUENCE_KEY
    )
    return Written(rule=rule, title=shown, output=output, join=context.get(SEQUENCE_KEY))


def _grouped_by_title(
    data: Mapping[str, Any], functions: Mapping[str, ast.FunctionDef], shown: tuple[str | FieldPath, ...]
) -> bool:
    """Whether a title groups alerts for want of ``dedup()``, which no written rule leaves to it."""
    counts = any(data.get(key) is not None for key in ("Threshold", "DedupPeriodMinutes"))
    return counts and "dedup" not in functions and any(isinstance(part, FieldPath) for part in shown)


def _read(source: PythonSource, data: Mapping[str, Any], packs: Sequence[Pack]) -> Rule | None:
    name = PurePath(source.file).name
    specification = {key: data[key] for key in _KEYS if data.get(key) is not None} | {"Filename": name}
    folder = packs[0].name
    artifact = Artifact(
        rule_id="",
        platform="panther",
        files=(
            File(f"{folder}/rule.yml", msgspec.json.encode(specification).decode()),
            File(f"{folder}/{name}", source.text),
        ),
    )
    try:
        return read_artifact(artifact, Context(packs={pack.name: pack for pack in packs}))
    except (RuleError, ValueError, TypeError, RecursionError):
        return None


def _functions(text: str) -> dict[str, ast.FunctionDef] | None:
    """The functions of a module by name; None if one is neither a detection's nor of the helper library."""
    found = {node.name: node for node in syntax_tree(text).body if isinstance(node, ast.FunctionDef)}
    library = helpers()
    for name, node in found.items():
        if name not in _FUNCTIONS and (name not in library or shape(node) != library[name].shape):
            return None
    return found if "rule" in found else None


def _all_declared(function: ast.FunctionDef, fields: Fields) -> bool:
    """Whether every plain look-up in the event is of a field that the log sources declare."""
    names = [argument.arg for argument in function.args.args]
    for node in ast.walk(function):
        if isinstance(node, ast.Subscript | ast.Starred):
            return False
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _LOOKUPS:
            if not isinstance(node.func.value, ast.Name) or node.func.value.id not in names:
                continue
            path = _looked_up(node)
            if path != _ROW and (path is None or fields.kind(path.steps) is Kind.UNKNOWN):
                return False
    return len(names) == 1


# -- title and context


def _title(function: ast.FunctionDef | None) -> tuple[str | FieldPath, ...] | None:
    if function is None:
        return ()
    known: dict[str, FieldPath] = {}
    for statement in function.body:
        match statement:
            case ast.Expr(value=ast.Constant()):
                continue
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call):
                paths = _paths(call)
                if paths is None or len(paths) != 1:
                    return None
                known[name] = paths[0]
            case ast.Return(value=ast.Constant(value=str() as text)):
                return (text,)
            case ast.Return(value=ast.JoinedStr(values=values)):
                return _joined(values, known)
            case _:
                return None
    return None


def _joined(values: Sequence[ast.expr], known: Mapping[str, FieldPath]) -> tuple[str | FieldPath, ...] | None:
    parts: list[str | FieldPath] = []
    for value in values:
        match value:
            case ast.Constant(value=str() as text):
                parts.append(text)
            case ast.FormattedValue(value=ast.Name(id=name), conversion=-1, format_spec=None) if (
                name in known
            ):
                parts.append(known[name])
            case _:
                return None
    return tuple(parts)


def _context(function: ast.FunctionDef | None) -> dict[str, tuple[FieldPath, ...]] | None:
    """The fields under each name of the alert's context."""
    if function is None:
        return {}
    body = [one for one in function.body if not isinstance(one, ast.Expr)]
    if len(body) != 1 or not isinstance(body[0], ast.Return) or not isinstance(body[0].value, ast.Dict):
        return None
    found: dict[str, tuple[FieldPath, ...]] = {}
    for key, value in zip(body[0].value.keys, body[0].value.values, strict=True):
        paths = _paths(value) if isinstance(value, ast.Call) else None
        if not isinstance(key, ast.Constant) or not isinstance(key.value, str) or not paths:
            return None
        found[key.value] = paths
    return found


def _paths(call: ast.Call) -> tuple[FieldPath, ...] | None:
    """The fields that a look-up, or one of the library's gathering functions, is about."""
    match call:
        case ast.Call(func=ast.Attribute(value=ast.Name(), attr=name)) if name in _LOOKUPS:
            path = _looked_up(call)
            return None if path is None else (path,)
        case ast.Call(func=ast.Name(id=("shown" | "context")), args=[_, *steps], keywords=[]):
            path = _path(steps)
            return None if path is None else (path,)
        case ast.Call(func=ast.Name(id=("group_keys" | "group_key")), args=[_, *given], keywords=[]):
            paths = [_path(one.elts) if isinstance(one, ast.Tuple) else None for one in given]
            return None if None in paths else tuple(path for path in paths if path is not None)
        case _:
            return None


def _looked_up(call: ast.Call) -> FieldPath | None:
    assert isinstance(call.func, ast.Attribute)
    keys = call.args if call.func.attr == "deep_get" else call.args[:1]
    path = _path(keys)
    return path if path is not None and all(isinstance(step, str) for step in path.steps) else None


def _path(steps: Sequence[ast.expr]) -> FieldPath | None:
    found = list(_steps(steps))
    if not found or not isinstance(found[0], str) or len(found) != len(steps):
        return None
    return FieldPath(tuple(found))


def _steps(nodes: Sequence[ast.expr]) -> Iterator[PathStep]:
    for node in nodes:
        match node:
            case ast.Constant(value=str() | int() as step) if not isinstance(step, bool):
                yield step
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as step)):
                yield -step
            case ast.Name(id="EACH"):
                yield ANY
