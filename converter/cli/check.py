"""``convert check``: do the derived forms agree?"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import rich_click as click

from converter.api import check
from converter.check import Options, Pair, Report
from converter.cli.console import print_diagnostics, print_json, print_table
from converter.cli.options import Workspace, as_json, chosen_platforms, platforms_option, rule_paths
from converter.events.logs import read_logs

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
@click.option("--no-made", is_flag=True, help="Only tests and logs, no events made from the rules.")
@as_json
def command(
    paths: tuple[Path, ...],
    targets: tuple[str, ...],
    logs: tuple[Path, ...],
    no_engines: bool,
    no_made: bool,
    as_json: bool,
) -> None:
    """Run every rendering of every rule and compare each verdict with the reference evaluator.

    Exit code 1 if one disagrees beyond its named losses. Examples:

      convert check

      convert check --to elastic rules/okta --logs okta.jsonl.gz
    """
    workspace = Workspace()
    report = check(
        workspace.rules(paths),
        platforms=chosen_platforms(targets),
        packs=workspace.packs,
        settings=workspace.project.platforms,
        logs=read_logs(logs),
        options=Options(engines=not no_engines, made=not no_made),
    )
    if as_json:
        print_json(report)
    else:
        _print(report)
    if not report.ok:
        sys.exit(1)


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
    ]
    print_table(["rule", "platform", "fidelity", "engine", "events", "streams", "verdicts"], rows)
    for pair in [pair for pair in report.pairs if not pair.agrees][:_SHOWN]:
        _print_findings(pair)
    total = report.summary
    click.echo(
        f"{total.rules} rules, {total.pairs} pairs, "
        f"{total.events} verdicts and {total.streams} streams compared: "
        f"{total.disagreements} disagreements, {total.problems} problems, {total.refused} refused"
    )


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
        click.echo(f"  {found.origin}: expected {found.expected}, got {found.got}")
        if found.predicate:
            click.echo(f"    decided by: {found.predicate}")
        click.echo(f"    event: {msgspec.json.encode(found.event).decode()}")
