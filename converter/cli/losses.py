"""``convert losses``: the named losses."""

from __future__ import annotations

from collections.abc import Mapping

import rich_click as click

from converter.cli.console import print_json, print_table
from converter.cli.options import as_json, chosen_platforms, platforms_option
from converter.logsources.codes import LOSSES
from converter.platforms.registry import platform


@click.command(name="losses")
@platforms_option
@as_json
def command(targets: tuple[str, ...], as_json: bool) -> None:
    """List the losses that a rendering may name, with what each means: the codes that --allow-loss takes.

    Example: convert losses --to elastic
    """
    tables = {name: _meanings(platform(name).losses) for name in chosen_platforms(targets)}
    if as_json:
        print_json(tables)
        return
    rows = [[name, code, text] for name, table in tables.items() for code, text in table.items()]
    print_table(["platform", "code", "what is lost"], rows)


def _meanings(own: Mapping[str, str]) -> dict[str, str]:
    """What each code means on a platform: as its stored names bring it about, and as its languages do."""
    return {
        code: " ".join(text for text in (LOSSES.get(code), own.get(code)) if text)
        for code in sorted({*LOSSES, *own})
    }
