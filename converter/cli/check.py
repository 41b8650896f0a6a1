"""``convert check``: do the renderings agree with their rules, and with what they were?"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import rich_click as click

from converter.api import check
from converter.check import Options, Pair, Report
from converter.check.report import summarised
from converter.check.reports import FORMATS, described, written
from converter.cli.changes import changed_since, keep
from converter.cli.console import print_diagnostics, print_table
from converter.cli.options import (
    Workspace,
    as_json,
    chosen_platforms,
    helpers_option,
    jobs_option,
    platforms_option,
    reading_of,
    rule_paths,
)
from converter.events.logs import read_logs
from converter.model.diagnostics import RuleError
from converter.model.rule import Rule
from converter.platforms.base import File
from converter.platforms.collection import Collected, Reading, read_files, rule_files
from converter.platforms.output import write_files
from converter.platforms.registry import platform

_SHOWN = 10


@click.command(name="check")
@rule_paths
@platforms_option
@click.option(
    "--logs",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Sample logs to run over as well (JSON, JSON lines, gzipped or not).",
)
@click.option(
    "--no-engines", is_flag=True, help="Only the languages' readers, not the platforms' own engines."
)
@click.option(
    "--tools",
    is_flag=True,
    help="Also the vendors' programs: contentctl and panther_analysis_tool, named by CONTENTCTL and "
    "PANTHER_ANALYSIS_TOOL or on the PATH.",
)
@click.option("--no-made", is_flag=True, help="Only tests and logs, no events made from the rules.")
@click.option(
    "--from", "source", metavar="PLATFORM", help="Check this platform's own rules, as they are read."
)
@click.option(
    "--run-source",
    is_flag=True,
    help="With --from panther: also run the rules' own Python (in a process with limits on time and memory) "
    "and compare it with the reading. Only for code that you trust.",
)
@helpers_option
@click.option("--baseline", metavar="REVISION|FOLDER", help="Also what changed since then.")
@click.option(
    "--save-baseline",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep what the rules do now in a folder, to be compared with later.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", *FORMATS]),
    default="table",
    show_default=True,
    help="How to report.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="File for the report.")
@jobs_option
@as_json
def command(
    paths: tuple[Path, ...],
    targets: tuple[str, ...],
    logs: tuple[Path, ...],
    no_engines: bool,
    tools: bool,
    no_made: bool,
    source: str | None,
    run_source: bool,
    helpers: tuple[Path, ...],
    baseline: str | None,
    save_baseline: Path | None,
    form: str,
    output: Path | None,
    jobs: int,
    as_json: bool,
) -> None:
    """Run every rendering of every rule and compare each verdict with the reference evaluator.

    Exit code 1 if one disagrees beyond its named losses, or if something changed since the baseline.

    Examples:

      convert check

      convert check --to elastic rules/okta --logs okta.jsonl.gz

      convert check --baseline main

      convert check --from panther rules/ --run-source

      convert check --format sarif -o findings.sarif
    """
    if source is not None and (baseline or save_baseline):
        raise RuleError("a baseline is of rules authored here: leave out --from")
    workspace = Workspace()
    names = chosen_platforms(targets)
    if run_source and source != "panther":
        raise RuleError("--run-source runs Panther's Python: say --from panther")
    reads = [] if source is None else _read(reading_of(workspace, source, helpers, jobs), paths)
    rules = workspace.rules(paths) if source is None else [rule for _, rule in reads]
    report = check(
        rules,
        platforms=names,
        packs=workspace.packs,
        settings=workspace.project.platforms,
        logs=read_logs(logs),
        options=Options(engines=not no_engines, tools=tools, made=not no_made, jobs=jobs),
    )
    if run_source:
        report = _with_sources(report, workspace, reads, helpers)
    if baseline is not None:
        found = changed_since(baseline, workspace, rules, paths, names)
        report = msgspec.structs.replace(report, changes=tuple(found))
    if save_baseline is not None:
        keep(save_baseline, workspace, rules, names)
    _report(report, "json" if as_json else form, output)
    if not report.ok:
        sys.exit(1)


def _read(reading: Reading, paths: tuple[Path, ...]) -> list[tuple[Collected, Rule]]:
    """A platform's own rules, those that can be read."""
    files = rule_files(reading.platform, paths or (Path(),))
    found = [read for _, reads in read_files(reading, files) for read in reads]
    return [(read, rule) for read in found if (rule := read.rule) is not None]


def _with_sources(
    report: Report, workspace: Workspace, reads: list[tuple[Collected, Rule]], helpers: tuple[Path, ...]
) -> Report:
    """The report with each reading held to its own source. Raises MissingExtraError without panther_core."""
    from converter.check.source_run import SourceRun

    run = SourceRun(platform("panther"), workspace.packs, helpers)
    pairs = [run.pair(read, rule) for read, rule in reads]
    return summarised([*report.pairs, *pairs], report.diagnostics)


def _report(report: Report, form: str, output: Path | None) -> None:
    """The table on the screen; another form there, or in the file with the table on the screen."""
    if form != "table" and output is None:
        click.echo(written(report, form), nl=False)
        return
    if output is not None:
        write_files(output.parent, [File(output.name, written(report, form if form != "table" else "json"))])
    _print(report)


def _print(report: Report) -> None:
    print_diagnostics(report.diagnostics)
    rows = [
        [
            pair.title,
            pair.platform,
            _fidelity(pair),
            pair.engine,
            str(pair.events),
            str(pair.streams),
            _verdict(pair),
        ]
        for pair in report.pairs
        if not pair.idle
    ]
    print_table(["rule", "platform", "fidelity", "engine", "events", "streams", "verdicts"], rows)
    for pair in [pair for pair in report.pairs if not pair.agrees][:_SHOWN]:
        _print_findings(pair)
    for change in report.changes:
        click.echo(f"\n{change.diagnostic}")
    total = report.summary
    click.echo(
        f"{total.rules} rules, {total.pairs} pairs, "
        f"{total.events} verdicts and {total.streams} streams compared: "
        f"{total.disagreements} disagreements, {total.problems} problems, {total.refused} refused"
    )
    if total.losses:
        click.echo(f"{total.losses} named losses, {total.shown} of them shown by an event or a stream")
    if total.skipped:
        click.echo(f"{total.skipped} events were skipped by an engine that does not say the same of them:")
        for (engine, reason), count in report.skips.most_common():
            click.echo(f"  {count} by {engine}: {reason}")


def _fidelity(pair: Pair) -> str:
    losses = f" ({', '.join(pair.losses)})" if pair.losses else ""
    return f"{pair.fidelity} {pair.language}{losses}"


def _verdict(pair: Pair) -> str:
    if pair.problem is not None:
        return "FAIL"
    if pair.fidelity == "refused":
        return "refused"
    return "agree" if pair.agrees else f"DISAGREE {len(pair.disagreements)}"


def _print_findings(pair: Pair) -> None:
    click.echo(f"\n{pair.title} ({pair.rule}) on {pair.platform}, {pair.engine}:")
    if pair.problem is not None:
        click.echo(f"  {pair.problem}")
    for found in pair.disagreements:
        click.echo("  " + described(found).replace("\n", "\n    "))
