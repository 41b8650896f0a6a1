"""Every construct as a case: what is read of it, and that it alerts on the events that the original does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from converter.evaluate import compile_expression
from converter.model.diagnostics import Fidelity
from converter.model.dump import expression_to_data
from tests.platforms.panther.importing.python.support import Original, cases, events, read

CONDITIONS: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parent / "conditions.yaml").read_text(encoding="utf-8")
)
_RUN = [name for name, case in cases().items() if case.get("engine", True)]


@pytest.mark.parametrize("name", cases())
def test_what_is_read(name: str) -> None:
    """The condition, how it relates to the text, and that whatever is lost has a place and a reason."""
    case = cases()[name]
    found = read(case)
    status = "partial" if found.residue and found.fidelity is not Fidelity.REFUSED else str(found.fidelity)
    assert status == case.get("fidelity", "exact")
    effects = [diagnostic for diagnostic in found.diagnostics if diagnostic.effect is not None]
    assert bool(effects) is (status != "exact")
    if status == "refused":
        assert name not in CONDITIONS
    else:
        assert json.loads(json.dumps(expression_to_data(found.condition))) == CONDITIONS[name]


@pytest.mark.parametrize("name", _RUN)
def test_the_original_alerts_on_the_same_events(name: str) -> None:
    """Translation validation: Panther's engine runs the original on events that decide the condition."""
    pytest.importorskip("panther_core")
    case = cases()[name]
    found = read(case)
    holds, original = compile_expression(found.condition), Original(case)
    notes = {diagnostic.code for diagnostic in found.diagnostics}
    for event in events(case, found.condition):
        expected, verdict = original.outcome(event), holds(event)
        if expected is None and notes & {"null-raises", "missing-raises"}:
            continue
        match found.fidelity:
            case Fidelity.WIDER:
                assert verdict or not expected, event
            case Fidelity.NARROWER:
                assert expected or not verdict, event
            case _:
                assert verdict is bool(expected), event


def test_every_condition_belongs_to_a_case() -> None:
    """No expectation is left behind by a case that went."""
    assert set(CONDITIONS) <= set(cases())
