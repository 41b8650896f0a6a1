"""``convert catalog``: a collection of rules as a site, and as data."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import rich_click as click

from converter.catalog.coverage import navigator_layer
from converter.catalog.export import as_csv, as_json, as_parquet, parquet_modules
from converter.catalog.prepare import code_state, listed, prepare
from converter.catalog.site.build import (
    Built,
    is_current,
    page_count,
    read_manifest,
    write_site,
    write_table,
)
from converter.catalog.site.pages import Catalog
from converter.cli.console import progress
from converter.cli.gathering import gather, gathering_options, workshop_of
from converter.cli.options import Workspace
from converter.model.diagnostics import RuleError
from converter.platforms.base import File
from converter.platforms.output import write_files

_FORMATS = ("site", "json", "csv", "parquet")


@click.command(name="catalog")
@gathering_options
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("site"),
    show_default=True,
    help="Folder to write into.",
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(_FORMATS),
    help="What to write, several times, too. [default: site, json, csv]",
)
@click.option("--serve", is_flag=True, help="Then show the site at a local address.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="For --serve.")
def command(output: Path, formats: tuple[str, ...], serve: bool, port: int, **sources: Any) -> None:
    """Write a catalog of rules: what they look for, who else does, what they leave out, what is not covered.

    The site works from the folder, without a server and offline. Building it again renders what changed.

    Examples:

      convert catalog canonical_rules/ -o site/

      convert catalog --from sigma rules/ --from splunk detections/ -o site/ --serve

      convert catalog --from elastic rules/ --format csv -o tables/
    """
    if serve and formats and "site" not in formats:
        raise RuleError("--serve shows the site: add --format site, or leave --format out")
    started = time.perf_counter()
    built, rules = _build(output, formats or _FORMATS[:3], sources)
    seconds = time.perf_counter() - started
    what = "nothing changed" if not built.written and not built.removed else f"{built.written} written"
    click.echo(f"{rules} rules, {built.files} files in {output} ({what}), {seconds:.1f} s")
    if serve:
        _serve(output, port)


def _build(output: Path, formats: tuple[str, ...], sources: dict[str, Any]) -> tuple[Built, int]:
    """Build what is asked for; gives what was done and how many rules there are."""
    workspace = Workspace()
    if "parquet" in formats:
        parquet_modules()
    workshop = workshop_of(workspace, sources["jobs"], sources["no_cache"])
    manifest = read_manifest(output) if "site" in formats else None
    work = listed(gather(workspace, **sources), workshop)
    inputs = _digest([code_state(), *sorted(formats), *sorted(one.digest for one in work)])
    if manifest is not None and is_current(output, manifest, inputs):
        return Built(files=len(manifest.files)), len(work)
    with progress(len(work), "reading") as advance:
        catalog = Catalog(prepare(work, workshop, advance))
    data = [*_data(catalog, formats)]
    tables = [*as_parquet(catalog.index, catalog.rules)] if "parquet" in formats else []
    if "site" not in formats:
        write_files(output, data)
        for name, content in tables:
            write_table(output, name, content)
        count = len(data) + len(tables)
        return Built(files=count, written=count), len(work)
    with progress(page_count(catalog), "pages") as advance:
        built = write_site(
            catalog,
            workspace.packs,
            output,
            inputs=inputs,
            extra=[*_layers(catalog), *data],
            tables=tables,
            jobs=sources["jobs"],
            advance=advance,
        )
    return built, len(work)


def _digest(parts: Iterable[str | bytes]) -> str:
    digest = hashlib.blake2b(digest_size=20)
    for part in parts:
        digest.update(part if isinstance(part, bytes) else part.encode())
        digest.update(b"\0")
    return digest.hexdigest()


def _data(catalog: Catalog, formats: tuple[str, ...]) -> Iterator[File]:
    if "json" in formats:
        yield File("catalog.json", as_json(catalog.index, catalog.rules).decode())
    if "csv" in formats:
        yield from as_csv(catalog.index, catalog.rules)


def _layers(catalog: Catalog) -> Iterator[File]:
    """A layer for the ATT&CK Navigator for all rules, and one for each platform."""
    platforms = dict.fromkeys(record.platform for record in catalog.records)
    for name in ("all", *platforms):
        rules = [record for record in catalog.records if name in ("all", record.platform)]
        layer = msgspec.json.encode(navigator_layer(name, rules))
        yield File(f"layers/{name}.json", layer.decode())


def _serve(folder: Path, port: int) -> None:
    """Show the site to this machine alone, until it is interrupted."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    try:
        opened = ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        hint = "name another with --port, or 0 for any that is free"
        raise RuleError(f"port {port} cannot be used: {error.strerror}; {hint}") from error
    with opened as server:
        click.echo(f"http://127.0.0.1:{server.server_port}/ (Ctrl+C ends)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo()
