"""Splunk's contentctl on the emitted detections: an app directory is made of them and validated.

contentctl reads a directory with ``contentctl.yml`` and one folder per kind of content; a detection's data
sources and stories must exist, and so must a deployment per type (contentctl.actions.initialize,
contentctl.input.director). Nothing here needs the network: enrichments are off by default. It does not
parse SPL.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import yaml

from converter.platforms.base import Artifact, File, FolderFinding
from converter.platforms.output import claimed
from converter.platforms.vendor_tools import folder_of, program, run

FOLDERS = (
    "baselines",
    "dashboards",
    "data_sources",
    "deployments",
    "detections",
    "investigations",
    "lookups",
    "macros",
    "playbooks",
    "removed",
    "stories",
)
CONFIG = """\
app:
  appid: converted_rules
  title: Converted rules
  label: CONV
  prefix: CONV
  version: 1.0.0
"""
PRODUCTS = ["Splunk Enterprise", "Splunk Enterprise Security", "Splunk Cloud"]
_FILE = re.compile(r"File: (\S+)")
_ISSUE = re.compile(r"^\s+[^\w\s]\S*\s+(\S.*)$")
_LONGEST = 4_000


class Contentctl:
    """``contentctl validate``. Raises MissingExtraError where it is not installed."""

    name = "contentctl"
    version = ""

    def __init__(self) -> None:
        self._program = program("contentctl", "CONTENTCTL")

    def findings(self, artifacts: Sequence[Artifact]) -> list[FolderFinding]:
        """What it finds wrong with the detections and macros of these artifacts."""
        owners = {file.path: artifact.rule_id for artifact in artifacts for file in artifact.files}
        with folder_of(app_files(claimed(artifacts).values())) as folder:
            make_folders(folder)
            code, said = run([self._program, "validate"], folder)
        if code == 0:
            return []
        found = [FolderFinding(owners.get(path), issue) for path, issue in _issues(said)]
        return found or [FolderFinding(None, said[-_LONGEST:].strip())]


def make_folders(folder: Path) -> None:
    """The folders that must be there, empty or not."""
    for name in FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)


def app_files(files: Iterable[File]) -> list[File]:
    """An app's files: the detections and macros among ``files``, and what contentctl wants beside them."""
    kept = [file for file in files if file.path.startswith(("detections/", "macros/"))]
    beside = {"contentctl.yml": CONFIG}
    for kind in ("TTP", "Anomaly", "Hunting", "Correlation", "Baseline"):
        beside[f"deployments/{kind.lower()}_deployment.yml"] = _text(_deployment(kind))
    for file in kept:
        if file.path.startswith("detections/"):
            detection = yaml.safe_load(file.text)
            for name in detection.get("data_source", ()):
                beside[f"data_sources/{_stem(name)}.yml"] = _text(_data_source(name))
            for name in detection.get("tags", {}).get("analytic_story", ()):
                beside[f"stories/{_stem(name)}.yml"] = _text(_story(name))
    return kept + [File(path, text) for path, text in beside.items()]


def _issues(said: str) -> Iterator[tuple[str, str]]:
    """File and issue, from what contentctl 5 prints of each invalid file."""
    parts = _FILE.split(said.partition("Next Steps")[0])
    for path, text in zip(parts[1::2], parts[2::2], strict=True):
        issues = [match[1].strip() for line in text.splitlines() if (match := _ISSUE.match(line))]
        yield path, "; ".join(issue for issue in issues if not issue.endswith(":")) or text.strip()


def _deployment(kind: str) -> dict[str, Any]:
    actions: dict[str, Any] = {"rba": {"enabled": True}} if kind in ("TTP", "Anomaly") else {}
    return {
        **_common(f"{kind} deployment"),
        "type": kind,
        "scheduling": {
            "cron_schedule": "0 * * * *",
            "earliest_time": "-70m@m",
            "latest_time": "-10m@m",
            "schedule_window": "auto",
        },
        "alert_action": actions,
    }


def _data_source(name: str) -> dict[str, Any]:
    return {**_common(name), "version": 1, "source": name, "sourcetype": name}


def _story(name: str) -> dict[str, Any]:
    return {
        **_common(name),
        "version": 1,
        "status": "production",
        "narrative": f"About {name}.",
        "references": [],
        "tags": {"category": ["Adversary Tactics"], "product": PRODUCTS, "usecase": "Security Monitoring"},
    }


def _common(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "id": str(uuid5(NAMESPACE_URL, name)),
        "date": "2024-01-01",
        "author": "rule-converter",
        "description": f"{name}, to validate detections beside.",
    }


def _stem(name: str) -> str:
    return re.sub(r"[ ./-]", "_", name).lower()


def _text(data: dict[str, Any]) -> str:
    return yaml.safe_dump(data, sort_keys=False)
