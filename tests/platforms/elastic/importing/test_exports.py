"""Kibana's exports, version by version and broken ones: every rule, and every line that is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from converter.logsources import load_packs
from converter.model.dump import dump_rule
from converter.platforms.base import ReadContext, Source
from converter.platforms.elastic import PLATFORM

EXPORTS = Path(__file__).parent / "exports"
EXPECTED: dict[str, dict[str, Any]] = yaml.safe_load((EXPORTS / "expected.yaml").read_text(encoding="utf-8"))
CONTEXT = ReadContext(packs=load_packs())


@pytest.mark.parametrize("name", EXPECTED)
def test_exports(name: str) -> None:
    text = (EXPORTS / name).read_text(encoding="utf-8")
    rules = PLATFORM.read(Source(file=name, text=text), CONTEXT)
    assert [f"{rule.title} {rule.status}" for rule in rules] == EXPECTED[name]["rules"]
    found = [one for rule in rules for one in rule.diagnostics if one.effect is not None]
    expected = EXPECTED[name].get("findings", [])
    assert len(found) == len(expected)
    for one, (code, line, column, part) in zip(found, expected, strict=True):
        assert (one.code, one.line) == (code, line)
        assert one.column == column or column is None
        assert part in one.message
        if one.code == "kql-syntax" and one.line is not None:
            assert "(" in text.splitlines()[one.line - 1][: one.column]


def test_what_comes_with_a_rule_counts() -> None:
    text = (EXPORTS / "kibana_8.ndjson").read_text(encoding="utf-8")
    first, second = (
        yaml.safe_load(dump_rule(one.rule))
        for one in PLATFORM.read(Source(file="x", text=text), CONTEXT)
        if one.rule
    )
    assert first["exclusions"] == [{"field": "user.name", "is": "scanner"}]
    assert second["threshold"] == {"count": 5, "by": ["user.name"], "within": "6m"}
    assert second["alert"]["suppress_for"] == "1h"


def test_saved_objects_have_the_same_parts() -> None:
    text = (EXPORTS / "saved_objects.ndjson").read_text(encoding="utf-8")
    found = PLATFORM.read(Source(file="x", text=text), CONTEXT)[0]
    assert found.rule is not None
    rule = yaml.safe_load(dump_rule(found.rule))
    assert (found.id, found.kind) == ("3d1d2f26-0000-4000-8000-000000000108", "new_terms")
    assert rule["new_terms"] == {"fields": ["user.name"], "history": "7d"}
    assert rule["exclusions"] == [{"field": "user.name", "is": "scanner"}]
    assert rule["severity"] == "medium"
