"""What a counting search finds and what its rule alerts on, over streams that are made at random.

The search is run by an interpreter of its own, written from the Search Reference ("bin", "stats", "fillnull",
"where") without a word of the reader's code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converter.evaluate.stream import LogEvent, evaluate_stream
from converter.platforms.splunk.spl import syntax as s
from converter.platforms.splunk.spl.parse import parse_pipeline
from tests.platforms.splunk.importing.test_queries import reading
from tests.platforms.splunk.rows import Row, truth

NANOSECONDS = 10**9
RUN = 3600
"""A run each hour over an hour, in seconds."""

EVENTS = st.lists(
    st.fixed_dictionaries(
        {"t": st.integers(0, 2 * RUN - 1), "a": st.sampled_from([1, 1, 1, 2])},
        optional={
            "src": st.sampled_from(["p", "q"]),
            "user": st.sampled_from(["x", "y", "z"]),
            "ok": st.sampled_from(["yes", "no"]),
            "size": st.integers(-3, 9),
        },
    ),
    max_size=24,
)

SEARCHES = [
    "a=1 | stats count by src | where count > 2",
    "a=1 | stats count by src | where count < 3",
    "a=1 | stats count by src user | where count >= 2",
    "a=1 | bin _time span=10m | stats count by src _time | where count >= 2",
    "a=1 | bin _time span=30m | stats dc(user) AS n count by src _time | where n >= 2 AND count <= 4",
    "a=1 | bin _time span=20m | stats dc(user) AS n by _time | where n=2",
    'a=1 | stats count count(eval(ok="no")) AS bad by src | where bad >= 2 AND count < 6',
    'a=1 | stats count(eval(ok="no")) AS bad count(eval(ok="yes")) AS good by src | where bad > good',
    "a=1 | stats sum(size) AS n by src | where n > 5",
    "a=1 | stats sum(size) AS n min(size) AS low max(size) AS top by src | where low>=0 AND top<9 AND n>0",
    "a=1 | stats avg(size) AS n by src | where n < 4",
    "a=1 | stats count dc(user) AS n by src | where NOT (count < 2 OR n=1)",
    "a=1 | stats count dc(user) AS n by src | where count > 3 OR n > 2",
    'a=1 | stats count(eval(ok="no")) AS bad by src | where bad >= 2',
    "a=1 | stats dc(user) AS n by src | where n >= 1",
    "a=1 | fillnull value=none src | stats count by src | where count > 1",
    "a=1 | fillnull value=none src | bin _time span=30m | stats count by src _time | where count < 2",
    "a=1 | stats count by src user | stats dc(user) AS n by src | where n >= 2",
    "a=1 | stats count min(_time) AS one max(_time) AS last by src | where last-one > 1800 AND count > 1",
]


def groups_found(search: str, events: list[Row]) -> set[tuple[int, tuple[Any, ...]]]:
    """The rows that the search ends with, run by run: where the row's time ends, and its BY values."""
    pipeline, _ = parse_pipeline(search, {})
    found: set[tuple[int, tuple[Any, ...]]] = set()
    for start in (0, RUN):
        rows = [
            {**one, "_time": one["t"]} for one in events if start <= one["t"] < start + RUN and one["a"] == 1
        ]
        end = start + RUN
        keys: tuple[str, ...] = ("src",)
        for command in pipeline.commands[1:]:
            match command.body:
                case s.Words("bin", _, options):
                    length = 60 * int(options["span"].removesuffix("m"))
                    rows = [{**row, "_time": row["_time"] // length * length, "_end": length} for row in rows]
                case s.Words("fillnull", (name,), options):
                    rows = [{name: options["value"], **row} for row in rows]
                case s.Stats(_, aggregates, by):
                    keys = tuple(name for name in by if name != "_time")
                    rows = list(_stats(aggregates, by, rows))
                case s.Where(expression):
                    rows = [row for row in rows if truth(expression, row) is True]
        for row in rows:
            when = row["_time"] + row["_end"] if "_time" in row else end
            found.add((when, tuple(row[name] for name in keys)))
    return found


def _stats(aggregates: tuple[s.Aggregate, ...], by: tuple[str, ...], rows: list[Row]) -> Any:
    made: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        key = tuple(row.get(name) for name in by)
        if None not in key:
            made.setdefault(key, []).append(row)
    for key, members in made.items():
        made_row: Row = dict(zip(by, key, strict=True))
        if "_time" in made_row:
            made_row["_end"] = members[0]["_end"]
        for one in aggregates:
            made_row[one.name] = _aggregate(one, members)
        yield made_row


_FUNCTIONS: Mapping[str, Callable[[list[Any]], Any]] = {
    "dc": lambda values: len(set(values)),
    "sum": lambda values: sum(values) if values else None,
    "min": lambda values: min(values, default=None),
    "max": lambda values: max(values, default=None),
    "avg": lambda values: sum(values) / len(values) if values else None,
}


def _aggregate(one: s.Aggregate, members: list[Row]) -> Any:
    if one.argument is None:
        return len(members)
    if not isinstance(one.argument, str):
        return sum(1 for row in members if truth(one.argument, row) is True)
    return _FUNCTIONS[one.function](
        [row[one.argument] for row in members if row.get(one.argument) is not None]
    )


@pytest.mark.no_cover  # many events go the way of a few
@pytest.mark.parametrize("search", SEARCHES)
def test_the_rule_finds_the_groups_that_the_search_finds(search: str) -> None:
    read = reading(search)
    assert read.status == "exact", read.diagnostics
    rule = read.rule
    assert rule is not None
    every = rule.threshold.every.total_seconds() if rule.threshold and rule.threshold.every else RUN

    @settings(max_examples=80, deadline=None)
    @given(EVENTS)
    def holds(events: list[Row]) -> None:
        stream = [
            LogEvent(data={k: v for k, v in one.items() if k != "t"}, time=one["t"] * NANOSECONDS, id=place)
            for place, one in enumerate(sorted(events, key=lambda one: one["t"]))
        ]
        alerts = evaluate_stream(rule, stream)
        if rule.threshold is None:
            times = {(one.time or 0) // NANOSECONDS // RUN for one in alerts}
            assert times == {end // RUN - 1 for end, _ in groups_found(search, events)}
            return
        found = {
            (
                int(((one.time or 0) // NANOSECONDS // every + 1) * every),
                tuple("none" if value is None else value for value in one.group),
            )
            for one in alerts
        }
        assert found == groups_found(search, events)

    holds()
