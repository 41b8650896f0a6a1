"""An app directory for contentctl, assembled from rendered files, and the program run on it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from converter.platforms.base import File
from converter.platforms.output import write_files
from converter.platforms.splunk.contentctl import app_files, make_folders


def contentctl() -> str | None:
    """The program: named by CONTENTCTL, or on the PATH; None if there is none."""
    return os.environ.get("CONTENTCTL") or shutil.which("contentctl")


def assembled(folder: Path, files: Iterable[File]) -> Path:
    """Write an app directory that holds the detections and macros among ``files``."""
    write_files(folder, app_files(files))
    make_folders(folder)
    return folder


def validated(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run ``contentctl validate`` in an app directory."""
    program = contentctl()
    assert program is not None
    return subprocess.run(
        [program, "validate"], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
