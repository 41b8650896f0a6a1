"""Keys that a platform does not keep are told by another field, as a named loss; conditions never are."""

from __future__ import annotations

import pytest

from converter.check.runner import RuleUnderCheck
from converter.check.samples import SamplePool
from converter.evaluate import matches
from converter.logsources import load_packs
from converter.logsources.derived import with_derived
from converter.logsources.stand_ins import STAND_IN, by_what_tells, with_stand_ins
from converter.model.diagnostics import Fidelity, fidelity_of
from converter.model.load import load_text
from converter.model.paths import parse_path
from converter.model.rule import Rule
from converter.platforms.base import Context
from converter.platforms.registry import platform

PACKS = load_packs()
HOST, NAME = parse_path("host.id"), parse_path("Computer")
HEAD = "id: 0d5f7b7e-0000-4000-8000-000000000001\ntitle: A rule\n"
ASKED = "indicators: [{field: TargetFilename, is: x}]\n"
FILES = f"{HEAD}logsource: windows.file\n{ASKED}"
STEP = "{{logsource: {0}, by: [host.id], indicators: [{{field: Image, is: x}}]}}"
RULES = {
    "count": FILES + "threshold: {count: 2, by: [host.id], within: 5m}\n",
    "new": FILES + "new_terms: {fields: [host.id, TargetFilename], history: 7d}\n",
    "suppressed": FILES + "alert: {group_by: [host.id], suppress_for: 5m}\n",
    "sequence": HEAD
    + "sequence: {within: 5m, steps: ["
    + ", ".join(map(STEP.format, ("windows.file", "windows.network")))
    + "]}\n",
}


def made(text: str) -> Rule:
    (rule,) = load_text(text)
    return rule


def keys(rule: Rule) -> set[str]:
    """The fields by which a rule groups and joins."""
    paths = [*(rule.threshold.by if rule.threshold is not None else ()), *rule.alert.group_by]
    paths += rule.new_terms.fields if rule.new_terms is not None else ()
    paths += [path for step in rule.steps for path in step.by]
    return set(map(str, paths)) - {"TargetFilename"}


@pytest.mark.parametrize("name", RULES)
def test_a_key_is_told_by_another_field(name: str) -> None:
    rule = made(RULES[name])
    assert with_stand_ins(rule, PACKS, "elastic") == (rule, ())
    for siem in ("splunk", "panther"):
        told, said = with_stand_ins(rule, PACKS, siem)
        assert keys(told) == {"Computer"}
        assert {(one.code, one.effect) for one in said} == {(STAND_IN, Fidelity.WIDER)}
    assert keys(by_what_tells(rule, PACKS)) == {"Computer"}
    assert by_what_tells(made(FILES), PACKS) == made(FILES)


def test_log_sources_must_agree() -> None:
    rule = made(
        FILES.replace("windows.file", "[windows.file, linux.auditd]") + RULES["count"].removeprefix(FILES)
    )
    assert with_stand_ins(rule, PACKS, "splunk") == (rule, ())


def test_a_condition_is_not_changed() -> None:
    rule = made(FILES + "exclusions: [{field: host.id, is: h}]\n")
    assert with_stand_ins(rule, PACKS, "splunk") == (rule, ())
    artifact = platform("splunk").render(rule, Context(packs=PACKS))
    assert artifact.fidelity is Fidelity.REFUSED


def test_an_event_without_the_key_gets_it() -> None:
    pack = PACKS["windows.file"]
    assert with_derived(pack, {"Computer": "pc"})["host"] == {"id": "pc"}
    assert with_derived(pack, {"Computer": "pc", "host": {"id": "h"}})["host"] == {"id": "h"}
    assert "host" not in with_derived(pack, {"TargetFilename": "x"})
    assert matches(made(FILES).condition, with_derived(pack, {"TargetFilename": "x"}))


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("siem", ["panther", "splunk", "elastic"])
def test_no_alert_differs_but_by_name(name: str, siem: str) -> None:
    rule = made(RULES[name])
    artifact = platform(siem).render(rule, Context(packs=PACKS))
    assert artifact.fidelity is not Fidelity.REFUSED
    assert (STAND_IN in {one.code for one in artifact.diagnostics}) is (siem != "elastic")
    assert fidelity_of(artifact.diagnostics) is artifact.fidelity
    checked = RuleUnderCheck(rule, PACKS, SamplePool([rule], PACKS))
    pair = checked.pair(platform(siem), artifact, Context(packs=PACKS))
    assert not pair.problem
    assert not pair.disagreements
    assert pair.streams > 0
