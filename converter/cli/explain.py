"""``convert explain``: why a rule did or did not match."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import rich_click as click

from converter.cli.console import print_json
from converter.cli.options import Workspace, as_json
from converter.evaluate import Verdict, explain
from converter.events.logs import read_logs
from converter.events.records import SourceReader
from converter.model.describe import describe
from converter.model.diagnostics import RuleError
from converter.model.expressions import Expression, ForSome, Predicate


@click.command(name="explain")
@click.argument("rule", type=click.Path(path_type=Path))
@click.option(
    "--event",
    "event_file",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True),
    help="A file with one event as JSON (of several, the first is taken).",
)
@as_json
def command(rule: Path, event_file: Path, as_json: bool) -> None:
    """Say which predicates of RULE decided about one event, and what values they saw.

    A line marked with * decided the verdict. Exit code 0 if the event matches, 1 if not. Example:

      convert explain canonical_rules/okta.system/mfa_reset.yaml --event event.json
    """
    workspace = Workspace()
    event = next(iter(read_logs([event_file])), None)
    if event is None:
        raise RuleError(f"{event_file}: holds no event")
    records, matched = [], False
    for one in workspace.rules((rule,)):
        for index, step in enumerate(one.steps):
            data = SourceReader(workspace.packs[step.logsource[0]]).event(event, 0).data
            verdict = explain(step.condition, data)
            matched = matched or verdict.holds
            name = one.title if len(one.steps) == 1 else f"{one.title}, step {index + 1}"
            records.append({"rule": one.id, "step": index, "matches": verdict.holds, "why": _record(verdict)})
            if not as_json:
                click.echo(f"{name}: {'matches' if verdict.holds else 'does not match'}")
                for line in _lines(verdict, 1):
                    click.echo(line)
    if as_json:
        print_json(records)
    if not matched:
        sys.exit(1)


def _lines(verdict: Verdict, depth: int) -> Iterator[str]:
    leaf = isinstance(verdict.expression, Predicate)
    text = describe(verdict.expression) if leaf else _combination(verdict.expression)
    saw = f"   saw {', '.join(map(repr, verdict.values)) or 'nothing'}" if leaf else ""
    mark = "*" if verdict.decisive and leaf else " "
    yield f"{mark} {'  ' * depth}{'true ' if verdict.holds else 'false'}  {text}{saw}"
    for child in verdict.children:
        yield from _lines(child, depth + 1)


def _combination(expression: Expression) -> str:
    """What a rule writes before the terms of a node: ``all``, ``any``, ``not``, ``for_some`` and the list."""
    key = str(type(expression).__struct_config__.tag)
    return f"{key} {expression.path}" if isinstance(expression, ForSome) else key


def _record(verdict: Verdict) -> dict[str, object]:
    record: dict[str, object] = {
        "condition": describe(verdict.expression),
        "holds": verdict.holds,
        "decisive": verdict.decisive,
    }
    if verdict.children:
        record["terms"] = [_record(child) for child in verdict.children]
    else:
        record["values"] = verdict.values
    return record
