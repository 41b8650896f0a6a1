"""Guards keep other logs out where a platform's names for a log source let them in."""

from __future__ import annotations

import pytest

from converter.evaluate import compile_expression
from converter.logsources import load_packs
from converter.logsources.guard import MISSES, guard, guarded
from converter.model.diagnostics import Fidelity
from converter.model.expressions import TRUE
from converter.model.load import load_text

PACKS = load_packs()
RULE = """
id: 0d5f7b7e-0000-4000-8000-000000000001
title: t
{body}
"""
SYSMON = {"EventID": 1, "Channel": "Microsoft-Windows-Sysmon/Operational", "Image": "x"}


def test_a_guard_holds_for_what_the_pack_selects() -> None:
    windows = compile_expression(guard([PACKS["windows.process_creation"]], "panther"))
    assert windows(SYSMON)
    assert not windows({**SYSMON, "EventID": 7})
    assert guard([PACKS["kubernetes.audit"]], "panther") == TRUE
    assert guard([PACKS["windows.process_creation"], PACKS["raw"]], "panther") == TRUE


@pytest.mark.parametrize("platform", ["panther", "elastic", "splunk"])
def test_two_sources_of_one_platform_name_are_told_apart(platform: str) -> None:
    process, file = (guard([PACKS[name]], platform) for name in ("linux.process", "linux.file"))
    event = {"event": {"category": ["process"]}, "host": {"os": {"type": "macos"}}}
    assert not compile_expression(process)(event)
    event["host"] = {"os": {"type": "linux"}}
    assert compile_expression(process)(event)
    assert compile_expression(file)(event) is (platform == "elastic")  # there each has an index of its own


def test_a_rule_asks_once() -> None:
    body = (
        "logsource: linux.process\n"
        "indicators: [{field: host.os.type, is: linux}, {field: process.name, is: x}]"
    )
    (rule,) = load_text(RULE.format(body=body))
    asked, losses = guarded(rule, PACKS, "elastic")
    assert asked == rule
    assert losses == ()


def test_every_step_is_guarded() -> None:
    body = """sequence:
  steps:
    - {logsource: linux.process, indicators: [{field: process.name, is: x}]}
    - {logsource: kubernetes.audit, indicators: [{field: verb, is: get}]}
"""
    (rule,) = load_text(RULE.format(body=body))
    asked, _ = guarded(rule, PACKS, "splunk")
    assert [len(step.indicators) for step in asked.steps] == [3, 1]


def test_what_a_platform_does_not_keep_is_a_named_loss() -> None:
    (rule,) = load_text(
        RULE.format(body="logsource: windows.process_creation\nindicators: [{field: Image, is: x}]")
    )
    _, (loss,) = guarded(rule, PACKS, "panther")
    assert (loss.code, loss.effect, loss.rule_id) == (MISSES, Fidelity.NARROWER, rule.id)
