"""``convert check``: its report forms, and what changed since a revision or a kept baseline."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from xml.etree import ElementTree as XML

import pytest

from tests.cli.conftest import Convert


def _git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(name="repository")
def _repository(rules: Path) -> Path:
    """The two small rules, committed."""
    _git(rules.parent, "init", "-q")
    _git(rules.parent, "add", ".")
    _git(rules.parent, "commit", "-qm", "rules")
    return rules


def test_reports_go_to_a_file_or_the_screen(convert: Convert, rules: Path) -> None:
    result = convert("check", "--format", "junit")
    assert XML.fromstring(result.out.encode()).get("failures") == "0"
    result = convert("check", "--format", "sarif", "-o", "found/report.sarif")
    assert "2 rules" in result.out
    assert json.loads((rules.parent / "found" / "report.sarif").read_text())["version"] == "2.1.0"
    assert json.loads(convert("check", "--json").out) == json.loads(convert("check", "--format", "json").out)


def test_nothing_changed_since_the_last_commit(convert: Convert, repository: Path) -> None:
    assert convert("check", "--baseline", "HEAD", "--no-engines").code == 0


def test_what_changed_since_the_last_commit(convert: Convert, repository: Path) -> None:
    file = repository / "1.yaml"
    file.write_text(
        file.read_text().replace("verb, is: list", "verb, is: watch").replace("verb: list", "verb: watch")
    )
    result = convert("check", "--baseline", "HEAD", "--to", "elastic,panther", "--no-engines")
    assert result.code == 1
    assert "0 disagreements" in result.out
    for platform in ("elastic", "panther"):
        assert (
            f"error[changed-verdicts] {platform}: Anonymous list: verdicts: was match, is no match"
            in result.out
        )
        assert f"error[changed-outputs] {platform}: Anonymous list" in result.out
    assert "Anonymous list again: " not in result.out
    assert "canonical_rules/1.yaml:1: " in result.out


def test_a_rule_that_was_not_there(convert: Convert, repository: Path) -> None:
    text = (repository / "1.yaml").read_text().replace("000000000001", "000000000009")
    (repository / "9.yaml").write_text(text.replace("title: Anonymous list", "title: Another"))
    result = convert("check", "--baseline", "HEAD", "--no-engines", "canonical_rules/9.yaml")
    assert (result.code, result.out.count("changed-added")) == (1, 1)


def test_settings_count_as_of_that_time(convert: Convert, repository: Path) -> None:
    (repository.parent / "converter.toml").write_text(
        '[platforms.splunk]\nmacros = {"kubernetes.audit" = "mine"}\n'
    )
    result = convert("check", "--baseline", "HEAD", "--no-engines", "--to", "splunk", "--json")
    kinds = {change["kind"] for change in json.loads(result.out)["changes"]}
    assert kinds <= {"outputs", "fidelity"}
    assert result.code == (1 if kinds else 0)


def test_a_kept_baseline(convert: Convert, rules: Path) -> None:
    assert convert("check", "--save-baseline", "kept", "--no-engines").code == 0
    assert convert("check", "--baseline", "kept", "--no-engines").code == 0
    (rules / "2.yaml").unlink()
    result = convert("check", "--baseline", "kept", "--no-engines")
    assert result.code == 1
    assert "error[changed-removed] Anonymous list again: removed" in result.out
    only = convert("check", "--baseline", "kept", "--no-engines", "canonical_rules/1.yaml")
    assert only.code == 0


@pytest.mark.parametrize("baseline", ["nowhere", "--upload-pack=x", "HEAD:canonical_rules"])
def test_no_such_baseline(baseline: str, convert: Convert, repository: Path) -> None:
    result = convert("check", f"--baseline={baseline}", "--no-engines")
    assert (result.code, "git rev-parse" in result.err) == (2, True)


def test_no_repository(convert: Convert, rules: Path) -> None:
    result = convert("check", "--baseline", "HEAD", "--no-engines")
    assert result.code == 2
    assert "git" in result.err


def test_a_path_outside_the_project(
    convert: Convert, repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("elsewhere") / "1.yaml"
    outside.write_text((repository / "1.yaml").read_text())
    result = convert("check", "--baseline", "HEAD", "--no-engines", str(outside))
    assert (result.code, "outside" in result.err) == (2, True)


DETECTION = """
def rule(event):
    return event.get("verb") == "list"
"""
SPECIFICATION = """
AnalysisType: rule
RuleID: A.Rule
Enabled: true
Filename: a.py
DisplayName: A rule
LogTypes: [Amazon.EKS.Audit]
Severity: Low
"""


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """A Panther detection."""
    folder = tmp_path / "detections"
    folder.mkdir()
    (folder / "a.yml").write_text(SPECIFICATION)
    (folder / "a.py").write_text(DETECTION)
    return folder


def test_the_command(convert: Convert, folder: Path) -> None:
    result = convert("check", "--from", "panther", "detections", "--run-source", "--to", "panther")
    assert result.code == 0, result.out + result.err
    assert "its own Python, panther_core" in result.out
    without = convert("check", "--from", "panther", "detections", "--to", "panther")
    assert without.code == 0
    assert "its own Python" not in without.out


def test_nothing_runs_without_being_asked(convert: Convert, folder: Path, tmp_path: Path) -> None:
    (folder / "a.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n{DETECTION}")
    convert("check", "--from", "panther", "detections", "--to", "panther")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("option", [("--baseline", "HEAD"), ("--save-baseline", "kept")])
def test_baselines_are_of_authored_rules(option: tuple[str, str], convert: Convert, folder: Path) -> None:
    result = convert("check", "--from", "panther", "detections", *option)
    assert (result.code, "leave out --from" in result.err) == (2, True)


def test_sources_of_others_are_not_run(convert: Convert, folder: Path) -> None:
    result = convert("check", "--from", "sigma", "detections", "--run-source")
    assert (result.code, "--from panther" in result.err) == (2, True)


@pytest.mark.parametrize("command", [("check", "--no-made"), ("vectors", "--coverage"), ("vectors",)])
def test_several_processes_say_the_same(convert: Convert, rules: Path, command: tuple[str, ...]) -> None:
    one = convert(*command, "--json", "--jobs", "1")
    assert json.loads(one.out)
    assert convert(*command, "--json", "--jobs", "2") == one
    assert convert(*command, "--jobs", "1").out == convert(*command, "--jobs", "2").out
