"""What searches of others mean, as data: queries.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from converter.evaluate import matches
from converter.model.load import load_text
from converter.platforms.base import ReadContext, ReadRule, Source
from converter.platforms.splunk import PLATFORM
from tests.platforms.splunk.importing.support import BARE_PACKS, FOLDER

CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "queries.yaml").read_text("utf-8"))


def reading(search: str) -> ReadRule:
    text = yaml.safe_dump({"name": "Case", "search": search, "dispatch.earliest_time": "-60m"})
    context = ReadContext(packs=BARE_PACKS, beside=(FOLDER / "rules",))
    (found,) = PLATFORM.read(Source(file="case.yml", text=text), context)
    return found


@pytest.mark.parametrize("case", CASES, ids=[case["search"][:60] for case in CASES])
def test_what_a_search_means(case: dict[str, Any]) -> None:
    found = reading(case["search"])
    assert found.status == case.get("status", "exact"), found.diagnostics
    codes = {one.code for one in found.diagnostics}
    assert set(case.get("codes", ())) <= codes
    if found.status in ("exact", "refused"):
        assert found.residue == ()
    if "residue" in case:
        assert any(case["residue"] in part for part in found.residue)
    if found.status == "refused":
        assert found.rule is None
        return
    assert found.rule is not None
    if "rule" in case:
        head = {"id": found.rule.id, "title": "Case", "logsource": list(found.rule.logsource)}
        (expected,) = load_text(yaml.safe_dump({**head, **case["rule"]}))
        assert found.rule.indicators == expected.indicators
        assert found.rule.threshold == expected.threshold
    for event, verdict in case.get("verdicts", {}).items():
        assert matches(found.rule.condition, yaml.safe_load(event)) is verdict, event
