"""Rendering 3,000 generated rules for three platforms, beside sigma-cli converting as many for one.

Both programs are timed as a user runs them, files in and files out, and as libraries, rule objects in and
text out. A rendered rule of ours is a whole artifact (query and metadata); of sigma-cli, a query. Its Splunk
target asks for a processing pipeline; the one for Windows leaves the other log sources as they are.
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
from converter.platforms.registry import siem_names


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
        for name in siem_names():
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
    platforms = siem_names()
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        ours, theirs = write(root / "canonical", rules, canonical), write(root / "sigma", rules, sigma)
        converted = program(BIN / "convert", "--to", "all", "-o", root / "out", ours, accept=(0, 1))
        written = sum(path.is_file() for path in (root / "out").rglob("*"))
        if not written:
            raise RuntimeError("nothing was rendered")
        command = ("convert", "--target", "splunk", "--pipeline", "splunk_windows", "--skip-unsupported")
        reference = program(BIN / "sigma", *command, "--output", root / "sigma.out", theirs)
        lines = (root / "sigma.out").read_text(encoding="utf-8").splitlines()
        if len(lines) < 0.9 * count:
            raise RuntimeError(f"sigma-cli wrote only {len(lines)} lines for {count} rules")
        inside = libraries(ours, theirs)
    each = count * len(platforms)
    figures = {
        "convert --to all": 1000 * converted.cpu / each,
        "load() and render()": 1000 * (inside.load.cpu + inside.render.cpu) / each,
        "render()": 1000 * inside.render.cpu / each,
        "sigma convert": 1000 * reference.cpu / count,
        "pySigma, load and convert": 1000 * (inside.sigma_load.cpu + inside.sigma_convert.cpu) / count,
    }
    table(
        f"Rendering {count} rules for {', '.join(platforms)} (sigma-cli: splunk), processor time a rule",
        [
            *((name, f"{milliseconds:.2f} ms") for name, milliseconds in figures.items()),
            ("render() beside sigma convert", _ratio(figures, "sigma convert", "render()")),
            (
                "libraries, reading included",
                _ratio(figures, "pySigma, load and convert", "load() and render()"),
            ),
            ("programs, files in and out", _ratio(figures, "sigma convert", "convert --to all")),
            ("convert --to all", f"{converted}, {written} files written"),
            ("sigma convert", f"{reference}, one file written"),
            (
                "fidelity of ours",
                ", ".join(f"{name} {many}" for name, many in sorted(inside.fidelity.items())),
            ),
        ],
    )


def _ratio(figures: Mapping[str, float], theirs: str, ours: str) -> str:
    return f"{figures[theirs] / figures[ours]:.1f} times as fast"


if __name__ == "__main__":
    main()
