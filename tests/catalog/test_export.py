"""The catalog as data: every key and column is documented, and all three forms say the same."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from converter.catalog.export import INDICATOR_COLUMNS, RULE_COLUMNS, as_csv, as_json, as_parquet
from converter.catalog.site.pages import Catalog
from converter.model.diagnostics import MissingExtraError

DOCS = (Path(__file__).resolve().parents[2] / "docs/catalog.md").read_text(encoding="utf-8")
DOCUMENTED = set(re.findall(r"`(\w+)`", DOCS[DOCS.index("## The data") :]))


@pytest.fixture(scope="module")
def data(catalog: Catalog) -> Any:
    return json.loads(as_json(catalog.index, catalog.rules))


@pytest.fixture(scope="module")
def tables(catalog: Catalog) -> dict[str, list[dict[str, str]]]:
    files = {file.path: file.text for file in as_csv(catalog.index, catalog.rules)}
    return {name: list(csv.DictReader(io.StringIO(text))) for name, text in files.items()}


def test_every_name_is_documented(data: Any) -> None:
    entry: set[str] = set().union(*data["rules"])
    assert entry | {*RULE_COLUMNS, *INDICATOR_COLUMNS, *data} <= DOCUMENTED


def test_json_and_csv_say_the_same(
    data: Any, tables: dict[str, list[dict[str, str]]], catalog: Catalog
) -> None:
    rules = tables["rules.csv"]
    assert [rule["key"] for rule in rules] == [rule["key"] for rule in data["rules"]]
    assert len(rules) == len(catalog.records)
    for row, entry in zip(rules, data["rules"], strict=True):
        assert row["title"] == entry["title"]
        assert list(filter(None, row["logsources"].split("\n"))) == entry["logsources"]
        assert int(row["indicators"]) == sum(len(r["values"]) for r in entry["indicators"])
    lines = [
        (rule["key"], table, value["value"], str(value["looked_for_by"]), str(value["excluded_by"]))
        for rule in data["rules"]
        for table in ("indicators", "exclusions", "inner")
        for row in rule[table]
        for value in row["values"]
    ]
    assert lines == [
        (line["rule"], line["table"], line["value"], line["looked_for_by"], line["excluded_by"])
        for line in tables["indicators.csv"]
    ]
    assert len(lines) > 200


def test_what_suppresses_together_has_one_group(tables: dict[str, list[dict[str, str]]]) -> None:
    (anonymous,) = {
        line["rule"] for line in tables["indicators.csv"] if line["value"] == "ELB-HealthChecker/2.0"
    }
    excluded = [
        (line["group"], line["field"], line["negated"])
        for line in tables["indicators.csv"]
        if line["rule"] == anonymous and line["table"] == "exclusions"
    ]
    assert {group for group, _, _ in excluded} == {"1"}
    assert {negated for _, _, negated in excluded} == {"True", "False"}


def test_platforms_are_told_with_their_losses(data: Any) -> None:
    (rule,) = [rule for rule in data["rules"] if "multiple 403s" in rule["title"]]
    platforms = {entry["platform"]: entry for entry in rule["platforms"]}
    assert set(platforms) == {"panther", "elastic", "splunk"}
    assert "aws_cloudwatchlogs_eks" in platforms["splunk"]["macros"]
    assert [loss[0] for loss in platforms["splunk"]["losses"]] == ["repeated-results"]
    assert platforms["elastic"]["query"]


def test_parquet_holds_the_same(
    catalog: Catalog, tables: dict[str, list[dict[str, str]]], tmp_path: Path
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    for name, content in as_parquet(catalog.index, catalog.rules):
        (tmp_path / name).write_bytes(content)
        table = parquet.read_table(tmp_path / name)
        lines = tables[name.replace(".parquet", ".csv")]
        assert table.column_names == list(lines[0])
        assert table.num_rows == len(lines)
        text = "title" if "title" in table.column_names else "value"
        assert table.column(text).to_pylist() == [line[text] for line in lines]


def test_parquet_without_pyarrow_is_refused_by_name(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"rule-converter\[parquet\]"):
        list(as_parquet(catalog.index, catalog.rules))
