"""Rules as pytest's tests: collected when asked for, named, failing with their event; else not there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from converter import pytest_plugin
from converter.project import FILE_NAME, Project
from tests.cli.conftest import RULE

ROOT = Path(__file__).resolve().parent.parent


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    """pytest in a folder with the plugin; its exit code and what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "converter.pytest_plugin", "-rA", "--color=no", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def outcomes(said: str) -> set[tuple[str, str]]:
    """What became of which item (without the file's name)."""
    return set(re.findall(r"^(PASSED|FAILED) \S+?\.yaml::(.*?)(?: - .*)?$", said, re.MULTILINE))


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """A repository with a rule, a test of another kind, and YAML that is no rule."""
    (tmp_path / "canonical_rules").mkdir()
    (tmp_path / "canonical_rules" / "1.yaml").write_text(RULE.format(number=1, title="Anonymous list"))
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_it.py").write_text("def test_it(): pass\n")
    (tmp_path / "tests" / "data.yaml").write_text("a: 1\n")
    (tmp_path / "tests" / "rule.yaml").write_text(RULE.format(number=2, title="A fixture"))
    return tmp_path


def test_a_rules_tests_and_renderings_are_collected(folder: Path) -> None:
    code, said = run(folder, "canonical_rules")
    found = {name for _, name in outcomes(said)}
    assert code == 0
    assert {
        "Anonymous list::yes",
        "Anonymous list::no",
        "Anonymous list::elastic-reader",
        "Anonymous list::panther-reader",
        "Anonymous list::splunk-reader",
    } <= found


def test_platforms_engines_and_names_choose(folder: Path) -> None:
    _, said = run(folder, "canonical_rules", "--platform", "elastic,splunk", "--engine", "reader")
    assert outcomes(said) == {
        ("PASSED", "Anonymous list::elastic-reader"),
        ("PASSED", "Anonymous list::splunk-reader"),
    }
    _, said = run(folder, "canonical_rules", "--platform", "elastic", "-k", "nothing_of_that_name")
    assert "1 deselected" in said or "2 deselected" in said
    _, said = run(folder, "canonical_rules/1.yaml::Anonymous list::yes")
    assert outcomes(said) == {("PASSED", "Anonymous list::yes")}


def test_other_folders_keep_their_yaml(folder: Path) -> None:
    for arguments in (["tests"], ["tests/test_it.py"]):
        code, said = run(folder, *arguments)
        assert code == 0
        assert "1 passed" in said
    (folder / "pytest.ini").write_text("[pytest]\ntestpaths = .\n")
    code, said = run(folder)
    assert (code, "1 passed" in said) == (0, True)


def test_any_path_with_an_option_but_only_what_loads(folder: Path) -> None:
    code, said = run(folder, "tests", "--engine", "reader", "--platform", "panther")
    assert (code, outcomes(said)) == (0, {("PASSED", "A fixture::panther-reader")})


def test_the_ini_setting_asks_too(folder: Path) -> None:
    (folder / "pytest.ini").write_text("[pytest]\nconverter_rules = tests/rule.yaml\n")
    code, said = run(folder)
    assert code == 0
    assert ("PASSED", "A fixture::yes") in outcomes(said)
    assert not any("Anonymous" in name for _, name in outcomes(said))


def test_a_failed_test_shows_event_expectation_and_predicate(folder: Path) -> None:
    rule = folder / "canonical_rules" / "1.yaml"
    rule.write_text(rule.read_text().replace("expect: no_match", "expect: match"))
    code, said = run(folder, "canonical_rules", "-k", "no")
    assert code == 1
    assert ("FAILED", "Anonymous list::no") in outcomes(said)
    assert "expected: match\ngot: no_match\n" in said
    assert "decided by: verb is \"list\" is false (saw 'get')" in said
    assert '"verb":"get"' in said
    assert "pytest_plugin.py" not in said.partition("FAILURES")[2].partition("short test summary")[0]


def test_a_disagreement_fails_with_its_event(folder: Path) -> None:
    (folder / "conftest.py").write_text(
        "import msgspec\n"
        "from converter.check.comparison import ConditionCheck\n"
        "from converter.check.report import Disagreement\n"
        "found = Disagreement(origin='made', event={'verb': 'watch'}, expected=True, got=False)\n"
        "ConditionCheck.by_condition = lambda *rest: [found]\n"
    )
    code, said = run(folder, "canonical_rules", "--platform", "elastic", "--engine", "reader")
    assert code == 1
    assert 'made: expected True, got False\nevent: {"verb":"watch"}' in said


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--platform", "nowhere"], "no platform is named 'nowhere'"),
        (["--engine", "nothing"], "no such engine; there are: reader"),
    ],
)
def test_names_that_do_not_exist(arguments: list[str], told: str, folder: Path) -> None:
    code, said = run(folder, "canonical_rules", *arguments)
    assert code == 2
    assert told in said


def test_a_broken_rule_is_an_error_with_its_place(folder: Path) -> None:
    rule = folder / "canonical_rules" / "1.yaml"
    rule.write_text(rule.read_text().replace("severity: low", "severity: lower"))
    code, said = run(folder, "canonical_rules")
    assert code == 2
    assert re.search(r"1\.yaml:4:\d+: error\[", said)


def test_elsewhere_there_is_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "import sys\n"
        "def pytest_addoption(parser): parser.addoption('--platform'); parser.addoption('--engine')\n"
        "def pytest_unconfigure():\n"
        "    print(sorted(name for name in sys.modules if name.startswith('converter.')))\n"
    )
    (tmp_path / "test_it.py").write_text(
        "def test_it(request): assert request.config.getoption('--platform') == 'x'\n"
    )
    (tmp_path / "data.yaml").write_text("a: 1\n")
    code, said = run(tmp_path, ".", "--platform=x")
    assert code == 0
    assert "['converter.pytest_plugin']" in said


def test_marks_of_a_repository_are_those_of_the_project() -> None:
    assert (FILE_NAME, Project().rules) == pytest_plugin._MARKS
