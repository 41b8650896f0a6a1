"""What lies beside a detection: its Python, modules, data models, other rules; and what a cache looks at."""

from __future__ import annotations

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


MODELS = {"data_models/doors.py", "data_models/switches.py", "data_models/switches.yml"}


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
    assert leant_on(name) - {name} == files | MODELS


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
