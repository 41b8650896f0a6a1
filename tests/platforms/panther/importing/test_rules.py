"""Whole files as data: repository/expected.yaml says what each of them holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from converter.model.dump import dump_rule
from converter.model.load import load_text
from converter.platforms.panther import PLATFORM
from tests.platforms.panther.importing.support import (
    REPOSITORY,
    losses,
    read,
    read_file,
    read_one,
    specification,
)

EXPECTED: dict[str, list[dict[str, Any]]] = yaml.safe_load((REPOSITORY / "expected.yaml").read_text("utf-8"))


@pytest.mark.parametrize("name", EXPECTED)
def test_a_file_holds_these_detections(name: str) -> None:
    found = read_file(name)
    assert [one.title for one in found] == [one["title"] for one in EXPECTED[name]]
    for one, expected in zip(found, EXPECTED[name], strict=True):
        assert (one.id, one.kind, one.status) == (expected["id"], expected["kind"], expected["status"])
        assert losses(one) == expected.get("losses", [])
        assert list(one.residue) == expected.get("residue", [])
        assert set(expected.get("notes", ())) <= {note.code for note in one.diagnostics}
        assert all(finding.line and finding.column for finding in one.diagnostics)
        if "place" in expected:
            (refusal,) = [finding for finding in one.diagnostics if finding.effect]
            assert [refusal.line, refusal.column] == expected["place"]
        if "rule" not in expected:
            assert one.rule is None
            continue
        assert one.rule is not None
        head = {"id": one.rule.id, "title": one.title}
        (wanted,) = load_text(yaml.safe_dump({**head, **expected["rule"]}))
        for key in expected["rule"]:
            assert getattr(one.rule, key) == getattr(wanted, key), key
        (again,) = load_text(dump_rule(one.rule))
        assert dump_rule(again) == dump_rule(one.rule)


def test_every_rule_file_of_the_folder_is_expected() -> None:
    files = {
        str(path.relative_to(REPOSITORY)) for path in REPOSITORY.rglob("*") if PLATFORM.is_rule_file(path)
    }
    assert files == set(EXPECTED)


CLASSES = "from pypanther import Rule\n\n\nclass Mine(Rule):\n    pass\n"


@pytest.mark.parametrize(
    ("path", "text", "is_one"),
    [
        ("a.yml", "AnalysisType: rule\n", True),
        ("a.yaml", "RuleID: x\nAnalysisType: 'correlation_rule'\n", True),
        ("a.yml", "AnalysisType: policy\n", True),
        ("a.yml", "AnalysisType: global\n", False),
        ("a.yml", "AnalysisType: datamodel\n", False),
        ("a.yml", "AnalysisType: lookup_table\n", False),
        ("a.yml", "AnalysisType: scheduled_query\n", False),
        ("a.yml", "AnalysisType: saved_query\n", False),
        ("a.yml", "AnalysisType: pack\n", False),
        ("compose.yml", "services: {}\n", False),
        (".hidden.yml", "AnalysisType: rule\n", False),
        ("rule.py", "def rule(event):\n    return True\n", False),
        ("mine.py", CLASSES, True),
        ("helpers/mine.py", CLASSES, False),
        ("a.toml", "AnalysisType: rule\n", False),
    ],
)
def test_which_files_are_rules(path: str, text: str, is_one: bool, tmp_path: Path) -> None:
    file = tmp_path / path
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    assert PLATFORM.is_rule_file(file) is is_one


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("", "empty", 1),
        ("a: ]", "yaml", 1),
        ("- a\n", "not-a-rule", 1),
        ("RuleID: x\n", "not-a-rule", 1),
        ("AnalysisType: global\nGlobalID: x\n", "not-a-rule", 1),
        ("AnalysisType: datamodel\n", "not-a-rule", 1),
        ("AnalysisType: policy\nPolicyID: x\n", "policy", 1),
        ("AnalysisType: rule\nRuleID: x\n", "no-detection", 1),
        ("AnalysisType: rule\nRuleID: x\nRuleID: y\n", "duplicate-key", 3),
        ("AnalysisType: rule\nFilename: ../x.py\n", "missing-file", 2),
        ("AnalysisType: rule\nBaseDetection: nowhere\n", "rule-missing", 2),
        ("AnalysisType: correlation_rule\nDetection: 5\n", "correlation", 2),
        ("AnalysisType: correlation_rule\nDetection: [{Sequence: []}]\n", "correlation", 2),
        ("AnalysisType: correlation_rule\nDetection: [{Group: [{ID: a}]}]\n", "correlation", 2),
        ("AnalysisType: correlation_rule\nDetection: [{Group: [{RuleID: a}]}]\n", "rule-missing", 2),
    ],
)
def test_what_is_no_detection_is_one_refused_rule(text: str, code: str, line: int) -> None:
    found = read_one(text)
    assert found.status == "refused"
    refusals = [one for one in found.diagnostics if one.effect is not None]
    assert (refusals[0].code, refusals[0].line) == (code, line)


def test_several_documents_are_several_detections() -> None:
    text = "\n---\n".join((specification(RuleID="a"), specification(RuleID="b")))
    assert [one.id for one in read(text)] == ["a", "b"]


def test_python_asked_for_by_itself() -> None:
    """With the specification that names it, or without one over any log."""
    (found,) = read_file("rules/aws/login_worked.py")
    assert (found.id, found.status) == ("Team.Login.Worked", "exact")
    (lone,) = read("def rule(event):\n    return event.get('a') == 'b'\n", "lone.py")
    assert lone.rule is not None
    assert (lone.id, lone.rule.logsource) == ("lone", ("raw",))
    assert "no-specification" in {one.code for one in lone.diagnostics}


def test_settings_are_kept_where_the_writer_would_not_make_them() -> None:
    found = read_one(
        specification(
            RuleID="6d3b9a27-5c1e-4e0a-8a7d-3f4e2b1c0d95",
            LogTypes=["AWS.CloudTrail", "Custom.Trail"],
            Enabled=False,
            CreateAlert=False,
            SummaryAttributes=["p_any_aws_arns", "user:name"],
        )
    )
    assert found.rule is not None
    assert found.rule.id == "6d3b9a27-5c1e-4e0a-8a7d-3f4e2b1c0d95"
    assert found.rule.logsource == ("aws.cloudtrail", "raw")
    assert found.rule.platforms == {
        "panther": {
            "enabled": False,
            "create_alert": False,
            "log_types": ["AWS.CloudTrail", "Custom.Trail"],
            "summary_attributes": ["p_any_aws_arns", "user:name"],
        }
    }
    assert [str(one.field) for one in found.rule.output] == ["user.name"]


def test_a_log_type_of_several_log_sources_is_told_apart_by_what_is_asked(tmp_path: Path) -> None:
    """The folder names one of them, if the detection asks for what its guard does; else it reads them all."""
    folder = tmp_path / "linux.process"
    folder.mkdir()

    def sources(detection: list[dict[str, Any]]) -> tuple[str, ...]:
        path = folder / "rule.yml"
        text = specification(LogTypes=["Custom.ElasticDefend"], Detection=detection)
        path.write_text(text)
        found = read_one(text, str(path))
        assert found.rule is not None
        return found.rule.logsource

    name = {"KeyPath": "process.name", "Condition": "Equals", "Value": "nc"}
    category = {"KeyPath": "event.category", "Condition": "Equals", "Value": "process"}
    linux = {"KeyPath": "host.os.type", "Condition": "Equals", "Value": "linux"}
    assert sources([name, category, linux]) == ("linux.process",)
    assert {"linux.process", "linux.file", "host.process"} <= set(sources([name]))


def test_events_of_tests_are_spelled_as_the_rule_spells_them() -> None:
    """Panther finds a key whatever its case; a canonical path does not."""
    event = {"eventname": "CreateUser", "UserIdentity": {"TYPE": "Root"}, "other": [1]}
    detection = [
        {"KeyPath": "eventName", "Condition": "Equals", "Value": "CreateUser"},
        {"KeyPath": "userIdentity.type", "Condition": "Equals", "Value": "Root"},
    ]
    tests = [{"Name": "odd", "ExpectedResult": True, "Log": event}]
    found = read_one(specification(Detection=detection, Tests=tests))
    assert found.status == "exact"
    assert found.rule is not None
    spelled = {"eventName": "CreateUser", "userIdentity": {"type": "Root"}, "other": [1]}
    assert [test.events for test in found.rule.tests] == [(spelled,)]
    assert "key-case" in {one.code for one in found.diagnostics}
