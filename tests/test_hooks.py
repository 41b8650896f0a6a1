"""The pre-commit hooks and the examples of docs/ci.md do what they say, run as they stand."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from converter.check.second_opinion import OPINIONS
from converter.cli.check import command as check_command
from converter.platforms.base import WithTools
from converter.platforms.registry import platform, siem_names
from tests.cli.conftest import RULE

ROOT = Path(__file__).resolve().parent.parent
HOOKS: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
EXAMPLES: dict[str, Any] = {
    name: yaml.safe_load(text) for name, text in re.findall(r"```yaml\n# (\S+)\n(.*?)```", PAGE, re.DOTALL)
}
IDS = [hook["id"] for hook in HOOKS]


def run(folder: Path, command: str, *files: str) -> subprocess.CompletedProcess[str]:
    """A command of ours in a folder, the program itself taken from this tree."""
    program, *arguments = shlex.split(command)
    assert program == "rule-convert"
    return subprocess.run(
        [sys.executable, "-m", "converter", *arguments, *files],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(name="repository")
def _repository(tmp_path: Path) -> Path:
    """A repository with one rule and its renderings, committed on main."""
    rules = tmp_path / "canonical_rules"
    rules.mkdir()
    (rules / "1.yaml").write_text(RULE.format(number=1, title="Anonymous list"))
    assert run(tmp_path, "rule-convert render").returncode == 0
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "rules")
    git(tmp_path, "update-ref", "refs/remotes/origin/main", "main")
    return tmp_path


def applied(hook: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[str]:
    """A hook as pre-commit runs it: with the files that it asks for, unless it takes none."""
    files = [file.relative_to(folder).as_posix() for file in sorted(folder.rglob("*.yaml"))]
    chosen = [file for file in files if re.search(hook["files"], file)]
    assert chosen
    return run(folder, hook["entry"], *(chosen if hook.get("pass_filenames", True) else ()))


@pytest.mark.parametrize("hook", HOOKS, ids=IDS)
def test_a_hook_lets_good_rules_pass(hook: dict[str, Any], repository: Path) -> None:
    done = applied(hook, repository)
    assert done.returncode == 0, done.stdout + done.stderr


BAD = {
    "rule-validate": ("verb, is: list", "no_such_field, is: list"),
    "rule-test": ("expect: no_match", "expect: match"),
    "rule-check": ("id: 0d5f7b7e", "id: not-an-id"),
    "rule-outputs": ("severity: low", "severity: high"),
}


@pytest.mark.parametrize("hook", HOOKS, ids=IDS)
def test_a_hook_stops_what_it_is_there_for(hook: dict[str, Any], repository: Path) -> None:
    rule = repository / "canonical_rules" / "1.yaml"
    good, bad = BAD[hook["id"]]
    assert good in rule.read_text()
    rule.write_text(rule.read_text().replace(good, bad))
    done = applied(hook, repository)
    assert done.returncode in (1, 2)
    assert done.stdout + done.stderr


def test_hooks_are_what_pre_commit_takes() -> None:
    for hook in HOOKS:
        assert hook["language"] == "python"
        assert {"id", "name", "entry", "language", "files"} <= set(hook)
        re.compile(hook["files"])
    (listed,) = EXAMPLES[".pre-commit-config.yaml"]["repos"]
    assert [hook["id"] for hook in listed["hooks"]] == IDS


def commands(example: Any) -> Iterator[str]:
    """Every command of ours in an example, its variables filled in."""
    if isinstance(example, str) and example.startswith("rule-convert"):
        yield re.sub(r"\$\{\{ github.base_ref \}\}", "main", example).replace(
            "$CI_MERGE_REQUEST_DIFF_BASE_SHA", "main"
        )
    elif isinstance(example, dict | list):
        for inner in example.values() if isinstance(example, dict) else example:
            yield from commands(inner)


EXAMPLE_COMMANDS = sorted(
    {
        *re.findall(r"\| `(rule-convert [^`]*)` \|", PAGE),
        *(command for example in EXAMPLES.values() for command in commands(example)),
    }
)


GUIDE = (ROOT / "docs" / "check.md").read_text(encoding="utf-8")


def test_the_guide_names_every_engine_and_option() -> None:
    table = GUIDE.partition("| engine |")[2].partition("\n\n")[0]
    engines = set(re.findall(r"^\| (\S+) \| ", table, re.MULTILINE))
    known = {"reader", *(opinion.package for opinion in OPINIONS.values())}
    for name in siem_names():
        of_platform = platform(name)
        known |= {factory.name for factory in of_platform.engines()}  # type: ignore[attr-defined]
        if isinstance(of_platform, WithTools):
            known |= {factory.name for factory in of_platform.folder_engines()}  # type: ignore[attr-defined]
    assert engines == known
    for option in re.findall(r"convert check[^\n]*?(--[a-z-]+)", GUIDE):
        assert option in [flag for parameter in check_command.params for flag in parameter.opts]


def test_there_are_commands_to_run() -> None:
    assert len(EXAMPLE_COMMANDS) >= 8
    assert sorted(EXAMPLES) == [".github/workflows/rules.yml", ".gitlab-ci.yml", ".pre-commit-config.yaml"]


@pytest.mark.parametrize("command", EXAMPLE_COMMANDS)
def test_the_commands_of_the_page_run(command: str, repository: Path) -> None:
    done = run(repository, command)
    assert done.returncode == 0, done.stdout + done.stderr
    written = re.search(r"-o (\S+)", command)
    assert written is None or (repository / written[1]).stat().st_size > 0
