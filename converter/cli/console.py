"""Printing: tables with rich on a terminal, plain aligned text when piped; diagnostics on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import click
import msgspec

from converter.model.diagnostics import ConverterError, Diagnostic

T = TypeVar("T")

_STYLES = {
    "exact": "green",
    "wider": "yellow",
    "narrower": "dark_orange",
    "refused": "red",
    "agree": "green",
    "DISAGREE": "bold red",
    "pass": "green",
    "FAIL": "bold red",
}
_LONG_RUN = 200


def print_json(value: Any) -> None:
    """A value as indented JSON on standard output."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_json_line(value: Any) -> None:
    """A value as one line of JSON on standard output."""
    click.echo(msgspec.json.encode(value).decode())


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str | None = None) -> None:
    """A table: drawn on a terminal, columns of plain text in a pipe. Cells are shown as they are."""
    if not sys.stdout.isatty():
        _plain_table(columns, rows, title)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, header_style="bold", title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_visible(cell), style=_style_of(cell)) for cell in row))
    Console().print(table)


def _plain_table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str | None) -> None:
    if title:
        click.echo(title)
    shown = [list(columns), *([_visible(cell) for cell in row] for row in rows)]
    widths = [max(len(row[index]) for row in shown) for index in range(len(columns))]
    for row in shown:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _visible(text: str) -> str:
    """Text without control characters, which could move the cursor or hide what follows."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _style_of(cell: str) -> str:
    return _STYLES.get(cell.split(" ", 1)[0], "")


def print_diagnostics(diagnostics: Iterable[Diagnostic]) -> None:
    """Diagnostics as text on standard error."""
    for diagnostic in diagnostics:
        lines = str(diagnostic).split("\n")
        click.echo("\n".join(_visible(line) for line in lines), err=True)


def print_error(error: ConverterError) -> None:
    """The error's own sentence on standard error, unless its diagnostics have said it all."""
    if len(error.diagnostics) != 1:
        click.echo(f"error: {_visible(str(error))}", err=True)


def tracked(items: Sequence[T], label: str) -> Iterator[T]:
    """The items, with a progress bar on standard error for a long run on a terminal."""
    with progress(len(items), label) as advance:
        for item in items:
            yield item
            advance(1)


@contextmanager
def progress(length: int, label: str) -> Iterator[Callable[[int], None]]:
    """A function to call with the steps done; it draws a bar for a long run on a terminal."""
    if length < _LONG_RUN or not sys.stderr.isatty():
        yield lambda steps: None
        return
    with click.progressbar(length=length, label=label, file=sys.stderr) as bar:
        yield bar.update
