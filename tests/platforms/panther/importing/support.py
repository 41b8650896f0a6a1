"""Short cuts of the tests: reading texts and the files of the repository that lies beside."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from converter.logsources import load_packs
from converter.logsources.pack import Pack
from converter.platforms.base import ReadContext, ReadRule, Source
from converter.platforms.panther import PLATFORM

FOLDER = Path(__file__).parent
REPOSITORY = FOLDER / "repository"


@cache
def packs() -> Mapping[str, Pack]:
    """The built-in log sources."""
    return load_packs()


def read(text: str, file: str = "rule.yml", beside: tuple[Path, ...] = ()) -> list[ReadRule]:
    """The detections of a text."""
    return PLATFORM.read(Source(file=file, text=text), ReadContext(packs=packs(), beside=beside))


def read_one(text: str, file: str = "rule.yml", beside: tuple[Path, ...] = ()) -> ReadRule:
    """The only detection of a text."""
    (found,) = read(text, file, beside)
    return found


def read_file(name: str) -> list[ReadRule]:
    """The detections of a file of the repository."""
    path = REPOSITORY / name
    return read(path.read_text(encoding="utf-8"), str(path))


def specification(**parts: Any) -> str:
    """A simple detection with these parts, the rest as it needs to be."""
    head = {
        "AnalysisType": "rule",
        "RuleID": "Team.Made",
        "Enabled": True,
        "LogTypes": ["AWS.CloudTrail"],
        "Severity": "Low",
        "Detection": [{"KeyPath": "eventName", "Condition": "Equals", "Value": "CreateUser"}],
    }
    return yaml.safe_dump({**head, **parts}, sort_keys=False)


def losses(found: ReadRule) -> list[str]:
    """The findings that change what alerts, as ``code effect``."""
    return [f"{one.code} {one.effect}" for one in found.diagnostics if one.effect is not None]
