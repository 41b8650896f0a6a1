"""The functions beside rule(): titles, grouping, severities, contexts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from converter.evaluate.groups import group_getter
from converter.model.choices_in import read_group_keys
from converter.model.paths import FieldPath
from converter.model.problems import Problems
from converter.model.rule import Choice, MissingKeys
from converter.platforms.base import Artifact, File
from converter.platforms.panther.engine import PantherCore
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
    if "keys" in case:
        assert read_group_keys(case["keys"], None, Problems()) == found.keys
    assert (found.distinct and str(found.distinct)) == case.get("distinct")


@pytest.mark.parametrize(
    "case", [case for case in CASES if "groups" in case], ids=lambda case: str(case["name"])
)
def test_the_groups_are_those_of_the_original(case: dict[str, Any]) -> None:
    """Panther's engine gives the events of one group the same text, and those of different groups others."""
    pytest.importorskip("panther_core")
    python = "def rule(event):\n    return True\n" + case["python"]
    artifact = Artifact(rule_id="case", platform="panther", files=(File("rule.py", python),))
    engine, keys = PantherCore(), read({}, python).keys
    assert keys is not None
    fields = [key for key in keys if isinstance(key, FieldPath)]
    choices = [key for key in keys if isinstance(key, Choice)]
    group = group_getter(fields, MissingKeys.GROUP, choices)
    for of in (lambda event: engine.result(artifact, event).dedup_output, lambda event: tuple(group(event))):
        seen = [{of(event) for event in events} for events in case["groups"]]
        assert all(len(each) == 1 for each in seen)
        assert len(set.union(*seen)) == len(seen)
