"""``convert coverage``: which ATT&CK techniques the rules of a collection are about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import rich_click as click

from converter.catalog.coverage import Coverage, coverage_of, navigator_layer
from converter.cli.console import print_json, print_table
from converter.cli.gathering import gather_index, gathering_options
from converter.cli.options import Workspace, as_json
from converter.model.attack import attack_table
from converter.platforms.base import File
from converter.platforms.output import write_files


@click.command(name="coverage")
@gathering_options
@click.option(
    "--layer",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a layer for the ATT&CK Navigator.",
)
@click.option("--gaps", is_flag=True, help="List the techniques that no rule names.")
@as_json
def command(layer: Path | None, gaps: bool, as_json: bool, **sources: Any) -> None:
    """Print how many techniques of each ATT&CK tactic the rules name, and write a Navigator layer.

    A technique counts as named when a rule names it or one of its sub-techniques. Examples:

      convert coverage canonical_rules/ --layer layer.json

      convert coverage --from sigma rules/ --from splunk detections/ --gaps
    """
    records = gather_index(Workspace(), **sources).records
    coverage = coverage_of(records)
    if layer is not None:
        text = msgspec.json.format(msgspec.json.encode(navigator_layer(layer.stem, records))).decode()
        write_files(layer.parent, [File(layer.name, f"{text}\n")])
    if as_json:
        print_json(_report(coverage))
        return
    print_table(["tactic", "techniques", "named", "rules"], [_row(coverage, t) for t in coverage.tactics])
    unread = f"; {len(coverage.unread)} of these could not be read" if coverage.unread else ""
    rules = f"{len(records)} rule{'' if len(records) == 1 else 's'}"
    click.echo(f"{rules}, {len(coverage.without)} of them name no technique or tactic{unread}")
    if gaps:
        print_table(["tactic", "technique", "name"], _gaps(coverage), title="named by no rule")


def _row(coverage: Coverage, tactic: str) -> list[str]:
    techniques = [entry for entry in coverage.techniques if entry.tactic == tactic]
    named = sum(entry.covered for entry in techniques)
    name = f"{tactic} {attack_table().tactics[tactic].name}"
    return [name, str(len(techniques)), str(named), str(len(coverage.tactics[tactic]))]


def _gaps(coverage: Coverage) -> list[list[str]]:
    table = attack_table()
    return [
        [table.tactics[entry.tactic].name, entry.technique, table.techniques[entry.technique].full_name]
        for entry in coverage.techniques
        if not entry.covered
    ]


def _report(coverage: Coverage) -> list[dict[str, object]]:
    names = attack_table().techniques
    return [
        {
            "tactic": entry.tactic,
            "technique": entry.technique,
            "name": names[entry.technique].full_name,
            "rules": len(entry.rules),
            "rules_of_subtechniques": len(entry.below),
        }
        for entry in coverage.techniques
    ]
