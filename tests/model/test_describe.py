"""Tests of a group as one line for people."""

from __future__ import annotations

from typing import Any

import pytest

from converter.model.describe import describe_test
from converter.model.measures_in import read_having
from converter.model.problems import Problems

CASES: list[tuple[dict[str, Any], str]] = [
    ({"count": "matches", "gte": 5}, "count of matches >= 5"),
    (
        {"count": "matches", "where": [{"field": "a", "is": 1}], "lte": {"count": "matches", "times": 0.1}},
        "count of matches where (a is 1) <= 0.1 times count of matches",
    ),
    (
        {"any": [{"distinct": "a", "gte": 2, "lte": 3}, {"not": {"max": "b", "apply": ["length"], "is": 4}}]},
        "(distinct of a >= 2 and distinct of a <= 3) or not max of length(b) = 4",
    ),
    ({"span": "matches", "lt": "90s"}, "time from the first match to the last match < 90s"),
    (
        {"all": [{"span": {"from": {"last": [{"field": "a", "is": 1}]}, "to": "end"}, "gte": "0s"}]},
        "time from the last match where (a is 1) to the end of the window >= 0s",
    ),
    ({"met": [{"field": "a", "is": 1}], "is": 1}, "number met of (a is 1) = 1"),
]


@pytest.mark.parametrize(("data", "expected"), CASES)
def test_a_test_of_a_group(data: dict[str, Any], expected: str) -> None:
    problems = Problems()
    (condition,) = read_having([data], None, problems)
    assert describe_test(condition) == expected
