"""Whole queries: what they say, and what the writer makes of thresholds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import yaml

from converter.evaluate import LogEvent, StreamEvaluator
from converter.model.diagnostics import RuleError
from converter.model.expressions import FALSE, Expression, all_of
from converter.model.load import expression_from_data, load_text
from converter.model.losses import Losses
from converter.model.paths import FieldPath
from converter.model.rule import Rule, Threshold
from converter.platforms.elastic.esql import minimum_stack, query, read_query
from tests.platforms.elastic.esql.stored import CASES, FIELDS, lines, localised

QUERIES = yaml.safe_load((CASES / "queries.yaml").read_text(encoding="utf-8"))
GROUPS = yaml.safe_load((CASES / "groups.yaml").read_text(encoding="utf-8"))
HOUR = timedelta(hours=1)


TEN_MINUTES = timedelta(minutes=10)


def threshold_of(data: Any) -> Threshold | None:
    if data is None:
        return None
    whole = {"id": "0d5f7b7e-0000-4000-8000-000000000001", "title": "a rule", "logsource": "raw"}
    (rule,) = load_text(yaml.safe_dump({**whole, "indicators": [{"field": "a", "is": 1}], "threshold": data}))
    return rule.threshold


def condition_of(data: Any) -> Expression:
    """As in a rule file, but ``any: []`` may stand for what never holds."""
    if data["all"][-1:] == [{"any": []}] if "all" in data else False:
        return all_of(*(expression_from_data(term) for term in data["all"][:-1]), FALSE)
    return expression_from_data(data)


def path(name: str) -> FieldPath:
    return FieldPath((name,))


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in QUERIES])
def test_what_a_query_says(case: dict[str, Any]) -> None:
    reading = read_query(case["query"], FIELDS, strict=False)
    assert reading.condition == condition_of(case["condition"])
    assert reading.indices == tuple(case.get("indices", ["x"]))
    assert reading.metadata == tuple(case.get("metadata", []))
    assert reading.threshold(HOUR, TEN_MINUTES) == threshold_of(case.get("threshold"))
    assert reading.kept == tuple(case.get("kept", []))
    if "residue" in case:
        assert list(reading.residue) == case["residue"]
    assert [f"{found.code}={found.effect}" for found in reading.diagnostics] == case.get("findings", [])


@pytest.mark.parametrize("case", GROUPS, ids=lambda case: case["query"])
def test_which_groups_pass(case: dict[str, Any]) -> None:
    reading = read_query(f"FROM x | {case['query']}", FIELDS)
    rule = Rule(
        id="0d5f7b7e-0000-4000-8000-000000000001",
        title="a rule",
        logsource=("raw",),
        indicators=(reading.condition,),
        threshold=reading.threshold(HOUR, HOUR),
    )
    rows = [
        LogEvent(data=row, time=int(row.get("t", 1) * 1_000_000_000), id=number)
        for number, row in enumerate(sorted(case["rows"], key=lambda row: row.get("t", 1)))
    ]
    found = {alert.group for alert in StreamEvaluator(rule).alerts(rows)}
    assert found == {tuple(group) for group in case["groups"]}


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in QUERIES])
def test_a_strict_reader_takes_no_loss(case: dict[str, Any]) -> None:
    losses = [finding for finding in case.get("findings", []) if not finding.endswith("None")]
    if losses:
        with pytest.raises(RuleError) as raised:
            read_query(case["query"], FIELDS)
        assert len(raised.value.diagnostics) == len(losses)
    else:
        assert read_query(case["query"], FIELDS) == read_query(case["query"], FIELDS, strict=False)


@pytest.mark.parametrize(
    ("text", "named"),
    [pytest.param(*line.split(" => "), id=str(number)) for number, line in lines("refused.txt")],
)
def test_commands_that_no_rule_can_say_are_refused_by_name(text: str, named: str) -> None:
    with pytest.raises(RuleError, match=named) as raised:
        read_query(text, FIELDS, strict=False)
    assert raised.value.diagnostics[0].code == "esql-command"


@pytest.mark.parametrize(
    ("last", "column"),
    [
        ("SAMPLE 0.5", 3),
        ("LOOKUP JOIN l ON a", 3),
        ('WHERE HASH("md5", a) == "1"', 9),
        ("STATS c = COUNT(*) BY REVERSE(a)", 25),
    ],
)
def test_what_is_refused_or_left_out_is_placed(last: str, column: int) -> None:
    with pytest.raises(RuleError) as raised:
        read_query(f'FROM x\n| WHERE a == "x"\n| {last}')
    found = raised.value.diagnostics[0]
    assert (found.line, found.column) == (3, column)


EVENT_RULE = """\
FROM logs-a-*, "logs b" METADATA _id, _index, _version
| WHERE a == "x"
    AND (n > 5 OR b == "y")
| KEEP @timestamp, _id, _index, _version, a, `odd name`"""


def test_an_event_rule_keeps_the_document() -> None:
    asked = localised(
        expression_from_data({"all": [{"field": "a", "is": "x"}, {"any": [
            {"field": "n", "gt": 5}, {"field": "b", "is": "y"}]}]})
    )  # fmt: skip
    text = query(asked, ["logs-a-*", "logs b"], Losses("elastic"), keep=[path("a"), path("odd name")])
    assert text == EVENT_RULE
    assert read_query(text, FIELDS).kept == ("@timestamp", "_id", "_index", "_version", "a", "odd name")


@pytest.mark.parametrize(
    "index", ["logs-*", "cluster:logs-*", "two words", 'a"b', "a|b", "a,b", "// x", "a\\b"]
)
def test_any_index_stays_one_index(index: str) -> None:
    asked = localised(expression_from_data({"field": "a", "is": "x"}))
    reading = read_query(query(asked, [index, "logs-*"], Losses("elastic")), FIELDS)
    assert reading.indices == (index, "logs-*")
    assert reading.condition == asked.expression


THRESHOLD_RULE = """\
FROM logs-*
| WHERE a == "x"
| WHERE b IS NOT NULL AND i IS NOT NULL
| STATS Esql.event_count = COUNT(*),
    Esql.l_count_distinct = COUNT_DISTINCT(l),
    Esql.a_values = VALUES(a)
    BY b, i
| WHERE Esql.l_count_distinct >= 4
| KEEP b, i, Esql.*"""


def test_a_threshold_rule() -> None:
    losses = Losses("elastic")
    asked = localised(expression_from_data({"field": "a", "is": "x"}))
    threshold = Threshold(count=4, within=HOUR, by=(path("b"), path("i")), distinct=path("l"))
    text = query(asked, ["logs-*"], losses, threshold=threshold, keep=[path("a"), path("b")])
    assert text == THRESHOLD_RULE
    assert [(found.code, found.effect) for found in losses.diagnostics] == [("distinct", None)]


@pytest.mark.parametrize("by", [(), ("b",), ("b", "l")])
@pytest.mark.parametrize("distinct", [None, "m"])
@pytest.mark.parametrize("count", [1, 5000])
def test_a_threshold_reads_back_the_same(by: tuple[str, ...], distinct: str | None, count: int) -> None:
    asked = localised(expression_from_data({"any": [{"field": "a", "is": "x"}, {"field": "l", "is": "y"}]}))
    threshold = Threshold(
        count=count,
        within=HOUR,
        by=tuple(map(path, by)),
        distinct=None if distinct is None else path(distinct),
    )
    reading = read_query(query(asked, ["logs-*"], Losses("elastic"), threshold=threshold), FIELDS)
    assert reading.condition == asked.expression
    assert reading.threshold(HOUR, TEN_MINUTES) == threshold


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ('FROM x | WHERE a == "x"', (8, 13)),
        ('FROM x | WHERE a LIKE ("x*", "y*")', (9, 1)),
        ('FROM x | WHERE a RLIKE ("x.*", "y.*")', (9, 2)),
        ('FROM x | WHERE NOT MV_CONTAINS(l, "x") OR KQL("l: y")', (9, 2)),
        ("FROM x | EVAL z = CASE(MV_INTERSECTS(l, m), 1, 2)", (9, 3)),
    ],
)
def test_the_version_a_query_needs(text: str, version: tuple[int, int]) -> None:
    assert minimum_stack(text) == version
