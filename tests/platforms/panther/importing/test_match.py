"""Match expressions → what is read of them, each documented condition among them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from converter.model.expressions import all_of
from converter.model.load import expression_from_data
from converter.platforms.panther.importing.match import CONDITIONS
from tests.platforms.panther.importing.support import FOLDER, losses, read_one, specification

CASES: list[dict[str, Any]] = yaml.safe_load((FOLDER / "match.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: yaml.safe_dump(case["given"], default_flow_style=True)
)
def test_a_match_expression(case: dict[str, Any]) -> None:
    found = read_one(specification(Detection=[case["given"]]))
    assert losses(found) == case.get("losses", [])
    if "read" in case:
        assert found.rule is not None
        assert found.rule.condition == all_of(expression_from_data(case["read"]))
    if found.rule is not None:
        left_out = [one for one in found.diagnostics if one.effect and one.code != "list-value"]
        assert len(found.residue) == len(left_out)
    assert all(one.line and one.column for one in found.diagnostics)


def test_every_condition_has_a_case() -> None:
    def names(value: Any) -> set[str]:
        if isinstance(value, dict):
            own = {value["Condition"]} if isinstance(value.get("Condition"), str) else set()
            return own.union(*map(names, value.values()))
        return set().union(*map(names, value)) if isinstance(value, list) else set()

    assert set(CONDITIONS) <= set().union(*(names(case["given"]) for case in CASES))


def test_contains_is_what_the_field_holds() -> None:
    """A part of a text, an element of a list, a key of an object: packs say which, or tests."""

    def read_with(log: dict[str, Any]) -> Any:
        test = {"Name": "x", "ExpectedResult": True, "Log": log}
        entry = {"KeyPath": "thing", "Condition": "Contains", "Value": "part"}
        found = read_one(specification(LogTypes=["Custom.Made"], Detection=[entry], Tests=[test]))
        assert found.status == "exact"
        assert found.rule is not None
        return found.rule.condition

    text, member = {"field": "thing", "contains": "part"}, {"field": "thing", "is": "part"}
    assert read_with({"thing": "a part of it"}) == expression_from_data(text)
    assert read_with({"thing": ["part"]}) == expression_from_data(member)
    key = expression_from_data({"field": "thing.part", "exists": True})
    assert read_with({"thing": {"part": 1}}) == key
