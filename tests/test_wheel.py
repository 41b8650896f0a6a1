"""What is installed from a wheel finds its data: templates, packs, grammars and tables go with the code."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DATA = (".j2", ".yaml", ".json", ".lark")

FINDS_ITS_DATA = """
import converter, sys
from importlib import import_module
from pathlib import Path
from converter.logsources import load_packs
from converter.platforms.templating import templates_folder

home = Path(sys.argv[1]).resolve()
assert Path(converter.__file__).is_relative_to(home), converter.__file__
assert templates_folder().is_relative_to(home)
assert all(load_packs()[name].fields or name == "raw" for name in load_packs())
for name in ("panther", "elastic", "splunk"):
    assert import_module(f"converter.platforms.{name}").PLATFORM.name == name
print("found")
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling", reason="the build backend is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_every_data_file_is_inside(unpacked: Path) -> None:
    def data(root: Path, below: str) -> set[str]:
        return {
            f"{below}/{path.relative_to(root).as_posix()}"
            for path in root.rglob("*")
            if path.suffix in DATA or path.name == "py.typed"
        }

    expected = data(ROOT / "converter", "converter") | data(ROOT / "templates", "converter/templates")
    assert data(unpacked / "converter", "converter") >= expected
    assert any(name.endswith(".j2") for name in expected)
    entry_points = next(unpacked.glob("*.dist-info/entry_points.txt")).read_text(encoding="utf-8")
    for line in (
        "convert = converter.cli:main",
        "rule-convert = converter.cli:main",
        "[converter.platforms]",
    ):
        assert line in entry_points
    assert next(unpacked.glob("*.dist-info/licenses/LICENSE")).stat().st_size > 10_000


def test_installed_code_finds_its_data(unpacked: Path, tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", FINDS_ITS_DATA, str(unpacked)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == ["found"]
