"""Fields of a rule's results that a platform does not keep are left out by name; its events stay the same."""

from __future__ import annotations

from datetime import timedelta

import pytest

from converter.logsources.results import LEFT_OUT, NOT_SUPPRESSED, UNKNOWN, keeps, with_kept_results
from converter.model.diagnostics import Fidelity, fidelity_of
from converter.model.load import load_text
from converter.model.paths import parse_path
from converter.model.rule import Rule
from converter.platforms.base import Context
from converter.platforms.registry import platform
from tests.logsources.support import all_packs

PACKS = all_packs()
PLATFORMS = ("panther", "elastic", "splunk")
RULE = """
id: 0d5f7b7e-0000-4000-8000-000000000001
title: t
severity: low
logsource: acme.shop
indicators: [{field: user, is: x}]
"""


def made(text: str = "") -> Rule:
    (rule,) = load_text(RULE + text)
    return rule


@pytest.mark.parametrize("name", PLATFORMS)
def test_what_is_kept_stays_as_it_is(name: str) -> None:
    rule = made('output: [user]\nalert: {title: "{user} did it", group_by: [user], suppress_for: 5m}\n')
    assert with_kept_results(rule, PACKS, name) == (rule, ())


def test_an_output_field_is_left_out_with_a_note() -> None:
    assert not keeps(parse_path("gone"), [PACKS["acme.shop"]], "elastic")
    rule, said = with_kept_results(made("output: [user, gone]\n"), PACKS, "elastic")
    assert [str(field.field) for field in rule.output] == ["user"]
    assert [one.code for one in said] == [LEFT_OUT]
    assert fidelity_of(said) is Fidelity.EXACT


def test_a_title_shows_it_as_unknown() -> None:
    rule, said = with_kept_results(made('alert: {title: "{user} in {gone}"}\n'), PACKS, "elastic")
    assert rule.alert.title == (parse_path("user"), " in ", UNKNOWN)
    assert [one.code for one in said] == [LEFT_OUT]


def test_grouping_is_a_loss_only_where_alerts_are_suppressed() -> None:
    rule, said = with_kept_results(made("alert: {group_by: [user, gone]}\n"), PACKS, "elastic")
    assert rule.alert.group_by == (parse_path("user"),)
    assert fidelity_of(said) is Fidelity.EXACT
    text = "alert: {group_by: [user, gone], suppress_for: 5m}\n"
    rule, said = with_kept_results(made(text), PACKS, "elastic")
    assert rule.alert.suppress_for is None
    assert [(one.code, one.effect) for one in said if one.effect] == [(NOT_SUPPRESSED, Fidelity.WIDER)]
    kept, _ = with_kept_results(made(text), PACKS, "panther")
    assert kept.alert.suppress_for == timedelta(minutes=5)


def test_a_sequence_shows_what_one_of_its_steps_has() -> None:
    (rule,) = load_text("""
id: 0d5f7b7e-0000-4000-8000-000000000001
title: t
severity: low
output: [gone, verb]
sequence:
  within: 5m
  steps:
    - {logsource: acme.shop, indicators: [{field: user, is: x}]}
    - {logsource: kubernetes.audit, indicators: [{field: verb, is: get}]}
""")
    shown, said = with_kept_results(rule, PACKS, "elastic", keep_unmapped=True)
    assert shown == rule
    assert said == ()


def test_an_unknown_name_is_still_a_mistake() -> None:
    rule = made("output: [usr]\n")
    assert with_kept_results(rule, PACKS, "elastic") == (rule, ())
    artifact = platform("splunk").render(rule, Context(packs=PACKS))
    assert artifact.fidelity is Fidelity.REFUSED


@pytest.mark.parametrize("name", PLATFORMS)
def test_every_siem_writes_such_a_rule(name: str) -> None:
    rule = made(
        'output: [user, gone, lost]\nalert: {title: "{gone} and {lost} of {user}", group_by: [gone, lost]}\n'
    )
    artifact = platform(name).render(rule, Context(packs=PACKS))
    assert artifact.fidelity is Fidelity.EXACT
    said = {one.code for one in artifact.diagnostics}
    assert LEFT_OUT in said
