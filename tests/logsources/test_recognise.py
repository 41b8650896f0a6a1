"""Log sources by the names that a platform's own rule gives: cases as data, and the public corpus."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
import yaml

from converter.evaluate import compile_expression
from converter.logsources import canonical_event, canonicalise, find_packs, load_packs
from converter.logsources.stored_names import STORED_NAMES
from converter.model.expressions import Operator, Predicate
from converter.model.paths import FieldPath, parse_path
from converter.model.rule import Rule
from tests.corpus import CORPUS

from .support import BUILT_IN, all_packs, cases

needs_corpus = pytest.mark.skipif(not CORPUS.is_dir(), reason="no rule corpus: set CONVERTER_CORPUS")


@pytest.mark.parametrize("case", cases("recognised"))
def test_log_sources(case: dict[str, Any]) -> None:
    found = find_packs(case["platform"], case["facts"], load_packs())
    assert [pack.name for pack in found] == case["are"]


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_sigma_log_source_is_that_of_one_pack(name: str) -> None:
    """Each entry of a pack is answered by that pack alone."""
    told = all_packs()[name].platforms.get("sigma", {})
    entries = [{key: told[key] for key in ("product", "category", "service") if key in told}]
    entries += told.get("also") or []
    for entry in filter(None, entries):
        assert [pack.name for pack in find_packs("sigma", entry, load_packs())] == [name]


@pytest.mark.parametrize("name", BUILT_IN)
def test_further_names_lead_to_declared_fields(name: str) -> None:
    pack = all_packs()[name]
    for platform in ("elastic", "splunk", "sigma", "panther"):
        aliases = pack.platforms.get(platform, {}).get("aliases") or {}
        names = STORED_NAMES(pack, platform)
        known = [alias for alias in aliases if names.known(FieldPath((alias,))) is not None]
        assert len(known) >= len(aliases) * 0.7


def test_packs_of_a_team_are_found(tmp_path: Any) -> None:
    text = (
        "name: acme.vpn\ntitle: VPN\ntime: {fields: [when]}\nplatforms: {splunk: {macro: acme_vpn, "
        "sourcetype: 'acme:vpn'}, sigma: {product: acme}, panther: {log_types: [Custom.VPN]}}\n"
    )
    (tmp_path / "acme.yaml").write_text(text, encoding="utf-8")
    packs = load_packs([tmp_path])
    for platform, facts in (
        ("splunk", {"macro": "acme_vpn(1)"}),
        ("splunk", {"sourcetype": "ACME:VPN"}),
        ("sigma", {"product": "acme", "service": "x"}),
        ("panther", {"log_types": ["Custom.VPN"]}),
    ):
        assert [pack.name for pack in find_packs(platform, facts, packs)] == ["acme.vpn"]
    assert not find_packs("sigma", {"product": "acme"}, load_packs())


# -- the public corpus


def _yaml_files(folder: str) -> Iterator[Any]:
    for path in sorted((CORPUS / folder).rglob("*.yml")):
        if "regression_data" not in path.parts:
            yield from yaml.load_all(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


def _share(platform: str, facts: Sequence[Mapping[str, Any]]) -> tuple[float, Counter[str]]:
    missing: Counter[str] = Counter()
    packs = load_packs()
    for told in facts:
        found = [pack.name for pack in find_packs(platform, told, packs)]
        missing[str(told)] += not found or found == ["raw"]
    total = sum(missing.values())
    return 1 - total / len(facts), Counter({key: count for key, count in missing.items() if count})


@pytest.mark.corpus
@needs_corpus
def test_sigma_rules() -> None:
    facts = [
        {key: rule["logsource"].get(key) for key in ("product", "category", "service")}
        for folder in ("sigma/rules", "sigma/rules-emerging-threats", "sigma/rules-threat-hunting")
        for rule in _yaml_files(folder)
        if rule and "logsource" in rule
    ]
    share, missing = _share("sigma", facts)
    assert share >= 0.97, missing.most_common(20)


@pytest.mark.corpus
@needs_corpus
def test_elastic_rules() -> None:
    facts = []
    for path in sorted((CORPUS / "elastic").rglob("*.toml")):
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        rule, query = data["rule"], data["rule"].get("query", "")
        if rule["type"] == "machine_learning":
            continue
        indexes = list(rule.get("index", ()))
        if rule["type"] == "esql":
            source = re.search(r"\bfrom\s+([^\n|]+?)\s*(?:metadata|\||\n)", query, re.IGNORECASE)
            indexes = [] if source is None else source[1].replace(" ", "").split(",")
        category = re.match(r"\s*(\w+) where\b", query)
        facts.append(
            {
                "index": indexes,
                "dataset": re.findall(r'(?:event|data_stream)\.dataset\s*(?:==|:)\s*"?([\w.]+)', query),
                "integration": data["metadata"].get("integration"),
                "category": category[1] if category else None,
                "tags": rule.get("tags"),
            }
        )
    share, missing = _share("elastic", facts)
    assert share >= 0.9, missing.most_common(20)


@pytest.mark.corpus
@needs_corpus
def test_splunk_detections() -> None:
    facts = []
    for rule in _yaml_files("splunk/detections"):
        search = str(rule.get("search", ""))
        facts.append(
            {
                "macro": re.findall(r"`(\w+)(?:\(.*?\))?`", search),
                "datamodel": re.findall(r'datamodel\s*[=:]?\s*"?([A-Z]\w+(?:\.\w+)?)', search),
                "eventcode": re.findall(r"Event(?:Code|ID)\s*=\s*\"?(\d+)", search),
            }
        )
    share, missing = _share("splunk", facts)
    assert share >= 0.8, missing.most_common(20)


@pytest.mark.corpus
@needs_corpus
def test_panther_rules() -> None:
    facts = [{"log_types": rule["LogTypes"]} for rule in _yaml_files("panther/rules") if rule.get("LogTypes")]
    share, missing = _share("panther", facts)
    assert share >= 0.8, missing.most_common(20)


def _fields(detection: Any) -> Iterator[str]:
    if isinstance(detection, dict):
        yield from (str(key).split("|")[0] for key in detection)
    elif isinstance(detection, list):
        for entry in detection:
            yield from _fields(entry)


@pytest.mark.corpus
@needs_corpus
def test_fields_of_sigma_rules() -> None:
    """At least 95 of 100 fields of public rules are those of their log source."""
    seen: Counter[tuple[str, str]] = Counter()
    unknown: Counter[tuple[str, str]] = Counter()
    for rule in _yaml_files("sigma"):
        packs = find_packs("sigma", (rule or {}).get("logsource", {}), load_packs())
        for name, detection in (rule or {}).get("detection", {}).items() if packs else ():
            for field in _fields(detection) if name not in ("condition", "timeframe") else ():
                if field:
                    asked = Rule(
                        id="",
                        title="",
                        logsource=(),
                        exclusions=(Predicate(FieldPath((field,)), Operator.IS, ("x",)),),
                    )
                    seen[packs[0].name, field] += 1
                    unknown[packs[0].name, field] += bool(canonicalise(asked, packs, "sigma")[1])
    assert 1 - unknown.total() / seen.total() >= 0.95, unknown.most_common(30)


@pytest.mark.corpus
@needs_corpus
def test_regression_events_belong_to_their_log_source() -> None:
    """Each event that a public rule must match is one of its log source, in canonical form."""
    rules = {rule["id"]: rule for rule in _yaml_files("sigma") if rule and "logsource" in rule}
    checked = 0
    for info in sorted((CORPUS / "sigma/regression_data").rglob("info.yml")):
        told = yaml.load(info.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        rule = rules.get(told["rule_metadata"][0]["id"])
        if rule is None:
            continue
        (pack,) = find_packs("sigma", rule["logsource"], load_packs())
        belongs = compile_expression(pack.select)
        for file in info.parent.glob("*.json"):
            for event in _events(file.read_text(encoding="utf-8-sig")):
                form = canonical_event(pack, event)
                assert belongs(form), (pack.name, file.name, form)
                checked += 1
    assert checked > 50


def _events(text: str) -> Iterator[Any]:
    import json

    decoder, position, text = json.JSONDecoder(), 0, text.strip()
    while position < len(text):
        value, end = decoder.raw_decode(text, position)
        yield from value if isinstance(value, list) else [value]
        position = end + len(text[end:]) - len(text[end:].lstrip())


def test_paths_of_panther_keep_their_lists() -> None:
    pack = all_packs()["okta.system"]
    found = STORED_NAMES(pack, "panther").canonical(parse_path("target[].id"))
    assert found == parse_path("target[].id")
