"""``convert vectors``: test events made from the rules themselves."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import rich_click as click

from converter.check.added_tests import add_tests, made_tests
from converter.check.vectors import Status, Vectors, all_vectors
from converter.cli.console import print_json, print_json_line, print_table, progress
from converter.cli.options import Workspace, as_json, jobs_option, rule_paths
from converter.logsources.pack import Pack
from converter.model.rule import Rule


@click.command(name="vectors")
@rule_paths
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the events into this file as JSON lines instead of printing them.",
)
@click.option(
    "--pairs", is_flag=True, help="Only the pair of events of each predicate, not the values around it."
)
@click.option("--coverage", is_flag=True, help="A table of what the pairs cover, instead of the events.")
@click.option("--add-tests", "adds", is_flag=True, help="Write the pairs into the rules' own tests.")
@jobs_option
@as_json
def command(
    paths: tuple[Path, ...],
    output: Path | None,
    pairs: bool,
    coverage: bool,
    adds: bool,
    jobs: int,
    as_json: bool,
) -> None:
    """Make test events from the rules, with modified condition/decision coverage.

    For every predicate: an event in which it is true and decides, and one in which it is false and decides;
    or the proof that it cannot. Exit code 1 if a rule can never match. Examples:

      convert vectors canonical_rules/okta.system -o events.jsonl

      convert vectors --coverage

      convert vectors rules/mfa.yaml --add-tests
    """
    workspace = Workspace()
    rules = workspace.rules(paths)
    edges = not (pairs or coverage or adds)
    made = []
    with progress(len(rules), "making events") as advance:
        for each in all_vectors(rules, workspace.packs, edges, jobs):
            made.append(each)
            advance(1)
    if adds:
        _add(rules, made, workspace.packs)
    if output is not None:
        lines = [msgspec.json.encode(vector.event).decode() for each in made for vector in each.events]
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    if as_json:
        print_json(made)
    elif coverage:
        _print_coverage(made)
    elif output is None and not adds:
        for vector in (vector for each in made for vector in each.events):
            print_json_line(vector.event)
    _finish(made)


def _add(rules: Sequence[Rule], made: Sequence[Vectors], packs: Mapping[str, Pack]) -> None:
    """Add the tests; the last rule of a file first, so that the others stay at their lines."""
    count = 0
    for rule, vectors_of_rule in reversed(tuple(zip(rules, made, strict=True))):
        tests = made_tests(rule, vectors_of_rule, packs)
        if tests:
            add_tests(rule, tests)
            count += len(tests)
    click.echo(f"{count} tests added to {len(rules)} rules", err=True)


def _print_coverage(made: Sequence[Vectors]) -> None:
    """A row per rule, then every predicate that is not covered with the reason, then the totals."""
    columns = ["rule", "predicates", *Status, "events"]
    print_table(columns, [[each.title, *_counts([each]), str(len(each.events))] for each in made])
    rows = [
        [each.title, one.predicate, one.status, one.reason or ""]
        for each in made
        for one in each.coverage
        if one.status is not Status.COVERED
    ]
    if rows:
        print_table(["rule", "not covered", "status", "reason"], rows)
    total, covered, proved, _ = map(int, _counts(made))
    click.echo(
        f"{len(made)} rules, {total} predicates: {_share(covered, total)} decide both ways, "
        f"{_share(covered + proved, total)} do or are proved unable to"
    )


def _counts(made: Sequence[Vectors]) -> list[str]:
    """How many predicates there are, and how many of each status."""
    statuses = [one.status for each in made for one in each.coverage]
    return [str(len(statuses)), *(str(statuses.count(status)) for status in Status)]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "100 %"


def _finish(made: Sequence[Vectors]) -> None:
    never = [each for each in made if each.unsatisfiable]
    for each in never:
        click.echo(
            f"{each.title} ({each.rule}): it can never fire: no event satisfies its condition", err=True
        )
    if never:
        sys.exit(1)
