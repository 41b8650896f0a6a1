"""``convert import``: a platform's own rules as canonical rules."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from pathlib import Path

import msgspec
import rich_click as click

from converter.cli.console import print_diagnostics, print_json, print_table, progress
from converter.cli.options import Workspace, as_json, reading_of
from converter.model.diagnostics import Diagnostic, Fidelity, Severity
from converter.model.dump import dump_rule
from converter.model.load import load_text
from converter.platforms.base import File, ReadRule
from converter.platforms.collection import read_files, rule_files
from converter.platforms.naming import slug
from converter.platforms.output import write_files

_STATUSES = ("exact", "wider", "narrower", "partial", "refused")
_MOST_REASONS = 15


@click.command(name="import")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--from", "platform", required=True, metavar="PLATFORM", help="panther, elastic, splunk or sigma."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False), help="Folder to write into."
)
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write the report as JSON.")
@click.option(
    "--helpers",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder with what the rules lean on (helpers, macros, lookups), beside those next to them.",
)
@click.option(
    "--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, show_default=True, help="Processes."
)
@click.option("--no-cache", is_flag=True, help="Read every file anew.")
@as_json
def command(
    sources: tuple[Path, ...],
    platform: str,
    output: Path | None,
    report: Path | None,
    helpers: tuple[Path, ...],
    jobs: int,
    no_cache: bool,
    as_json: bool,
) -> None:
    """Read a platform's own rules into canonical rules, each with how exact the reading is.

    Exit code 1 if a rule was refused. Examples:

      convert import --from sigma rules/ -o canonical_rules/

      convert import --from splunk detections/ --helpers macros/ --report report.json
    """
    started = time.perf_counter()
    workspace = Workspace()
    reading = reading_of(workspace, platform, helpers, jobs, not no_cache)
    files = rule_files(reading, sources)
    with progress(len(files), "reading") as advance:
        rules: list[ReadRule] = []
        for _, found in read_files(reading, files):
            rules.extend(found)
            advance(1)
    written = _canonical_files(rules)
    if output is not None:
        write_files(output, [File(path, text) for path, text in written.values()])
    result = _report(platform, len(files), time.perf_counter() - started, rules, written)
    if report is not None:
        write_files(report.parent, [File(report.name, msgspec.json.encode(result).decode())])
    if as_json:
        print_json(result)
    else:
        _print(rules, len(files), time.perf_counter() - started)
    if any(rule.rule is None for rule in rules):
        sys.exit(1)


def _canonical_files(rules: list[ReadRule]) -> dict[int, tuple[str, str]]:
    """For each rule that was read (by its place in the list): its path and its text, which loads back."""
    files: dict[int, tuple[str, str]] = {}
    taken: set[str] = set()
    for place, read in enumerate(rules):
        if read.rule is None:
            continue
        text = dump_rule(read.rule)
        load_text(text, read.source)
        folder = read.rule.steps[0].logsource[0]
        stem, number = slug(read.rule), 1
        path = f"{folder}/{stem}.yaml"
        while path in taken:
            number += 1
            path = f"{folder}/{stem}_{number}.yaml"
        taken.add(path)
        files[place] = (path, text)
    return files


def _report(
    platform: str, files: int, seconds: float, rules: list[ReadRule], written: dict[int, tuple[str, str]]
) -> dict[str, object]:
    return {
        "platform": platform,
        "files": files,
        "seconds": round(seconds, 3),
        "rules": [
            {
                "source": rule.source,
                "id": rule.id,
                "title": rule.title,
                "kind": rule.kind,
                "logsource": [] if rule.rule is None else list(rule.rule.steps[0].logsource),
                "fidelity": rule.status,
                "output": written[place][0] if place in written else None,
                "residue": rule.residue,
                "diagnostics": [_finding(diagnostic) for diagnostic in rule.diagnostics],
            }
            for place, rule in enumerate(rules)
        ],
        "summary": {status: sum(rule.status == status for rule in rules) for status in _STATUSES},
    }


def _finding(diagnostic: Diagnostic) -> dict[str, object]:
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "line": diagnostic.line,
        "column": diagnostic.column,
        "hint": diagnostic.hint,
    }


def _print(rules: list[ReadRule], files: int, seconds: float) -> None:
    print_diagnostics(
        diagnostic
        for rule in rules
        if rule.rule is None
        for diagnostic in rule.diagnostics
        if diagnostic.severity is Severity.ERROR
    )
    counts = Counter(rule.status for rule in rules)
    print_table(["reading", "rules"], [[status, str(counts[status])] for status in _STATUSES])
    reasons = Counter(
        (rule.status, code)
        for rule in rules
        for code in {d.code for d in rule.diagnostics if d.effect not in (None, Fidelity.EXACT)}
    )
    if reasons:
        rows = [[status, code, str(count)] for (status, code), count in reasons.most_common(_MOST_REASONS)]
        print_table(["reading", "reason", "rules"], rows)
    click.echo(f"{len(rules)} rules in {files} files, {seconds:.1f} s")
