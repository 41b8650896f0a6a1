"""A rendered query in which one thing is changed is reported by the check, unless it means the same.

A sample runs always, another one on another day's platform; ``make mutants`` runs thousands and prints what
became of them.
"""

from __future__ import annotations

from collections import Counter

import pytest

from converter import Rule
from converter.logsources import load_packs
from tests.check.mutants import FEWEST, own, public, run
from tests.check.mutation import Mutation, Outcome, caught, summary
from tests.check.text_mutants import Kind

_SAMPLED = 5
"""One rule of so many is in the sample."""
_OF_SAMPLE = 5
_MOST_CHARACTERS = 4_000
"""A rule whose renderings are longer is not in the sample: it takes long."""


def _sample() -> list[Rule]:
    return [rule for rule in own() if len(str(rule.steps)) < _MOST_CHARACTERS][::_SAMPLED]


def _assert_noticed(outcomes: list[Outcome]) -> None:
    assert caught(Counter(one.fate for one in outcomes)) >= FEWEST, summary(outcomes)


def test_the_check_notices_a_changed_text() -> None:
    mutation = Mutation(own(), load_packs())
    outcomes = [one for rule in _sample() for one in mutation.outcomes(rule, _OF_SAMPLE)]
    assert len(outcomes) >= 100
    _assert_noticed(outcomes)


@pytest.mark.corpus
@pytest.mark.slow
def test_thousands_of_changed_texts(capsys: pytest.CaptureFixture[str]) -> None:
    rules = public()
    if not rules:
        pytest.skip("the public rules are not here (CONVERTER_CORPUS)")
    outcomes = [one for done in run(rules) for one in done.outcomes]
    with capsys.disabled():
        print("\n" + summary(outcomes))
    assert len(outcomes) >= 5_000
    assert len({one.rule for one in outcomes}) >= 100
    assert {one.change.kind for one in outcomes} == set(Kind)
    _assert_noticed(outcomes)
