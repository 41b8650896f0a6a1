"""Translation validation: what is read of a detection, and what Panther's own engine makes of its events.

The events are one that the detection matches, and that one with any of its values taken out, made null (but
for elements of lists) or replaced by another of its kind. A detection that raises does not alert.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from converter.evaluate import compile_expression
from converter.logsources import canonical_event
from converter.model.diagnostics import Fidelity, RuleError
from converter.platforms.base import Artifact, File, ReadRule
from converter.platforms.panther import PLATFORM
from tests.platforms.panther.importing.support import FOLDER, REPOSITORY, packs, read_one, specification

PAIRS: list[dict[str, Any]] = yaml.safe_load((FOLDER / "pairs.yaml").read_text(encoding="utf-8"))
OTHERS: dict[type, tuple[Any, ...]] = {
    str: ("", "other", "ADMIN", "repo.create", "10.1.2.3", "roles/editor", "prod"),
    int: (0, 22, 199, 443),
    bool: (True, False),
}


@cache
def engine() -> Any:
    """Panther's engine; the tests are skipped where it is not installed."""
    pytest.importorskip("panther_core")
    (factory,) = PLATFORM.engines()
    return factory()


def leaves(value: Any, steps: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every place in an event, objects and lists among them."""
    if steps:
        yield steps, value
    entries = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, inner in entries:
        yield from leaves(inner, (*steps, key))


def variations(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The event, and events that differ from it in one place."""
    yield event
    for steps, value in leaves(event):
        missing = (...,) if isinstance(steps[-1], int) else (..., None)
        for other in (*missing, *OTHERS.get(type(value), ()), *_turned(value)):
            changed = copy.deepcopy(event)
            place: Any = changed
            for step in steps[:-1]:
                place = place[step]
            if other is ...:
                del place[steps[-1]]
            else:
                place[steps[-1]] = other
            yield changed


def _turned(value: Any) -> tuple[Any, ...]:
    match value:
        case str():
            return (value.upper(), value.lower(), f"{value}x", f"x{value}")
        case list():
            return ([], value[::-1], value * 2)
        case dict():
            return ({},)
    return ()


def alerts(python: str, event: dict[str, Any]) -> bool:
    """Whether Panther's engine finds the event."""
    artifact = Artifact(rule_id="made", platform="panther", files=(File("made.py", python),))
    try:
        return bool(engine().result(artifact, event).detection_output)
    except RuleError:
        return False


@pytest.fixture(params=PAIRS, ids=lambda pair: pair["name"])
def pair(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[dict[str, Any], ReadRule]:
    """A detection, and what is read of it; its modules can be imported by the engine as well."""
    engine()
    helpers = REPOSITORY / "global_helpers"
    monkeypatch.setattr(sys, "path", [str(helpers), *sys.path])
    (tmp_path / "made.py").write_text(request.param["python"], encoding="utf-8")
    text = specification(
        LogTypes=request.param["log_types"], Filename="made.py", Tests=[_test(request.param)]
    )
    given = yaml.safe_load(text)
    del given["Detection"]
    (tmp_path / "made.yml").write_text(yaml.safe_dump(given), encoding="utf-8")
    return request.param, read_one(yaml.safe_dump(given), str(tmp_path / "made.yml"), (helpers,))


def _test(pair: dict[str, Any]) -> dict[str, Any]:
    return {"Name": "matches", "ExpectedResult": True, "Log": pair["event"]}


def test_the_reading_and_the_engine_agree(pair: tuple[dict[str, Any], ReadRule]) -> None:
    given, found = pair
    assert found.rule is not None, found.diagnostics
    assert found.status == given.get("status", "exact"), found.diagnostics
    holds = compile_expression(found.rule.condition)
    effects = {one.effect for one in found.diagnostics}
    seen = set()
    for event in variations(given["event"]):
        expected = alerts(given["python"], event)
        got = any(holds(canonical_event(packs()[name], event)) for name in found.rule.logsource)
        seen.add(expected)
        if expected != got:
            assert (Fidelity.WIDER if got else Fidelity.NARROWER) in effects, (event, expected)
    assert seen == {True, False}
