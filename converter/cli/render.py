"""``convert``: render rules."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec
import rich_click as click

from converter.cli.console import print_diagnostics, print_json, print_table, tracked
from converter.cli.options import (
    Workspace,
    as_json,
    chosen_platforms,
    helpers_option,
    jobs_option,
    platforms_option,
    reading_of,
    rule_paths,
    unmapped,
)
from converter.model.diagnostics import Diagnostic, Fidelity, Severity
from converter.model.rule import Rule
from converter.platforms.base import Artifact, File
from converter.platforms.collection import Collected, Reading, carried_over, read_files, rule_files
from converter.platforms.losses import accepted_losses, unaccepted_losses
from converter.platforms.output import claimed, differences, write_files
from converter.platforms.registry import platform


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """A rendering and what became of it. ``blocking``: the losses that nobody allowed."""

    rule: Rule
    artifact: Artifact
    blocking: tuple[str, ...] = ()

    @property
    def written(self) -> bool:
        """Whether its files are written."""
        return bool(self.artifact.files) and not self.blocking


@click.command(name="render")
@rule_paths
@platforms_option
@click.option("--from", "source", metavar="PLATFORM", help="Read this platform's own rules instead.")
@helpers_option
@jobs_option
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False), help="Folder to write into."
)
@click.option("--allow-loss", multiple=True, metavar="CODE", help="Write renderings with this named loss.")
@click.option("--dry-run", is_flag=True, help="Render and report, write nothing.")
@click.option("--check", is_flag=True, help="Write nothing; fail if the output folder is not up to date.")
@unmapped
@as_json
def command(
    paths: tuple[Path, ...],
    targets: tuple[str, ...],
    source: str | None,
    helpers: tuple[Path, ...],
    jobs: int,
    output: Path | None,
    allow_loss: tuple[str, ...],
    dry_run: bool,
    check: bool,
    unmapped: str,
    as_json: bool,
) -> None:
    """Render rules (default: canonical_rules/) for one or more platforms into outputs/PLATFORM/.

    A rendering that is not exact names its loss, and is written only if the rule, converter.toml or
    --allow-loss accepts that loss by its code.

    Examples:

      convert

      convert --to elastic --to splunk rules/okta -o build

      convert --to panther --allow-loss window rules/brute_force.yaml

      convert --from sigma --to elastic rule.yml

      convert --from splunk --to panther detections/ --helpers macros/ --allow-loss window

      convert --check
    """
    workspace = Workspace()
    names = chosen_platforms(targets)
    reads = _read(reading_of(workspace, source, helpers, jobs), paths) if source else []
    rules = [rule for _, rule in reads if rule is not None] if source else workspace.rules(paths)
    outcomes: list[Outcome] = []
    for name in names:
        writer, context = platform(name), workspace.context(name, unmapped == "keep" or bool(source))
        allowed = {*allow_loss, *accepted_losses(workspace.settings(name))}
        readable = [read for read, rule in reads if rule is not None]
        for index, rule in enumerate(tracked(rules, name)):
            artifact = writer.render(rule, context)
            if source:
                artifact = carried_over(readable[index], artifact)
            blocking = unaccepted_losses(rule, artifact, allowed)
            outcomes.append(Outcome(rule=rule, artifact=artifact, blocking=blocking))
    files = _files(outcomes, names)
    folder = workspace.outputs(output)
    stale = _stale(files, folder, whole=not paths and not source) if check else []
    if not dry_run and not check:
        for name in names:
            write_files(folder / _home(name), files[name].values())
    _report(outcomes, as_json)
    print_diagnostics(stale)
    if stale or not all(outcome.written for outcome in outcomes) or len(rules) < len(reads):
        sys.exit(1)


def _read(reading: Reading, paths: tuple[Path, ...]) -> list[tuple[Collected, Rule | None]]:
    """A platform's own rules; what is refused is said at once."""
    files = rule_files(reading.platform, paths or (Path(),))
    reads = [read for _, found in read_files(reading, files) for read in found]
    for read in reads:
        if not read.text:
            print_diagnostics(d for d in read.diagnostics if d.severity is Severity.ERROR)
    return [(read, read.rule) for read in reads]


def _files(outcomes: list[Outcome], names: list[str]) -> dict[str, dict[str, File]]:
    """By platform, the files to write; all of all platforms are settled before the first is written."""
    return {
        name: claimed(o.artifact for o in outcomes if o.written and o.artifact.platform == name)
        for name in names
    }


def _home(name: str) -> str:
    """The folder of a platform below the output folder."""
    return name.replace(":", "-")


def _stale(files: Mapping[str, Mapping[str, File]], folder: Path, *, whole: bool) -> list[Diagnostic]:
    """What of the output folder is not as it would be written. ``whole``: the files are all there may be."""
    found: list[Diagnostic] = []
    for name, wanted in files.items():
        home = folder / _home(name)
        for path, how in differences(home, wanted.values(), whole=whole):
            found.append(
                Diagnostic(
                    code="stale-output",
                    severity=Severity.ERROR,
                    message=f"{how}; run convert to bring it up to date",
                    file=str(home / path),
                    platform=name,
                )
            )
    return found


def _report(outcomes: list[Outcome], as_json: bool) -> None:
    if as_json:
        print_json([_record(outcome) for outcome in outcomes])
        return
    for outcome in outcomes:
        accepted = {d.code for d in outcome.artifact.diagnostics} - set(outcome.blocking)
        print_diagnostics(
            _placed(outcome.rule, d)
            for d in outcome.artifact.diagnostics
            if d.severity is not Severity.NOTE and (d.effect is Fidelity.REFUSED or d.code not in accepted)
        )
    by_rule: dict[str, dict[str, Outcome]] = {}
    for outcome in outcomes:
        by_rule.setdefault(outcome.rule.id, {})[outcome.artifact.platform] = outcome
    names = list(dict.fromkeys(outcome.artifact.platform for outcome in outcomes))
    rows = [
        [next(iter(per.values())).rule.title, *(_cell(per[name]) for name in names)]
        for per in by_rule.values()
    ]
    print_table(["rule", *names], rows)
    written = sum(outcome.written for outcome in outcomes)
    click.echo(f"{written} of {len(outcomes)} renderings written")
    blocked = sorted({code for outcome in outcomes for code in outcome.blocking})
    if blocked:
        click.echo(
            f"not written for a loss that nobody allowed; accept it with --allow-loss {' '.join(blocked)}"
        )


def _cell(outcome: Outcome) -> str:
    artifact = outcome.artifact
    codes = dict.fromkeys(d.code for d in artifact.diagnostics if d.effect is not None)
    language = f" {artifact.language}" if artifact.language else ""
    losses = f" ({', '.join(codes)})" if codes else ""
    held = "" if outcome.written else " not written"
    return f"{artifact.fidelity}{language}{losses}{held}"


def _placed(rule: Rule, diagnostic: Diagnostic) -> Diagnostic:
    """The diagnostic with the rule's file and line, if it has no place of its own."""
    if diagnostic.file is not None or rule.place is None:
        return diagnostic
    return msgspec.structs.replace(diagnostic, file=rule.place.file, line=rule.place.line)


def _record(outcome: Outcome) -> dict[str, object]:
    artifact = outcome.artifact
    return {
        "rule": outcome.rule.id,
        "title": outcome.rule.title,
        "platform": artifact.platform,
        "fidelity": artifact.fidelity,
        "language": artifact.language,
        "reason": artifact.reason,
        "written": outcome.written,
        "files": [file.path for file in artifact.files],
        "blocking": outcome.blocking,
        "diagnostics": [_placed(outcome.rule, d) for d in artifact.diagnostics],
    }
