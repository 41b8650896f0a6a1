"""Every rule can be written for every platform, and says itself which losses that costs."""

from __future__ import annotations

import pytest

from converter.api import context_for
from converter.model.diagnostics import Fidelity
from converter.model.load import load_rules
from converter.model.rule import Rule
from converter.platforms.naming import slug
from converter.platforms.registry import platform
from tests.canonical_rules import overview

RULES = load_rules([overview.FOLDER])
CONTEXT = context_for()


@pytest.mark.parametrize("name", overview.PLATFORMS)
@pytest.mark.parametrize("rule", RULES, ids=slug)
def test_a_rule_is_written_with_no_loss_but_those_it_allows(rule: Rule, name: str) -> None:
    artifact = platform(name).render(rule, CONTEXT)
    assert artifact.fidelity is not Fidelity.REFUSED, artifact.diagnostics
    assert artifact.files
    lost = {diagnostic.code for diagnostic in artifact.diagnostics if diagnostic.effect is not None}
    assert lost == set(rule.platforms.get(name, {}).get("allow_loss", ()))
