"""``convert logsources``: the log sources and their fields."""

from __future__ import annotations

import difflib

import rich_click as click

from converter.cli.console import print_json, print_table
from converter.cli.options import Workspace, as_json
from converter.logsources.pack import Field, Pack
from converter.model.diagnostics import RuleError
from converter.platforms.registry import platform_names


@click.command(name="logsources")
@click.argument("name", required=False)
@as_json
def command(name: str | None, as_json: bool) -> None:
    """List the log sources; with NAME, the fields of one and what each platform calls them.

    Examples:

      convert logsources

      convert logsources okta.system
    """
    packs = Workspace().packs
    if name is None:
        _list([packs[key] for key in sorted(packs)], as_json)
        return
    if name not in packs:
        near = difflib.get_close_matches(name, list(packs), n=3, cutoff=0.4) or sorted(packs)
        raise RuleError(f"no log-source pack is named {name!r}; there are: {', '.join(near)}")
    _show(packs[name], as_json)


def _list(packs: list[Pack], as_json: bool) -> None:
    if as_json:
        print_json([{"name": p.name, "title": p.title, "fields": len(p.fields)} for p in packs])
        return
    print_table(["log source", "title", "fields"], [[p.name, p.title, str(len(p.fields))] for p in packs])


def _show(pack: Pack, as_json: bool) -> None:
    names = platform_names()
    fields = sorted(pack.fields.values(), key=lambda field: str(field.path))
    if as_json:
        print_json(
            {
                "name": pack.name,
                "title": pack.title,
                "sources": pack.sources,
                "platforms": pack.platforms,
                "open_fields": [str(path) for path in pack.open_fields],
                "fields": [_record(field) for field in fields],
            }
        )
        return
    click.echo(f"{pack.name}: {pack.title}")
    print_table(
        ["field", "type", *names],
        [[str(field.path), _type(field), *(_stored(field, name) for name in names)] for field in fields],
    )
    for path in pack.open_fields:
        click.echo(f"any key below {path} is known")


def _type(field: Field) -> str:
    return f"list of {field.type}" if field.is_list else str(field.type)


def _stored(field: Field, platform: str) -> str:
    stored = field.platforms.get(platform)
    return "(not kept)" if stored is None else f"{stored.name} ({stored.type})"


def _record(field: Field) -> dict[str, object]:
    return {
        "field": str(field.path),
        "type": field.type,
        "list": field.is_list,
        "platforms": {name: stored.name for name, stored in field.platforms.items()},
    }
