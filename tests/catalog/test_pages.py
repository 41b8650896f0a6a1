"""What engineers get from public rule pages today is here too, and so is what those pages leave out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from converter.catalog.index import index_of
from converter.catalog.records import Record
from converter.catalog.rows import Row
from converter.catalog.sources import canonical
from converter.logsources import load_packs
from converter.model.attack import attack_table
from converter.model.dump import dump_rule
from converter.model.load import load_text

PAGES = list(yaml.safe_load_all((Path(__file__).parent / "pages.yaml").read_text(encoding="utf-8")))
KINDS = {"eq": "is"}
"""What the pages call the kinds, and what the house does."""

Rows = set[tuple[str, str, frozenset[str]]]


def record(page: dict[str, Any]) -> Record:
    """The record of a page's rule, in a catalog of its own."""
    rules = load_text(yaml.safe_dump(page["rule"], sort_keys=False))
    assert load_text(dump_rule(rules[0]))
    (found,) = index_of(canonical(rules), load_packs()).records
    return found


def rows(table: Iterable[Row]) -> Rows:
    """A table as a set of rows."""
    return {(row.field, row.kind, frozenset(value.text for value in row.values)) for row in table}


def told(table: Iterable[tuple[str, str, list[str]]]) -> Rows:
    """A page's table as a set of rows."""
    return {(field, KINDS.get(kind, kind), frozenset(values)) for field, kind, values in table}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page["rule"]["title"])
def test_the_tables_of_the_page_and_what_it_calls_imperative(page: dict[str, Any]) -> None:
    found = record(page)
    shown, hidden = page["page"], page["imperative"]
    indicators, exclusions = (
        rows(found.tables.indicators),
        rows(r for g in found.tables.exclusions for r in g),
    )
    assert indicators - told(hidden["indicators"]) == told(shown["indicators"])
    assert exclusions - told(hidden["exclusions"]) == told(shown["exclusions"])
    assert told(hidden["indicators"]) <= indicators
    assert told(hidden["exclusions"]) <= exclusions
    assert found.correlation == hidden["correlation"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page["rule"]["title"])
def test_what_else_the_page_tells(page: dict[str, Any]) -> None:
    found, shown, table = record(page), page["page"], attack_table()
    techniques = [tag.split(":") for tag in found.attack]
    assert [
        [table.tactics[tactic].name, technique, table.techniques[technique].full_name]
        for tactic, technique in techniques
    ] == shown["techniques"]
    assert list(found.log_types["panther"]) == shown["log_types"]
    assert [test.name for test in found.tests] == shown["tests"]
    assert list(found.output) == shown.get("output", [])
    assert (found.title, list(found.tags), list(found.references)) == (
        page["rule"]["title"],
        page["rule"]["tags"],
        page["rule"]["references"],
    )


def test_an_exclusion_is_shown_with_what_must_hold_beside_it() -> None:
    (group,) = record(PAGES[1]).tables.exclusions
    assert [(row.field, row.alone) for row in group] == [("userAgent", False), ("sourceIPs[]", False)]
