"""What lies beside a detection: its Python, modules, data models, other rules; and what a cache looks at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from converter.platforms.base import Source
from converter.platforms.collection import Reading, read_files
from converter.platforms.panther import PLATFORM
from converter.platforms.panther.importing.beside import Surroundings
from converter.platforms.panther.importing.python import PythonSource
from tests.platforms.panther.importing.support import REPOSITORY

RULE = REPOSITORY / "rules" / "aws" / "login_worked.yml"
AROUND = Surroundings(str(RULE))


def source(name: str) -> PythonSource:
    path = REPOSITORY / name
    return PythonSource(file=str(path), text=path.read_text("utf-8"))


@pytest.mark.parametrize(
    ("module", "importer", "found"),
    [
        ("team_helpers", "rules/aws/login_worked.py", "global_helpers/team_helpers.py"),
        ("login_worked", "rules/aws/login_worked.py", "rules/aws/login_worked.py"),
        ("team_words", "global_helpers/team_helpers.py", "global_helpers/team_words.py"),
        (".team_words", "global_helpers/team_helpers.py", "global_helpers/team_words.py"),
        ("..data_models.switches", "global_helpers/team_helpers.py", "data_models/switches.py"),
        ("global_helpers.team_words", "rules/aws/login_worked.py", "global_helpers/team_words.py"),
        ("nowhere", "rules/aws/login_worked.py", None),
        ("team_helpers.is_word", "rules/aws/login_worked.py", None),
        ("../team_helpers", "rules/aws/login_worked.py", None),
        ("a b", "rules/aws/login_worked.py", None),
        ("", "rules/aws/login_worked.py", None),
    ],
)
def test_where_an_import_leads(module: str, importer: str, found: str | None) -> None:
    answer = AROUND.find(module, source(importer))
    assert (answer is None) == (found is None)
    if answer is not None and found is not None:
        assert Path(answer.file).resolve() == REPOSITORY / found
        assert answer.text == (REPOSITORY / found).read_text("utf-8")


def test_folders_that_the_user_names_come_before_those_above(tmp_path: Path) -> None:
    (tmp_path / "team_helpers.py").write_text("HERE = 1\n")
    answer = Surroundings(str(RULE), [tmp_path]).find("team_helpers", source("rules/aws/login_worked.py"))
    assert answer is not None
    assert answer.text == "HERE = 1\n"


def test_the_python_of_a_specification() -> None:
    assert AROUND.python("login_worked.py") == source("rules/aws/login_worked.py")
    assert AROUND.python("../../global_helpers/team_words.py") is None
    assert AROUND.python("nowhere.py") is None


def test_data_models_by_log_type() -> None:
    model = AROUND.data_model(["Custom.Nothing", "Custom.Switches"])
    assert model is not None
    assert (dict(model.paths), dict(model.methods)) == ({"state": "switch"}, {"who": "get_who"})
    assert model.source is not None
    assert model.source.text == (REPOSITORY / "data_models" / "switches.py").read_text("utf-8")
    assert AROUND.data_model(["AWS.CloudTrail"]) is None


def test_rules_by_their_id() -> None:
    found = AROUND.specification("Team.Guessed")
    assert found is not None
    assert found.kind == "correlation_rule"
    assert AROUND.specification("Team.Nobody") is None


def leant_on(name: str) -> set[str]:
    path = REPOSITORY / name
    found = PLATFORM.leans_on(Source(file=str(path), text=path.read_text("utf-8")), ())
    return {str(one.resolve().relative_to(REPOSITORY)) for one in found}


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("rules/aws/login_failed.yml", set()),
        (
            "rules/aws/login_worked.yml",
            {"rules/aws/login_worked.py", "global_helpers/team_helpers.py", "global_helpers/team_words.py"},
        ),
        ("rules/aws/derived.yml", {"rules/aws/login_failed.yml"}),
        (
            "correlation_rules/without.yml",
            {
                *("rules/aws/login_failed.yml", "rules/aws/login_worked.yml", "rules/aws/login_worked.py"),
                *("global_helpers/team_helpers.py", "global_helpers/team_words.py"),
            },
        ),
    ],
)
def test_which_files_a_reading_leans_on(name: str, files: set[str]) -> None:
    assert leant_on(name) - {name} == files


def laid_out(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def leant_on_by(rule: Path, folder: Path) -> set[str]:
    found = PLATFORM.leans_on(Source(file=str(rule), text=rule.read_text("utf-8")), ())
    return {str(one.relative_to(folder)) for one in found}


PACKAGE = {
    "helpers/__init__.py": """\
from helpers.doors import shut
from helpers.walls import *
from . import roofs
""",
    "helpers/doors.py": "from helpers.locks import lock\n",
    "helpers/locks.py": "",
    "helpers/walls.py": "",
    "helpers/roofs.py": "def leak(event): return event.udm('water')\n",
    "data_models/water.yml": "AnalysisType: datamodel\n",
}


@pytest.mark.parametrize(
    ("imports", "files"),
    [
        ("from helpers import shut", {"helpers/doors.py", "helpers/locks.py"}),
        ("from helpers import (  # (two)\n    shut,\n)", {"helpers/doors.py", "helpers/locks.py"}),
        ("from helpers import roofs", {"helpers/roofs.py", "data_models/water.yml"}),
        ("from helpers.walls import high", {"helpers/walls.py"}),
        ("from helpers import high", {name for name in PACKAGE if name != "helpers/__init__.py"}),
        ("from helpers import \\\n    shut", {name for name in PACKAGE if name != "helpers/__init__.py"}),
        ("import helpers", {name for name in PACKAGE if name != "helpers/__init__.py"}),
    ],
)
def test_a_package_leads_where_it_has_a_name_from(imports: str, files: set[str], tmp_path: Path) -> None:
    """What else it imports does not count, and data models only where something asks them."""
    laid_out(tmp_path, {**PACKAGE, "rules/own.py": imports})
    own = {"helpers/__init__.py"} if imports.split()[1] == "helpers" else set()
    assert leant_on_by(tmp_path / "rules" / "own.py", tmp_path) == files | own


def test_python_that_is_named_leans_on_the_specification_that_names_it(tmp_path: Path) -> None:
    laid_out(tmp_path, {"own.py": "import json", "own.yml": "AnalysisType: rule\nFilename: own.py  # it\n"})
    assert leant_on_by(tmp_path / "own.py", tmp_path) == {"own.py", "own.yml"}


def test_python_that_a_broken_specification_names_is_read_without_one(tmp_path: Path) -> None:
    laid_out(
        tmp_path, {"own.py": "def rule(event): return 'a' in event", "own.yml": "Filename: own.py\na: [\n"}
    )
    assert Surroundings(str(tmp_path / "own.py")).naming("own.py") is None


def test_packages_installed_beside_the_rules_are_not_theirs(tmp_path: Path) -> None:
    folder = tmp_path / "site-packages"
    laid_out(folder, {"ours/words.py": "HERE = 1\n", "dateutil/words.py": "", "ours/rules/own.py": ""})
    importer = PythonSource(file=str(folder / "ours" / "rules" / "own.py"), text="")
    around = Surroundings(importer.file)
    assert around.find("ours.words", importer) is not None
    assert around.find("dateutil.words", importer) is None
    assert Surroundings(importer.file, [folder]).find("dateutil.words", importer) is not None


BASE = """\
AnalysisType: rule
RuleID: Team.Base
LogTypes: [AWS.CloudTrail]
Severity: Low
Detection: [{{KeyPath: eventName, Condition: Equals, Value: {name}}}]
"""
DERIVED = "AnalysisType: rule\nRuleID: Team.Derived\nBaseDetection: Team.Base\n"


def test_a_cached_reading_is_dropped_when_a_file_it_leans_on_changes(tmp_path: Path) -> None:
    """The content counts, however fast the change came and whatever the folder."""
    base, derived = tmp_path / "rules" / "base" / "base.yml", tmp_path / "rules" / "own" / "derived.yml"
    for path in (base, derived):
        path.parent.mkdir(parents=True)
    derived.write_text(DERIVED)
    reading = Reading(platform="panther", cache=str(tmp_path / "cache"))

    def condition() -> str:
        ((_, (found,)),) = read_files(reading, [derived])
        return found.text

    assert condition() == ""
    base.write_text(BASE.format(name="CreateUser"))
    assert "CreateUser" in condition()
    base.write_text(BASE.format(name="DeleteUser"))
    assert "DeleteUser" in condition()
    assert "DeleteUser" in condition()
