"""The functions beside rule(): titles, grouping, severities, contexts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.platforms.panther.importing.python.support import read

RULE = "def rule(event):\n    return event.get('action') == 'x'\n"
CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "alerts.yaml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_functions_beside_the_rule(case: dict[str, Any]) -> None:
    """What they show is read where it is plain, and a note says where it is not."""
    found = read({}, RULE + case["python"])
    codes = [diagnostic.code for diagnostic in found.diagnostics if diagnostic.code != "assumed-shape"]
    assert codes == case.get("notes", [])
    assert [str(part) for part in found.title] == case.get("title", [])
    assert [str(path) for path in found.group_by] == case.get("group_by", [])
    assert found.group_by_known is ("group-by" not in codes)
    assert (found.severity and found.severity.value) == case.get("severity")
    assert {field.name: str(field.field) for field in found.output} == case.get("output", {})
    assert (found.distinct and str(found.distinct)) == case.get("distinct")
