"""A rule that has no tests is checked all the same: on events of its log source that are made for it."""

from __future__ import annotations

import pytest

from converter import Rule
from converter.check.constraints.answers import Found
from converter.check.constraints.choices import Goal
from converter.check.constraints.events import EventSolver
from converter.check.runner import RuleUnderCheck
from converter.check.samples import SamplePool
from converter.evaluate import compile_expression, matches
from converter.logsources import load_packs
from converter.model.expressions import Operator, Predicate
from converter.model.load import load_text
from converter.model.paths import FieldPath
from converter.platforms.base import Context
from converter.platforms.registry import platform
from tests.check.breakages import BREAKAGES, Broken

TEXT = """
id: 0d5f7b7e-0000-4000-8000-000000000001
title: Two reads
logsource: {source}
indicators: [{{field: {field}, is: [get, list]}}]
"""
SOURCES = {
    "kubernetes.audit": "verb",
    "windows.process_creation": "CommandLine",
    "linux.process": "process.name",
}
PACKS = load_packs()


def _rule(source: str) -> Rule:
    (rule,) = load_text(TEXT.format(source=source, field=SOURCES[source]))
    return rule


@pytest.mark.parametrize("source", SOURCES)
def test_made_events_are_of_the_log_source(source: str) -> None:
    rule = _rule(source)
    samples = [s for s in SamplePool([rule], PACKS).step_samples(rule, 0, True, 0) if not s.foreign]
    belongs, holds = compile_expression(PACKS[source].select), compile_expression(rule.condition)
    assert all(belongs(sample.event.data) for sample in samples)
    assert {holds(sample.event.data) for sample in samples} == {True, False}


@pytest.mark.parametrize("breakage", ["value lost", "value changed"])
@pytest.mark.parametrize("name", ["elastic", "panther", "splunk"])
@pytest.mark.parametrize("source", SOURCES)
def test_a_broken_writer_is_caught_without_tests(source: str, name: str, breakage: str) -> None:
    rule, context = _rule(source), Context(packs=PACKS)
    checked = RuleUnderCheck(rule, PACKS, SamplePool([rule], PACKS))
    whole, broken = platform(name), Broken(platform(name), BREAKAGES[breakage])
    assert checked.pair(whole, whole.render(rule, context), context).agrees
    assert not checked.pair(broken, broken.render(rule, context), context).agrees


ACCOUNT = """
id: 0d5f7b7e-0000-4000-8000-000000000002
title: An account of the system
logsource: windows.process_creation
indicators: [{field: User, contains: [SYSTEM, service], ignore_case: true}]
exclusions: [{field: User, ends_with: x}, {field: CommandLine, is: quiet}]
"""


def test_made_values_have_the_form_of_their_field() -> None:
    """An account is a domain and a name: Elastic stores the two, and no account without the one or other."""
    (rule,) = load_text(ACCOUNT)
    samples = SamplePool([rule], PACKS).step_samples(rule, 0, True, 0)
    accounts = {account for sample in samples if (account := sample.event.data.get("User")) is not None}
    assert len(accounts) > 5
    assert all(account.count("\\") == 1 and all(account.split("\\")) for account in accounts)
    holds = compile_expression(rule.condition)
    assert {holds(sample.event.data) for sample in samples} == {True, False}
    checked, elastic = RuleUnderCheck(rule, PACKS, SamplePool([rule], PACKS)), platform("elastic")
    artifact = elastic.render(rule, Context(packs=PACKS))
    assert artifact.fidelity == "exact"
    assert checked.pair(elastic, artifact, Context(packs=PACKS)).agrees


LISTS = """
id: 0d5f7b7e-0000-4000-8000-000000000005
title: Two of a kind
logsource: raw
indicators: [{field: kind, starts_with: a}, {field: kind, ends_with: b}, {field: "tags[]", is: x}]
alert: {group_by: [kind]}
"""


def test_lists_are_made_where_something_says_that_there_are_some() -> None:
    """Splunk has them under another name: a rendering says nothing of a list where the rule has none."""
    (rule,) = load_text(LISTS)
    pool = SamplePool([rule], PACKS)
    samples = [pool.step_samples(rule, 0, True, 0)]
    events = [sample.event.data for sample in samples[0]]
    events += [event.data for stream in pool.streams(rule, samples, True) for event in stream.events]
    assert not any(isinstance(event.get("kind"), list) for event in events)
    assert any(isinstance(event.get("tags"), list) for event in events)


def test_true_and_one_are_not_taken_for_one_another() -> None:
    """To Python they are equal: what was found for the one must not be remembered for the other."""
    field = FieldPath(("value",))
    for operand in (True, 1, False, 0):
        answer = EventSolver(lambda path: None).solve([Goal(Predicate(field, Operator.IS, (operand,)), True)])
        assert isinstance(answer, Found)
        assert matches(Predicate(field, Operator.IS, (operand,)), answer.value)
