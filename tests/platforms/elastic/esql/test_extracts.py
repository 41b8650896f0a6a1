"""Columns of DISSECT and GROK as conditions on the field that they are cut out of."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.evaluate import matches
from converter.model.regex import render
from converter.platforms.elastic.esql import read_query
from converter.platforms.elastic.esql.cuts import Cut, until
from converter.platforms.elastic.esql.dissect import dissected
from tests.platforms.elastic.esql.stored import FIELDS, lines


@pytest.mark.parametrize(
    ("command", "condition", "value", "verdict"),
    [
        pytest.param(*line.split(" => "), id=f"extracts.txt:{number}")
        for number, line in lines("extracts.txt")
    ],
)
def test_what_is_asked_of_a_column(command: str, condition: str, value: str, verdict: str) -> None:
    reading = read_query(f"FROM x | {command} | WHERE {condition}", FIELDS)
    assert matches(reading.condition, {"a": json.loads(value)}) is (verdict == "kept")


@pytest.mark.parametrize(
    ("command", "condition", "named"),
    [
        ('DISSECT a "%{x}, %{y}"', 'x LIKE "a*"', "ends at ', '"),
        (f'DISSECT a "%{{}}{"long" * 51}%{{x}}"', 'x == "a"', "more than 200 characters"),
        ('DISSECT a "%{+x} %{+x}"', 'x == "a"', "DISSECT"),
        ('DISSECT a "%{x->} %{y}"', 'x == "a"', "DISSECT"),
        ('DISSECT a "%{x}%{y}"', 'x == "a"', "DISSECT"),
        ('DISSECT l "%{x} %{y}"', 'x == "a"', "DISSECT"),
        ('DISSECT a "%{x} %{y}"', "x == y", "derived"),
        ('GROK a "id=(?<x>[0-9]+)"', 'x == "7"', "finds first"),
        ('GROK a "%{IP:x}"', "x IS NULL", "GROK"),
        ('GROK a "(?<x>a)?b"', "x IS NULL", "GROK"),
        ('GROK a "%{INT:x:int}"', "x > 5", "GROK"),
        ('COMPLETION x = a WITH { "inference_id": "m" }', "x IS NULL", "COMPLETION"),
    ],
)
def test_what_is_left_out_is_named(command: str, condition: str, named: str) -> None:
    reading = read_query(f"FROM x | {command} | WHERE {condition}", FIELDS, strict=False)
    (found,) = (one for one in reading.diagnostics if one.effect is not None)
    assert (found.code, reading.residue) == ("esql-unread", (condition,))
    assert named in found.message


def test_separators_of_several_kinds_are_worth_a_note() -> None:
    reading = read_query('FROM x | DISSECT a "%{x}=%{y}," | WHERE y IS NULL', FIELDS)
    assert [(one.code, one.effect) for one in reading.diagnostics] == [("dissect", None)]


def cut(text: str, start: str, separators: list[str]) -> list[str] | None:
    """The parts, found one after the other."""
    if not text.startswith(start):
        return None
    parts, rest = [], text[len(start) :]
    for separator in separators:
        part, found, rest = rest.partition(separator)
        if not found:
            return None
        parts.append(part)
    return [*parts, rest]


words = st.text("ab,", min_size=1, max_size=3)


@given(st.text("ab,\n", max_size=9), st.sampled_from(["", "a", ","]), st.lists(words, min_size=1, max_size=3))
def test_parts_are_those_of_a_scan(text: str, start: str, separators: list[str]) -> None:
    pattern = start + "".join(f"%{{k{number}}}{one}" for number, one in enumerate(separators)) + "%{rest}"
    steps = dissected(pattern)
    found = cut(text, start, separators)
    for position, (name, step) in enumerate(steps.items()):
        assert isinstance(step, Cut)
        condition = read_query(f'FROM x | DISSECT a "{pattern}" | WHERE {name} == "a"', FIELDS).condition
        assert matches(condition, {"a": text}) is (found is not None and found[position] == "a")


@given(words, st.text("ab,\n", max_size=9))
def test_until_ends_with_the_first_occurrence(wanted: str, text: str) -> None:
    fits = re.fullmatch(f"(?s:{render(until(wanted), 'python')})", text) is not None
    assert fits is (text.find(wanted) == len(text) - len(wanted) >= 0)
