"""How many predicates are shown to decide: of this repository's rules, and of public ones as imported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from converter import Rule, load
from converter.check.vectors import Status, vectors
from converter.logsources import load_packs
from tests.corpus import COLLECTIONS, imported

RULES = Path(__file__).resolve().parents[2] / "canonical_rules"


def _counted(rules: Iterable[Rule]) -> Counter[Status]:
    packs = load_packs()
    made = (vectors(rule, packs, edges=False) for rule in rules)
    return Counter(one.status for each in made for one in each.coverage)


def test_own_rules() -> None:
    counts = _counted(load(RULES))
    assert counts[Status.COVERED] >= 0.95 * counts.total()


@pytest.mark.corpus
@pytest.mark.parametrize("platform", COLLECTIONS)
def test_imported_rules(platform: str) -> None:
    """At least 85 % of the predicates decide both ways in made events. Those that are proved unable to (an
    ``exists`` beside a condition on the same field, say) are no failure of the construction.
    """
    counts = _counted(imported(platform))
    feasible = counts.total() - counts[Status.PROVED]
    assert counts[Status.COVERED] >= 0.85 * feasible
    assert counts[Status.UNSOLVED] <= 0.05 * counts.total()
