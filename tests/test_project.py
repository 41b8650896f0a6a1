"""The settings file of a repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from converter.model.diagnostics import RuleError
from converter.project import FILE_NAME, STARTER, Project, find_project


def test_defaults_without_a_file(tmp_path: Path) -> None:
    assert find_project(tmp_path) == Project()


def test_the_starter_file_holds_the_defaults(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text(STARTER)
    project = find_project(tmp_path)
    defaults = Project()
    assert (project.rules, project.outputs, project.logsources) == (
        defaults.rules,
        defaults.outputs,
        defaults.logsources,
    )
    assert set(project.platforms) == {"panther", "elastic", "splunk"}


def test_it_is_found_from_a_folder_below(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text('rules = "mine"\n[platforms.elastic]\nindex = ["logs-*"]\n')
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    project = find_project(below)
    assert (project.rules, project.root) == ("mine", str(tmp_path))
    assert project.platforms == {"elastic": {"index": ["logs-*"]}}
    assert project.pack_folders == []
    (tmp_path / "logsources").mkdir()
    assert project.pack_folders == [tmp_path / "logsources"]


@pytest.mark.parametrize("text", ["rulez = 'x'", "rules = 5", "rules = ", "\x00", "platforms = []"])
def test_a_malformed_file(text: str, tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(RuleError) as caught:
        find_project(tmp_path)
    assert caught.value.diagnostics[0].file == str(tmp_path / FILE_NAME)
