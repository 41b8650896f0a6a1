"""``convert evaluate``: rules over log files."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from converter.cli.console import print_json_line, print_table, tracked
from converter.cli.options import Workspace, as_json
from converter.evaluate import Alert, StreamEvaluator
from converter.evaluate.timestamps import to_text
from converter.events.logs import read_logs
from converter.events.records import log_events


@click.command(name="evaluate")
@click.argument("rules", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--logs",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Log file: JSON or JSON lines, gzipped or not; may be given several times.",
)
@as_json
def command(rules: tuple[Path, ...], logs: tuple[Path, ...], as_json: bool) -> None:
    """Run rules over log files with the reference evaluator and print their alerts.

    A record counts for a rule if it belongs to the rule's log source. Events are numbered from 0 over all
    files. With --json one alert a line: {rule, events, group, time}. Example:

      convert evaluate canonical_rules/okta.system --logs okta.jsonl.gz --json
    """
    workspace = Workspace()
    loaded = workspace.rules(rules)
    names = dict.fromkeys(name for rule in loaded for step in rule.steps for name in step.logsource)
    events = list(log_events(read_logs(logs), [workspace.packs[name] for name in names]))
    titles = {rule.id: rule.title for rule in loaded}
    alerts = [alert for rule in tracked(loaded, "rules") for alert in StreamEvaluator(rule).alerts(events)]
    if as_json:
        for alert in alerts:
            print_json_line(_record(alert))
        return
    print_table(["rule", "time", "group", "events"], [_row(alert, titles) for alert in alerts])
    click.echo(f"{len(alerts)} alerts of {len(loaded)} rules over {len(events)} events")


def _record(alert: Alert) -> dict[str, object]:
    return {
        "rule": alert.rule,
        "events": alert.events,
        "group": alert.group,
        "time": None if alert.time is None else to_text(alert.time),
    }


def _row(alert: Alert, titles: dict[str, str]) -> list[str]:
    time = "" if alert.time is None else to_text(alert.time)
    group = ", ".join("(none)" if key is None else key for key in alert.group)
    return [titles[alert.rule], time, group, ", ".join(map(str, alert.events))]
