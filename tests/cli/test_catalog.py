"""``convert indicators`` and ``convert coverage``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Convert

SIGMA = """\
title: Anonymous list
id: 0d5f7b7e-0000-4000-8000-000000000009
status: test
logsource: {product: kubernetes, service: audit}
detection:
  selection: {verb: LIST, userAgent: curl}
  condition: selection
level: low
tags: [attack.discovery, attack.t1613]
"""


@pytest.fixture
def sigma(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one Sigma rule."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "sigma"
    folder.mkdir()
    (folder / "rule.yml").write_text(SIGMA)
    return folder


def test_indicators_are_counted_across_platforms(convert: Convert, rules: Path, sigma: Path) -> None:
    result = convert("indicators", str(rules), "--from", "sigma", str(sigma), "--json")
    assert result.code == 0
    found = {(entry["subject"], entry["value"]): entry for entry in json.loads(result.out)}
    assert {key.partition("/")[0] for key in found["verb", "list"]["looked_for_by"]} == {"canonical", "sigma"}
    assert len(found["verb", "list"]["looked_for_by"]) == 3
    assert len(found["userAgent", "curl"]["looked_for_by"]) == 1


def test_indicators_are_printed(convert: Convert, rules: Path) -> None:
    result = convert("indicators", str(rules), "--most", "1")
    assert result.code == 0
    assert "2 rules look for 2 values, for 0 of them one rule alone" in result.out
    assert "most shared" in result.out
    assert "system:anonymous" in result.out
    only = convert("indicators", "--field", "verb")
    assert "system:anonymous" not in only.out


def test_coverage_is_printed_and_written(convert: Convert, sigma: Path) -> None:
    result = convert("coverage", "--from", "sigma", str(sigma), "--layer", "out/layer.json", "--gaps")
    assert result.code == 0
    assert "TA0007 Discovery" in result.out
    assert "1 rules, 0 of them name no technique or tactic" in result.out
    assert "T1190" in result.out
    layer = json.loads((sigma.parent / "out/layer.json").read_text())
    assert [technique["techniqueID"] for technique in layer["techniques"]] == ["T1613"]
    report = json.loads(convert("coverage", "--from", "sigma", str(sigma), "--json").out)
    assert [entry["technique"] for entry in report if entry["rules"]] == ["T1613"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["indicators", "nowhere"],
        ["coverage", "--from", "sigma", "nowhere"],
        ["indicators", "--from", "nobody", "."],
    ],
)
def test_a_source_that_is_not_there_is_bad_input(convert: Convert, arguments: list[str]) -> None:
    assert convert(*arguments).code == 2
