"""Rules of shapes in which the check once found a fault: their renderings are what they claim to be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from converter.api import check
from converter.model.load import load_text

CASES = yaml.safe_load(Path(__file__).with_name("agreement.yaml").read_text())
ID = "0d5f7b7e-0000-4000-8000-000000000009"


@pytest.mark.parametrize("case", [pytest.param(case, id=case["about"]) for case in CASES])
def test_all_engines_agree(case: dict[str, Any]) -> None:
    (rule,) = load_text(f"id: {ID}\n{case['rule']}")
    report = check([rule], platforms=case["claims"])
    claimed = {pair.platform: str(pair.fidelity) for pair in report.pairs if pair.language != "sigma"}
    assert claimed == case["claims"]
    assert [(pair.engine, pair.problem, pair.disagreements) for pair in report.pairs if not pair.agrees] == []
    assert report.summary.events > 0
