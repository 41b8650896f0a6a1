"""Writing a rule and loading it gives the same rule; writing that gives the same text."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from converter.model.dump import dump_rule, expression_to_data
from converter.model.expressions import Expression
from converter.model.load import expression_from_data, load_text
from converter.model.rule import Rule, RuleTest
from converter.model.scalars_in import format_template, parse_template
from converter.model.yaml_in import read_yaml
from converter.model.yaml_out import WIDTH, Flow, Prose, write_yaml
from tests import strategies


def exactly(value: object) -> str:
    """A text that differs where Python's ``==`` does not: True and 1, 1 and 1.0, 0.0 and -0.0."""
    return repr(value)


def without_place(rule: Rule) -> Rule:
    return msgspec.structs.replace(rule, place=None)


@settings(max_examples=80, deadline=None)
@given(strategies.rules())
def test_a_dumped_rule_loads_as_the_same_rule(rule: Rule) -> None:
    text = dump_rule(rule)
    [loaded] = load_text(text)
    assert exactly(without_place(loaded)) == exactly(rule)
    assert dump_rule(loaded) == text


@settings(max_examples=150, deadline=None)
@given(strategies.expressions())
def test_an_expression_survives_plain_data(expression: Expression) -> None:
    assert exactly(expression_from_data(expression_to_data(expression))) == exactly(expression)


@settings(max_examples=300, deadline=None)
@given(strategies.json_values(20))
@example({"k": "a\nb\n\n"})
@example({"k" * 1100: {"x": [["y"]]}})
@example([[], {}, [[]], [{}], [{"a": [{"b": 1}]}]])
def test_any_json_value_survives_yaml_in_every_layout(value: Any) -> None:
    layouts = {"block": value, "flow": Flow(value), "listed": [value, Flow([value])]}
    documents, problems = read_yaml(write_yaml(layouts))
    assert problems == []
    assert exactly(documents[0].data) == exactly({"block": value, "flow": value, "listed": [value, [value]]})


@pytest.mark.parametrize("text", strategies.HOSTILE)
def test_every_hostile_text_survives_yaml(text: str) -> None:
    data = {text: text, "flow": Flow({text: [text]}), "list": [text, [text]], "prose": Prose(text or "x")}
    documents, problems = read_yaml(write_yaml(data))
    assert problems == []
    assert documents[0].data == {
        text: text,
        "flow": {text: [text]},
        "list": [text, [text]],
        "prose": text or "x",
    }


@pytest.mark.parametrize("text", [t for t in strategies.HOSTILE if t.isascii() and not t.startswith("2024-")])
def test_readers_of_yaml_1_1_read_the_same_text(text: str) -> None:
    data = {"k": text, "flow": Flow([text])}
    assert yaml.safe_load(write_yaml(data)) == {"k": text, "flow": [text]}


@settings(max_examples=200, deadline=None)
@given(strategies.title_templates())
def test_a_title_template_survives(parts: tuple[Any, ...]) -> None:
    assert parse_template(format_template(parts)) == parts


@given(st.lists(strategies.lines(), min_size=1, max_size=8).map(" ".join))
def test_folded_prose_is_the_same_text(text: str) -> None:
    documents, problems = read_yaml(write_yaml({"description": Prose(text)}))
    assert problems == []
    assert documents[0].data == {"description": text}


EDGES = ['runbook: ""', 'description: ""', "alert: {}", "platforms: {elastic: {}}", "output: []", "tests: []"]


@pytest.mark.parametrize("line", EDGES)
def test_empty_parts_survive(line: str) -> None:
    [rule] = load_text(
        f"id: 11111111-1111-4111-8111-111111111111\ntitle: t\nlogsource: raw\n{line}\n"
        "indicators: [{field: a, is: b}]\n"
    )
    [again] = load_text(dump_rule(rule))
    assert exactly(without_place(again)) == exactly(without_place(rule))


def test_folding_keeps_lines_short() -> None:
    written = write_yaml({"description": Prose("word " * 100 + "end")})
    assert written.startswith("description: >-\n")
    assert max(map(len, written.splitlines())) <= WIDTH


def test_what_yaml_cannot_hold_is_an_error_that_names_the_rule() -> None:
    [rule] = load_text(
        "id: 11111111-1111-4111-8111-111111111111\ntitle: t\nlogsource: raw\n"
        "indicators: [{field: a, is: b}]\n"
    )
    for value in (float("nan"), 2**70, "\ud800", object()):
        broken = msgspec.structs.replace(
            rule, tests=(RuleTest(name="n", events=({"k": value},), match=True),)
        )
        with pytest.raises(ValueError, match="cannot be written as YAML") as caught:
            dump_rule(broken)
        assert caught.value.diagnostics[0].rule_id == rule.id  # type: ignore[attr-defined]
