"""Settings of rules beside their query, and settings of the wrong shape: data in cases/settings.yaml."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from converter.logsources import load_packs
from converter.model.dump import dump_rule
from converter.platforms.base import ReadContext, Source
from converter.platforms.elastic import PLATFORM

CASES = yaml.safe_load((Path(__file__).parent / "cases" / "settings.yaml").read_text(encoding="utf-8"))
CONTEXT = ReadContext(packs=load_packs())
RULE = {
    "rule_id": "3d1d2f26-0000-4000-8000-000000000009",
    "name": "Exported",
    "severity": "low",
    "risk_score": 10,
    "type": "query",
    "language": "kuery",
    "query": "event.action : a",
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_settings(case: dict[str, Any]) -> None:
    data = {key: value for key, value in {**RULE, **case["keys"]}.items() if value is not None}
    (found,) = PLATFORM.read(Source(file="x.ndjson", text=json.dumps(data)), CONTEXT)
    lost = [one for one in found.diagnostics if one.effect is not None]
    assert [f"{one.code} {one.effect}" for one in lost] == case.get("findings", [])
    assert all(one.line == 1 and one.column for one in lost)
    if "notes" in case:
        notes = [one.code for one in found.diagnostics if one.effect is None]
        assert [code for code in notes if code != "unknown-field"] == case["notes"]
    for key, value in case.get("rule", {}).items():
        assert found.rule is not None
        assert yaml.safe_load(dump_rule(found.rule)).get(key) == value
