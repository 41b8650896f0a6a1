"""A reading against the detection it came from, which is run as it is, in another process."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from converter.check.report import Pair
from converter.logsources import load_packs
from converter.model.load import load_text
from converter.platforms.collection import Reading, read_files, rule_files
from converter.platforms.registry import platform

source_run = importlib.import_module("converter.check.source_run")  # `converter.check` is a function, too

pytest.importorskip("panther_core")

SPECIFICATION = """
AnalysisType: rule
RuleID: A.Rule
Enabled: true
Filename: a.py
DisplayName: A rule
LogTypes: [Amazon.EKS.Audit]
Severity: Low
"""
HELPER = "def lowered(text):\n    return text.lower()\n"
SOURCE = """
from helper import lowered


def rule(event):
    if event.get("verb") != "list":
        return False
    return lowered(event.deep_get("user", "username", default="")) == "system:anonymous"
"""
READ = """
id: 0d5f7b7e-0000-4000-8000-000000000001
title: A rule
logsource: kubernetes.audit
indicators: [{field: verb, is: list}, {field: user.username, is: "system:anonymous", ignore_case: true}]
"""


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    folder = tmp_path / "detections"
    folder.mkdir()
    (folder / "a.yml").write_text(SPECIFICATION)
    (folder / "a.py").write_text(SOURCE)
    (folder / "helper.py").write_text(HELPER)
    return folder


def _pair(folder: Path, text: str = READ) -> Pair:
    """What comes of the source when the reading is this rule."""
    reading = Reading(platform="panther")
    ((_, (read,)),) = list(read_files(reading, rule_files(reading.platform, [folder / "a.yml"])))
    (rule,) = load_text(text)
    pair: Pair = source_run.SourceRun(platform("panther"), load_packs(), []).pair(read, rule)
    return pair


def test_a_right_reading_agrees(folder: Path) -> None:
    pair = _pair(folder)
    assert (pair.agrees, pair.skipped) == (True, {})
    assert pair.events > 10


@pytest.mark.parametrize(("right", "wrong"), [("is: list", "is: get"), (", ignore_case: true", "")])
def test_a_wrong_reading_does_not(right: str, wrong: str, folder: Path) -> None:
    assert right in READ
    pair = _pair(folder, READ.replace(right, wrong))
    assert not pair.agrees
    assert pair.disagreements[0].event


def test_an_exception_is_no_alert(folder: Path) -> None:
    source = SOURCE.replace('event.deep_get("user", "username", default="")', 'event["user"]["username"]')
    (folder / "a.py").write_text(source)
    assert _pair(folder).agrees


HOSTILE = {
    "writes": "open({there!r}, 'w').write('x')",
    "removes": "__import__('os').remove({there!r})",
    "starts a process": "__import__('subprocess').run(['touch', {there!r}])",
    "uses the network": "__import__('socket').create_connection(('127.0.0.1', 9))",
}


@pytest.mark.parametrize("statement", HOSTILE.values(), ids=HOSTILE)
def test_what_no_detection_does_is_refused(statement: str, folder: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("kept")
    text = f"def rule(event):\n    {statement.format(there=str(there))}\n    return True\n"
    (folder / "a.py").write_text(text)
    pair = _pair(folder)
    assert pair.events == 0
    assert all("is not allowed here" in reason or "PermissionError" in reason for reason in pair.skipped)
    assert pair.skipped
    assert there.read_text() == "kept"


def test_memory_has_a_limit(folder: Path) -> None:
    (folder / "a.py").write_text("def rule(event):\n    return len(bytearray(1 << 31)) > 0\n")
    pair = _pair(folder)
    assert (pair.events, list(pair.skipped)) == (0, ["MemoryError()"])


def test_time_has_a_limit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_run, "_SECONDS", 1)
    (folder / "a.py").write_text("def rule(event):\n    while True:\n        pass\n")
    assert "ended with" in str(_pair(folder).problem)


def test_what_does_not_load_is_skipped(folder: Path) -> None:
    (folder / "a.py").write_text("import nothing_of_this_name\n\n\ndef rule(event):\n    return True\n")
    assert next(iter(_pair(folder).skipped)).startswith("the file does not load")
