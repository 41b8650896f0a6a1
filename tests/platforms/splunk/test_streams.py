"""Thresholds, sequences and new terms: the written commands, run over rows, alert when the rule does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converter.evaluate import LogEvent, evaluate_stream, matches
from converter.model.rule import Rule
from converter.platforms.splunk import PLATFORM
from converter.platforms.splunk.read_back import pack_macros
from converter.platforms.splunk.spl.parse import parse_pipeline
from converter.platforms.splunk.spl.pipeline import MacroText
from tests.platforms.splunk.rows import Flight, Row
from tests.platforms.splunk.test_rendering import CONTEXT, rule

PACK = CONTEXT.packs["kubernetes.audit"]
VERBS = ("list", "get", "delete", "watch")


def step(verb: str, by: str = "user.username", **more: Any) -> dict[str, Any]:
    return {
        "logsource": "kubernetes.audit",
        "by": [by],
        "indicators": [{"field": "verb", "is": verb}],
        **more,
    }


def sequence(*steps: dict[str, Any], within: str = "4s") -> Rule:
    return rule(indicators=None, logsource=None, sequence={"within": within, "steps": list(steps)})


EITHER = {"logsource": "kubernetes.audit", "by": ["user.username"]} | {
    "indicators": [{"field": "verb", "is": ["list", "get"]}]
}

GETS = {"field": "verb", "is": "get"}
RULES = {
    "count": rule(threshold={"count": 3, "by": ["user.username"], "within": "4s"}),
    "count of all": rule(threshold={"count": 2, "within": "3s"}),
    "count by place": rule(threshold={"count": 2, "by": ["sourceIPs[0]"], "within": "5s"}),
    "count by each": rule(threshold={"count": 2, "by": ["sourceIPs[]"], "within": "5s"}),
    "count of those without a key too": rule(
        threshold={"count": 2, "by": ["user.username"], "within": "4s", "missing_keys": "group"}
    ),
    "count by each, or none": rule(
        threshold={
            "count": 2,
            "by": ["sourceIPs[]", "sourceIPs[0]"],
            "within": "5s",
            "missing_keys": "group",
        }
    ),
    "count by a choice": rule(
        threshold={
            "count": 2,
            "by": [
                {
                    "choice": [
                        {
                            "field": "user.username",
                            "apply": ["upper"],
                            "when": [{"field": "verb", "is": "get"}],
                        },
                        {"field": "sourceIPs[0]", "when": [{"field": "sourceIPs[]", "exists": True}]},
                        {"text": "nobody", "when": [{"field": "verb", "is": ["list", "watch"]}]},
                    ]
                }
            ],
            "within": "4s",
            "missing_keys": "group",
        }
    ),
    "new": rule(new_terms={"fields": ["user.username"], "history": "3s"}),
    "new pair": rule(new_terms={"fields": ["user.username", "sourceIPs[]"], "history": "5s"}),
    "two": sequence(step("list"), step("get")),
    "three": sequence(step("list"), step("get"), step("delete"), within="6s"),
    "same twice": sequence(step("list"), step("list")),
    "overlapping": sequence(EITHER, step("get")),
    "repeated": sequence(step("list", repeat=3), step("get"), within="6s"),
    "absent": sequence(step("list"), step("watch", absent=True), step("get")),
    "absent later": sequence(
        step("list"), step("get"), step("watch", absent=True), step("delete"), within="8s"
    ),
    "by list": sequence(step("list", "sourceIPs[]"), step("get", "sourceIPs[]")),
}

NOW = {"splunk": {"earliest": "-1h@h", "latest": "now"}}
BY_THE_CLOCK = {
    name: rule(platforms=NOW, threshold=threshold)
    for name, threshold in {
        "overlapping": {"count": 2, "within": "6s", "every": "2s"},
        "overlapping by": {"count": 2, "by": ["user.username"], "within": "5s", "every": "3s"},
        "by each, or none": {"count": 2, "by": ["sourceIPs[]"], "within": "4s", "every": "1s"}
        | {"missing_keys": "group"},
        "distinct": {"count": 2, "distinct": "sourceIPs[]", "within": "7s", "every": "3s"},
        "span": {"within": "6s", "every": "6s", "having": [{"span": "matches", "gt": "1s", "lte": "3s"}]},
    }.items()
}

events = st.lists(
    st.fixed_dictionaries(
        {"verb": st.sampled_from(VERBS), "gap": st.integers(1, 3)},
        optional={
            "user": st.sampled_from(("ann", "bob")),
            "sourceIPs": st.lists(st.sampled_from(("1.1.1.1", "2.2.2.2")), min_size=1, max_size=2),
        },
    ),
    max_size=12,
)


def log(made: list[dict[str, Any]]) -> list[LogEvent]:
    found = []
    time = 1_000
    for number, event in enumerate(made):
        time += event["gap"]
        data: dict[str, Any] = {"verb": event["verb"]}
        if "user" in event:
            data["user"] = {"username": event["user"]}
        if "sourceIPs" in event:
            data["sourceIPs"] = event["sourceIPs"]
        found.append(LogEvent(data=data, time=time * 10**9, id=number))
    return found


def row(event: LogEvent) -> Row:
    assert event.time is not None
    stored: Row = dict(PLATFORM.project(event.data, PACK))
    return {**stored, "_time": event.time // 10**9, "_id": event.id}


def results(made: Rule, stream: list[LogEvent]) -> list[Row]:
    """The rows that the rule's search leaves: its base search is the reference's condition."""
    macros = {**pack_macros(CONTEXT), "a_rule_filter": MacroText("search *")}
    pipeline, _ = parse_pipeline(PLATFORM.render(made, CONTEXT).query, macros)
    found = [row(event) for event in stream if any(matches(one.condition, event.data) for one in made.steps)]
    return Flight({0: found}).run(pipeline)


@pytest.mark.parametrize("name", sorted(RULES))
@settings(max_examples=60, deadline=None)
@given(made=events)
def test_the_commands_alert_when_the_rule_does(name: str, made: list[dict[str, Any]]) -> None:
    checked = RULES[name]
    stream = log(made)
    alerts = sorted({alert.events[-1] for alert in evaluate_stream(checked, stream)})
    found = sorted({one["_id"] for one in results(checked, stream)})
    if checked.threshold is None:
        assert found == alerts
    else:  # while a window stays full, further matches are results too (repeated-results)
        assert set(alerts) <= set(found)
        assert found[:1] == alerts[:1]


@pytest.mark.parametrize("name", sorted(BY_THE_CLOCK))
@settings(max_examples=60, deadline=None)
@given(made=events)
def test_windows_of_the_clock_alert_when_the_rule_does(name: str, made: list[dict[str, Any]]) -> None:
    checked = BY_THE_CLOCK[name]
    assert checked.threshold is not None
    stream = log(made)
    counted = ("match_count", "distinct_count", "match_span")
    found = [
        tuple(v for k, v in one.items() if k not in ("window_end", *counted))
        for one in results(checked, stream)
    ]
    alerts = [tuple(key or "␀" for key in alert.group) for alert in evaluate_stream(checked, stream)]
    assert sorted(found) == sorted(alerts)
