"""Running the command line in this process, as a user would."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeAlias

import pytest

from converter.cli import main

RULE = """\
id: 0d5f7b7e-0000-4000-8000-00000000000{number}
title: {title}
logsource: kubernetes.audit
severity: low
indicators:
  - {{field: verb, is: list}}
  - {{field: user.username, is: "system:anonymous"}}
tests:
  - {{name: yes, expect: match, event: {{verb: list, user: {{username: "system:anonymous"}}}}}}
  - {{name: no, expect: no_match, event: {{verb: get, user: {{username: "system:anonymous"}}}}}}
"""


class Result(NamedTuple):
    """What a run of the program gave."""

    code: int
    out: str
    err: str


Convert: TypeAlias = Callable[..., Result]


@pytest.fixture
def convert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Convert:
    """Run ``convert`` with these arguments in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Result:
        monkeypatch.setattr(sys, "argv", ["convert", *arguments])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 1 if stop.code else 0
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return run


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A folder with two small rules, at the place where every command looks for them."""
    folder = tmp_path / "canonical_rules"
    folder.mkdir()
    for number, title in enumerate(["Anonymous list", "Anonymous list again"], 1):
        (folder / f"{number}.yaml").write_text(RULE.format(number=number, title=title))
    return folder
