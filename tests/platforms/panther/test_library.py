"""The helper functions that are copied into detections."""

from __future__ import annotations

import ast
import builtins
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.evaluate.operators import TESTS
from converter.model.expressions import Operator
from converter.platforms.panther.fields import Fields
from converter.platforms.panther.interpreter import Interpreter
from converter.platforms.panther.library import IMPORTS, closure, helpers, import_lines
from converter.platforms.panther.module import Module
from converter.platforms.panther.writer import fill
from tests.platforms.panther.made import events
from tests.platforms.panther.stand_in import EventDict

FUNCTIONS = [name for name, helper in helpers().items() if helper.is_function]


def file_with(*names: str) -> str:
    """A file with these helpers and whatever they need."""
    module = Module()
    module.use(*names)
    return fill("rule.py.j2", {"sections": module.around(["def rule(event):\n    return True"])})


@pytest.mark.parametrize("name", helpers())
def test_every_name_a_helper_uses_is_there(name: str) -> None:
    known = {*helpers(), *IMPORTS, *dir(builtins)}
    assert helpers()[name].uses <= known


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_helper_brings_all_that_it_needs(name: str) -> None:
    namespace: dict[str, Any] = {}
    exec(file_with(name), namespace)
    missing = helpers()[name].uses - set(namespace) - set(dir(builtins))
    assert name in namespace and not missing


def test_nothing_else_is_brought() -> None:
    assert {helper.name for helper in closure(["is_list"])} == {"is_list"}
    assert import_lines(["Sequence", "Mapping", "re"]) == [
        "import re",
        "from collections.abc import Mapping, Sequence",
    ]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_reader_knows_a_helper_by_its_body(name: str) -> None:
    source = file_with(name)
    tree = ast.parse(source)
    changed = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name)
    changed.body.append(ast.parse("return None").body[0])
    known = Interpreter(source, Fields(()))
    other = Interpreter(ast.unparse(tree), Fields(()))
    assert known.knows(name)
    assert not other.knows(name)


@given(events)
def test_look_ups_never_raise(event: dict[str, Any]) -> None:
    namespace: dict[str, Any] = {}
    exec(file_with("group_key", "first_key", "group_keys", "shown", "context", "exists", "items"), namespace)
    wrapped = EventDict(event)
    for path in [("a",), ("list", None), ("object", "a", 0), ("list", -1, None, "b")]:
        assert isinstance(namespace["group_key"](wrapped, path, ("b",)), str)
        assert isinstance(namespace["first_key"](wrapped, path, ("b",)), str)
        assert all(isinstance(key, str) for key in namespace["group_keys"](wrapped, path, ("b",)))
        assert isinstance(namespace["shown"](wrapped, *path), str)
        assert isinstance(namespace["exists"](wrapped, *path), bool)
        assert isinstance(namespace["items"](wrapped, *path), list)
        assert isinstance(namespace["context"](wrapped, *path), list) or None not in path


@given(st.text("ab*?\\\n", max_size=8), st.text("ab*?\\\n", max_size=8))
def test_like_is_the_operator(text: str, pattern: str) -> None:
    namespace: dict[str, Any] = {}
    exec(file_with("like"), namespace)
    assert namespace["like"](text, pattern) is TESTS[Operator.LIKE](pattern, False)(text)


def test_like_is_quick_on_hostile_texts() -> None:
    namespace: dict[str, Any] = {}
    exec(file_with("like"), namespace)
    assert namespace["like"]("a" * 2000, "*a*a*a*a*a*a*a*b") is False


@pytest.mark.parametrize(
    ("event", "key"),
    [
        ({"a": "x", "b": "y"}, "[['x'], ['y']]"),
        ({"a": "x, y", "b": ""}, "[['x, y'], ['']]"),
        ({"a": ["x", "y"], "b": 1.0}, "[['x', 'y'], ['1']]"),
        ({"a": "x", "p_row_id": "row"}, "row"),
    ],
)
def test_group_key(event: dict[str, Any], key: str) -> None:
    namespace: dict[str, Any] = {}
    exec(file_with("group_key"), namespace)
    assert namespace["group_key"](EventDict(event), ("a",), ("b",)) == key
