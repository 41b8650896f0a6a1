"""outputs/ holds exactly what canonical_rules/ renders to; `make outputs` brings it up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

from converter import load, render
from converter.platforms.output import claimed

ROOT = Path(__file__).resolve().parent.parent
RULES = load(ROOT / "canonical_rules")


@pytest.mark.parametrize("platform", ["panther", "elastic", "splunk"])
def test_outputs_are_up_to_date(platform: str) -> None:
    folder = ROOT / "outputs" / platform
    rendered = {path: file.text for path, file in claimed(render(rule, platform) for rule in RULES).items()}
    committed = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert sorted(committed) == sorted(rendered)
    assert [path for path in rendered if rendered[path] != committed[path]] == []
