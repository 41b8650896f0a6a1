"""An app directory for contentctl, assembled from rendered files.

contentctl reads a directory with ``contentctl.yml`` and one folder per kind of content; a detection's data
sources and stories must exist, and so must a deployment per type (contentctl.actions.initialize,
contentctl.input.director). Nothing here needs the network: enrichments are off by default.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import yaml

from converter.platforms.base import File

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


def contentctl() -> str | None:
    """The program: named by CONTENTCTL, or on the PATH; None if there is none."""
    return os.environ.get("CONTENTCTL") or shutil.which("contentctl")


def assembled(folder: Path, files: Iterable[File]) -> Path:
    """Write an app directory that holds the detections and macros among ``files``."""
    for name in FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "contentctl.yml").write_text(CONFIG, encoding="utf-8")
    for kind in ("TTP", "Anomaly", "Hunting", "Correlation", "Baseline"):
        _write(folder / "deployments" / f"{kind.lower()}_deployment.yml", _deployment(kind))
    for file in files:
        if file.path.startswith(("detections/", "macros/")):
            path = folder / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file.text, encoding="utf-8")
            if file.path.startswith("detections/"):
                _add_what_it_names(folder, yaml.safe_load(file.text))
    return folder


def validated(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run ``contentctl validate`` in an app directory."""
    program = contentctl()
    assert program is not None
    return subprocess.run(
        [program, "validate"], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )


def _add_what_it_names(folder: Path, detection: dict[str, object]) -> None:
    for name in detection.get("data_source", ()):  # type: ignore[attr-defined]
        _write(folder / "data_sources" / f"{_stem(name)}.yml", _data_source(name))
    for name in detection["tags"]["analytic_story"]:  # type: ignore[index]
        _write(folder / "stories" / f"{_stem(name)}.yml", _story(name))


def _deployment(kind: str) -> dict[str, object]:
    actions: dict[str, object] = {}
    if kind in ("TTP", "Anomaly"):
        actions["rba"] = {"enabled": True}
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


def _data_source(name: str) -> dict[str, object]:
    return {**_common(name), "version": 1, "source": name, "sourcetype": name}


def _story(name: str) -> dict[str, object]:
    return {
        **_common(name),
        "version": 1,
        "status": "production",
        "narrative": f"About {name}.",
        "references": [],
        "tags": {"category": ["Adversary Tactics"], "product": PRODUCTS, "usecase": "Security Monitoring"},
    }


def _common(name: str) -> dict[str, object]:
    return {
        "name": name,
        "id": str(uuid5(NAMESPACE_URL, name)),
        "date": "2024-01-01",
        "author": "Tests",
        "description": f"{name}, for the tests.",
    }


def _stem(name: str) -> str:
    for character in " -./":
        name = name.replace(character, "_")
    return name.lower()


def _write(path: Path, data: dict[str, object]) -> None:
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
