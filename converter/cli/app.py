"""The command group: which commands there are, what runs without a command, and how errors end."""

from __future__ import annotations

import sys
from importlib import import_module

import rich_click as click

from converter.cli.console import print_diagnostics, print_error
from converter.model.diagnostics import ConverterError, RefusedError

_COMMANDS = {
    "render": "converter.cli.render",
    "import": "converter.cli.import_",
    "test": "converter.cli.test",
    "check": "converter.cli.check",
    "overlap": "converter.cli.overlap",
    "vectors": "converter.cli.vectors",
    "evaluate": "converter.cli.evaluate",
    "explain": "converter.cli.explain",
    "catalog": "converter.cli.catalog",
    "indicators": "converter.cli.indicators",
    "coverage": "converter.cli.coverage",
    "logsources": "converter.cli.logsources",
    "losses": "converter.cli.losses",
    "schema": "converter.cli.schema",
    "init": "converter.cli.init",
}
_DEFAULT = "render"
_OWN_OPTIONS = ("--help", "-h", "--version")

EXIT_FINDING = 1
EXIT_BAD_INPUT = 2


def command_names() -> tuple[str, ...]:
    """The names of all commands, the default one first."""
    return tuple(_COMMANDS)


class LazyGroup(click.RichGroup):
    """A group that imports a command's module when it runs, and takes ``render`` when none is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, the default one first."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(_COMMANDS[cmd_name]).command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command in front of arguments that name none."""
        if not args or (args[0] not in _COMMANDS and args[0] not in _OWN_OPTIONS):
            args = [_DEFAULT, *args]
        return super().parse_args(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rule-converter", message="convert %(version)s")
def app() -> None:
    """Author a detection rule once; render it for Panther, Elastic and Splunk; check that all agree.

    Examples:

      convert                                render canonical_rules/ for every platform into outputs/

      convert --to elastic rules/mfa.yaml    one rule, one platform

      convert check                          run every rendering against the reference evaluator

    Shell completion: eval "$(_CONVERT_COMPLETE=bash_source convert)" (zsh_source, fish_source likewise).
    """


def run() -> None:
    """Run the command line; errors on purpose become a message and an exit code, never a traceback.

    Exit codes: 0 fine, 1 a finding (a failed test or check, a refused rule), 2 bad usage or bad input.
    """
    try:
        app(prog_name="convert", standalone_mode=True)
    except RefusedError as error:
        print_error(error)
        sys.exit(EXIT_FINDING)
    except ConverterError as error:
        print_diagnostics(error.diagnostics)
        print_error(error)
        sys.exit(EXIT_BAD_INPUT)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(EXIT_FINDING)
