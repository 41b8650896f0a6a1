"""``convert schema``: the JSON Schema of a rule file."""

from __future__ import annotations

import rich_click as click

from converter.cli.console import print_json
from converter.model.schema import json_schema


@click.command(name="schema")
def command() -> None:
    """Print the JSON Schema of a canonical rule, for editors.

    Example: convert schema > rule.schema.json, and in a rule file
    # yaml-language-server: $schema=../rule.schema.json
    """
    print_json(json_schema())
