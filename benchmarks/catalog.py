"""A catalog of every public rule at hand (CONVERTER_CORPUS) and canonical_rules/: built, and built again.

Three runs of ``convert catalog`` as a user makes them: with an empty cache, with nothing changed, and after
one rule was rewritten.
"""

from __future__ import annotations

import os
import resource
import shutil
import tempfile
from pathlib import Path

from benchmarks.timing import BIN, program, table
from tests.corpus import CORPUS

ROOT = Path(__file__).resolve().parents[1]
COLLECTIONS = {
    "sigma": ("sigma/rules", "sigma/rules-emerging-threats", "sigma/rules-threat-hunting"),
    "elastic": ("elastic",),
    "splunk": ("splunk/detections",),
    "panther": ("panther",),
}
HELPERS = ("splunk/macros", "splunk/lookups")


def command(own: Path, site: Path) -> list[str | Path]:
    """The command over all collections that are there."""
    sources: list[str | Path] = []
    for platform, folders in COLLECTIONS.items():
        for folder in folders:
            if (CORPUS / folder).is_dir():
                sources += ["--from", platform, CORPUS / folder]
    helpers = [part for name in HELPERS if (CORPUS / name).is_dir() for part in ("--helpers", CORPUS / name)]
    return [BIN / "convert", "catalog", own, *sources, *helpers, "-o", site]


def main() -> None:
    """Print wall and processor time of the three runs, the peak of memory, and the size of the start page."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        os.environ["XDG_CACHE_HOME"] = str(root / "cache")
        own = shutil.copytree(ROOT / "canonical_rules", root / "canonical_rules")
        run = command(own, root / "site")
        first, again = program(*run), program(*run)
        changed = next(own.rglob("*.yaml"))
        changed.write_text(changed.read_text(encoding="utf-8").replace("severity: ", "severity:  ", 1))
        one = program(*run)
        rules = sum(1 for _ in (root / "site/rules").rglob("*.html"))
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        table(
            f"A catalog of {rules} rules, {os.cpu_count()} cores",
            [
                ("from nothing", str(first)),
                ("nothing changed", str(again)),
                ("one rule rewritten", str(one)),
                ("unchanged, beside from nothing", f"{first.cpu / again.cpu:.1f} times as fast"),
                ("largest process", f"{peak:.0f} MiB"),
                ("start page", f"{(root / 'site/index.html').stat().st_size / 1000:.0f} kB"),
            ],
        )


if __name__ == "__main__":
    main()
