"""Cases as data: what is written for a condition, and what SPL written by others means."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from converter.model.diagnostics import Fidelity, RuleError
from converter.model.expressions import FALSE, TRUE
from converter.model.load import expression_from_data
from tests.platforms.splunk.support import meaning_of, spl_of

FOLDER = Path(__file__).parent / "fixtures"


def cases(name: str) -> list[list[str]]:
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [line.split(" ⇒ ") for line in lines if line.strip() and not line.startswith("#")]


@pytest.mark.parametrize(("condition", "spl", "back"), cases("writing.txt"))
def test_a_condition_is_written_as_and_reads_back_as(condition: str, spl: str, back: str) -> None:
    text, losses = spl_of(expression_from_data(yaml.safe_load(condition)))
    assert text == spl
    assert losses.fidelity is Fidelity.EXACT
    assert meaning_of(text) == expression_from_data(yaml.safe_load(back))


@pytest.mark.parametrize(("spl", "meaning"), cases("reading.txt"))
def test_what_a_search_means(spl: str, meaning: str) -> None:
    if meaning.startswith("!"):
        with pytest.raises(RuleError) as caught:
            meaning_of(spl)
        assert caught.value.diagnostics[0].code == meaning[1:]
        return
    found = meaning_of(spl)
    empty = {"{all: []}": TRUE, "{any: []}": FALSE}
    assert found == (empty.get(meaning) or expression_from_data(yaml.safe_load(meaning)))


@pytest.mark.parametrize(
    ("spl", "place"),
    [
        ("a=1\n| nonsense", (2, 3)),
        ("a=1\n| where b==1 AND\n  sha1(c)==2", (3, 3)),
        ("a=1 | where `x` ==", (1, 19)),
        ('a=1 | where b=="', (1, 16)),
    ],
)
def test_a_refusal_says_where(spl: str, place: tuple[int, int]) -> None:
    with pytest.raises(RuleError) as caught:
        meaning_of(spl)
    found = caught.value.diagnostics[0]
    assert (found.line, found.column) == place
