"""panther_core runs what is written, and agrees with the reference evaluator."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from converter.evaluate import compile_expression
from converter.model.diagnostics import MissingExtraError, RuleError
from converter.model.expressions import Expression
from converter.model.load import load_rules
from converter.platforms.base import Artifact, File, Skip
from converter.platforms.panther import PLATFORM
from tests.platforms.panther.made import events, expressions
from tests.platforms.panther.support import context, render
from tests.platforms.panther.test_conditions import python_of

RULES = Path(__file__).parents[3] / "canonical_rules"
ENGINE: Any = None


def engine() -> Any:
    """The engine, made once; the test is skipped where it is not installed."""
    global ENGINE  # noqa: PLW0603 - one engine for all tests
    pytest.importorskip("panther_core")
    if ENGINE is None:
        (factory,) = PLATFORM.engines()
        ENGINE = factory()
    return ENGINE


def artifact_of(source: str) -> Artifact:
    """An artifact of one Python file."""
    return Artifact(rule_id="id", platform="panther", files=(File("a/b.py", source),))


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(expressions, events)
def test_any_expression_on_any_event(expression: Expression, event: dict[str, Any]) -> None:
    verdicts = engine().verdicts(artifact_of(python_of(expression)), [event])
    assert verdicts == [compile_expression(expression)(event)]


def test_the_rules_own_tests() -> None:
    rules = [rule for rule in load_rules([RULES]) if rule.sequence is None]
    checked = 0
    for rule in rules:
        pack = context().packs[rule.logsource[0]]
        artifact = PLATFORM.render(rule, context())
        for test in rule.tests:
            if test.match is not None:
                (verdict,) = engine().verdicts(artifact, [PLATFORM.project(test.events[0], pack)])
                assert verdict is test.match, f"{rule.title}: {test.name}"
                checked += 1
    assert checked > len(rules)


def test_alerts_carry_title_group_and_context() -> None:
    artifact = render(
        alert={"title": "{user.username} lists", "group_by": ["sourceIPs[0]"]},
        output=["objectRef", {"field": "sourceIPs[]", "as": "ips"}],
    )
    event = {"verb": "list", "sourceIPs": ["1.1.1.1"], "objectRef": {"name": "n"}, "user": {"username": 7}}
    result = engine().result(artifact, event)
    assert not result.errored
    assert (result.title_output, result.dedup_output) == ("7 lists", "1.1.1.1")
    assert result.alert_context_output == '{"objectRef": {"name": "n"}, "ips": ["1.1.1.1"]}'


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def rule(event):\n    return 1 / 0", "raised"),
        ("def rule(event):\n    return 'yes'", "raised"),
        ("def rules(event):\n    return True", "does not load"),
        ("def rule(event:\n", "does not load"),
    ],
)
def test_what_does_not_run_is_an_error(source: str, message: str) -> None:
    with pytest.raises(RuleError, match=message):
        engine().verdicts(artifact_of(source), [{}])


def test_without_panther_core_the_engine_is_a_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("panther_core", "panther_core.rule", "panther_core.enriched_event"):
        monkeypatch.setitem(sys.modules, name, None)
    (factory,) = PLATFORM.engines()
    with pytest.raises(MissingExtraError, match="engines"):
        factory()


@pytest.mark.panther_tool
@pytest.mark.skipif("PANTHER_ANALYSIS_TOOL" not in os.environ, reason="PANTHER_ANALYSIS_TOOL is not set")
def test_panthers_own_tool_accepts_every_file(tmp_path: Path) -> None:
    for rule in load_rules([RULES]):
        for file in PLATFORM.render(rule, context()).files:
            path = tmp_path / "rules" / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file.text, encoding="utf-8")
    tool = os.environ["PANTHER_ANALYSIS_TOOL"]
    done = subprocess.run(
        [tool, "test", "--path", "rules"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "Failed: 0" in done.stdout and "Invalid: 0" in done.stdout


def test_a_key_in_another_case_is_passed_over() -> None:
    """Panther finds a field under a key in any case, where a rule asks for the very key (1.9)."""
    source = 'def rule(event):\n    return event.deep_get("a", "Verb") == "get"\n'
    found = engine().verdicts(artifact_of(source), [{"a": {key: "get"}} for key in ("Verb", "verb", "get")])
    assert [found[0], found[2]] == [True, False]
    assert isinstance(found[1], Skip)
