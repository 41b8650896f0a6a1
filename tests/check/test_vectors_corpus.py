"""How many predicates are shown to decide: of this repository's rules, and of public ones as imported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from converter import Rule, load, read
from converter.check.vectors import Status, vectors
from converter.logsources import load_packs
from tests.corpus import CORPUS

RULES = Path(__file__).resolve().parents[2] / "canonical_rules"
FOLDERS = {
    "sigma": ("sigma/rules", "*.yml", 3),
    "elastic": ("elastic/rules", "*.toml", 1),
    "splunk": ("splunk/detections", "*.yml", 1),
}
"""Platform → folder of its rules, their names, and of so many files one is taken."""
FEWEST = 500


def _counted(rules: Iterable[Rule]) -> Counter[Status]:
    packs = load_packs()
    made = (vectors(rule, packs, edges=False) for rule in rules)
    return Counter(one.status for each in made for one in each.coverage)


def test_own_rules() -> None:
    counts = _counted(load(RULES))
    assert counts[Status.COVERED] >= 0.95 * counts.total()


@pytest.mark.corpus
@pytest.mark.parametrize("platform", FOLDERS)
def test_imported_rules(platform: str) -> None:
    """At least 85 % of the predicates decide both ways in made events. Those that are proved unable to (an
    ``exists`` beside a condition on the same field, say) are no failure of the construction.
    """
    folder, names, step = FOLDERS[platform]
    files = sorted((CORPUS / folder).rglob(names))[::step]
    if not files:
        pytest.skip("the public rules are not here (CONVERTER_CORPUS)")
    beside = [path for path in (CORPUS / platform / "macros", CORPUS / platform / "lookups") if path.is_dir()]
    found = [one.rule for file in files for one in read(file, platform, beside=beside)]
    rules = [rule for rule in found if rule is not None]
    assert len(rules) >= FEWEST
    counts = _counted(rules)
    feasible = counts.total() - counts[Status.PROVED]
    assert counts[Status.COVERED] >= 0.85 * feasible
    assert counts[Status.UNSOLVED] <= 0.05 * counts.total()
