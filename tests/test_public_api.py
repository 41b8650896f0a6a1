"""The public names: exactly those exported, callable whatever was imported before."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import converter
from converter import RuleError

RULE = """
id: 0d5f7b7e-0000-4000-8000-000000000001
title: Secrets read
logsource: kubernetes.audit
indicators:
  - {field: verb, is: get}
  - {field: objectRef.resource, is: secrets}
threshold: {count: 2, within: 1m}
"""
EVENT = {
    "kind": "Event",
    "apiVersion": "audit.k8s.io/v1",
    "verb": "get",
    "objectRef": {"resource": "secrets"},
    "requestReceivedTimestamp": "2024-01-01T00:00:00Z",
}


@pytest.fixture
def rule(tmp_path_factory: pytest.TempPathFactory) -> converter.Rule:
    file = tmp_path_factory.mktemp("rules") / "rule.yaml"
    file.write_text(RULE)
    (loaded,) = converter.load(file)
    return loaded


def test_every_exported_name_is_there_and_no_module() -> None:
    for name in converter.__all__:
        assert not isinstance(getattr(converter, name), ModuleType)
    with pytest.raises(AttributeError):
        converter.nothing_of_that_name  # noqa: B018


@pytest.mark.parametrize("room", ["evaluate", "check"])
def test_a_room_never_hides_the_function_of_its_name(room: str) -> None:
    program = f"import converter.{room}; from converter import {room}; assert callable({room}), {room}"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_matches_and_evaluate(rule: converter.Rule) -> None:
    assert converter.matches(rule, EVENT)
    assert not converter.matches(rule, {**EVENT, "verb": "list"})
    (alert,) = converter.evaluate(rule, [EVENT, {"something": "else"}, EVENT])
    assert alert.events == (0, 2)
    (alert,) = converter.evaluate(rule, [EVENT, {"verb": "get"}, EVENT], mixed=True)
    assert alert.events == (0, 2)


def test_render_and_check(rule: converter.Rule) -> None:
    artifact = converter.render(rule, "elastic")
    assert (artifact.fidelity, artifact.language) == (converter.Fidelity.WIDER, "kuery")
    assert [d.code for d in artifact.diagnostics if d.effect] == ["window"]
    report = converter.check([rule], platforms=["elastic", "splunk"])
    assert report.ok
    assert {pair.platform for pair in report.pairs} == {"elastic", "splunk"}


SIGMA = """
title: Whoami
id: 0d5f7b7e-0000-4000-8000-000000000002
logsource: {product: windows, category: process_creation}
detection: {selection: {Image|endswith: whoami.exe}, condition: selection}
"""


def test_read(tmp_path: Path) -> None:
    (read,) = converter.read(SIGMA, "sigma")
    assert (read.title, read.status) == ("Whoami", "exact")
    assert read.rule is not None
    assert converter.matches(read.rule, {"EventID": 1, "Image": "C:\\Windows\\WHOAMI.EXE"})
    (tmp_path / "rule.yml").write_text(SIGMA)
    assert [found.rule for found in converter.read(tmp_path, "sigma")] == [read.rule]
    with pytest.raises(RuleError, match="no such file"):
        converter.read(tmp_path / "none.yml", "sigma")


def test_a_folder_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "1.yml").write_bytes(b"title: caf\xe9\n")
    (tmp_path / "2.yml").write_text(SIGMA)
    broken, whole = converter.read(tmp_path, "sigma")
    (problem,) = broken.diagnostics
    assert (broken.status, problem.code, problem.line, problem.column) == ("refused", "not-text", 1, 11)
    assert whole.status == "exact"


def test_texts_of_rules(tmp_path: Path) -> None:
    rule = '{"rule_id": "r", "name": "Whoami", "type": "query", "language": "kuery", "query": "a:b"}'
    assert [found.title for found in converter.read(rule, "elastic")] == ["Whoami"]
    (nothing,) = converter.read("", "sigma")
    assert nothing.status == "refused"


def test_a_reader_that_fails_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: object, source: object, context: object) -> None:
        raise OverflowError("too much")

    monkeypatch.setattr("converter.platforms.sigma.Sigma.read", fail)
    (found,) = converter.read(SIGMA, "sigma")
    assert [problem.code for problem in found.diagnostics] == ["reader-failed"]
    assert "too much" in found.diagnostics[0].message


def test_misuse_is_an_error_of_ours(rule: converter.Rule) -> None:
    with pytest.raises(RuleError, match="qradar"):
        converter.render(rule, "qradar")
    with pytest.raises(RuleError, match="no log-source pack"):
        converter.matches(rule, EVENT, packs={})
