"""Every command, on good input."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from converter import __version__
from converter.platforms.registry import siem_names
from converter.project import FILE_NAME
from tests.cli.conftest import Convert

EVENT = {
    "kind": "Event",
    "apiVersion": "audit.k8s.io/v1",
    "verb": "list",
    "user": {"username": "system:anonymous"},
    "requestReceivedTimestamp": "2024-01-01T00:00:00Z",
}


def _log(folder: Path, *events: object) -> str:
    file = folder / "log.jsonl"
    file.write_text("".join(json.dumps(event) + "\n" for event in events))
    return str(file)


def test_without_a_command_every_rule_is_rendered_for_every_platform(convert: Convert, rules: Path) -> None:
    result = convert()
    assert (result.code, result.err) == (0, "")
    assert "6 of 6 renderings written" in result.out
    for name in siem_names():
        assert any((rules.parent / "outputs" / name).rglob("*anonymous_list*"))


def test_one_platform_one_rule_another_folder(convert: Convert, rules: Path) -> None:
    result = convert("--to", "elastic", str(rules / "1.yaml"), "-o", "build")
    assert result.code == 0
    written = sorted(
        str(path.relative_to(rules.parent)) for path in (rules.parent / "build").rglob("*") if path.is_file()
    )
    assert written == ["build/elastic/kubernetes.audit/anonymous_list.toml"]


def test_rendering_as_json(convert: Convert, rules: Path) -> None:
    records = json.loads(convert("render", "--json", "--dry-run").out)
    assert {(record["platform"], record["fidelity"], record["written"]) for record in records} == {
        (name, "exact", True) for name in siem_names()
    }
    assert not (rules.parent / "outputs").exists()


def test_the_rules_own_tests(convert: Convert, rules: Path) -> None:
    assert "2 rules, 4 tests: 4 passed, 0 failed" in convert("test").out
    broken = (rules / "1.yaml").read_text().replace("expect: no_match", "expect: match")
    (rules / "1.yaml").write_text(broken)
    result = convert("test", "--json")
    assert result.code == 1
    report = json.loads(result.out)
    assert (report["rules"], report["tests"], report["passed"], report["failed"]) == (2, 4, 3, 1)
    (failure,) = report["failures"]
    assert (failure["test"], failure["expected"], failure["got"]) == ("no", "match", "no_match")


def test_check(convert: Convert, rules: Path) -> None:
    result = convert("check", "--no-engines")
    assert result.code == 0, result.out
    assert "0 disagreements, 0 problems, 0 refused" in result.out
    report = json.loads(convert("check", "--no-engines", "--json", "--to", "splunk").out)
    assert {pair["platform"] for pair in report["pairs"]} == {"splunk"}
    assert report["summary"]["events"] == sum(pair["events"] for pair in report["pairs"]) > 20
    assert all(pair["disagreements"] == [] for pair in report["pairs"])


def test_check_over_logs(convert: Convert, rules: Path) -> None:
    def events(*options: str) -> int:
        report = json.loads(convert("check", "--no-engines", "--json", *options).out)
        return int(report["summary"]["events"])

    log = _log(rules.parent, EVENT, {"other": "record"})
    assert events("--logs", log) == events() + 2 * len(siem_names())


def test_evaluate(convert: Convert, rules: Path) -> None:
    log = _log(rules.parent, {"other": "record"}, EVENT, {**EVENT, "verb": "get"})
    result = convert("evaluate", str(rules / "1.yaml"), "--logs", log, "--json")
    assert [json.loads(line) for line in result.out.splitlines()] == [
        {
            "rule": "0d5f7b7e-0000-4000-8000-000000000001",
            "events": [1],
            "group": [],
            "time": "2024-01-01T00:00:00Z",
        }
    ]
    assert "2 alerts of 2 rules over 2 events" in convert("evaluate", str(rules), "--logs", log).out


def test_explain(convert: Convert, rules: Path) -> None:
    log = _log(rules.parent, {**EVENT, "verb": "get"})
    result = convert("explain", str(rules / "1.yaml"), "--event", log)
    assert result.code == 1
    assert "does not match" in result.out
    decisive = [line for line in result.out.splitlines() if line.startswith("*")]
    assert len(decisive) == 1
    assert "verb is \"list\"   saw 'get'" in decisive[0]
    (record,) = json.loads(convert("explain", str(rules / "1.yaml"), "--event", log, "--json").out)
    assert [term["decisive"] for term in record["why"]["terms"]] == [True, False]


def test_explain_names_the_parts_of_a_condition_as_a_rule_does(convert: Convert, rules: Path) -> None:
    file = rules / "1.yaml"
    wanted = """\
  - any:
      - not: {field: verb, is: list}
      - for_some: user.groups
        where: [{field: "[]", starts_with: "system:"}, {field: "[]", ends_with: masters}]
"""
    file.write_text(file.read_text().replace("  - {field: verb, is: list}\n", wanted))
    log = _log(
        rules.parent, {**EVENT, "user": {"username": "system:anonymous", "groups": ["system:masters"]}}
    )
    result = convert("explain", str(file), "--event", log)
    parts = [line.partition("true ")[2] or line.partition("false")[2] for line in result.out.splitlines()]
    assert {"all", "any", "not", "for_some user.groups"} <= set(map(str.strip, parts))


def test_schema_validates_a_rule(convert: Convert) -> None:
    schema = json.loads(convert("schema").out)
    rule = {
        "id": "0d5f7b7e-0000-4000-8000-000000000001",
        "title": "t",
        "logsource": "raw",
        "indicators": [{"field": "a", "is": 1}],
    }
    jsonschema.validate(rule, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**rule, "indicatorz": []}, schema)


def test_logsources(convert: Convert) -> None:
    assert "kubernetes.audit" in convert("logsources").out
    shown = convert("logsources", "kubernetes.audit").out
    assert "kubernetes.audit.user.username (keyword)" in shown
    assert json.loads(convert("logsources", "okta.system", "--json").out)["name"] == "okta.system"


def test_losses(convert: Convert) -> None:
    tables = json.loads(convert("losses", "--json").out)
    assert set(tables) == set(siem_names())
    assert "window" in tables["elastic"]
    assert "window" in convert("losses", "--to", "elastic").out


def test_init_writes_once(convert: Convert, tmp_path: Path) -> None:
    assert convert("init").code == 0
    assert (tmp_path / FILE_NAME).is_file()
    result = convert("init")
    assert (result.code, "exists already" in result.err) == (2, True)


def test_settings_of_the_team_are_found(
    convert: Convert, rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (rules.parent / FILE_NAME).write_text('outputs = "elsewhere"\n[platforms.elastic]\nindex = ["team-*"]\n')
    assert convert("--to", "elastic").code == 0
    (file,) = (rules.parent / "elsewhere").rglob("anonymous_list.toml")
    assert '"team-*"' in file.read_text()


def test_version(convert: Convert) -> None:
    assert convert("--version").out == f"convert {__version__}\n"


@pytest.mark.parametrize(
    "command", ["", "render", "test", "check", "evaluate", "explain", "logsources", "schema"]
)
def test_help_has_an_example(command: str, convert: Convert) -> None:
    result = convert(*command.split(), "--help")
    assert result.code == 0
    assert "xample" in result.out


def test_the_output_folder_is_compared(convert: Convert, rules: Path) -> None:
    assert convert("--check").code == 1
    assert not (rules.parent / "outputs").exists()
    assert convert().code == 0
    assert convert("--check").code == 0
    file = next((rules.parent / "outputs" / "elastic").rglob("*.toml"))
    file.write_text(file.read_text().replace("kuery", "lucene"))
    (rules.parent / "outputs" / "splunk" / "old.yml").write_text("")
    next((rules.parent / "outputs" / "panther").rglob("*.py")).unlink()
    result = convert("--check", "--to", "elastic,panther,splunk")
    assert result.code == 1
    for said in ("out of date", "left over: no rule writes it", "missing"):
        assert result.err.count(f": {said}; run convert") == 1
    assert "outputs/elastic" in result.err
    assert convert("--check", "--to", "splunk", str(rules / "1.yaml")).code == 0
