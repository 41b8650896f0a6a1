"""Conditions as ES|QL writes them, and what its text means for single events."""

from __future__ import annotations

import json

import pytest
import yaml

from converter.evaluate import matches
from converter.logsources.pack import FieldType, PlatformField
from converter.model.diagnostics import RuleError
from converter.model.load import expression_from_data
from converter.model.losses import Losses
from converter.platforms.elastic import kql
from converter.platforms.elastic.esql import condition, read_condition, read_query
from converter.platforms.elastic.fields import StoredFields
from tests.platforms.elastic.esql.direct import keeps
from tests.platforms.elastic.esql.stored import FIELDS, lines, localised


def cases(name: str) -> list[object]:
    return [pytest.param(*line.split(" => "), id=f"{name}:{number}") for number, line in lines(name)]


@pytest.mark.parametrize(("source", "written"), cases("written.txt"))
def test_written(source: str, written: str) -> None:
    losses = Losses("elastic")
    text = condition(localised(expression_from_data(yaml.safe_load(source))), losses)
    lost = [f"{found.code}={found.effect}" for found in losses.diagnostics if found.effect is not None]
    assert " ; ".join([text, *lost]) == written


@pytest.mark.parametrize(("text", "event", "verdict"), cases("meaning.txt"))
def test_meaning(text: str, event: str, verdict: str) -> None:
    assert matches(read_condition(text, FIELDS), json.loads(event)) is (verdict == "kept")
    if " : " not in text:
        assert keeps(text, json.loads(event)) is (verdict == "kept")


@pytest.mark.parametrize(("text", "event", "verdict"), cases("signs.txt"))
def test_signs_of_patterns(text: str, event: str, verdict: str) -> None:
    assert matches(read_condition(text, FIELDS), json.loads(event)) is (verdict == "kept")


@pytest.mark.parametrize(("text", "named"), cases("unreadable.txt"))
def test_unreadable_is_named(text: str, named: str) -> None:
    with pytest.raises(RuleError) as raised:
        read_condition(text, FIELDS)
    assert named in raised.value.diagnostics[0].message
    assert raised.value.diagnostics[0].code == "esql-unread"


@pytest.mark.parametrize(("text", "place"), cases("syntax.txt"))
def test_syntax_errors_say_where(text: str, place: str) -> None:
    with pytest.raises(RuleError) as raised:
        read_query(text)
    found = raised.value.diagnostics[0]
    assert (found.code, f"{found.line}:{found.column}") == ("esql-syntax", place)


def test_kql_inside_is_read_by_whoever_knows_kql() -> None:
    expression = expression_from_data({"field": "l", "is": "x"})
    read = read_condition('NOT KQL("l: x") AND a == "y"', FIELDS, kql={"l: x": expression}.__getitem__)
    assert matches(read, {"a": "y"})
    assert not matches(read, {"a": "y", "l": ["x", "z"]})


ANALYSED = {"w": PlatformField(name="w", type=FieldType.TEXT)}
KQL = StoredFields.of_types({"w": FieldType.TEXT})


@pytest.mark.parametrize(
    ("text", "value", "verdict"),
    [
        ('w : "red-and green"', "a Green one", True),
        ('w : "red-and green"', "blue", False),
        ('MATCH(w, "red green")', "green", True),
        ('MATCH(w, "red")', "Red.", True),
        ('MATCH_PHRASE(w, "red green")', "red, green", True),
        ('MATCH_PHRASE(w, "red green")', "green red", False),
        ('NOT MATCH(w, "red")', "reddish", True),
    ],
)
def test_words_of_analysed_text(text: str, value: str, verdict: bool) -> None:
    asked = read_condition(text, ANALYSED, kql=lambda query: kql.read(query, KQL))
    assert matches(asked, {"w": value}) is verdict


def test_a_field_without_description_holds_one_value_of_any_type() -> None:
    assert matches(read_condition("unheard.of == 5"), {"unheard.of": 5})
    assert matches(read_condition('`odd name` == "5"'), {"odd name": "5"})
