"""What is written for an engineer to read, and what comes with it."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from converter.evaluate import compile_expression
from converter.model.diagnostics import Fidelity
from converter.model.load import load_rules
from converter.model.rule import Rule
from converter.platforms.panther import PLATFORM
from converter.platforms.panther.library import helpers
from tests.platforms.panther.support import (
    CASES,
    codes,
    context,
    function,
    render,
    run,
    specification,
    text_of,
)
from tests.platforms.panther.support import rule as rule_of
from tests.strategies import rules

RULES = Path(__file__).parents[3] / "canonical_rules" / "kubernetes.audit"
EVENTS = [event for rule in load_rules([RULES]) for test in rule.tests for event in test.events]
CONDITIONS = yaml.safe_load((CASES / "conditions.yaml").read_text())


@pytest.mark.parametrize("case", CONDITIONS, ids=lambda case: str(case["expression"])[:60])
def test_the_python_of_a_condition(case: dict[str, Any]) -> None:
    artifact = render(indicators=[case["expression"]])
    assert artifact.fidelity is Fidelity.EXACT
    _, _, body = function(artifact, "rule").partition("\n")
    assert textwrap.dedent(body) == case["python"]


@pytest.mark.parametrize("case", CONDITIONS, ids=lambda case: str(case["expression"])[:60])
def test_the_condition_is_read_back(case: dict[str, Any]) -> None:
    given_rule = rule_of(indicators=[case["expression"]])
    read = PLATFORM.read_back(PLATFORM.render(given_rule, context()), context())
    condition, reference = compile_expression(read.condition), compile_expression(given_rule.condition)
    assert [condition(event) for event in EVENTS] == [reference(event) for event in EVENTS]


def test_alerts_are_described() -> None:
    artifact = render(
        alert={"title": "{user.username} {{x}} from {sourceIPs[0]}", "group_by": ["sourceIPs[0]"]},
        output=["requestURI", {"field": "sourceIPs[]", "as": "src_ips"}, "responseStatus.code"],
    )
    source = text_of(artifact, ".py")
    event = {"user": {"username": "a{b}"}, "sourceIPs": ["1.1.1.1", 2], "requestURI": None}
    assert run(source, event, "title") == "a{b} {x} from 1.1.1.1"
    assert run(source, {}, "title") == "<unknown> {x} from <unknown>"
    assert run(source, event, "dedup") == "1.1.1.1"
    assert run(source, {}, "dedup") == ""
    assert run(source, event, "alert_context") == {
        "requestURI": None,
        "src_ips": ["1.1.1.1", 2],
        "responseStatus.code": None,
    }


def test_the_specification() -> None:
    artifact = render(
        title='50% of "all" <things>',
        description="What it finds.\n\nMore.",
        severity="critical",
        status="experimental",
        attack=["TA0007:T1613", "TA0001"],
        author="Somebody",
        created="2024-01-02",
        references=["https://example.org/1", "https://example.org/2"],
        false_positives=["A scanner"],
        runbook="Look.",
        tags=["yes", "eks"],
        alert={"group_by": ["user.username"]},
        platforms={
            "panther": {"rule_id": "Team.Rule", "enabled": False, "tags": ["own"], "create_alert": True}
        },
        tests=[
            {"name": "hit", "expect": "match", "event": {"kind": "Event", "verb": "list", "n": 1e22}},
            {"name": "stream", "expect": {"alerts": 1}, "events": [{"verb": "list"}, {"verb": "list"}]},
        ],
    )
    assert specification(artifact) == {
        "AnalysisType": "rule",
        "Filename": "50_of_all_things.py",
        "RuleID": "Team.Rule",
        "DisplayName": "50 percent of 'all' (things)",
        "Enabled": False,
        "CreateAlert": True,
        "Status": "Experimental",
        "LogTypes": ["Amazon.EKS.Audit"],
        "Tags": ["yes", "eks", "own"],
        "Reports": {"MITRE ATT&CK": ["TA0007:T1613", "TA0001"]},
        "Severity": "Critical",
        "Description": "What it finds.\n\nMore.\n\nAuthor: Somebody (created 2024-01-02)",
        "Reference": "https://example.org/1",
        "Runbook": "Look.\n\nKnown false positives:\n- A scanner\n\nFurther references:\n- https://example.org/2",
        "SummaryAttributes": ["user:username"],
        "Tests": [
            {"Name": "hit", "ExpectedResult": True, "Log": {"kind": "Event", "verb": "list", "n": 1e22}}
        ],
    }
    assert [file.path for file in artifact.files] == [
        "kubernetes.audit/50_of_all_things.yml",
        "kubernetes.audit/50_of_all_things.py",
    ]


def test_a_field_that_is_not_known_is_refused() -> None:
    artifact = PLATFORM.render(
        rule_of(indicators=[{"field": "verbs", "is": "x"}]), context(keep_unmapped=False)
    )
    assert artifact.fidelity is Fidelity.REFUSED and not artifact.files
    assert codes(artifact) == {"unknown-field": "refused"}


@pytest.mark.parametrize(
    ("platforms", "code", "message"),
    [
        ({"rule_ids": "x"}, "settings", "rule_ids"),
        ({"enabled": "perhaps"}, "settings", "enabled"),
        ({"rule_id": "a<b"}, "settings", "rule_id"),
        ({"dedup_minutes": 4}, "settings", "dedup_minutes"),
        ({"dedup_minutes": 1441}, "settings", "dedup_minutes"),
    ],
)
def test_wrong_settings_are_refused(platforms: dict[str, Any], code: str, message: str) -> None:
    artifact = render(platforms={"panther": platforms})
    assert codes(artifact) == {code: "refused"} and not artifact.files
    assert any(message in found.message for found in artifact.diagnostics)


def test_a_log_source_without_log_types_needs_some() -> None:
    assert codes(render(logsource="raw")) == {"log-types": "refused"}
    artifact = render(logsource="raw", platforms={"panther": {"log_types": ["Custom.Logs"]}})
    assert specification(artifact)["LogTypes"] == ["Custom.Logs"]


def _strings(source: str) -> set[str]:
    """The string literals of a file, without those of the helpers and the docstrings."""
    tree = ast.parse(source)
    own = [node for node in tree.body if getattr(node, "name", None) not in helpers()]
    return {
        node.value
        for statement in own
        for node in ast.walk(statement)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(rules())
def test_any_rule_is_written_or_refused(rule: Rule) -> None:
    settings = {"panther": {"log_types": ["Custom.Logs"]}}
    import msgspec

    given_rule = msgspec.structs.replace(rule, platforms=settings, logsource=("raw",))
    artifact = PLATFORM.render(given_rule, context())
    if artifact.fidelity is Fidelity.REFUSED:
        assert not artifact.files
        return
    for file in artifact.files:
        if file.path.endswith(".py"):
            compile(file.text, file.path, "exec")
        else:
            found = yaml.safe_load(file.text)
            assert found["RuleID"].startswith(rule.id)


HOSTILE_PLACE = [
    'x"; import os; os.system("id") #',
    '"""',
    "'''",
    "\\",
    "{event}",
    "\x00",
    "a\nb",
    "\u2028",
    "%s",
    "é\U0001f98a",
]


@pytest.mark.parametrize("text", HOSTILE_PLACE)
def test_exactly_the_rules_own_texts_are_in_the_python(text: str) -> None:
    artifact = render(indicators=[{"field": "verb", "is": text}, {"field": 'a."k\\"\\n"', "is": "x"}])
    assert {text, "x", "verb", "a", 'k"\n'} == _strings(text_of(artifact, ".py"))
    assert run(text_of(artifact, ".py"), {"verb": text, "a": {'k"\n': "x"}}) is True
    assert run(text_of(artifact, ".py"), {"verb": text + " ", "a": {'k"\n': "x"}}) is False


def test_the_guide_explains_every_code() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "panther.md").read_text()
    explained = [line.split("`")[1] for line in guide.splitlines() if line.startswith("| `") and "| " in line]
    assert set(PLATFORM.losses) <= set(explained)
