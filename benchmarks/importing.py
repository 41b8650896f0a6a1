"""Importing all public rules (CONVERTER_CORPUS), first with an empty cache and then once more.

The rules are read by ``convert import`` as a user runs it, in two processes. Panther's are read where their
Python is at hand: classes of pypanther, or a repository of YAML and Python (PANTHER_RULES).
Beside it, where it is installed, ``sigma convert`` reads the same Sigma rules and converts each to a Splunk
query, but for those that it skips because it cannot.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.timing import BIN, Taken, program, table
from converter.platforms.registry import reader

COLLECTIONS: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "sigma": (("sigma/rules", "sigma/rules-emerging-threats", "sigma/rules-threat-hunting"), ()),
    "elastic": (("elastic",), ()),
    "splunk": (("splunk/detections",), ("splunk/macros", "splunk/lookups")),
}
"""Platform → the folders of its rules and of what they lean on, below the corpus."""

_PANTHER = os.environ.get("PANTHER_RULES") or f"{os.environ.get('PYPANTHER', 'nowhere')}/pypanther/rules"
if Path(_PANTHER).is_dir():
    COLLECTIONS = {**COLLECTIONS, "panther": ((str(Path(_PANTHER).resolve()),), ())}


def imported(platform: str, corpus: Path, jobs: int) -> Taken:
    """The time of one import of a platform's rules, which are written nowhere."""
    folders, helpers = COLLECTIONS[platform]
    beside = [part for folder in helpers for part in ("--helpers", corpus / folder)]
    rules = [corpus / folder for folder in folders]
    command = (BIN / "convert", "import", "--from", platform, "--jobs", str(jobs), *beside, *rules)
    return program(*command, accept=(0, 1))


def count(platform: str, corpus: Path) -> int:
    """How many files of the platform's rules there are."""
    is_rule = reader(platform).is_rule_file
    return sum(
        is_rule(file) for folder in COLLECTIONS[platform][0] for file in (corpus / folder).rglob("*.*")
    )


def sigma_cli(corpus: Path, scratch: Path) -> Taken | None:
    """The time of ``sigma convert`` for the Sigma rules; None if it is not installed."""
    command = BIN / "sigma"
    if not command.exists():
        return None
    options = ("convert", "--target", "splunk", "--without-pipeline", "--skip-unsupported")
    rules = [corpus / folder for folder in COLLECTIONS["sigma"][0]]
    return program(command, *options, "--output", scratch / "sigma.out", *rules, accept=(0, 1))


def main() -> None:
    """Print seconds, milliseconds a file, and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2)
    jobs: int = parser.parse_args().jobs
    corpus = Path(os.environ.get("CONVERTER_CORPUS", ""))
    if not all((corpus / folder).is_dir() for folders, _ in COLLECTIONS.values() for folder in folders):
        print("Importing: CONVERTER_CORPUS names no folder with public rules", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["XDG_CACHE_HOME"] = scratch
        first = {platform: imported(platform, corpus, jobs) for platform in COLLECTIONS}
        again = {platform: imported(platform, corpus, jobs) for platform in COLLECTIONS}
        reference = sigma_cli(corpus, Path(scratch))
    files = {platform: count(platform, corpus) for platform in COLLECTIONS}
    rows = [
        (f"{platform}, {files[platform]} files", f"{first[platform]}, then {again[platform]}")
        for platform in COLLECTIONS
    ]
    cold, warm = (
        Taken(sum(taken.wall for taken in run.values()), sum(taken.cpu for taken in run.values()))
        for run in (first, again)
    )
    rows.append(("together", f"{cold}, then {warm}"))
    ratios = f"{cold.wall / warm.wall:.1f} times ({cold.cpu / warm.cpu:.1f} times of processor)"
    rows.append(("the full cache is faster by", ratios))
    ours = 1000 * first["sigma"].cpu / files["sigma"]
    rows.append(("a Sigma file, processor time", f"{ours:.2f} ms"))
    if reference is None:
        rows.append(("sigma convert", "not installed"))
    else:
        theirs = 1000 * reference.cpu / files["sigma"]
        rows.append(("sigma convert", f"{theirs:.2f} ms a file: {theirs / ours:.1f} times as long"))
    table(f"Importing with {jobs} processes, an empty cache and then a full one", rows)


if __name__ == "__main__":
    main()
