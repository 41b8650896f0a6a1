"""What our own writer writes is read as the same rule: same verdicts on the rule's own events."""

from __future__ import annotations

from pathlib import Path

import pytest

from converter.evaluate import matches
from converter.logsources import canonical_event, load_packs
from converter.model.diagnostics import Fidelity
from converter.model.load import load_rules
from converter.model.rule import Rule
from converter.platforms.base import Context, ReadContext, ReadRule, Source
from converter.platforms.elastic import PLATFORM

ROOT = Path(__file__).resolve().parents[4]
PACKS = load_packs()
RULES = load_rules([ROOT / "canonical_rules"])


def reread(rule: Rule) -> ReadRule | None:
    artifact = PLATFORM.render(rule, Context(packs=PACKS))
    if artifact.fidelity is not Fidelity.EXACT:
        return None
    source = Source(file=artifact.files[0].path, text=artifact.files[0].text)
    (found,) = PLATFORM.read(source, ReadContext(packs=PACKS))
    return found


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.title)
def test_reader_of_writer(rule: Rule) -> None:
    found = reread(rule)
    if found is None:
        pytest.skip("not written exactly")
    assert found.rule is not None, found.diagnostics
    assert found.fidelity is not Fidelity.REFUSED
    assert (found.rule.id, found.rule.attack) == (rule.id, rule.attack)
    assert (found.rule.new_terms, found.rule.sequence is None) == (rule.new_terms, rule.sequence is None)
    assert (found.rule.threshold is None) == (rule.threshold is None)
    if rule.sequence is not None:
        return
    pack = PACKS[rule.logsource[0]]
    for test in rule.tests:
        for event in test.events:
            whole = canonical_event(pack, event)
            if pack.name in found.rule.logsource:
                assert matches(found.rule.condition, whole) == matches(rule.condition, whole), test.name
