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

import msgspec
import yaml
from sigma.backends.splunk import SplunkBackend
from sigma.collection import SigmaCollection

from benchmarks.generated import Draft, canonical, drafts, sigma
from benchmarks.timing import BIN, Taken, function, program, table
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


class Libraries(msgspec.Struct, frozen=True):
    """Both libraries on the same predicates: reading rules, deriving text from them."""

    load: Taken
    render: Taken
    sigma_load: Taken
    sigma_convert: Taken
    fidelity: Counter[str]


def libraries(ours: Path, theirs: Path) -> Libraries:
    """Time both libraries on folders of rules."""
    rules, packs, collection = load(ours), load_packs(), SigmaCollection.load_ruleset([theirs])
    fidelity: Counter[str] = Counter()

    def render_all() -> None:
        fidelity.clear()
        for name in platform_names():
            for rule in rules:
                fidelity[render(rule, name, packs=packs).fidelity] += 1

    return Libraries(
        load=function(lambda: load(ours)),
        render=function(render_all),
        sigma_load=function(lambda: SigmaCollection.load_ruleset([theirs])),
        sigma_convert=function(lambda: SplunkBackend().convert(collection)),
        fidelity=fidelity,
    )


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
        lines = (root / "sigma.out").read_text(encoding="utf-8").splitlines()
        if len(lines) < 0.9 * count:
            raise RuntimeError(f"sigma-cli wrote only {len(lines)} lines for {count} rules")
        inside = libraries(ours, theirs)
    each = count * len(platforms)
    ours_whole = 1000 * (inside.load.cpu + inside.render.cpu) / each
    theirs_whole = 1000 * (inside.sigma_load.cpu + inside.sigma_convert.cpu) / count
    table(
        f"Rendering {count} rules ({', '.join(platforms)}; sigma-cli: splunk). Ratios are of processor time.",
        [
            (
                "convert --to all",
                f"{converted}, {1000 * converted.cpu / each:.2f} ms a rendering, {written} files",
            ),
            ("sigma convert", f"{reference}, {1000 * reference.cpu / count:.2f} ms a rule"),
            (
                "as programs, for each rendered rule",
                f"{reference.cpu / count / (converted.cpu / each):.1f} times as fast",
            ),
            ("load() and render()", f"{inside.load} and {inside.render}, {ours_whole:.2f} ms a rendering"),
            (
                "pySigma, load and convert",
                f"{inside.sigma_load} and {inside.sigma_convert}, {theirs_whole:.2f} ms a rule",
            ),
            ("as libraries, for each rendered rule", f"{theirs_whole / ours_whole:.1f} times as fast"),
            (
                "fidelity of ours",
                ", ".join(f"{name} {many}" for name, many in sorted(inside.fidelity.items())),
            ),
        ],
    )


if __name__ == "__main__":
    main()
