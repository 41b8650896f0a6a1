"""A site taken apart: each page's references, ids, numbers and lists, and what is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import html5lib
import msgspec


class Links(HTMLParser):
    """Every reference of a page, its ids, and whatever could run.

    ``numbers``: those that are links, with where they lead; ``rows``: per table with an id, how many rows its
    body has, and ``listed`` the references in them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.references: list[str] = []
        self.ids: list[str] = []
        self.scripts: list[dict[str, str | None]] = []
        self.handlers: list[str] = []
        self.texts: list[str] = []
        self.numbers: list[tuple[int, str]] = []
        self.rows: dict[str, int] = {}
        self.listed: dict[str, list[str]] = {}
        self._in_script = False
        self._table = ""
        self._in_body = False
        self._link = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.handlers += [name for name in given if name.startswith("on") or name == "style"]
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.references += [v for n, v in attrs if n in ("href", "src", "action") and v]
        match tag:
            case "script":
                self.scripts.append(given)
                self._in_script = True
            case "table":
                self._table = given.get("id") or ""
            case "tbody":
                self._in_body = True
            case "tr" if self._in_body and self._table:
                self.rows[self._table] = self.rows.get(self._table, 0) + 1
            case "a":
                self._link = given.get("href") or ""
                if self._in_body and self._table:
                    self.listed.setdefault(self._table, []).append(self._link)

    def handle_endtag(self, tag: str) -> None:
        match tag:
            case "script":
                self._in_script = False
            case "tbody":
                self._in_body = False
            case "a":
                self._link = ""

    def handle_data(self, data: str) -> None:
        if self._in_script:
            assert not data.strip(), "a script within the page"
        self.texts.append(data)
        if self._link and data.isdecimal():
            self.numbers.append((int(data), self._link))


def parsed(file: Path) -> Links:
    """A page taken apart."""
    links = Links()
    links.feed(file.read_text(encoding="utf-8"))
    return links


def pages(site: Path) -> Iterator[Path]:
    """Every page of a site."""
    return site.rglob("*.html")


class Seen(msgspec.Struct, frozen=True):
    """What is to be known of a page in order to check the others, and what is wrong with it by itself."""

    page: str
    ids: frozenset[str]
    references: tuple[str, ...]
    numbers: tuple[tuple[int, str], ...]
    rows: dict[str, int]
    listed: dict[str, list[str]]
    faults: tuple[str, ...]


def look_at(file: Path) -> Seen:
    """A page, strictly parsed (https://html.spec.whatwg.org/multipage/parsing.html#parse-errors)."""
    links = parsed(file)
    faults: list[str] = []
    parser = html5lib.HTMLParser()
    parser.parse(file.read_text(encoding="utf-8"))
    faults.extend(f"{code} at {place}" for place, code, _ in parser.errors)
    if len(links.ids) != len(set(links.ids)):
        faults.append("an id twice")
    if links.handlers:
        faults.append(f"attributes that run: {links.handlers}")
    return Seen(
        page=str(file),
        ids=frozenset(links.ids),
        references=tuple(links.references),
        numbers=tuple(links.numbers),
        rows=links.rows,
        listed=links.listed,
        faults=tuple(faults),
    )


def dead_links(site: Path, seen: Iterable[Seen] | None = None) -> tuple[list[tuple[str, str]], int]:
    """The references within a site that lead nowhere, or to a part that is not there; how many there are."""
    looked = list(map(look_at, pages(site)) if seen is None else seen)
    ids = {Path(one.page).resolve(): one.ids for one in looked}
    files = {file.resolve() for file in site.rglob("*") if file.is_file()}
    dead: list[tuple[str, str]] = []
    followed = 0
    for one in looked:
        for reference in one.references:
            target = _target(one.page, reference)
            if target is None:
                continue
            fragment = urlsplit(reference).fragment
            followed += 1
            if target not in files or (fragment and "=" not in fragment and fragment not in ids[target]):
                dead.append((one.page, reference))
    return dead, followed


def wrong_numbers(seen: Iterable[Seen]) -> tuple[list[tuple[str, str, int]], int]:
    """The numbers that lead to the page of a value and are not how many (other) rules that lists; how many
    numbers there are.
    """
    by_page = {Path(one.page): one for one in seen}
    wrong: list[tuple[str, str, int]] = []
    compared = 0
    for page, one in by_page.items():
        for number, reference in one.numbers:
            target = _target(one.page, reference)
            if target is None or target.parent.name != "values":
                continue
            shown, table = by_page[target], urlsplit(reference).fragment
            own = sum(link.endswith(f"/{page.name}") for link in shown.listed.get(table, ()))
            compared += 1
            if shown.rows.get(table, 0) - own != number:
                wrong.append((one.page, reference, number))
    return wrong, compared


def _target(page: str, reference: str) -> Path | None:
    """The file that a reference means; None for one out of the site."""
    parts = urlsplit(reference)
    if parts.scheme:
        return None
    if not parts.path:
        return Path(page)
    return Path(os.path.normpath(Path(page).parent / unquote(parts.path)))
