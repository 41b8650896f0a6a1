"""``convert import``: a platform's own rules as canonical rules."""

from __future__ import annotations

import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import rich_click as click

from converter.cli.console import print_diagnostics, print_json, print_table, progress
from converter.cli.options import Workspace, as_json, helpers_option, jobs_option, reading_of
from converter.model.diagnostics import Diagnostic, Fidelity, RuleError, Severity
from converter.platforms.base import File
from converter.platforms.collection import Collected, read_files, rule_files
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
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write the report to a file.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "sarif"]),
    default="json",
    show_default=True,
    help="How the report is written: sarif puts each finding beside its line.",
)
@helpers_option
@jobs_option
@click.option("--no-cache", is_flag=True, help="Read every file anew.")
@as_json
def command(
    sources: tuple[Path, ...],
    platform: str,
    output: Path | None,
    report: Path | None,
    form: str,
    helpers: tuple[Path, ...],
    jobs: int,
    no_cache: bool,
    as_json: bool,
) -> None:
    """Read a platform's own rules into canonical rules, each with how exact the reading is.

    Folders are read whole: a file that cannot be read is a refused rule with its place. What is hidden, and
    what lies behind links to folders, is passed over. Rules of one title are numbered, and of one id each but
    the first gets another. Written over are files of the same name alone; others in DIR stay.

    Exit code 1 if a rule was refused, 2 if there is none. Examples:

      convert import --from sigma rules/ -o canonical_rules/

      convert import --from splunk detections/ --helpers macros/ --report report.json

      convert import --from panther rules/ --helpers global_helpers/ -o canonical_rules/
    """
    started = time.perf_counter()
    workspace = Workspace()
    reading = reading_of(workspace, platform, helpers, jobs, not no_cache)
    files = rule_files(platform, sources)
    if not files:
        raise RuleError(f"{', '.join(map(str, sources))}: no rules of {platform} there")
    with progress(len(files), "reading") as advance:
        read: list[Collected] = []
        for _, found in read_files(reading, files):
            read.extend(found)
            advance(1)
    rules = list(_distinct(read))
    written = _paths(rules)
    if output is not None:
        texts = zip(written, rules, strict=True)
        write_files(output, [File(path, rule.text) for path, rule in texts if path is not None])
    result = _report(platform, len(files), time.perf_counter() - started, rules, written)
    if report is not None:
        findings = (diagnostic for rule in rules for diagnostic in rule.diagnostics)
        told = _as_sarif(findings) if form == "sarif" else result
        write_files(report.parent, [File(report.name, msgspec.json.encode(told).decode())])
    if as_json:
        print_json(result)
    else:
        _print(rules, len(files), time.perf_counter() - started)
    if any(not rule.text for rule in rules):
        sys.exit(1)


def _as_sarif(findings: Iterable[Diagnostic]) -> object:
    from converter.check.sarif import sarif_log  # with the whole check; a plain import starts without it

    return sarif_log(findings)


def _distinct(rules: Iterable[Collected]) -> Iterator[Collected]:
    """The rules, each with an id of its own: one that was there before is replaced by one that is always the
    same for it, and a note says so. Rules of one id would not load.
    """
    first: dict[str, str] = {}
    for rule in rules:
        head, _, rest = rule.text.partition("\n")  # the canonical form begins with the id
        if not rule.text or head not in first:
            first[head] = rule.source
            yield rule
            continue
        other, number = first[head], 2
        while (made := f"id: {uuid.uuid5(uuid.NAMESPACE_URL, f'{head}:{number}')}") in first:
            number += 1
        first[made] = rule.source
        note = Diagnostic(
            code="duplicate-id",
            severity=Severity.NOTE,
            message=f"{other} holds a rule of the same id; the {made} was made for this one",
            hint="give one of them an id of its own",
            file=rule.source,
            platform=rule.platform,
        )
        yield msgspec.structs.replace(rule, text=f"{made}\n{rest}", diagnostics=(*rule.diagnostics, note))


def _paths(rules: list[Collected]) -> list[str | None]:
    """For each rule the path of its file, no two alike; None for a refused one."""
    taken: set[str] = set()
    paths: list[str | None] = []
    for rule in rules:
        if not rule.text:
            paths.append(None)
            continue
        stem = path = f"{rule.folder}/{rule.stem}"
        number = 1
        while path in taken:
            number += 1
            path = f"{stem}_{number}"
        taken.add(path)
        paths.append(f"{path}.yaml")
    return paths


def _report(
    platform: str, files: int, seconds: float, rules: list[Collected], written: list[str | None]
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
                "logsource": rule.logsource,
                "fidelity": rule.status,
                "output": path,
                "residue": rule.residue,
                "diagnostics": [_finding(diagnostic) for diagnostic in rule.diagnostics],
            }
            for rule, path in zip(rules, written, strict=True)
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


def _print(rules: list[Collected], files: int, seconds: float) -> None:
    print_diagnostics(
        diagnostic
        for rule in rules
        if not rule.text
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
