"""What a detection's own unit tests say of the shapes of its fields."""

from __future__ import annotations

from typing import Any

import pytest

from converter.model.load import load_text
from converter.platforms.panther.importing.logic import Test
from converter.platforms.panther.importing.own_tests import with_single_values

RULE = """
id: 0d5f7b7e-0000-4000-8000-000000000001
title: A mount
logsource: raw
indicators: [{field: "volumes[].path[]", is: /etc}, {for_some: mounts, where: [{field: "names[]", is: a}]}]
exclusions: [{field: "a.names[]", is: b}]
"""


@pytest.mark.parametrize(
    ("events", "path"),
    [
        ([{"volumes": [{"path": "/etc"}, {}]}], "volumes[].path"),
        ([{"volumes": [{"path": "/etc"}]}, {"volumes": [{"path": ["/etc"]}]}], "volumes[].path[]"),
        ([{"volumes": [{"path": {"a": 1}}]}], "volumes[].path[]"),
        ([{"volumes": [{"path": None}]}], "volumes[].path[]"),
        ([{"mounts": [{"names": "a"}]}], "volumes[].path[]"),
        ([], "volumes[].path[]"),
    ],
)
def test_single_values_are_no_lists(events: list[dict[str, Any]], path: str) -> None:
    (rule,) = load_text(RULE)
    tests = [Test(name="t", event=event, expected=True, mocked=False) for event in events]
    found = with_single_values(rule, tests)
    assert str(found.indicators[0].subject) == path  # type: ignore[union-attr]
    assert found.indicators[1:] == rule.indicators[1:]
    assert found.exclusions == rule.exclusions
