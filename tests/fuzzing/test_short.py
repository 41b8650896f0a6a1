"""A short run of the fuzzer over the project's own texts: the same texts each time."""

from __future__ import annotations

import random

import pytest

from tests.fuzzing.mutation import EVERYWHERE, mutated
from tests.fuzzing.run import attempt
from tests.fuzzing.targets import broken, readable_targets, seeds

TEXTS = 120


@pytest.mark.no_cover  # its time is measured
@pytest.mark.parametrize("name", readable_targets())
def test_changed_texts_give_findings_and_soon(name: str) -> None:
    failures = {number: attempt(name, number, public=False) for number in range(TEXTS)}
    assert {number: failure for number, failure in failures.items() if failure} == {}


@pytest.mark.parametrize("name", readable_targets())
def test_a_number_stands_for_one_text(name: str) -> None:
    texts = [broken(name, number, public=False) for number in range(20)]
    assert texts == [broken(name, number, public=False) for number in range(20)]
    originals = {seed.text for seed in seeds(name, public=False)}
    assert sum(source.text not in originals for source in texts) > 10


def test_mutations_stay_bounded() -> None:
    chance = random.Random(1)
    assert max(len(mutated("a" * 50_000, "b", EVERYWHERE, chance, 0, 50_000)) for _ in range(200)) <= 60_000
