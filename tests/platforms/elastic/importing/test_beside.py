"""Exception lists and threat indicators that lie beside rules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from converter.logsources import load_packs
from converter.model.dump import dump_rule
from converter.platforms.base import ReadContext, ReadRule, Source
from converter.platforms.elastic import PLATFORM

PACKS = load_packs()
INDICATORS = [
    {
        "threat": {"indicator": {"ip": "203.0.113.7", "type": "ipv4-addr", "port": 443}},
        "event": {"module": "ti"},
    },
    {"_source": {"threat.indicator.ip": ["203.0.113.8", "198.51.100.9"], "event.module": "ti"}},
    {"threat": {"indicator": {"ip": "192.0.2.1"}}, "event": {"module": "other"}},
    {"threat": {"indicator": {"url": {"domain": "bad.example"}}}, "event": {"module": "ti"}},
    {"unrelated": 1},
]


def rule(**changes: Any) -> dict[str, Any]:
    entry = {"field": "destination.ip", "type": "mapping", "value": "threat.indicator.ip"}
    return {
        "rule_id": "3d1d2f26-0000-4000-8000-000000000201",
        "name": "Indicators",
        "severity": "low",
        "risk_score": 10,
        "type": "threat_match",
        "language": "kuery",
        "index": ["logs-custom-*"],
        "query": "destination.ip:*",
        "threat_query": '@timestamp >= "now-30d/d" and event.module:ti',
        "threat_index": ["logs-ti_*"],
        "threat_mapping": [{"entries": [entry]}],
        **changes,
    }


def read(data: dict[str, Any], folder: Path | None = None) -> ReadRule:
    context = ReadContext(packs=PACKS, beside=() if folder is None else (folder,))
    (found,) = PLATFORM.read(Source(file="x.ndjson", text=json.dumps(data) + "\n"), context)
    return found


def read_indicators(data: dict[str, Any], folder: Path) -> list[Any]:
    found = read(data, folder)
    assert found.status == "exact"
    assert found.rule is not None
    assert "indicator-list" in {one.code for one in found.diagnostics}
    indicators: list[Any] = yaml.safe_load(dump_rule(found.rule))["indicators"]
    return indicators


def lines(folder: Path, name: str, *objects: Any) -> None:
    (folder / name).write_text("".join(json.dumps(one) + "\n" for one in objects), encoding="utf-8")


def test_without_indicators_every_event_of_the_query_is_taken(tmp_path: Path) -> None:
    for folder in (None, tmp_path):
        found = read(rule(), folder)
        assert (found.status, found.fidelity.value) == ("partial", "wider")
        assert found.residue == ("threat_mapping",)


def test_indicators_of_a_threat_index(tmp_path: Path) -> None:
    lines(tmp_path, "indicators.ndjson", *INDICATORS)
    _, asked = read_indicators(rule(), tmp_path)
    assert asked == {"field": "destination.ip", "cidr": ["203.0.113.7", "203.0.113.8", "198.51.100.9"]}


def test_indicators_in_a_table(tmp_path: Path) -> None:
    rows = ("event.module,threat.indicator.url.domain", "ti,bad.example", "ti,", "other,good.example")
    table = "\n".join([*rows, "ti,worse.example"])
    (tmp_path / "indicators.csv").write_text(table, encoding="utf-8")
    entry = {"field": "url.domain", "type": "mapping", "value": "threat.indicator.url.domain"}
    _, asked = read_indicators(rule(threat_mapping=[{"entries": [entry]}]), tmp_path)
    assert asked == {"field": "url.domain", "is": ["bad.example", "worse.example"]}


def test_all_fields_of_a_group_agree_with_one_indicator(tmp_path: Path) -> None:
    lines(tmp_path, "indicators.ndjson", *INDICATORS)
    pairs = (("destination.ip", "threat.indicator.ip"), ("destination.port", "threat.indicator.port"))
    group = {"entries": [{"field": one, "type": "mapping", "value": other} for one, other in pairs]}
    domain = {"entries": [{"field": "url.domain", "type": "mapping", "value": "threat.indicator.url.domain"}]}
    _, asked = read_indicators(rule(threat_mapping=[group, domain]), tmp_path)
    both = [{"field": "destination.ip", "cidr": "203.0.113.7"}, {"field": "destination.port", "is": 443}]
    assert asked == {"any": [{"all": both}, {"field": "url.domain", "is": "bad.example"}]}


@pytest.mark.parametrize(
    "changes",
    [
        {"threat_query": "event.module:none"},
        {"threat_query": "event.module:("},
        {"threat_filters": [{"query": {"script": {}}}]},
        {"threat_mapping": []},
        {"threat_mapping": 5, "threat_filters": 6},
        {"threat_mapping": [{"entries": [{"field": "a", "type": "mapping", "value": "b", "negate": True}]}]},
        {
            "threat_mapping": [
                {"entries": [{"field": "a", "type": "mapping", "value": "threat.indicator.none"}]}
            ]
        },
    ],
    ids=str,
)
def test_what_cannot_be_compared_is_left_out(tmp_path: Path, changes: dict[str, Any]) -> None:
    lines(tmp_path, "indicators.ndjson", *INDICATORS)
    found = read(rule(**changes), tmp_path)
    assert found.status == "partial"


def test_exception_lists_are_found_beside(tmp_path: Path) -> None:
    entry = {"field": "user.name", "operator": "included", "type": "match", "value": "scanner"}
    item = {"list_id": "mine", "item_id": "i", "entries": [entry], "type": "simple"}
    lines(tmp_path, "lists.ndjson", {"list_id": "mine", "type": "detection"}, item)
    data = rule(type="query", exceptions_list=[{"list_id": "mine", "type": "detection"}])
    assert read(data).status == "partial"
    found = read(data, tmp_path)
    assert found.status == "exact"
    assert found.rule is not None
    assert yaml.safe_load(dump_rule(found.rule))["exclusions"] == [{"field": "user.name", "is": "scanner"}]


def test_an_exception_that_ends_is_said_to_stay(tmp_path: Path) -> None:
    entry = {"field": "user.name", "operator": "included", "type": "match", "value": "scanner"}
    item = {"list_id": "mine", "entries": [entry], "expire_time": "2030-01-01T00:00:00Z"}
    lines(tmp_path, "lists.ndjson", item)
    data = rule(type="query", exceptions_list=[{"list_id": "mine", "type": "detection"}])
    assert read(data, tmp_path).status == "narrower"
