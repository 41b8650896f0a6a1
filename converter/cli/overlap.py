"""``convert overlap``: which rules ask the same, or less than another one."""

from __future__ import annotations

from typing import Any

import rich_click as click

from converter.catalog.sources import Found
from converter.check.overlap import Overlaps, Relation, overlaps
from converter.cli.console import print_json, print_table
from converter.cli.gathering import gather, gathering_options
from converter.cli.options import Workspace, as_json
from converter.model.rule import Rule


@click.command(name="overlap")
@gathering_options
@as_json
def command(as_json: bool, **sources: Any) -> None:
    """Find rules whose conditions match the same events, or imply one another, whatever their format.

    An implication is proved where no event can tell otherwise, else tested on events made from both rules.
    Rules are compared as they were read; a partial reading is named as such.

    Examples:

      convert overlap canonical_rules/

      convert overlap rules/ --from sigma sigma/rules --from splunk detections/
    """
    workspace = Workspace()
    found = [one for one in gather(workspace, **sources) if not one.read.refused]
    rules: list[Rule] = [rule for one in found if (rule := one.read.rule) is not None]
    result = overlaps(rules, workspace.packs)
    if as_json:
        print_json(_record(result, found))
        return
    for title, same in (("the same events", True), ("what the first matches, the second matches too", False)):
        relations = [relation for relation in result.relations if relation.same is same]
        if relations:
            rows = [
                [*_name(relation.first, found), *_name(relation.second, found), _how(relation)]
                for relation in relations
            ]
            print_table(["rule", "from", "rule", "from", "known how"], rows, title)
            click.echo()
    for number in result.never:
        click.echo(f"can never match: {' '.join(_name(number, found))}")
    alike = sum(relation.same for relation in result.relations)
    click.echo(
        f"{len(rules)} rules: {alike} match the same as another, "
        f"{len(result.relations) - alike} imply another, "
        f"{len(result.never)} can never match; {len(result.sequences)} sequences were not compared, nor "
        f"{len(result.unknown)} rules for which no event was found"
    )


def _name(number: int, found: list[Found]) -> list[str]:
    read = found[number].read
    partial = "" if read.status == "exact" else f" ({read.status})"
    return [read.title, f"{read.platform}{partial}"]


def _how(relation: Relation) -> str:
    known = "proved" if relation.proved else f"tested on {relation.events} events"
    return f"{known}; another {' and '.join(relation.apart)}" if relation.apart else known


def _record(result: Overlaps, found: list[Found]) -> dict[str, Any]:
    def rule(number: int) -> dict[str, str]:
        read = found[number].read
        return {
            "id": read.id,
            "title": read.title,
            "platform": read.platform,
            "source": read.source,
            "reading": read.status,
        }

    return {
        "relations": [
            {
                "first": rule(relation.first),
                "second": rule(relation.second),
                "relation": "same" if relation.same else "implies",
                "proved": relation.proved,
                "events": relation.events,
                "apart": relation.apart,
            }
            for relation in result.relations
        ],
        "never": [rule(number) for number in result.never],
        "not_compared": [rule(number) for number in (*result.sequences, *result.unknown)],
    }
