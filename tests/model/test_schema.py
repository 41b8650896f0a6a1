"""The JSON Schema says what the loader says, as far as JSON Schema can."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from converter.model import tables
from converter.model.dump import dump_rule
from converter.model.load import load_text
from converter.model.rule import Rule
from converter.model.schema import json_schema
from converter.model.yaml_in import read_yaml
from tests import strategies

jsonschema = pytest.importorskip("jsonschema")

BROKEN = Path(__file__).parent / "broken"
RULES = Path(__file__).parents[2] / "canonical_rules"
ONLY_THE_LOADER_SEES = frozenset(
    """
    absent_step_repeats absent_without_window another_script_s_digits back_reference bad_date
    bad_field bad_field_in_title bad_list_in_for_some duplicate_test element_of_no_list
    end_of_text_of_another_flavour
    endless_duration every_too_often field_with_a_slash having_a_number_without_a_unit
    having_a_span_and_a_number having_the_end_of_a_sliding_window host_bits json_bad_path lookahead
    lookbehind
    mistake_in_a_merged_condition netmask no_network only_absent_steps open_brace order_of_no_date
    order_of_text output_twice
    possessive same_id_twice stray_brace too_many_repeats unclosed_class unclosed_group
    unequal_joins
    """.split()
)
"""Broken files whose mistake JSON Schema has no words for."""


@cache
def validator() -> Any:
    return jsonschema.Draft202012Validator(json_schema())


def documents_of(text: str) -> list[Any]:
    documents, problems = read_yaml(text)
    assert problems == []
    return [document.data for document in documents]


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    assert json.loads(json.dumps(json_schema())) == json_schema()


@settings(max_examples=40, deadline=None)
@given(strategies.rules())
def test_every_rule_that_is_written_validates(rule: Rule) -> None:
    [data] = documents_of(dump_rule(rule))
    assert [error.message for error in validator().iter_errors(data)] == []


@pytest.mark.parametrize("file", sorted(RULES.rglob("*.yaml")), ids=lambda file: file.stem)
def test_every_canonical_rule_validates(file: Path) -> None:
    for data in documents_of(file.read_text("utf-8")):
        assert [error.message for error in validator().iter_errors(data)] == []


def broken_data() -> dict[str, Any]:
    """The data of each broken file that is valid YAML and holds one document."""
    found: dict[str, Any] = {}
    for file in sorted(BROKEN.glob("*.yaml")):
        documents, problems = read_yaml(file.read_text("utf-8"))
        if not problems and len(documents) == 1:
            found[file.stem] = documents[0].data
    return found


def test_what_only_the_loader_sees_are_broken_files() -> None:
    assert set(broken_data()) >= ONLY_THE_LOADER_SEES - {"same_id_twice"}


@pytest.mark.no_cover  # many files go the way of a few
@pytest.mark.parametrize("name", broken_data())
def test_broken_files_do_not_validate(name: str) -> None:
    assert validator().is_valid(broken_data()[name]) == (name in ONLY_THE_LOADER_SEES)


@pytest.mark.parametrize("key", [key.name for key in tables.RULE_KEYS])
def test_every_key_of_a_rule_is_in_the_schema_with_its_meaning(key: str) -> None:
    assert json_schema()["properties"][key]["description"]


def test_an_editor_is_offered_every_operator() -> None:
    properties = json_schema()["$defs"]["predicate"]["properties"]
    assert list(properties) == list(tables.PREDICATE_KEYS)
    assert {name for name in tables.OPERANDS if properties[name]["description"]} == set(tables.OPERATOR_DOCS)


def test_titles_that_end_in_a_newline_do_not_pass() -> None:
    good: dict[str, Any] = {
        "id": "11111111-1111-4111-8111-111111111111",
        "title": "t",
        "logsource": "raw",
        "indicators": [{"field": "a", "is": "b"}],
    }
    assert validator().is_valid(good)
    assert load_text(json.dumps(good))[0].title == "t"
    for bad in (
        {"title": "t\n"},
        {"id": f"{good['id']}\n"},
        {"attack": ["TA0007:T9999"]},
        {"created": "2024-01-02\n"},
    ):
        assert not validator().is_valid({**good, **bad})
