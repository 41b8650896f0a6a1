"""The streams made for tests of a group decide: a rule with a slip in any part of them alerts otherwise."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import yaml

from converter.check.slips import slips
from converter.check.streams import deciding_streams
from converter.check.variants import Example
from converter.evaluate import StreamEvaluator
from converter.model.load import load_text
from converter.model.rule import Rule

EVENT = {"a": "x", "u": "me", "k": 1, "n": 5, "d": "one"}
INDICATORS = [{"field": "a", "is": "x"}]
CASES = yaml.safe_load("""
- {within: 10m, every: 10m, by: [u], missing_keys: group, having: [{count: matches, gte: 3, lte: 6}]}
- {within: 30m, every: 10m, by: [u], having: [{distinct: d, gte: 3}, {distinct: d, lte: 5}]}
- {count: 4, within: 10m, by: [u], having: [{count: matches, where: [{field: k, is: 2}], gte: 2}]}
- count: 4
  within: 10m
  having: [{distinct: d, is: 1}, {count: matches, where: [{field: k, gte: 7}], lt: 2}]
- {within: 10m, every: 5m, by: [u], having: [{sum: n, gte: 20}]}
- {within: 10m, every: 10m, having: [{max: n, gt: 100}, {min: n, lt: 3}]}
- {within: 10m, by: [u], having: [{met: [{field: k, is: 1}, {field: k, is: 2}, {field: k, is: 3}], gte: 2}]}
- within: 10m
  every: 10m
  having: [{span: {from: {first: [{field: k, is: 1}]}, to: {first: [{field: k, is: 2}]}}, gt: 0s}]
- {count: 3, within: 10m, every: 10m, having: [{span: matches, lte: 5m}]}
- {within: 1h, every: 10m, by: [u], having: [{span: {to: end}, lte: 10m}]}
- {count: 2, within: 10m, by: [u], missing_keys: group}
- {count: 2, within: 10m, every: 10m}
- {within: 10m, by: [u], having: [{any: [{count: matches, gte: 9}, {distinct: d, gte: 3}]}]}
- within: 10m
  every: 10m
  having: [{distinct: d, gt: 2}, {not: {count: matches, where: [{field: k, is: 2}], gte: 1}}]
""")


def rule_of(threshold: Any) -> Rule:
    parts = {"id": "0d5f7b7e-0000-4000-8000-000000000001", "title": "a rule", "logsource": "raw"}
    (rule,) = load_text(yaml.safe_dump({**parts, "indicators": INDICATORS, "threshold": threshold}))
    return rule


@pytest.mark.parametrize("data", CASES, ids=str)
def test_a_slip_shows(data: dict[str, Any]) -> None:
    rule = rule_of(data)
    example = Example(data=EVENT, sources=frozenset({"raw"}))
    streams = list(deciding_streams(rule, [example], lambda step: lambda path: None))
    reference = [StreamEvaluator(rule).alerts(stream.events) for stream in streams]
    assert any(reference)
    assert not all(reference)
    assert rule.threshold is not None
    for name, threshold in slips(rule.threshold):
        slipped = StreamEvaluator(msgspec.structs.replace(rule, threshold=threshold))
        assert any(
            slipped.alerts(stream.events) != expected
            for stream, expected in zip(streams, reference, strict=True)
        ), name
