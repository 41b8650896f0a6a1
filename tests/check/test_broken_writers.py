"""A writer that is broken on purpose is caught by the check alone, on every platform, whatever is broken."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from converter import load
from converter.check.runner import Options, RuleUnderCheck
from converter.check.samples import SamplePool
from converter.logsources import load_packs
from converter.model.diagnostics import Fidelity
from converter.model.rule import Rule
from converter.platforms.base import Artifact, Context
from converter.platforms.losses import UNREAD_CODES
from converter.platforms.registry import platform
from tests.check.breakages import BREAKAGES, Broken, changes

pytestmark = pytest.mark.no_cover  # many rules go the way of a few

RULES = Path(__file__).parents[2] / "canonical_rules"
_MOST_RULES = 12
"""Rules tried per breakage and platform, spread over all that it changes."""
PLATFORMS = ("elastic", "panther", "splunk")


@cache
def _rules() -> tuple[Rule, ...]:
    return tuple(load(RULES))


@cache
def _pool() -> SamplePool:
    return SamplePool(_rules(), load_packs())


@cache
def _under_check(index: int) -> RuleUnderCheck:
    return RuleUnderCheck(_rules()[index], load_packs(), _pool(), Options(engines=False, limit=200))


def _hidden_by_a_loss(artifact: Artifact) -> bool:
    losses = (Fidelity.WIDER, Fidelity.NARROWER)
    return any(d.effect in losses and d.code not in UNREAD_CODES for d in artifact.diagnostics)


@pytest.mark.parametrize("name", BREAKAGES)
@pytest.mark.parametrize("platform_name", PLATFORMS)
def test_the_check_catches(platform_name: str, name: str) -> None:
    """Every rule that the breakage changes, and whose rendering claims to be exact, is reported."""
    whole = platform(platform_name)
    broken = Broken(whole, BREAKAGES[name])
    context = Context(packs=load_packs())
    affected = [
        index
        for index, rule in enumerate(_rules())
        if changes(BREAKAGES[name], rule) and not _hidden_by_a_loss(whole.render(rule, context))
    ]
    caught: list[str] = []
    missed: list[str] = []
    for index in affected[:: max(1, len(affected) // _MOST_RULES)]:
        rule = _rules()[index]
        artifact = broken.render(rule, context)
        refused = not artifact.files
        seen = refused or not _under_check(index).pairs(broken, artifact, context, ())[0].agrees
        (caught if seen else missed).append(rule.title)
    assert not missed
    assert caught or name in ("window changed", "count changed", "group key lost")
