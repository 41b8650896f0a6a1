"""The vendors' programs: what they say is told of the right rule, and that they are absent is a note."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from converter import load, render
from converter.api import context_for
from converter.check import Options, check_rules
from converter.model.rule import Rule
from converter.platforms.base import Artifact, File, FolderEngine
from converter.platforms.panther.analysis_tool import PantherAnalysisTool
from converter.platforms.registry import platform
from converter.platforms.splunk.contentctl import Contentctl

RULES: list[Rule] = load(Path(__file__).parents[2] / "canonical_rules")[:4]

CONTENTCTL = pytest.param(
    Contentctl,
    "splunk",
    ("asset_type:", "asset_tpye:"),
    "Field Required: tags",
    id="contentctl",
    marks=[
        pytest.mark.contentctl,
        pytest.mark.skipif(
            not (os.environ.get("CONTENTCTL") or shutil.which("contentctl")), reason="contentctl is not there"
        ),
    ],
)
PANTHER = [
    pytest.param(
        PantherAnalysisTool,
        "panther",
        change,
        told,
        id=f"panther_analysis_tool, {told}",
        marks=[
            pytest.mark.panther_tool,
            pytest.mark.skipif(
                not (os.environ.get("PANTHER_ANALYSIS_TOOL") or shutil.which("panther_analysis_tool")),
                reason="panther_analysis_tool is not there",
            ),
        ],
    )
    for change, told in (
        (("ExpectedResult: true", "ExpectedResult: false"), "failed: "),
        (("Severity:", "Severityy:"), "invalid: "),
    )
]


def _artifacts(name: str) -> list[Artifact]:
    return [render(rule, name) for rule in RULES]


def _damaged(artifact: Artifact, good: str, bad: str) -> Artifact:
    files = tuple(File(file.path, file.text.replace(good, bad)) for file in artifact.files)
    assert files != artifact.files
    return msgspec.structs.replace(artifact, files=files)


@pytest.mark.parametrize(("factory", "name", "change", "told"), [CONTENTCTL, *PANTHER])
def test_what_a_tool_finds_is_told_of_its_rule(
    factory: Callable[[], FolderEngine], name: str, change: tuple[str, str], told: str
) -> None:
    artifacts = _artifacts(name)
    assert factory().findings(artifacts) == []
    artifacts[1] = _damaged(artifacts[1], *change)
    (found,) = factory().findings(artifacts)
    assert found.rule_id == RULES[1].id
    assert told in found.message


SAID = "#!/bin/sh\nprintf 'something \\033[31mnew\\033[0m is wrong'\nexit 3\n"


@pytest.mark.parametrize(
    ("name", "variable"), [("splunk", "CONTENTCTL"), ("panther", "PANTHER_ANALYSIS_TOOL")]
)
def test_what_is_not_understood_is_told_whole(
    name: str, variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "tool"
    tool.write_text(SAID)
    tool.chmod(0o755)
    monkeypatch.setenv(variable, str(tool))
    report = check_rules(
        RULES[:1], [platform(name)], {name: context_for()}, options=Options(engines=False, tools=True)
    )
    of_rule, of_all = report.pairs[1:]
    assert (of_rule.agrees, of_all.title, of_all.problem) == (True, "all rules", "something new is wrong")
    assert not report.ok


@pytest.mark.parametrize(
    ("name", "variable"), [("splunk", "CONTENTCTL"), ("panther", "PANTHER_ANALYSIS_TOOL")]
)
def test_a_tool_that_does_not_start_or_is_not_there(
    name: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = Options(engines=False, tools=True)
    monkeypatch.setenv(variable, "/nowhere/tool")
    report = check_rules(RULES[:1], [platform(name)], {name: context_for()}, options=options)
    assert "cannot be run" in str(report.pairs[-1].problem)
    monkeypatch.delenv(variable)
    monkeypatch.setenv("PATH", "")
    report = check_rules(RULES[:1], [platform(name)], {name: context_for()}, options=options)
    assert [d.code for d in report.diagnostics] == ["missing-engine"]
    assert report.ok
    assert variable in report.diagnostics[0].message


def test_without_being_asked_no_program_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTENTCTL", "/nowhere/tool")
    report = check_rules(
        RULES[:1], [platform("splunk")], {"splunk": context_for()}, options=Options(engines=False)
    )
    assert len(report.pairs) == 1
