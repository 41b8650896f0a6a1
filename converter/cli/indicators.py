"""``convert indicators``: which values the rules of a collection share, and which only one looks for."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

import rich_click as click

from converter.catalog.index import Index
from converter.catalog.shares import Shared, shared_values
from converter.cli.console import print_json, print_table
from converter.cli.gathering import gather_index, gathering_options
from converter.cli.options import Workspace, as_json
from converter.model.diagnostics import RuleError

_DEFAULT_COUNT = 20


@click.command(name="indicators")
@gathering_options
@click.option("--field", metavar="NAME", help="Only this field, by its canonical name.")
@click.option(
    "--most",
    type=click.IntRange(1),
    default=_DEFAULT_COUNT,
    show_default=True,
    help="How many of the most shared, and how many of the least.",
)
@as_json
def command(field: str | None, most: int, as_json: bool, **sources: Any) -> None:
    """Print the indicators that most rules look for, those that one rule alone looks for, and the exclusions.

    A value is counted once a rule, by its canonical field, so rules of several platforms count together.

    Examples:

      convert indicators canonical_rules/

      convert indicators --from sigma rules/ --from elastic detection-rules/rules --field Image
    """
    index = gather_index(Workspace(), **sources)
    if field is not None:
        _check_field(field, index)
    values = [s for s in shared_values(index) if field is None or field in index.fields_of(s.key)]
    if as_json:
        print_json([_record(index, value) for value in values])
        return
    sought = [value for value in values if value.seekers]
    once = [value for value in sought if len(value.seekers) == 1]
    click.echo(
        f"{len(index.records)} rules look for {len(sought)} values, for {len(once)} of them one rule alone"
    )
    _table("most shared", sought[:most], index)
    _table("one rule alone", once[:most], index)
    excluded = sorted((v for v in values if v.excluders), key=lambda v: -len(v.excluders))
    _table("most excluded", excluded[:most], index)


def _check_field(field: str, index: Index) -> None:
    """Raises RuleError for a field that no rule asks."""
    asked = sorted({name for names in index.subjects.values() for name in names})
    if field not in asked:
        near = get_close_matches(field, asked, n=3)
        hint = f"; near it: {', '.join(near)}" if near else ""
        raise RuleError(f"--field {field}: no rule asks this field{hint}")


def _table(title: str, values: Iterable[Shared], index: Index) -> None:
    rows = [
        [*_shown(value), str(len(value.seekers)), str(len(value.excluders)), _example(index, value)]
        for value in values
    ]
    if rows:
        print_table(["field", "kind", "value", "look for it", "exclude it", "such as"], rows, title=title)


def _shown(value: Shared) -> tuple[str, str, str]:
    subject, kind, text = value.key
    return subject, kind, text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


_LONGEST = 60


def _example(index: Index, value: Shared) -> str:
    return index.records[(value.seekers or value.excluders)[0]].title


def _record(index: Index, value: Shared) -> dict[str, object]:
    subject, kind, text = value.key
    return {
        "subject": subject,
        "kind": kind,
        "value": text,
        "looked_for_by": [index.records[position].key for position in value.seekers],
        "excluded_by": [index.records[position].key for position in value.excluders],
    }
