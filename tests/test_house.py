"""The shape of the house itself: floors, sizes, docstrings, and what starting up may import."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.no_cover  # the house is looked at, not run

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "converter"
MODULES = sorted(path.relative_to(ROOT) for path in PACKAGE.rglob("*.py"))
SOURCES = sorted(
    path.relative_to(ROOT)
    for folder in ("converter", "tests", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
)
MOST_LINES = 600
MOST_FUNCTION_LINES = 60

BELOW = {
    "model": set[str](),
    "evaluate": {"model"},
    "logsources": {"model", "evaluate"},
    "events": {"model", "evaluate", "logsources"},
    "platforms": {"model", "evaluate", "logsources"},
    "check": {"model", "evaluate", "logsources", "events", "platforms"},
    "catalog": {"model", "evaluate", "logsources", "events", "platforms"},
    "hunt": {"model", "evaluate", "logsources", "events", "platforms"},
}
"""Each floor and the floors it may import from, beside itself. What is not listed stands on the roof."""

PLATFORMS = {path.parent.name for path in PACKAGE.glob("platforms/*/__init__.py")}
HEAVY = {"rich", "rich_click", "click", "lark", "sigma", "tomlkit", "jinja2", "re2", "yaml", "msgspec"}


def tree_of(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def imported(path: Path) -> Iterator[tuple[str, ...]]:
    """Every module of the house that a file imports anywhere, as its parts after ``converter``."""
    for node in ast.walk(tree_of(path)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            head, *rest = name.split(".")
            if head == "converter" and rest and not rest[0].startswith("__"):
                yield tuple(rest)


def floor_of(path: Path) -> str:
    return path.parts[1] if len(path.parts) > 2 else ""


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_imports_never_point_upward(path: Path) -> None:
    floor = floor_of(path)
    if floor not in BELOW:
        return
    allowed = BELOW[floor] | {floor}
    upward = {".".join(parts) for parts in imported(path) if parts[0] not in allowed}
    assert not upward


@pytest.mark.parametrize("path", [path for path in MODULES if floor_of(path) == "platforms"], ids=str)
def test_platforms_never_import_each_other(path: Path) -> None:
    own = {path.parts[2]} if len(path.parts) > 3 else set[str]()
    others = {
        parts[1]
        for parts in imported(path)
        if len(parts) > 1 and parts[0] == "platforms" and parts[1] in PLATFORMS
    }
    assert others <= own


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_files_and_functions_stay_small(path: Path) -> None:
    lines = (ROOT / path).read_text(encoding="utf-8").count("\n")
    assert lines <= MOST_LINES
    if path.parts[0] != "converter":
        return
    long = [
        f"{node.name} ({length} lines)"
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > MOST_FUNCTION_LINES
    ]
    assert not long


def public_nodes(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Public functions and classes of a module, and the public methods of public classes."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node.name, node
            if isinstance(node, ast.ClassDef):
                for inner in node.body:
                    if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("_"):
                        yield f"{node.name}.{inner.name}", inner


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_public_things_say_what_they_are(path: Path) -> None:
    tree = tree_of(path)
    silent = [
        name
        for name, node in public_nodes(tree)
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not ast.get_docstring(node)
    ]
    assert not silent
    assert ast.get_docstring(tree) or not tree.body


@pytest.mark.parametrize("statement", ["import converter", "import converter.cli"])
def test_starting_up_imports_nothing_heavy(statement: str) -> None:
    code = f"import sys; {statement}; print(*sorted(name.split('.')[0] for name in sys.modules))"
    run = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not HEAVY & set(run.stdout.split())


def test_version_is_answered_before_anything_heavy() -> None:
    code = (
        "import sys; sys.argv = ['convert', '--version']; from converter.cli import main; main();"
        "print(*sorted(name.split('.')[0] for name in sys.modules))"
    )
    run = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    version, modules = run.stdout.splitlines()
    assert version.startswith("convert ")
    assert not HEAVY & set(modules.split())


def test_public_names_are_exactly_those_exported() -> None:
    import converter

    for name in converter.__all__:
        assert getattr(converter, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing_such'"):
        _ = converter.nothing_such
