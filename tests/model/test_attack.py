"""MITRE ATT&CK: the table that ships, look-ups in it, and newer tables from STIX bundles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from converter.model.attack import attack_table, load_stix, using
from converter.model.diagnostics import RuleError
from converter.model.load import load_text
from converter.model.rule import AttackTag

STIX = Path(__file__).parent / "stix" / "enterprise.json"


def test_the_table_is_whole_and_says_where_it_comes_from() -> None:
    table = attack_table()
    assert "MITRE" in table.source
    assert len(table.tactics) == 14
    assert len(table.techniques) > 600
    assert {t for entry in table.techniques.values() for t in entry.tactics} <= set(table.tactics)
    assert all(entry.tactics for entry in table.techniques.values())
    assert {entry.parent for entry in table.techniques.values()} - {None} <= set(table.techniques)


def test_a_sub_technique_knows_its_names_page_and_tactics() -> None:
    technique = attack_table().techniques["T1078.004"]
    assert technique.name == "Cloud Accounts"
    assert technique.full_name == "Valid Accounts: Cloud Accounts"
    assert technique.parent == "T1078"
    assert technique.url == "https://attack.mitre.org/techniques/T1078/004/"
    assert sorted(technique.tactics) == ["TA0001", "TA0003", "TA0004", "TA0005"]


def test_a_tactic_knows_its_slug_and_page() -> None:
    tactic = attack_table().tactics["TA0006"]
    assert (tactic.slug, tactic.name) == ("credential-access", "Credential Access")
    assert tactic.url == "https://attack.mitre.org/tactics/TA0006/"


@pytest.mark.parametrize(
    "text", ["TA0006", "ta0006", "credential-access", "Credential Access", "credential_access"]
)
def test_a_tactic_is_found_under_each_of_its_names(text: str) -> None:
    tactic = attack_table().tactic(text)
    assert tactic is not None
    assert tactic.id == "TA0006"


@pytest.mark.parametrize(
    "text", ["T1078.004", "t1078.004", "valid accounts: cloud accounts", "Cloud Accounts", " T1078.004 "]
)
def test_a_technique_is_found_under_each_of_its_names(text: str) -> None:
    technique = attack_table().technique(text)
    assert technique is not None
    assert technique.full_name == "Valid Accounts: Cloud Accounts"


def test_what_is_unknown_is_none() -> None:
    table = attack_table()
    assert table.tactic("nothing") is None
    assert table.technique("T0000") is None
    assert table.suggestion("qqqqqqqqq") is None
    assert table.nearest_tactic("???") is None


SUGGESTIONS = {
    "T1613": "TA0007:T1613",
    "Discovery": "TA0007",
    "discovery:T1613": "TA0007:T1613",
    "TA0040:T1613": "TA0007:T1613",
    "Container and Resource Discovery": "TA0007:T1613",
    "container and resource discovry": "TA0007:T1613",
    "exfiltraton": "TA0010",
}


@pytest.mark.parametrize("text", SUGGESTIONS)
def test_suggestions(text: str) -> None:
    assert attack_table().suggestion(text) == SUGGESTIONS[text]


def test_a_stix_bundle_gives_what_is_in_use() -> None:
    table = load_stix(STIX)
    assert table.version == "99.1"
    assert table.source == attack_table().source
    assert set(table.tactics) == {"TA0001", "TA0098"}
    assert {key: entry.tactics for key, entry in table.techniques.items()} == {
        "T1078": ("TA0001", "TA0098"),
        "T1078.004": ("TA0001",),
        "T9001": ("TA0098",),
    }
    assert table.techniques["T1078.004"].full_name == "Valid Accounts: Cloud Accounts"


def test_rules_can_be_read_by_a_newer_table() -> None:
    rule = (
        "id: 11111111-1111-4111-8111-111111111111\ntitle: t\nlogsource: raw\n"
        "indicators: [{field: a, is: b}]\nattack: [TA0098:T9001]\n"
    )
    with using(load_stix(STIX)):
        assert load_text(rule)[0].attack == (AttackTag("TA0098", "T9001"),)
    with pytest.raises(RuleError, match="has no tactic TA0098"):
        load_text(rule)


BAD_BUNDLES: dict[str, Any] = {
    "not JSON": b"{",
    "not text": b"\xff\xfe\x00",
    "a list": b"[]",
    "not a bundle": b'{"type": "report"}',
    "nothing in it": b'{"type": "bundle", "objects": []}',
    "objects of a wrong type": b'{"type": "bundle", "objects": 5}',
    "a tactic without a name": json.dumps(
        {
            "type": "bundle",
            "objects": [
                {
                    "type": "x-mitre-tactic",
                    "external_references": [{"source_name": "mitre-attack", "external_id": "TA0001"}],
                }
            ],
        }
    ).encode(),
    "nested 100,000 deep": b"[" * 100_000,
}


@pytest.mark.parametrize("name", BAD_BUNDLES)
def test_a_file_that_is_no_bundle_is_an_error(name: str, tmp_path: Path) -> None:
    file = tmp_path / "bundle.json"
    file.write_bytes(BAD_BUNDLES[name])
    with pytest.raises(RuleError, match="cannot read the ATT&CK bundle") as caught:
        load_stix(file)
    assert caught.value.diagnostics[0].file == str(file)


def test_a_missing_bundle_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="No such file"):
        load_stix(tmp_path / "missing.json")
