"""``convert catalog``, ``convert indicators`` and ``convert coverage``."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

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

INTERRUPTED = """\
import signal
from converter.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""
"""The program, where interrupts count: a shell starts what runs in the background with them ignored."""


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
    assert "1 rule, 0 of them name no technique or tactic" in result.out
    assert "T1190" in result.out
    layer = json.loads((sigma.parent / "out/layer.json").read_text())
    assert [technique["techniqueID"] for technique in layer["techniques"]] == ["T1613"]
    report = json.loads(convert("coverage", "--from", "sigma", str(sigma), "--json").out)
    assert [entry["technique"] for entry in report if entry["rules"]] == ["T1613"]


def test_a_catalog_is_built_once_and_then_left_alone(convert: Convert, rules: Path, sigma: Path) -> None:
    arguments = ["catalog", str(rules), "--from", "sigma", str(sigma), "-o", "site", "--jobs", "1"]
    first = convert(*arguments)
    assert first.code == 0
    assert first.out.startswith("3 rules, ")
    site = sigma.parent / "site"
    assert (site / "index.html").is_file()
    assert json.loads((site / "layers/all.json").read_text())["techniques"]
    assert len(json.loads((site / "catalog.json").read_text())["rules"]) == 3
    assert (site / "rules.csv").read_text().count("\n") == 4
    again = convert(*arguments)
    assert "nothing changed" in again.out
    (sigma / "rule.yml").write_text(SIGMA.replace("curl", "wget"))
    changed = convert(*arguments)
    written = int(changed.out.partition("(")[2].partition(" written")[0])
    assert 0 < written < 30


def test_only_the_forms_that_are_asked_for_are_written(convert: Convert, rules: Path, tmp_path: Path) -> None:
    assert convert("catalog", str(rules), "--format", "csv", "-o", "tables").code == 0
    assert {file.name for file in (tmp_path / "tables").iterdir()} == {"rules.csv", "indicators.csv"}


def test_a_folder_with_other_things_is_refused(convert: Convert, rules: Path) -> None:
    result = convert("catalog", str(rules), "-o", ".")
    assert result.code == 2
    assert "holds no catalog" in result.err


def test_a_site_is_served_to_this_machine(rules: Path, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, "catalog", str(rules), "--serve", "--port", "0"],
        cwd=tmp_path,
        env=os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        built, address = running.stdout.readline(), running.stdout.readline()
        try:
            assert built.startswith("2 rules")
            with urlopen(address.split(" ")[0] + "index.html", timeout=60) as answer:
                assert b"2 detection rules" in answer.read()
            running.send_signal(signal.SIGINT)
            assert running.wait(timeout=60) == 0
        finally:
            running.kill()
    assert address.startswith("http://127.0.0.1:")


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["catalog", "empty"], "empty: no canonical rules there"),
        (["catalog", "--from", "sigma", "empty"], "empty: no rules of sigma there"),
        (["catalog", "--from", "sigma", "sigma", "--from", "elastic", "sigma"], "sigma: no rules of elastic"),
        (["coverage", "--from", "splunk", "empty", "--layer", "out/layer.json"], "empty: no rules of splunk"),
        (["indicators", "--from", "sigma", "sigma", "--field", "verbs"], "asks this field; near it: verb"),
        (["catalog", "--from", "sigma", "sigma", "-o", "sigma/rule.yml/x"], "cannot be written into"),
        (
            ["catalog", "--from", "sigma", "sigma", "--format", "csv", "-o", "sigma/rule.yml/x"],
            "cannot write",
        ),
        (["catalog", "--from", "sigma", "sigma", "--format", "csv", "--serve"], "--serve shows the site"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else "",
)
def test_bad_input_is_named_and_nothing_written(
    convert: Convert, sigma: Path, arguments: list[str], message: str
) -> None:
    (sigma.parent / "empty").mkdir()
    before = {file for file in sigma.parent.rglob("*") if "cache" not in file.parts}
    result = convert(*arguments)
    assert result.code == 2
    assert message in result.err
    assert {file for file in sigma.parent.rglob("*") if "cache" not in file.parts} == before


def test_a_port_that_is_taken_is_named(convert: Convert, sigma: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = convert("catalog", "--from", "sigma", str(sigma), "-o", "site", "--serve", "--port", port)
    assert result.code == 2
    assert f"port {port} cannot be used" in result.err


def test_tables_in_parquet_belong_to_the_site(convert: Convert, sigma: Path) -> None:
    pytest.importorskip("pyarrow")
    command = ["catalog", "--from", "sigma", str(sigma), "-o", "site", "--jobs", "1"]
    both = [*command, "--format", "site", "--format", "parquet"]
    assert convert(*both).code == 0
    table = sigma.parent / "site/rules.parquet"
    content = table.read_bytes()
    table.unlink()
    assert "1 written" in convert(*both).out
    assert table.read_bytes() == content
    assert convert(*command).code == 0
    assert not table.exists(), "it is not asked for any longer"
    assert (
        "2 files in tables (2 written)" in convert(*command[:-4], "-o", "tables", "--format", "parquet").out
    )
