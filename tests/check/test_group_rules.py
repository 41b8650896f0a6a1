"""Rules with every part of a threshold: what is written for Elastic and Splunk says the same."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import yaml

from converter import Fidelity
from converter.check import Options, check_rules
from converter.logsources import load_packs
from converter.model.load import load_text
from converter.platforms.base import Context
from converter.platforms.registry import platform

CASES = yaml.safe_load("""
- name: tests of a slice, groups without a key
  threshold:
    by: [user.username]
    missing_keys: group
    within: 10m
    every: 10m
    having:
      - {count: matches, where: [{field: responseStatus.code, is: 403}], gte: 3}
      - {distinct: "sourceIPs[]", lte: 3}
      - {distinct: objectRef.resource, gte: 2}
  elastic: exact
  splunk: exact
- name: tests combined, a list as a key
  threshold:
    count: 5
    by: [user.username, "sourceIPs[]"]
    missing_keys: group
    within: 10m
    every: 10m
    having:
      - {distinct: objectRef.resource, apply: [lower], lte: 2}
      - any:
          - {max: responseStatus.code, gte: 400}
          - {count: matches, where: [{field: verb, is: get}], lte: {count: matches, times: 0.5}}
          - not: {distinct: userAgent, where: [{field: verb, is: list}], is: 1}
  elastic: exact
  splunk: exact
- name: one filtered count
  threshold:
    by: [user.username]
    within: 10m
    every: 10m
    having: [{count: matches, where: [{field: verb, is: get}], gte: 3}]
  elastic: exact
  splunk: exact
- name: one match in a slice
  threshold: {count: 1, by: [user.username], within: 10m, every: 10m}
  elastic: exact
  splunk: exact
- name: sums, means and extremes
  threshold:
    count: 3
    distinct: objectRef.resource
    within: 10m
    every: 10m
    having:
      - {sum: responseStatus.code, gt: 1000}
      - {avg: responseStatus.code, lte: 403}
      - {min: responseStatus.code, where: [{field: verb, is: get}], gte: 200}
  elastic: exact
  splunk: exact
- name: overlapping windows, spans, conditions met
  threshold:
    by: [user.username]
    within: 1h
    every: 10m
    having:
      - {span: {from: {first: [{field: verb, is: list}]}, to: end}, lt: 15m}
      - {met: [{field: verb, is: create}, {field: verb, is: patch}, {field: verb, is: get}], gte: 2}
  elastic: exact
  splunk: refused
- name: a sliding window that asks for enough
  threshold: {count: 4, by: [user.username], within: 10m, having: [{distinct: userAgent, gte: 2}]}
  elastic: wider
  splunk: refused
- name: a sliding window that asks for few
  threshold: {count: 4, by: [user.username], within: 10m, having: [{span: matches, lte: 5m}]}
  elastic: narrower
  splunk: refused
""")


@cache
def packs() -> Any:
    return load_packs()


@pytest.mark.parametrize("name", ["elastic", "splunk"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_rule_and_its_rendering_agree(case: dict[str, Any], name: str) -> None:
    whole = {
        "id": "0d5f7b7e-0000-4000-8000-000000000001",
        "title": "a rule",
        "logsource": "kubernetes.audit",
        "indicators": [{"field": "verb", "is": ["get", "list", "create", "patch"]}],
        "threshold": case["threshold"],
    }
    rules = load_text(yaml.safe_dump(whole))
    asked = platform(name)
    context = Context(packs=packs())
    report = check_rules(rules, [asked], {name: context}, options=Options(engines=False))
    (pair,) = report.pairs
    assert pair.fidelity == Fidelity(case[name])
    assert pair.problem is None
    assert pair.disagreements == ()
    if pair.fidelity is not Fidelity.REFUSED:
        assert pair.streams > 20
