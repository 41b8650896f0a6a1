"""Rendering 3,000 generated rules for three platforms, beside sigma-cli converting as many for one.

Both programs are timed as a user runs them, files in and files out, and as libraries, rule objects in and
text out. A rendered rule of ours is a whole artifact (query, metadata, tests); of sigma-cli, a query.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from sigma.backends.splunk import SplunkBackend
from sigma.collection import SigmaCollection

from benchmarks.generated import Draft, canonical, drafts, sigma
from benchmarks.timing import BIN, function, program, table
from converter import load, render
from converter.logsources import load_packs
from converter.platforms.registry import platform_names


def write(folder: Path, rules: Sequence[Draft], form: Callable[[Draft], Mapping[str, Any]]) -> Path:
    """One YAML file a rule."""
    folder.mkdir()
    for draft in rules:
        text = yaml.dump(dict(form(draft)), Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True)
        (folder / f"rule_{draft.number:05}.yml").write_text(text, encoding="utf-8")
    return folder


def library(ours: Path, theirs: Path) -> tuple[float, float, Counter[str]]:
    """Seconds for all renderings of all rules by either library, and how faithful ours are."""
    rules, packs = load(ours), load_packs()
    fidelity: Counter[str] = Counter()

    def render_all() -> None:
        fidelity.clear()
        for name in platform_names():
            for rule in rules:
                fidelity[render(rule, name, packs=packs).fidelity] += 1

    def convert_all() -> None:
        SplunkBackend().convert(SigmaCollection.load_ruleset([theirs]))

    return function(render_all), function(convert_all), fidelity


def main() -> None:
    """Print seconds, milliseconds a rendering, and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rules", type=int, default=3000)
    count: int = parser.parse_args().rules
    rules = drafts(count)
    platforms = platform_names()
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        ours, theirs = write(root / "canonical", rules, canonical), write(root / "sigma", rules, sigma)
        converted = program(BIN / "convert", "--to", "all", "-o", root / "out", ours, accept=(0, 1))
        written = sum(path.is_file() for path in (root / "out").rglob("*"))
        if not written:
            raise RuntimeError("nothing was rendered")
        command = ("convert", "--target", "splunk", "--without-pipeline", "--skip-unsupported")
        reference = program(BIN / "sigma", *command, "--output", root / "sigma.out", theirs)
        queries = sum(
            1 for line in (root / "sigma.out").read_text(encoding="utf-8").splitlines() if line.strip()
        )
        if queries < 0.9 * count:
            raise RuntimeError(f"sigma-cli converted only {queries} of {count} rules")
        ours_inside, theirs_inside, fidelity = library(ours, theirs)
    each, reference_each = converted / (count * len(platforms)), reference / count
    inside, theirs_each = ours_inside / (count * len(platforms)), theirs_inside / count
    table(
        f"Rendering {count} rules ({', '.join(platforms)}; sigma-cli: splunk)",
        [
            ("convert --to all", f"{converted:.2f} s, {1000 * each:.2f} ms a rendering, {written} files"),
            ("sigma convert", f"{reference:.2f} s, {1000 * reference_each:.2f} ms a rule"),
            ("ratio, as programs", f"{reference_each / each:.1f} times as fast for each rendered rule"),
            (
                "render(), in process, rules loaded",
                f"{ours_inside:.2f} s, {1000 * inside:.2f} ms a rendering",
            ),
            (
                "pySigma, in process, with loading",
                f"{theirs_inside:.2f} s, {1000 * theirs_each:.2f} ms a rule",
            ),
            ("fidelity of ours", ", ".join(f"{name} {many}" for name, many in sorted(fidelity.items()))),
        ],
    )


if __name__ == "__main__":
    main()
