"""Every text comes back from the literal that is printed for it, in Python and in YAML."""

from __future__ import annotations

import ast
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from converter.platforms.panther.literals import (
    python_raw,
    python_scalar,
    python_template,
    python_text,
    yaml_json,
    yaml_scalar,
    yaml_text,
)
from tests.strategies import HOSTILE, hostile_texts, json_values

any_text = hostile_texts() | st.text(max_size=20)


def _yaml_1_2(text: str) -> Any:
    ruamel = pytest.importorskip("ruamel.yaml")
    return ruamel.YAML(typ="safe").load(text)


@given(any_text)
def test_python_text(text: str) -> None:
    literal = python_text(text)
    assert ast.literal_eval(literal) == text
    assert "\n" not in literal and literal.isprintable()


@given(any_text)
def test_python_regex_literal(text: str) -> None:
    assert ast.literal_eval(python_raw(text)) == text


@given(any_text, any_text)
def test_python_template(before: str, after: str) -> None:
    literal = python_template(((False, before), (True, "name"), (False, after)))
    assert eval(literal, {"name": "{x}"}) == before + "{x}" + after
    assert eval(python_template(((False, before),))) == before


@pytest.mark.parametrize("value", [True, False, 0, -3, 403, 403.0, 0.5, 1e22, 2**70, "1"])
def test_python_scalar(value: bool | float | str) -> None:
    read = ast.literal_eval(python_scalar(value))
    assert read == value
    assert isinstance(read, str | bool) == isinstance(value, str | bool)


@given(any_text)
def test_yaml_scalar(text: str) -> None:
    assert yaml.safe_load(f"a: {yaml_scalar(text)}\nb: 1") == {"a": text, "b": 1}
    assert yaml.safe_load(f"- {yaml_scalar(text)}\n- 1") == [text, 1]


def test_yaml_scalars_of_yaml_1_2() -> None:
    document = "".join(f"- {yaml_scalar(text)}\n" for text in HOSTILE)
    assert _yaml_1_2(document) == list(HOSTILE)


@given(any_text | st.lists(any_text, max_size=4).map("\n".join))
def test_yaml_block(text: str) -> None:
    assert yaml.safe_load(f"a: {yaml_text(text)}\nb: 1") == {"a": text, "b": 1}


def test_a_text_of_lines_is_a_block() -> None:
    assert yaml_text("one\n\ntwo") == "|-\n  one\n\n  two"


@given(json_values())
def test_yaml_json(value: Any) -> None:
    text = yaml_json(value, 6)
    assert yaml.safe_load(f"a:\n  - b:\n      {text}") == {"a": [{"b": value}]}


@pytest.mark.parametrize(
    "value", [1e22, 1.5e22, -1e-7, 1e16, 5e-324, 2**63, 2**70, {"k 1e5": ["x 1e5", 1e300]}]
)
def test_numbers_stay_numbers_in_yaml_1_1(value: Any) -> None:
    assert yaml.safe_load(yaml_json(value)) == value
