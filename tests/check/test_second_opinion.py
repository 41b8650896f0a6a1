"""pySigma's opinion of a rule: heard where it is one, and not mistaken for one where it is not."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from converter import MissingExtraError, Rule
from converter.api import context_for
from converter.check import Options, Pair, check_rules
from converter.check import second_opinion as so
from converter.model.expressions import absolute_fields
from converter.model.load import load_text
from converter.platforms.registry import platform

pytest.importorskip("sigma.backends.splunk")

TEXT = """
id: 0d5f7b7e-0000-4000-8000-000000000001
title: Two reads
logsource: windows.process_creation
indicators: [%s]
tests:
  - {name: no, expect: no_match, event: {Image: 'C:\\x.exe'}}
"""
IMAGE = r"{field: Image, ends_with: '\cmd.exe', ignore_case: true}"
LINE = "{field: CommandLine, contains: [whoami, net user], ignore_case: true}"


def _rule(indicators: str) -> Rule:
    (rule,) = load_text(TEXT % indicators)
    return rule


def _opinion(rule: Rule, target: str = "splunk") -> Pair:
    report = check_rules([rule], [platform(target)], {target: context_for()}, options=Options())
    (pair,) = [pair for pair in report.pairs if pair.engine.startswith("pysigma-")]
    return pair


def test_an_opinion_is_heard_and_agrees() -> None:
    pair = _opinion(_rule(f"{IMAGE}, {LINE}, {{not: {{field: User, exists: true}}}}"))
    assert (pair.agrees, pair.skipped, pair.language) == (True, {}, "sigma")
    assert pair.events > 20


def test_another_opinion_is_a_disagreement(monkeypatch: pytest.MonkeyPatch) -> None:
    other = so._spl(r'Image="*\\powershell.exe"')
    opinion = msgspec.structs.replace(so.OPINIONS["splunk"], read=lambda query: other)
    monkeypatch.setattr(so, "OPINIONS", {"splunk": opinion})
    pair = _opinion(_rule(IMAGE))
    assert not pair.agrees
    assert pair.disagreements[0].predicate


SKIPPED = [
    ("{field: CommandLine, is: WhoAmI}", "the backend refuses it: Case-sensitive"),
    ("{field: CommandLine, is: [WhoAmI, x]}", "a list of texts with case"),
    ("{any: [{field: User, is: a}, {field: User, is: b}]}", "a list of texts with case"),
    ("{field: CommandLine, like: 'a?b', ignore_case: true}", "one character of any kind"),
    ("{concat: [{field: User}, {field: Image}], is: x}", "Sigma cannot say it exactly: concat"),
    ("{field: CommandLine, contains: ' * ', ignore_case: true}", "a * that is no wildcard"),
    ("{field: Image, same_as: ParentImage, ignore_case: true}", "two fields compared"),
]
SKIPPED_OF_ELASTIC = [
    ("{field: User, is: [a, b]}", "a list of texts with case"),
    ("{any: [{field: User, is: a}, {field: User, like: 'b*'}]}", "a list of texts with case"),
    ("{field: CommandLine, regex: 'a[0-9]'}", "a regular expression"),
    ("{field: CommandLine, regex: 'a[0-9]', ignore_case: true}", "a regular expression"),
]


@pytest.mark.parametrize(
    ("target", "indicator", "reason"),
    [("splunk", *one) for one in SKIPPED] + [("elastic", *one) for one in SKIPPED_OF_ELASTIC],
)
def test_where_there_is_none_the_reason_is_told(target: str, indicator: str, reason: str) -> None:
    pair = _opinion(_rule(indicator), target)
    assert pair.idle
    assert next(iter(pair.skipped)).startswith(reason)


def test_what_counts_over_time_leaves_the_condition_as_it_is() -> None:
    rule = _rule(IMAGE)
    (counted,) = load_text(TEXT % IMAGE + "threshold: {count: 5, within: 1m}\n")
    assert _opinion(counted).events >= _opinion(rule).events > 0


def test_a_backend_that_is_not_there_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    gone: Any = msgspec.structs.replace(so.OPINIONS["splunk"], backend="nowhere")
    monkeypatch.setattr(so, "OPINIONS", {"splunk": gone})
    with pytest.raises(MissingExtraError, match="engines"):
        so.opinion_for(platform("splunk"), context_for())
    report = check_rules([_rule(IMAGE)], [platform("splunk")], {"splunk": context_for()})
    assert [diagnostic.code for diagnostic in report.diagnostics] == ["missing-engine"]
    assert so.opinion_for(platform("panther"), context_for()) is None


def test_a_title_is_no_flaw() -> None:
    assert so._detection("title: what?\ndetection:\n  a: b\n") == "\n  a: b\n"


def test_queries_for_elastic_are_read_over_sigmas_names() -> None:
    predicate = so._eql('any where CommandLine like~ ("*whoami*", "*net user*")')
    assert {str(path) for path in absolute_fields(predicate)} == {"CommandLine"}
