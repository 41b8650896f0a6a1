"""The table of losses names what the writer can lose, and nothing else; the guide shows the table."""

from __future__ import annotations

import re
from pathlib import Path

from converter.platforms.splunk import PLATFORM
from converter.platforms.splunk.codes import CODES, NOTES

ROOT = Path(__file__).resolve().parents[3]
SOURCES = "\n".join(
    path.read_text(encoding="utf-8") for path in sorted((ROOT / "converter/platforms/splunk").rglob("*.py"))
)


def named(*methods: str) -> set[str]:
    """The codes that the sources pass to these methods, as literals."""
    return set(re.findall(rf"\.(?:{'|'.join(methods)})\(\s*\"([a-z-]+)\"", SOURCES))


def test_every_loss_is_in_the_table() -> None:
    assert named("lose", "refuse", "_given_up") == set(CODES)
    assert PLATFORM.losses == CODES


def test_every_note_is_in_the_table() -> None:
    assert named("note") == set(NOTES)


def test_the_guide_shows_both_tables() -> None:
    guide = (ROOT / "docs" / "splunk.md").read_text(encoding="utf-8")
    for table in (CODES, NOTES):
        for code, text in table.items():
            assert f"| `{code}` | {text} |" in guide
