"""``convert test``: the rules' own tests."""

from __future__ import annotations

import sys
from pathlib import Path

import rich_click as click

from converter.check.own_tests import run_tests
from converter.cli.console import print_json, print_table
from converter.cli.options import Workspace, as_json, rule_paths


@click.command(name="test")
@rule_paths
@as_json
def command(paths: tuple[Path, ...], as_json: bool) -> None:
    """Run the tests that rules carry, under the reference evaluator.

    Exit code 1 if one fails. Examples:

      convert test

      convert test rules/okta --json
    """
    workspace = Workspace()
    result = run_tests(workspace.rules(paths), workspace.packs)
    if as_json:
        print_json(result)
    else:
        if result.failures:
            rows = [[f.rule, f.test, str(f.expected), str(f.got)] for f in result.failures]
            print_table(["rule", "test", "expected", "got"], rows)
        click.echo(
            f"{result.rules} rules, {result.tests} tests: {result.passed} passed, {result.failed} failed"
        )
    if result.failed:
        sys.exit(1)
