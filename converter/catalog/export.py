"""The catalog as data for analysts: JSON, CSV and Parquet. docs/catalog.md lists every key and column."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any, Final

import msgspec

from converter.catalog.index import Index
from converter.catalog.prepare import Prepared
from converter.catalog.rows import Row
from converter.model.diagnostics import MissingExtraError
from converter.platforms.base import File

RULE_COLUMNS: Final = (
    "key platform source id title kind reading severity status logsources techniques tags author created "
    "updated correlation condition output false_positives references indicators exclusions tests risk_score"
).split()
INDICATOR_COLUMNS: Final = (
    "rule platform table group step field subject kind value any_case all_of alone negated looked_for_by "
    "excluded_by"
).split()

Table = tuple[str, Sequence[str], list[list[Any]]]
"""A name, its columns, and its rows."""


def as_json(index: Index, rules: Iterable[Prepared]) -> bytes:
    """Everything that the catalog knows, the texts of files apart: one object with the rules in order."""
    entries = [_entry(index, position, one) for position, one in enumerate(rules)]
    return msgspec.json.encode({"format": 1, "rules": entries}) + b"\n"


def as_csv(index: Index, rules: Sequence[Prepared]) -> Iterator[File]:
    """``rules.csv``, a line for each rule, and ``indicators.csv``, one for each value of each rule."""
    for name, columns, rows in tables(index, rules):
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
        yield File(f"{name}.csv", text.getvalue())


def parquet_modules() -> tuple[Any, Any]:
    """The package pyarrow and its Parquet module. Raises MissingExtraError without them."""
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError as error:
        raise MissingExtraError("Parquet needs pyarrow: pip install 'rule-converter[parquet]'") from error


def as_parquet(index: Index, rules: Sequence[Prepared]) -> Iterator[tuple[str, bytes]]:
    """The same tables as Parquet: name and content of each file. Raises MissingExtraError without pyarrow."""
    pyarrow, parquet = parquet_modules()
    for name, columns, rows in tables(index, rules):
        by_column = {column: [row[at] for row in rows] for at, column in enumerate(columns)}
        sink = io.BytesIO()
        parquet.write_table(pyarrow.table(by_column), sink)
        yield f"{name}.parquet", sink.getvalue()


def tables(index: Index, rules: Sequence[Prepared]) -> Iterator[Table]:
    """The two tables."""
    yield "rules", RULE_COLUMNS, [_rule_row(one) for one in rules]
    rows = [row for position in range(len(index.records)) for row in _indicator_rows(index, position)]
    yield "indicators", INDICATOR_COLUMNS, rows


def _rule_row(one: Prepared) -> list[Any]:
    record = one.record
    technique_ids = dict.fromkeys(tag.partition(":")[2] for tag in record.attack if ":" in tag)
    lists: Mapping[str, Iterable[str]] = {
        "logsources": record.logsources,
        "techniques": technique_ids,
        "tags": record.tags,
        "output": record.output,
        "false_positives": record.false_positives,
        "references": record.references,
    }
    numbers: Mapping[str, int | None] = {
        "indicators": sum(len(row.values) for row in record.tables.indicators),
        "exclusions": len(record.tables.exclusions),
        "tests": len(record.tests),
        "risk_score": record.risk.get("score"),
    }
    return [
        "\n".join(lists[name])
        if name in lists
        else numbers[name]
        if name in numbers
        else getattr(record, name)
        for name in RULE_COLUMNS
    ]


def _placed(index: Index, position: int) -> Iterator[tuple[str, int, Row]]:
    """Every row of a rule with its table and, in the exclusions, the number of its group from 1."""
    found = index.records[position].tables
    yield from (("indicators", 0, row) for row in found.indicators)
    for number, group in enumerate(found.exclusions, start=1):
        yield from (("exclusions", number, row) for row in group)
    yield from (("inner", 0, row) for row in found.inner)


def _indicator_rows(index: Index, position: int) -> Iterator[list[Any]]:
    record = index.records[position]
    for table, group, row in _placed(index, position):
        for value in row.values:
            yield [
                record.key,
                record.platform,
                table,
                group,
                row.step + 1,
                row.field,
                value.key[0],
                row.kind,
                value.text,
                row.any_case,
                row.all_of,
                row.alone,
                row.negated,
                index.seen_by(position, row, value),
                index.left_out_by(position, row, value),
            ]


_LEFT_OUT: Final = {"tables", "written", "text", "normal", "findings"}


def _entry(index: Index, position: int, one: Prepared) -> dict[str, Any]:
    record = one.record
    known = {n: getattr(record, n) for n in record.__struct_fields__ if n not in _LEFT_OUT}
    rows: dict[str, list[dict[str, Any]]] = {"indicators": [], "exclusions": [], "inner": []}
    for table, group, row in _placed(index, position):
        rows[table].append(_row_entry(index, position, row) | ({"group": group} if group else {}))
    return {
        **known,
        **rows,
        "findings": record.findings,
        "platforms": [
            {
                "platform": rendering.platform,
                "fidelity": rendering.fidelity,
                "language": rendering.language,
                "query": rendering.query,
                "losses": [(loss.code, loss.effect, loss.message) for loss in rendering.losses],
                "macros": rendering.macros,
            }
            for rendering in one.renderings
        ],
    }


def _row_entry(index: Index, position: int, row: Row) -> dict[str, Any]:
    return {
        "field": row.field,
        "kind": row.kind,
        "any_case": row.any_case,
        "all_of": row.all_of,
        "alone": row.alone,
        "negated": row.negated,
        "step": row.step + 1,
        "values": [
            {
                "value": value.text,
                "counted_as": value.key,
                "looked_for_by": index.seen_by(position, row, value),
                "excluded_by": index.left_out_by(position, row, value),
            }
            for value in row.values
        ],
    }
