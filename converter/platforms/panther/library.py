"""The helper functions that a written detection may carry, as data: their text, needs and shapes.

They stand in ``templates/panther/helpers.py``, a module that works by itself, so that what is tested is what
is written. The writer copies the ones a rule uses; the reader knows a function by having the same body.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final

import msgspec

from converter.platforms.templating import templates_folder

IMPORTS: Final = {
    "json": "import json",
    "re": "import re",
    "Mapping": "from collections.abc import Mapping",
    "Sequence": "from collections.abc import Sequence",
    "datetime": "from datetime import datetime",
    "timedelta": "from datetime import timedelta",
    "timezone": "from datetime import timezone",
    "product": "from itertools import product",
    "ip_address": "from ipaddress import ip_address",
    "ip_network": "from ipaddress import ip_network",
}
"""Name → the line that imports it, for everything that a written detection may import."""


class Helper(msgspec.Struct, frozen=True):
    """One top-level definition of the library: its source, the names it uses, and its shape (an AST dump)."""

    name: str
    source: str
    uses: frozenset[str]
    shape: str
    is_function: bool


@cache
def helpers() -> Mapping[str, Helper]:
    """Every helper by name, in the order of the file."""
    source = (templates_folder() / "panther" / "helpers.py").read_text(encoding="utf-8")
    lines = source.splitlines()
    found: dict[str, Helper] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            name = node.name
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
        else:
            continue
        text = "\n".join(lines[node.lineno - 1 : node.end_lineno])
        found[name] = Helper(
            name, text, _names(node) - {name}, shape(node), isinstance(node, ast.FunctionDef)
        )
    return found


def shape(node: ast.stmt) -> str:
    """What a definition is, apart from layout, comments and its docstring."""
    if isinstance(node, ast.FunctionDef) and ast.get_docstring(node, clean=False) is not None:
        node = ast.FunctionDef(
            name=node.name,
            args=node.args,
            body=node.body[1:],
            decorator_list=node.decorator_list,
            returns=node.returns,
            type_comment=None,
        )
    return ast.dump(node)


def closure(names: Iterable[str]) -> tuple[Helper, ...]:
    """The helpers of these names and all that they use, in the order of the file."""
    known = helpers()
    wanted: set[str] = set()
    pending = [name for name in names if name in known]
    while pending:
        name = pending.pop()
        if name not in wanted:
            wanted.add(name)
            pending.extend(use for use in known[name].uses if use in known)
    return tuple(helper for name, helper in known.items() if name in wanted)


def import_lines(names: Iterable[str]) -> list[str]:
    """The import statements for these names, sorted, one per module."""
    plain: set[str] = set()
    members: dict[str, set[str]] = {}
    for name in names:
        line = IMPORTS.get(name)
        if line is None:
            continue
        module, _, member = line.removeprefix("from ").partition(" import ")
        if member:
            members.setdefault(module, set()).add(member)
        else:
            plain.add(line)
    return sorted(plain) + [
        f"from {module} import {', '.join(sorted(found))}" for module, found in sorted(members.items())
    ]


def _names(node: ast.AST) -> frozenset[str]:
    found = [inner for inner in ast.walk(node) if isinstance(inner, ast.Name)]
    stored = {name.id for name in found if isinstance(name.ctx, ast.Store)}
    stored.update(inner.arg for inner in ast.walk(node) if isinstance(inner, ast.arg))
    return frozenset(name.id for name in found if name.id not in stored and not hasattr(builtins, name.id))
