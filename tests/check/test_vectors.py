"""Made events decide: every predicate of a condition is seen to turn the verdict both ways."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import yaml

from converter.check.vectors import deciding_events
from converter.evaluate import compile_expression
from converter.logsources.pack import Field, FieldType
from converter.model.expressions import FALSE, TRUE, All, AnyOf, Expression, ForSome, Not, Predicate
from converter.model.load import expression_from_data
from converter.model.paths import FieldPath, parse_path

CONDITIONS = """
- {field: a, is: x}
- {field: a.b, is: [x, 403, true]}
- {field: a, is: Root, ignore_case: true}
- {all: [{field: a, is: x}, {field: b, starts_with: [/api/, /apis/]}]}
- {any: [{field: a, is: x}, {field: b, ends_with: .exe}, {field: c, contains: "%"}]}
- {all: [{field: a, is: x}, {not: {any: [{field: b, is: y}, {field: c, is: z}]}}]}
- {all: [{field: a, is: x}, {field: b, exists: false}]}
- {field: a, like: 'a*b?\\*'}
- {field: a, regex: "^(GET|POST) /[a-z]+$"}
- {all: [{field: n, gt: 5}, {field: m, lte: 7}]}
- {field: t, gte: "2024-01-01T00:00:00Z"}
- {field: "a[0]", ip: public}
- {field: "a[]", cidr: [10.0.0.0/8, "fd00::/8"]}
- {all: [{field: a, same_as: b}, {field: c, is: x}]}
- {any: [{not: {field: a, same_as: b}}, {field: c, is: x}]}
- {all: [{field: a, ends_with: {field: b}}, {field: c, is: x}]}
- {any: [{not: {field: a, contains: {concat: ["/", {field: b}]}, ignore_case: true}}, {field: c, is: x}]}
- {all: [{field: n, gt: {field: m}}, {field: c, is: x}]}
- {field: n, lte: [5, {field: m}], all_of: true}
- {field: a, starts_with: [x, {field: b, apply: [lower]}]}
- {field: a, apply: [{split: "@", index: 1}], same_as: {field: b, apply: [{split: "@", index: 1}]}}
- {concat: [{field: a, apply: [lower]}, "@", {field: b}], is: x@y}
- {for_some: items, where: [{field: k, ends_with: {field: /a}}, {field: v, is: b}]}
- {field: a, length: {gte: 5}}
- {field: a, apply: [basename, lower], is: cmd.exe}
- {field: a, apply: [{split: "@", index: -1}], is: example.com}
- {concat: [{field: a}, "@", {field: b}], is: x@y}
- {field: tags, is: [p, q], all_of: true}
- {for_some: items, where: [{field: k, is: a}, {field: v, is: b}]}
- {for_some: tags, where: [{field: "[]", starts_with: a}, {not: {field: "[]", is: [ab, ac]}}]}
- {for_some: tags, where: [{any: [{field: "[]", gt: 5}, {field: "[]", is: xy}]}, {field: "[]", length: 2}]}
- {not: {for_some: a, where: [{not: {field: "[]", is: x}}]}}
- {for_some: items, where: [{field: k, same_as: /a}, {field: v, is: b}, {field: /b, is: y}]}
- {not: {for_some: items, where: [{field: k, starts_with: {field: /a}}, {not: {field: v, is: b}}]}}
- {for_some: "x[].tags", where: [{field: "[]", contains: a}, {not: {field: "[]", contains: b}}]}
- {all: [{field: a, is: 1}, {not: {for_some: "x[].items", where: [{field: k, is: a}]}}]}
"""
LISTS = {"tags"}


def _lookup(path: FieldPath) -> Field | None:
    name = str(path)
    return Field(path=path, type=FieldType.KEYWORD, is_list=True) if name in LISTS else None


def _stuck(expression: Expression, wanted: bool) -> list[Expression]:
    """The expression with one of its predicates after the other replaced by a constant."""
    constant = TRUE if wanted else FALSE
    match expression:
        case All(terms) | AnyOf(terms):
            kind = type(expression)
            return [
                kind((*terms[:i], stuck, *terms[i + 1 :]))
                for i, t in enumerate(terms)
                for stuck in _stuck(t, wanted)
            ]
        case Not(term):
            return [Not(stuck) for stuck in _stuck(term, wanted)]
        case ForSome(path, term):
            return [ForSome(path, stuck) for stuck in _stuck(term, wanted)]
        case _:
            return [constant]


@pytest.mark.parametrize("data", yaml.safe_load(CONDITIONS), ids=str)
@pytest.mark.parametrize("wanted", [True, False])
def test_every_predicate_decides(data: Any, wanted: bool) -> None:
    condition = expression_from_data(data)
    events = list(deciding_events(condition, [], _lookup))
    holds = compile_expression(condition)
    for stuck in _stuck(condition, wanted):
        other = compile_expression(stuck)
        assert any(holds(event) is not other(event) for event in events), stuck


@pytest.mark.parametrize("data", yaml.safe_load(CONDITIONS), ids=str)
def test_a_lost_operand_shows(data: Any) -> None:
    condition = expression_from_data(data)
    events = list(deciding_events(condition, [], _lookup))
    holds = compile_expression(condition)
    for poorer in _with_operand_lost(condition):
        other = compile_expression(poorer)
        assert any(holds(event) is not other(event) for event in events), poorer


def _with_operand_lost(expression: Expression) -> list[Expression]:
    match expression:
        case All(terms) | AnyOf(terms):
            kind = type(expression)
            return [
                kind((*terms[:i], poorer, *terms[i + 1 :]))
                for i, term in enumerate(terms)
                for poorer in _with_operand_lost(term)
            ]
        case Not(term):
            return [Not(poorer) for poorer in _with_operand_lost(term)]
        case Predicate(values=values) if len(values) > 1:
            return [
                msgspec.structs.replace(expression, values=values[:i] + values[i + 1 :])
                for i in range(len(values))
            ]
        case _:
            return []


def test_the_base_event_is_not_changed_and_its_other_fields_stay() -> None:
    base = {"a": "x", "more": {"deep": [1]}}
    events = list(deciding_events(expression_from_data({"field": "a", "is": "x"}), [base], _lookup))
    assert base == {"a": "x", "more": {"deep": [1]}}
    assert all(event["more"] == {"deep": [1]} for event in events)
    assert {"more": {"deep": [1]}} in events


def test_declared_types_are_kept() -> None:
    def lookup(path: FieldPath) -> Field:
        kinds = {"n": FieldType.INTEGER, "b": FieldType.BOOLEAN, "i": FieldType.IP}
        return Field(path=path, type=kinds[str(path)])

    condition = expression_from_data(
        {"all": [{"field": "n", "is": 5}, {"field": "b", "is": True}, {"field": "i", "ip": "private"}]}
    )
    for event in deciding_events(condition, [], lookup):
        assert isinstance(event.get("n"), int | None)
        assert isinstance(event.get("b"), bool | None)
        assert isinstance(event.get("i"), str | None)


def test_paths_through_lists_are_made() -> None:
    condition = expression_from_data({"field": "x[].y[0].z", "is": "v"})
    assert {"x": [{"y": [{"z": "v"}]}]} in list(deciding_events(condition, [], lambda path: None))
    assert parse_path("x[].y[0].z").steps == ("x", None, "y", 0, "z")


def test_either_side_of_a_comparison_of_fields_is_missed() -> None:
    """A text such as ``a IS NULL OR b IS NULL OR a != b`` asks about each by itself."""
    condition = expression_from_data({"not": {"field": "a", "same_as": "b"}})
    events = list(deciding_events(condition, [], _lookup))
    assert any("a" in event and "b" not in event for event in events)
    assert any("b" in event and "a" not in event for event in events)


def test_a_long_list_has_an_event_for_each_operand_and_not_for_each_near_miss() -> None:
    words = [f"word{number:03}" for number in range(600)]
    condition = expression_from_data({"field": "a", "is": words})
    seen = {event.get("a") for event in deciding_events(condition, [], _lookup)}
    assert seen >= {*words, *(word.swapcase() for word in words)}
    assert len(seen) < 3 * len(words)
