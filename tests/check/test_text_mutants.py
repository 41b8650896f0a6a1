"""A rendered query in which one thing is changed is reported by the check, unless it means the same.

The sample runs always; ``make mutants`` runs many more, over public rules as well, and prints what became
of them.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from converter import Rule, load, read
from converter.logsources import load_packs
from converter.model.expressions import Operator, predicates
from tests.check.mutation import Mutation, Outcome, caught, summary
from tests.corpus import CORPUS

RULES = Path(__file__).resolve().parents[2] / "canonical_rules"
FEWEST = 0.98
"""So large a share of the mutants that mean something else must be caught."""
_SAMPLED = 4
"""One rule of so many is in the sample."""
_OF_SAMPLE = 6
_OF_OWN = 30
_OF_PUBLIC = 20
"""So many mutants at most of one rendering: in the sample, in the full run, of a public rule."""
_PUBLIC = {
    "sigma": ("sigma/rules", "*.yml"),
    "elastic": ("elastic/rules", "*.toml"),
    "splunk": ("splunk/detections", "*.yml"),
}
_STRIDE = 25
_MOST_PUBLIC = 30
"""So many rules at most of each public collection, spread over it."""


@cache
def _own() -> tuple[Rule, ...]:
    return tuple(load(RULES))


@cache
def _mutation() -> Mutation:
    return Mutation(_own(), load_packs())


def _sample() -> list[Rule]:
    """Rules without a class of addresses: an event at each of its edges makes the others slow."""
    asked = ((rule, predicates(step.condition)) for rule in _own() for step in rule.steps)
    slow = {rule.id for rule, found in asked if any(one.operator is Operator.IP for one in found)}
    return [rule for rule in _own() if rule.id not in slow][::_SAMPLED]


def _assert_noticed(outcomes: list[Outcome]) -> None:
    """Nearly all are caught that mean something else. What a regular expression takes beside what it took is
    seen in few events, so that not every one of them can be.
    """
    assert caught(Counter(one.fate for one in outcomes)) >= FEWEST, summary(outcomes)


def test_the_check_notices_a_changed_text() -> None:
    outcomes = [one for rule in _sample() for one in _mutation().outcomes(rule, _OF_SAMPLE)]
    assert len(outcomes) >= 100
    _assert_noticed(outcomes)


def _public(name: str) -> list[Rule]:
    """Public rules that are read exactly, spread over their collection."""
    folder, names = _PUBLIC[name]
    files = sorted((CORPUS / folder).rglob(names))
    beside = [path for path in (CORPUS / name / "macros", CORPUS / name / "lookups") if path.is_dir()]
    spread_out = [file for start in range(_STRIDE) for file in files[start::_STRIDE]]
    found: list[Rule] = []
    for file in spread_out:
        if len(found) >= _MOST_PUBLIC:
            break
        found += [one.rule for one in read(file, name, beside=beside) if one.rule and one.status == "exact"]
    return found


@pytest.mark.corpus
@pytest.mark.slow
def test_thousands_of_changed_texts(capsys: pytest.CaptureFixture[str]) -> None:
    public = [rule for name in _PUBLIC for rule in _public(name)]
    if not public:
        pytest.skip("the public rules are not here (CONVERTER_CORPUS)")
    mutation = Mutation([*_own(), *public], load_packs())
    outcomes = [one for rule in _own() for one in mutation.outcomes(rule, _OF_OWN)]
    outcomes += [one for rule in public for one in mutation.outcomes(rule, _OF_PUBLIC)]
    with capsys.disabled():
        print("\n" + summary(outcomes))
    assert len(outcomes) >= 5_000
    assert len({one.rule for one in outcomes}) >= 100
    _assert_noticed(outcomes)
