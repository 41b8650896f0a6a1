"""Panther's own command line on the emitted detections: their tests, and the form of every file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from converter.platforms.base import Artifact, FolderFinding
from converter.platforms.output import claimed
from converter.platforms.vendor_tools import folder_of, program, run

_SECTION = re.compile(r"^-{10,}\n(\w+) Tests? Summary\n(.*?)(?=^-{10,}\n|\Z)", re.MULTILINE | re.DOTALL)
_ENTRY = re.compile(r"^\t(\S[^\n]*)\n((?:\t\t[^\n]*\n)+)", re.MULTILINE)
_LONGEST = 4_000


class PantherAnalysisTool:
    """``panther_analysis_tool test``. Raises MissingExtraError where it is not installed."""

    name = "panther_analysis_tool"
    version = ""

    def __init__(self) -> None:
        self._program = program("panther_analysis_tool", "PANTHER_ANALYSIS_TOOL")

    def findings(self, artifacts: Sequence[Artifact]) -> list[FolderFinding]:
        """Tests that fail, and files that it does not take."""
        owners = {file.path: artifact.rule_id for artifact in artifacts for file in artifact.files}
        with folder_of(claimed(artifacts).values(), "rules") as folder:
            code, said = run([self._program, "test", "--path", "rules"], folder)
            start = f"{folder / 'rules'}/"
        if code == 0:
            return []
        found = [FolderFinding(_owner(name, start, owners, artifacts), text) for name, text in _entries(said)]
        return found or [FolderFinding(None, said[-_LONGEST:].strip())]


def _entries(said: str) -> Iterator[tuple[str, str]]:
    """Rule or file, and what is wrong, of the summaries at the end."""
    for section, text in _SECTION.findall(said):
        if section in ("Failed", "Invalid"):
            for name, lines in _ENTRY.findall(text):
                yield name, f"{section.lower()}: {' '.join(lines.split())}"


def _owner(name: str, start: str, owners: dict[str, str], artifacts: Sequence[Artifact]) -> str | None:
    """The rule that a file is of, or whose specification says that it is this one."""
    path = name.removeprefix(start)
    if path in owners:
        return owners[path]
    says = re.compile(rf"^RuleID: [\"']?{re.escape(name)}[\"']?\s*$", re.MULTILINE)
    return next((a.rule_id for a in artifacts if any(says.search(f.text) for f in a.files)), None)
