"""The tables of codes: what the fixtures show is in them, and the guides have the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from converter.platforms.sigma.codes import LOSSES, READING
from tests.platforms.sigma.support import cases, documents

DOCS = Path(__file__).parents[3] / "docs"


def test_every_reason_that_a_fixture_shows_is_in_the_table() -> None:
    shown = {case[1].split()[1] for case in cases("detections.txt") if case[1].startswith("refused")}
    shown |= {case["refused"] for case in documents("correlations.yml") if "refused" in case}
    assert len(shown) > 8
    assert shown <= set(READING)


@pytest.mark.parametrize(("page", "table"), [("sigma.md", LOSSES), ("import-sigma.md", READING)])
def test_the_guides_have_the_same_tables(page: str, table: dict[str, str]) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    for code, meaning in table.items():
        assert f"| `{code}` | {meaning} |" in text
