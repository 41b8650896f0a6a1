"""``convert check``: everything over canonical_rules/, and Panther's own engine over a hundred rules.

Both as a user runs them, with one process and with one for each core: every platform's rendering, reader and
engine, on the tests and on the events and streams made from the rules. The hundred are canonical_rules/ and,
in equal parts, rules read from the public collections at hand (CONVERTER_CORPUS).
"""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from benchmarks.catalog import COLLECTIONS, HELPERS, ROOT
from benchmarks.timing import BIN, Taken, program, table
from converter import Fidelity, render
from converter.check import Report
from converter.platforms.collection import Reading, read_files, rule_files
from tests.corpus import CORPUS

OWN = ROOT / "canonical_rules"
RULES = 100
_SPREAD = 40
"""From each collection every so manieth part of its files is tried, one after the other."""


def imported(platform: str) -> Iterator[str]:
    """Canonical files of a platform's public rules, from all over the collection, that Panther can run."""
    folders = [CORPUS / name for name in COLLECTIONS[platform] if (CORPUS / name).is_dir()]
    reading = Reading(platform=platform, beside=tuple(str(CORPUS / name) for name in HELPERS))
    files = rule_files(reading.platform, folders)
    spread = [file for start in range(_SPREAD) for file in files[start::_SPREAD]]
    for _, rules in itertools.chain.from_iterable(read_files(reading, [file]) for file in spread):
        for read in rules:
            if read.rule is not None and render(read.rule, "panther").fidelity is not Fidelity.REFUSED:
                yield read.text


def write_imported(folder: Path, count: int) -> None:
    """Write so many canonical files (or as many as there are), the collections taking turns."""
    turns = itertools.chain.from_iterable(itertools.zip_longest(*map(imported, COLLECTIONS)))
    texts = list(itertools.islice((text for text in turns if text is not None), count))
    folder.mkdir()
    for number, text in enumerate(texts):
        (folder / f"{number:03}.yaml").write_text(text, encoding="utf-8")


def checked(report: Path, jobs: int, *arguments: str | Path) -> Taken:
    """The time of a check, whose report is left in a file. A finding is no failure of the benchmark."""
    written = ("--format", "json", "-o", report)
    return program(BIN / "convert", "check", *arguments, "--jobs", str(jobs), *written, accept=(0, 1))


def measured(title: str, report: Path, *arguments: str | Path) -> None:
    """Print the times of a check with one process and with one for each core, and what was checked."""
    cores = os.cpu_count() or 1
    alone, together = (checked(report, jobs, *arguments) for jobs in (1, cores))
    found = msgspec.json.decode(report.read_bytes(), type=Report)
    total = found.summary
    engines = {pair.engine for pair in found.pairs}
    table(
        f"{title}: {total.rules} rules, {len(engines)} engines",
        [
            ("one process", str(alone)),
            (f"{cores} processes", f"{together}: {alone.wall / together.wall:.1f} times as fast"),
            ("verdicts and streams", f"{total.events} and {total.streams}"),
            ("disagreements and problems", f"{total.disagreements} and {total.problems}"),
        ],
    )


def main() -> None:
    """Print wall and processor time of both checks."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        measured("Checking canonical_rules/ in full", root / "report.json", OWN)
        own = sum(1 for _ in OWN.rglob("*.yaml"))
        write_imported(root / "imported", RULES - own)
        arguments = ("--to", "panther", OWN, root / "imported")
        measured("Panther's engine on made events", root / "report.json", *arguments)


if __name__ == "__main__":
    main()
