"""What YAML means here, and which files are read."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from converter.evaluate import matches
from converter.model import tables
from converter.model.diagnostics import RuleError
from converter.model.dump import expression_to_data
from converter.model.expressions import (
    TRUE,
    All,
    AnyOf,
    Concat,
    Expression,
    ForSome,
    Function,
    FunctionName,
    Not,
    Operator,
    Predicate,
)
from converter.model.load import expression_from_data, load_rules, load_text, rule_files
from converter.model.paths import ELEMENT, FieldPath
from converter.model.rule import Place
from converter.model.scalars_in import BadValue, format_duration, parse_duration
from converter.model.yaml_in import read_yaml
from tests import strategies

ID = "11111111-1111-4111-8111-11111111111"
GOOD = f"id: {ID}1\ntitle: t\nlogsource: raw\nindicators: [{{field: a, is: b}}]\n"

SCALARS: dict[str, Any] = {
    "off": "off",
    "on": "on",
    "Yes": "Yes",
    "n": "n",
    "true": True,
    "True": True,
    "FALSE": False,
    "tRUE": "tRUE",
    "null": None,
    "~": None,
    "": None,
    "nULL": "nULL",
    "12": 12,
    "-7": -7,
    "+3": 3,
    "007": 7,
    "0o17": 15,
    "0xff": 255,
    "0b1": "0b1",
    "1_000": "1_000",
    "1:30": "1:30",
    "1.0": 1.0,
    "1e3": 1000.0,
    ".5": 0.5,
    "1.": 1.0,
    "-1.5E-3": -0.0015,
    "2024-01-02": "2024-01-02",
    "2024-01-02T03:04:05Z": "2024-01-02T03:04:05Z",
    "1.2.3.4": "1.2.3.4",
    "-": [None],
    "--enc": "--enc",
    "'12'": "12",
    '"null"': "null",
    "!!str 12": "12",
    "! 12": "12",
    "!!int 12": 12,
    "=": "=",
    "18446744073709551615": 2**64 - 1,
}


@pytest.mark.parametrize("text", SCALARS)
def test_scalars_follow_the_core_schema_of_yaml_1_2(text: str) -> None:
    documents, problems = read_yaml(f"k: {text}\n" if text != "-" else "k:\n  -\n")
    assert problems == []
    value = documents[0].data["k"]
    assert (value, type(value)) == (SCALARS[text], type(SCALARS[text]))


def test_keys_are_text_whatever_they_look_like() -> None:
    documents, problems = read_yaml("1: a\ntrue: b\nnull: c\non: d\n")
    assert problems == []
    assert documents[0].data == {"1": "a", "true": "b", "null": "c", "on": "d"}


MERGES = {
    "an alias": ("a: &a {x: 1}\nb: *a", {"x": 1}),
    "a merge, own keys win": ("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3, z: 4}", {"y": 3, "z": 4, "x": 1}),
    "own keys win wherever they stand": ("a: &a {x: 1}\nb: {x: 2, <<: *a}", {"x": 2}),
    "earlier merges win": ("a: &a {x: 1}\nc: &c {x: 2, y: 2}\nb: {<<: [*a, *c]}", {"x": 1, "y": 2}),
    "a quoted << is a key": ('b: {"<<": {x: 1}}', {"<<": {"x": 1}}),
    "an anchored scalar": ("a: &a 5\nb: [*a, *a]", [5, 5]),
    "an anchor set anew": ("a: &a 5\nc: &a 6\nb: *a", 6),
}


@pytest.mark.parametrize("name", MERGES)
def test_aliases_and_merge_keys(name: str) -> None:
    text, expected = MERGES[name]
    documents, problems = read_yaml(text)
    assert problems == []
    assert documents[0].data["b"] == expected


def test_tests_can_share_an_event() -> None:
    text = GOOD + (
        "tests:\n"
        "  - {name: one, expect: match, event: &base {a: b, n: null, f: 1.0, u: {v: [1]}}}\n"
        "  - {name: two, expect: no_match, event: {<<: *base, a: c}}\n"
        "  - {name: three, expect: {alerts: 2}, events: [*base, *base]}\n"
    )
    [rule] = load_text(text)
    base = {"a": "b", "n": None, "f": 1.0, "u": {"v": [1]}}
    assert [test.events for test in rule.tests] == [(base,), ({**base, "a": "c"},), (base, base)]
    assert [(test.match, test.alerts) for test in rule.tests] == [(True, None), (False, None), (None, 2)]


def test_several_documents_are_several_rules_with_their_places() -> None:
    rules = load_text(GOOD + "---\n# a comment\n" + GOOD.replace("1111111\n", "1111112\n"), "f.yaml")
    assert [rule.place for rule in rules] == [Place("f.yaml", 1), Place("f.yaml", 7)]


def test_folders_are_walked_in_order_and_files_read_once(tmp_path: Path) -> None:
    for number, name in enumerate(
        ["b/x.yaml", "a/y.yml", "a/z.yaml", ".git/no.yaml", "a/notes.txt", "a/.h.yaml"]
    ):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(GOOD.replace(f"{ID}1", f"{ID}{number}"), "utf-8")
    found = [tmp_path / name for name in ("a/y.yml", "a/z.yaml", "b/x.yaml")]
    assert rule_files([tmp_path, tmp_path / "a"]) == found
    rules = load_rules([str(tmp_path), tmp_path / "a" / "z.yaml"])
    assert [rule.place and rule.place.file for rule in rules] == [str(file) for file in found]


def test_an_empty_folder_holds_no_rules(tmp_path: Path) -> None:
    assert load_rules([tmp_path]) == []


A = FieldPath(("a",))
IS_B = Predicate(A, Operator.IS, ("b",))
DATA = {"field": "a", "is": "b"}
LENGTH = Function(FunctionName.LENGTH)
EXPRESSIONS: list[tuple[Any, Expression]] = [
    (DATA, IS_B),
    ([DATA], IS_B),
    ([DATA, DATA], All((IS_B, IS_B))),
    ([], TRUE),
    ({"all": [DATA]}, All((IS_B,))),
    ({"any": [DATA, DATA]}, AnyOf((IS_B, IS_B))),
    ({"not": DATA}, Not(IS_B)),
    ({"not": [DATA]}, Not(IS_B)),
    ({"not": [DATA, DATA]}, Not(All((IS_B, IS_B)))),
    ({"for_some": "l.x[]", "where": [DATA]}, ForSome(FieldPath(("l", "x", None)), IS_B)),
    ({"for_some": "l", "where": [DATA, DATA]}, ForSome(FieldPath(("l",)), All((IS_B, IS_B)))),
    (
        {"for_some": "l", "where": [{"field": "[]", "same_as": "[]"}]},
        ForSome(FieldPath(("l",)), Predicate(ELEMENT, Operator.SAME_AS, (ELEMENT,))),
    ),
    (
        {"for_some": "l", "where": [{"not": {"concat": [{"field": "[]"}, "x"], "is": "b"}}]},
        ForSome(FieldPath(("l",)), Not(Predicate(Concat((ELEMENT, "x")), Operator.IS, ("b",)))),
    ),
    (
        {"for_some": "l", "where": [{"field": "/a", "same_as": "/b[0]"}]},
        ForSome(
            FieldPath(("l",)),
            Predicate(FieldPath(("a",), True), Operator.SAME_AS, (FieldPath(("b", 0), True),)),
        ),
    ),
    ({"field": "a", "exists": True}, Predicate(A, Operator.EXISTS)),
    ({"field": "a", "exists": False}, Not(Predicate(A, Operator.EXISTS))),
    ({"field": "a", "is": [403, "403", True, 0.5]}, Predicate(A, Operator.IS, (403, "403", True, 0.5))),
    ({"field": "a", "contains": "x", "ignore_case": True}, Predicate(A, Operator.CONTAINS, ("x",), True)),
    (
        {"field": "a", "like": ["x*", "*y"], "all_of": True},
        Predicate(A, Operator.LIKE, ("x*", "*y"), all_of=True),
    ),
    ({"field": "a", "same_as": "b.c[0]"}, Predicate(A, Operator.SAME_AS, (FieldPath(("b", "c", 0)),))),
    ({"field": "a", "length": 5}, Predicate(A, Operator.IS, (5,), functions=(LENGTH,))),
    ({"field": "a", "length": {"gte": [5, 6]}}, Predicate(A, Operator.GTE, (5, 6), functions=(LENGTH,))),
    ({"field": "a", "is": 5, "apply": ["length"]}, Predicate(A, Operator.IS, (5,), functions=(LENGTH,))),
    (
        {"field": "a", "is": "b", "apply": ["lower", {"split": "/", "index": -1}]},
        Predicate(
            A,
            Operator.IS,
            ("b",),
            functions=(Function(FunctionName.LOWER), Function(FunctionName.SPLIT, "/", -1)),
        ),
    ),
    (
        {"concat": [{"field": "a"}, ":", {"field": '"b.c"'}], "is": "x"},
        Predicate(Concat((A, ":", FieldPath(("b.c",)))), Operator.IS, ("x",)),
    ),
    ({"field": "a", "gt": "2024-05-01T12:00:00Z"}, Predicate(A, Operator.GT, ("2024-05-01T12:00:00Z",))),
    ({"field": "a", "lte": "10"}, Predicate(A, Operator.LTE, ("10",))),
    ({"field": "a", "ip": ["public", "v6"]}, Predicate(A, Operator.IP, ("public", "v6"))),
    ({"field": "a", "cidr": ["10.0.0.0/8", "::1"]}, Predicate(A, Operator.CIDR, ("10.0.0.0/8", "::1"))),
]


@pytest.mark.parametrize(("data", "expected"), EXPRESSIONS, ids=[str(data) for data, _ in EXPRESSIONS])
def test_conditions(data: Any, expected: Expression) -> None:
    assert repr(expression_from_data(data)) == repr(expected)


@settings(max_examples=150, deadline=None)
@given(strategies.expressions())
def test_every_condition_that_loads_can_be_evaluated(expression: Expression) -> None:
    loaded = expression_from_data(expression_to_data(expression))
    assert matches(loaded, {"a": ["b", {"c": 1}], "user": None}) in (True, False)


LARGEST = {
    "like": "?" * tables.MAX_PATTERN_CHARACTERS,
    "like in another script": "ж" * tables.MAX_PATTERN_CHARACTERS,
    "regex": "a" * tables.MAX_PATTERN_CHARACTERS,
}


@pytest.mark.parametrize("name", LARGEST)
@pytest.mark.parametrize("ignore_case", [True, False])
def test_the_largest_patterns_can_be_evaluated(name: str, ignore_case: bool) -> None:
    data = {"field": "a", name.partition(" ")[0]: LARGEST[name], "ignore_case": ignore_case}
    assert matches(expression_from_data(data), {"a": LARGEST[name]})


MOMENTS = {
    "2024-05-01": True,
    "2024-05-01T12:00Z": True,
    "2024-05-01 12:00:00.123456789+0200": True,
    "2024-05-01T23:59:60Z": True,
    "2024-05-01T24:00:00Z": False,
    "2024-05-01T12:60:00Z": False,
    "2024-05-01T12:00:61Z": False,
    "2024-05-01T12:00:00+25:00": False,
    "2024-02-30": False,
    "0000-01-01": False,
    "٢٠٢٤-05-01": False,
    "yesterday": False,
    "1e5": True,
    "0x1F": False,
}


@pytest.mark.parametrize("text", MOMENTS)
def test_what_an_order_comparison_takes(text: str) -> None:
    data = {"field": "a", "gte": text}
    if not MOMENTS[text]:
        with pytest.raises(RuleError, match="bad-operand"):
            expression_from_data(data)
        return
    assert matches(expression_from_data(data), {"a": text})


DURATIONS = {
    "500ms": timedelta(milliseconds=500),
    "30s": timedelta(seconds=30),
    "5m": timedelta(minutes=5),
    "1h": timedelta(hours=1),
    "7d": timedelta(days=7),
}


@pytest.mark.parametrize("text", DURATIONS)
def test_durations(text: str) -> None:
    assert parse_duration(text) == DURATIONS[text]
    assert format_duration(DURATIONS[text]) == text


@pytest.mark.parametrize(
    "text", ["", "5", "m", "0s", "-5m", "1.5h", "5 m", "5M", "1w", "5m ", "٥m", "9" * 30 + "d"]
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(BadValue):
        parse_duration(text)


def test_a_duration_of_no_whole_millisecond_cannot_be_written() -> None:
    for duration in (timedelta(microseconds=1), timedelta(0), timedelta(seconds=-1)):
        with pytest.raises(ValueError, match="not a positive number"):
            format_duration(duration)


def test_durations_are_written_in_their_largest_unit() -> None:
    assert load_text(GOOD + "threshold: {count: 1, within: 90m}\n")[0].threshold is not None
    assert [format_duration(timedelta(minutes=90)), format_duration(timedelta(hours=48))] == ["90m", "2d"]


def test_title_templates_hold_texts_and_fields() -> None:
    [rule] = load_text(GOOD + "alert: {title: '{{x}} {a.b} and {annotations.\"k}8s\"}!'}\n")
    assert rule.alert.title == (
        "{x} ",
        FieldPath(("a", "b")),
        " and ",
        FieldPath(("annotations", "k}8s")),
        "!",
    )


def test_a_sequence_step_may_bring_its_own_log_source() -> None:
    condition = "indicators: [{field: a, is: b}]"
    steps = f"[{{logsource: [x, y], {condition}}}, {{logsource: z, {condition}}}]"
    [rule] = load_text(f"id: {ID}1\ntitle: t\nsequence: {{steps: {steps}}}\n")
    assert (rule.logsource, [step.logsource for step in rule.steps]) == ((), [("x", "y"), ("z",)])


def test_platform_settings_are_kept_as_they_are() -> None:
    settings = {"elastic": {"enabled": False, "x": [1, {"y": None}]}, "other": {"allow_loss": ["window"]}}
    text = "platforms: {elastic: {enabled: false, x: [1, {y: null}]}, other: {allow_loss: [window]}}"
    assert load_text(f"{GOOD}{text}\n")[0].platforms == settings


@pytest.mark.no_cover  # its time is measured
def test_a_typical_rule_loads_in_milliseconds() -> None:
    event = "".join(f"      key{number}: {{name: value {number}, list: [a, b]}}\n" for number in range(8))
    tests = "".join(f"  - name: test {number}\n    expect: match\n    event:\n{event}" for number in range(3))
    text = f"{GOOD}tests:\n{tests}"
    load_text(text)
    started = time.process_time()
    for _ in range(20):
        load_text(text)
    assert (time.process_time() - started) / 20 < 0.01


def test_an_error_is_both_a_rule_error_and_a_value_error() -> None:
    with pytest.raises(ValueError, match="unknown-key") as caught:
        load_text(GOOD + "nonsense: 1\n")
    assert isinstance(caught.value, RuleError)
