"""Every numbered sentence of docs/semantics.md, by at least one case under its number."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from converter.evaluate import LogEvent, StreamEvaluator, compile_expression
from converter.evaluate.timestamps import parse, to_text
from converter.model.diagnostics import RuleError
from converter.model.load import expression_from_data, load_text

HERE = Path(__file__).parent
DOC = Path(__file__).parents[2] / "docs" / "semantics.md"
SECOND = 1_000_000_000


class _TextNumbers(yaml.SafeLoader):
    """Reads sentence numbers such as 4.10 as text."""


def _cases(name: str) -> list[dict[str, Any]]:
    text = re.sub(r"\bn: (\d+\.\d+)", r'n: "\1"', (HERE / name).read_text(encoding="utf-8"))
    cases: list[dict[str, Any]] = yaml.load(text, Loader=_TextNumbers)
    return cases


CONDITIONS = _cases("semantics.yaml")
STREAMS = _cases("semantics_streams.yaml")
ELSEWHERE = {"4.9", "6.3", "6.5", "10.2"}
"""Sentences that have a test function of their own below."""


@pytest.mark.parametrize("case", CONDITIONS, ids=lambda case: f"{case['n']} {case['if']} {case['event']}")
def test_condition(case: dict[str, Any]) -> None:
    condition = compile_expression(expression_from_data(case["if"]))
    assert condition(case["event"]) is case["then"]


def _rule(parts: dict[str, Any]) -> Any:
    whole = {"id": "0d5f7b7e-0000-4000-8000-000000000001", "title": "a rule", "logsource": "raw", **parts}
    (rule,) = load_text(yaml.safe_dump(whole))
    return rule


def _stream(events: list[dict[str, Any]]) -> list[LogEvent]:
    return [
        LogEvent(
            data=event,
            time=event["t"] * SECOND if "t" in event else None,
            id=number,
            sources=frozenset([event["source"]]) if "source" in event else None,
        )
        for number, event in enumerate(events)
    ]


@pytest.mark.parametrize("case", STREAMS, ids=lambda case: f"{case['n']} {case['rule']}")
def test_stream(case: dict[str, Any]) -> None:
    alerts = StreamEvaluator(_rule(case["rule"])).alerts(_stream(case["events"]))
    assert [list(alert.events) for alert in alerts] == case["alerts"]


def test_every_sentence_has_a_test() -> None:
    sentences = set(re.findall(r"^- \*\*(\d+\.\d+)\*\*", DOC.read_text(encoding="utf-8"), re.MULTILINE))
    tested = {case["n"] for case in (*CONDITIONS, *STREAMS)} | ELSEWHERE
    assert sentences == tested


@pytest.mark.parametrize("pattern", ["a(?=b)", "(?<!x)a", r"(a)\1", "a++", "("])
def test_4_9_a_pattern_outside_re2_is_refused(pattern: str) -> None:
    with pytest.raises(RuleError) as caught:
        expression_from_data({"field": "a", "regex": pattern})
    assert "regex" in str(caught.value.diagnostics or caught.value).lower()


@pytest.mark.parametrize(
    ("value", "time_format", "expected"),
    [
        ("2022-11-29T00:09:04.38Z", "iso8601", "2022-11-29T00:09:04.380Z"),
        ("2022-11-29 00:09:04.38", "iso8601", "2022-11-29T00:09:04.380Z"),
        ("2024-11-13 18:34:10.595141000", "iso8601", "2024-11-13T18:34:10.595141Z"),
        ("2022-11-29T02:09:04+02:00", "iso8601", "2022-11-29T00:09:04Z"),
        (1669680544, "epoch_s", "2022-11-29T00:09:04Z"),
        (1669680544.25, "epoch_s", "2022-11-29T00:09:04.250Z"),
        ("1669680544380", "epoch_ms", "2022-11-29T00:09:04.380Z"),
        (1669680544380001, "epoch_us", "2022-11-29T00:09:04.380001Z"),
        (1669680544380000001, "epoch_ns", "2022-11-29T00:09:04.380000001Z"),
        ("2022-11-29T00:09:04Z", "epoch_ms", "2022-11-29T00:09:04Z"),
        ("2022-13-29T00:09:04Z", "iso8601", None),
        ("soon", "epoch_s", None),
        (True, "epoch_s", None),
        (None, "iso8601", None),
    ],
)
def test_6_3_times_in_every_format(value: object, time_format: str, expected: str | None) -> None:
    moment = parse(value, time_format)
    assert (None if moment is None else to_text(moment)) == expected


def test_6_5_a_stream_without_times_is_refused() -> None:
    rule = _rule({"indicators": [{"field": "a", "is": 1}], "threshold": {"count": 1, "within": "1s"}})
    with pytest.raises(RuleError, match="event 0 has none"):
        StreamEvaluator(rule).alerts(_stream([{"a": 1}]))


def test_10_2_what_an_alert_carries() -> None:
    rule = _rule(
        {
            "indicators": [{"field": "a", "is": 1}],
            "threshold": {"count": 2, "by": ["u"], "within": "10s"},
            "alert": {"suppress_for": "1h"},
        }
    )
    (alert,) = StreamEvaluator(rule).alerts(_stream([{"t": n, "a": 1, "u": 7} for n in range(4)]))
    assert (alert.rule, alert.events, alert.group, alert.time) == (rule.id, (0, 1), ("7",), SECOND)
    assert alert.suppressed == 1
