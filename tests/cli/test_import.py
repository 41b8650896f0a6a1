"""``convert import`` and ``convert --from … --to …``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from converter import load
from tests.cli.conftest import Convert

SIGMA = """\
title: {title}
id: 0d5f7b7e-0000-4000-8000-00000000000{number}
status: test
logsource: {{product: windows, category: process_creation}}
detection:
  selection:
    Image|endswith: '\\whoami.exe'
  condition: selection
level: low
"""


@pytest.fixture
def collection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two Sigma rules of one title and one that is broken."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "rules"
    folder.mkdir()
    for number in (1, 2):
        (folder / f"{number}.yml").write_text(SIGMA.format(title="Whoami", number=number))
    (folder / "3.yml").write_text(
        SIGMA.format(title="Broken", number=3).replace("selection\nlevel", "nothing\nlevel")
    )
    return folder


def test_a_collection_is_read_whole(convert: Convert, collection: Path) -> None:
    result = convert("import", "--from", "sigma", str(collection), "-o", "out", "--report", "report.json")
    assert result.code == 1
    assert "3.yml" in result.err
    report = json.loads((collection.parent / "report.json").read_text())
    assert (report["platform"], report["files"]) == ("sigma", 3)
    assert report["summary"] == {"exact": 2, "wider": 0, "narrower": 0, "partial": 0, "refused": 1}
    assert [(rule["fidelity"], rule["output"]) for rule in report["rules"]] == [
        ("exact", "windows.process_creation/whoami.yaml"),
        ("exact", "windows.process_creation/whoami_2.yaml"),
        ("refused", None),
    ]
    assert report["rules"][0]["logsource"] == ["windows.process_creation"]
    broken = report["rules"][2]["diagnostics"]
    assert broken
    assert {"code", "severity", "message", "line", "column", "hint"} == set(broken[0])
    rules = load(collection.parent / "out")
    assert [rule.title for rule in rules] == ["Whoami", "Whoami"]


def test_no_two_rules_are_written_to_one_file_or_under_one_id(convert: Convert, collection: Path) -> None:
    for name, title, number in (("4", "Whoami 2", 4), ("5", "Whoami", 1), ("6", "Whoami", 1)):
        (collection / f"{name}.yml").write_text(SIGMA.format(title=title, number=number))
    (collection / "3.yml").unlink()
    report = json.loads(convert("import", "--from", "sigma", str(collection), "-o", "out", "--json").out)
    outputs = [Path(rule["output"]).stem for rule in report["rules"]]
    assert outputs == ["whoami", "whoami_2", "whoami_2_2", "whoami_3", "whoami_4"]
    codes = [[problem["code"] for problem in rule["diagnostics"]] for rule in report["rules"]]
    assert codes == [[], [], [], ["duplicate-id"], ["duplicate-id"]]
    assert len({rule.id for rule in load(collection.parent / "out")}) == 5
    again = json.loads(convert("import", "--from", "sigma", str(collection), "-o", "out", "--json").out)
    assert again["rules"] == report["rules"]
    assert len(list((collection.parent / "out").rglob("*.yaml"))) == 5


def test_reading_again_and_in_processes_gives_the_same(convert: Convert, collection: Path) -> None:
    def run(*options: str) -> object:
        result = json.loads(convert("import", "--from", "sigma", str(collection), "--json", *options).out)
        return {**result, "seconds": 0}

    first = run("--jobs", "1")
    assert run() == first
    assert run("--no-cache", "--jobs", "2") == first
    assert any((collection.parent / "cache").rglob("*"))


def test_a_changed_file_is_read_anew(convert: Convert, collection: Path) -> None:
    def titles() -> list[str]:
        report = json.loads(convert("import", "--from", "sigma", str(collection), "--json").out)
        return [rule["title"] for rule in report["rules"]]

    before = titles()
    (collection / "1.yml").write_text(SIGMA.format(title="Who am I", number=1))
    assert titles() == ["Who am I", *before[1:]]


def test_from_one_platform_to_another(convert: Convert, collection: Path) -> None:
    result = convert("--from", "sigma", "--to", "elastic", str(collection / "1.yml"), "-o", "out")
    assert result.code == 0, result.err
    (file,) = (collection.parent / "out").rglob("*.toml")
    assert "whoami.exe" in file.read_text()


def test_what_rules_lean_on_is_looked_for_in_other_folders(convert: Convert, tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "shared_names.py").write_text('SHELLS = ("bash", "zsh")\n')
    (tmp_path / "rules" / "shell.py").write_text(
        "from shared_names import SHELLS\n\n\ndef rule(event):\n    return event.get('name') in SHELLS\n"
    )
    (tmp_path / "rules" / "shell.yml").write_text(
        "AnalysisType: rule\nRuleID: A.Shell\nFilename: shell.py\nLogTypes: [Osquery.Differential]\n"
        "Severity: Low\nEnabled: true\n"
    )
    arguments = ["--from", "panther", "--to", "splunk", "--jobs", "1", str(tmp_path / "rules"), "-o", "out"]
    without = convert(*arguments, "--json")
    assert without.code == 1
    found = convert(*arguments, "--json", "--helpers", str(tmp_path / "elsewhere"))
    (rendered,) = json.loads(found.out)
    assert (found.code, rendered["fidelity"], rendered["written"]) == (0, "exact", True)


def test_what_was_lost_in_reading_holds_the_rendering_back(convert: Convert, collection: Path) -> None:
    text = SIGMA.format(title="Word", number=4).replace(
        "    Image|endswith: '\\whoami.exe'\n", "    - mimikatz\n"
    )
    (collection / "4.yml").write_text(text.replace("category: process_creation", "service: security"))
    report = json.loads(convert("import", "--from", "sigma", str(collection / "4.yml"), "--json").out)
    assert [rule["fidelity"] for rule in report["rules"]] == ["narrower"]
    result = convert("--from", "sigma", "--to", "splunk", str(collection / "4.yml"), "-o", "out", "--json")
    (rendered,) = json.loads(result.out)
    assert (rendered["fidelity"], "keywords" in rendered["blocking"]) == ("narrower", True)
    assert not any((collection.parent / "out").rglob("*.yml"))


@pytest.mark.parametrize(
    "arguments", [["import", "--from", "qradar", "rules"], ["--from", "qradar", "rules"]]
)
def test_an_unknown_platform(arguments: list[str], convert: Convert, collection: Path) -> None:
    result = convert(*arguments)
    assert (result.code, "qradar" in result.err) == (2, True)


def test_a_missing_folder(convert: Convert, collection: Path) -> None:
    result = convert("import", "--from", "sigma", "nowhere")
    assert (result.code, "nowhere" in result.err) == (2, True)


def test_through_sigma_to_a_backend(convert: Convert, rules: Path) -> None:
    result = convert("--to", "sigma:none-such", "-o", "out")
    assert (result.code, "no pySigma backend is named 'none-such'" in result.err) == (2, True)
    assert convert("--to", "elastic:splunk").code == 2
    records = json.loads(convert("--to", "sigma:splunk", "--json", "--dry-run").out)
    assert [record["platform"] for record in records] == ["sigma:splunk"] * 2
    assert all(record["fidelity"] != "exact" for record in records)


PANTHER = """\
AnalysisType: rule
RuleID: Team.User.Made
DisplayName: User made
Enabled: true
LogTypes: [AWS.CloudTrail]
Severity: Low
Detection:
  - {KeyPath: eventName, Condition: Equals, Value: CreateUser}
Tests:
  - {Name: made, ExpectedResult: true, Log: {eventName: CreateUser}}
"""

WITHOUT = "AnalysisType: rule\nRuleID: Team.Without\nFilename: without.py\nLogTypes: [AWS.CloudTrail]\n"


@pytest.fixture
def detections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of Panther's: a detection, one without its Python, and what is no detection."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "panther" / "rules"
    folder.mkdir(parents=True)
    (folder / "user_made.yml").write_text(PANTHER)
    (folder / "without.yml").write_text(WITHOUT)
    (folder / "table.yml").write_text("AnalysisType: lookup_table\nLookupName: people\n")
    (folder / "helper.py").write_text("def rule(event):\n    return True\n")
    return folder


def test_a_repository_of_panthers(convert: Convert, detections: Path) -> None:
    result = convert("import", "--from", "panther", str(detections), "-o", "out", "--json")
    assert result.code == 1
    report = json.loads(result.out)
    assert [(rule["id"], rule["fidelity"]) for rule in report["rules"]] == [
        ("Team.User.Made", "exact"),
        ("Team.Without", "refused"),
    ]
    assert [found["code"] for found in report["rules"][1]["diagnostics"]] == ["missing-file"]
    (rule,) = load(detections.parent.parent / "out")
    assert [test.name for test in rule.tests] == ["made"]
    assert convert("test", "out").code == 0


def test_from_panther_to_the_others(convert: Convert, detections: Path) -> None:
    options = [
        "--from",
        "panther",
        "--to",
        "elastic",
        "--to",
        "panther",
        "--allow-loss",
        "window",
        "-o",
        "out",
    ]
    result = convert(*options, str(detections / "user_made.yml"))
    assert result.code == 0, result.err
    (elastic,) = (detections.parent.parent / "out").rglob("*.toml")
    assert "CreateUser" in elastic.read_text()
    (panther,) = (detections.parent.parent / "out").rglob("*.yml")
    assert "RuleID: Team.User.Made" in panther.read_text()


def test_helpers_are_looked_for_where_the_user_says(convert: Convert, detections: Path) -> None:
    """What is found there is part of what a cached reading depends on."""
    helpers = detections.parent / "elsewhere"
    helpers.mkdir()

    def fidelity() -> str:
        options = ("--helpers", str(helpers), "--json", str(detections / "without.yml"))
        (rule,) = json.loads(convert("import", "--from", "panther", *options).out)["rules"]
        return str(rule["fidelity"])

    assert fidelity() == "refused"
    (helpers / "without.py").write_text(
        "def rule(event):\n    return event.get('eventName') == 'CreateUser'\n"
    )
    assert fidelity() == "exact"


def test_findings_as_sarif(convert: Convert, collection: Path) -> None:
    convert("import", "--from", "sigma", str(collection), "--report", "found.sarif", "--format", "sarif")
    (run,) = json.loads((collection.parent / "found.sarif").read_text())["runs"]
    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    assert any(result["level"] == "error" for result in run["results"])
    assert all(place["artifactLocation"]["uri"].endswith(".yml") for place in places)
