"""What the README shows is what the program does."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from converter import Fidelity, load, render
from converter.cli.app import command_names

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXCERPTS = re.findall(r"<!-- from (\S+) -->\n```\w*\n(.*?)```", README, re.DOTALL)
PLATFORMS = ("panther", "elastic", "splunk")


@pytest.mark.parametrize(("file", "excerpt"), EXCERPTS, ids=[file for file, _ in EXCERPTS])
def test_excerpts_are_lines_of_their_files(file: str, excerpt: str) -> None:
    lines = iter((ROOT / file).read_text(encoding="utf-8").splitlines())
    missing = [line for line in excerpt.splitlines() if line not in lines]
    assert not missing


def test_there_are_four_excerpts() -> None:
    assert len(EXCERPTS) == 1 + len(PLATFORMS)


def fidelity_table() -> list[str]:
    """The rows of the README's table, from the rules as they are rendered now."""
    rules = load(ROOT / "canonical_rules")
    rows = []
    for name in PLATFORMS:
        artifacts = [render(rule, name) for rule in rules]
        counts = Counter(artifact.fidelity for artifact in artifacts)
        losses = Counter(
            code for artifact in artifacts for code in {d.code for d in artifact.diagnostics if d.effect}
        )
        named = ", ".join(f"`{code}` {count}" for code, count in sorted(losses.items()))
        numbers = " | ".join(str(counts[fidelity]) for fidelity in Fidelity)
        rows.append(f"| {name} | {numbers} | {named} |")
    return rows


def test_the_fidelity_table_is_true() -> None:
    shown = re.findall(r"^\| (?:panther|elastic|splunk) \|.*$", README, re.MULTILINE)
    assert shown == fidelity_table()
    assert f"the {len(load(ROOT / 'canonical_rules'))} rules" in README


def test_every_command_is_listed() -> None:
    assert set(re.findall(r"^convert (\w+)", README, re.MULTILINE)) == set(command_names()) - {"render"}


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
