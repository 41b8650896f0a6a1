"""Files are written inside the folder, whole, and all or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from converter.model.diagnostics import RuleError
from converter.platforms.base import Artifact, File
from converter.platforms.output import claimed, write_files

ESCAPES = ["../x", "a/../../x", "/etc/x", "..", "", ".", "a/../..", "a\x00b"]


def _everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_files_are_written_and_replaced(tmp_path: Path) -> None:
    write_files(tmp_path / "out", [File("a/b.txt", "one"), File("c.txt", "zwei ü\n")])
    write_files(tmp_path / "out", [File("a/b.txt", "two")])
    assert _everything(tmp_path) == ["out/a/b.txt", "out/c.txt"]
    assert (tmp_path / "out/a/b.txt").read_text() == "two"
    assert (tmp_path / "out/c.txt").read_bytes() == "zwei ü\n".encode()


@pytest.mark.parametrize("path", ESCAPES)
def test_no_path_leaves_the_folder(path: str, tmp_path: Path) -> None:
    with pytest.raises(RuleError):
        write_files(tmp_path / "out", [File("fine.txt", "x"), File(path, "x")])
    assert _everything(tmp_path) == []


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RuleError):
        write_files(tmp_path / "out", [File("a/x.txt", "x")])
    assert _everything(tmp_path / "elsewhere") == []


def test_nothing_is_written_when_one_file_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(RuleError):
        write_files(tmp_path / "out", [File("fine.txt", "x"), File("bad.txt", "\ud800")])
    assert _everything(tmp_path) == []


def test_two_rules_may_share_a_file_only_if_they_agree_on_it() -> None:
    def artifact(rule: str, text: str) -> Artifact:
        return Artifact(rule_id=rule, platform="splunk", files=(File("macros/m.yml", text),))

    assert set(claimed([artifact("1", "x"), artifact("2", "x")])) == {"macros/m.yml"}
    with pytest.raises(RuleError) as caught:
        claimed([artifact("1", "x"), artifact("2", "y")])
    assert "macros/m.yml" in caught.value.diagnostics[0].message
