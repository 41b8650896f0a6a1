"""Whole rules: the file that Elastic's loader takes, the language that is chosen, and reading it back."""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import tomlkit
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from converter.evaluate import matches
from converter.logsources import canonical_event, load_packs
from converter.model.diagnostics import Fidelity, RuleError
from converter.model.load import load_text
from converter.model.losses import Losses
from converter.model.rule import AttackTag, Rule, Sequence
from converter.platforms.base import Artifact, Context, File
from converter.platforms.elastic import PLATFORM, toml_text
from converter.platforms.elastic.codes import CODES, NOTES
from converter.platforms.elastic.eql.literals import duration
from converter.platforms.elastic.eql.sequences import WrittenStep, write_sequence
from converter.platforms.elastic.rulefile import rule_name
from converter.platforms.elastic.schedule import parse_since
from converter.platforms.elastic.threat import threats
from tests import strategies
from tests.platforms.elastic.support import FIXTURES

CONTEXT = Context(packs=load_packs())
RULES: list[dict[str, Any]] = yaml.safe_load((FIXTURES / "rules.yaml").read_text(encoding="utf-8"))

METADATA = set("creation_date deprecation_date integration maturity min_stack_version updated_date".split())
RULE = set(
    """
    alert_suppression author building_block_type description enabled false_positives from index interval
    investigation_fields language license max_signals name new_terms note query references risk_score rule_id
    setup severity tags threat threshold timestamp_override type
    """.split()
)
REQUIRED = set("author description language license name query risk_score rule_id severity tags type".split())


def made(case: dict[str, Any]) -> Rule:
    """The case's rule: the fixture names only what it is about."""
    data = {
        "id": "0d5f7b7e-1c2d-4e3f-8a9b-0c1d2e3f4a5b",
        "title": "A rule",
        "logsource": "kubernetes.audit",
        "created": "2026-01-02",
        **case["rule"],
    }
    if "sequence" in data and "logsource" not in case["rule"]:
        del data["logsource"]
    return load_text(yaml.safe_dump(data, allow_unicode=True))[0]


def loaded(artifact: Artifact) -> dict[str, Any]:
    """The rule's table in the file, read by two libraries that must agree."""
    text = artifact.files[0].text
    data = tomllib.loads(text)
    assert tomlkit.parse(text).unwrap() == data
    assert set(data) == {"metadata", "rule"}
    return data


def must_load(data: dict[str, Any]) -> None:
    """What Elastic's own loader asks of a file (detection-rules, rule.py and schemas/definitions.py)."""
    metadata, rule = data["metadata"], data["rule"]
    assert set(metadata) <= METADATA
    assert set(rule) <= RULE
    assert set(rule) >= REQUIRED
    for key in ("creation_date", "updated_date"):
        assert re.fullmatch(r"\d{4}/\d{2}/\d{2}", metadata[key])
    assert metadata["maturity"] in ("development", "experimental", "beta", "production", "deprecated")
    assert re.fullmatch(r"[a-zA-Z0-9].+?[a-zA-Z0-9\[\]()]", rule["name"])
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", rule["rule_id"])
    assert re.fullmatch(r"\d+[mshd]", rule["interval"])
    assert re.fullmatch(r"now-\d+[mhd]", rule["from"])
    assert rule["severity"] in ("low", "medium", "high", "critical")
    assert 0 <= rule["risk_score"] <= 100
    assert (rule["type"], rule["language"]) in {
        ("query", "kuery"), ("threshold", "kuery"), ("new_terms", "kuery"), ("eql", "eql"), ("esql", "esql")
    }  # fmt: skip
    assert ("index" in rule) == (rule["language"] != "esql")
    assert not (rule["query"].lstrip().startswith("sequence") and "timestamp_override" in rule)
    for threat in rule.get("threat", ()):
        assert set(threat) <= {"framework", "tactic", "technique"}
        assert threat["framework"] == "MITRE ATT&CK"
        for entry in (threat["tactic"], *threat.get("technique", ())):
            assert {"id", "name", "reference"} <= set(entry) <= {"id", "name", "reference", "subtechnique"}
            assert re.fullmatch(r"https://attack.mitre.org/(tactics/TA|techniques/T)\d+/", entry["reference"])
            for below in entry.get("subtechnique", ()):
                assert re.fullmatch(r"https://attack.mitre.org/techniques/T\d+/\d+/", below["reference"])


def within(expected: Any, got: Any, place: str = "") -> None:
    """``expected`` is part of ``got``: every key it names has that value."""
    if isinstance(expected, dict):
        for key, value in expected.items():
            assert key in got, f"{place}.{key}"
            within(value, got[key], f"{place}.{key}")
    else:
        assert got == expected, place


@pytest.mark.parametrize("case", RULES, ids=[case["name"] for case in RULES])
def test_rendered(case: dict[str, Any]) -> None:
    artifact = PLATFORM.render(made(case), CONTEXT)
    lost = [f"{d.code}:{d.effect.value}" for d in artifact.diagnostics if d.effect is not None]
    noted = [d.code for d in artifact.diagnostics if d.effect is None]
    assert lost == case.get("losses", [])
    assert {*noted, *(entry.partition(":")[0] for entry in lost)} <= KNOWN
    if artifact.fidelity is Fidelity.REFUSED:
        assert artifact.files == ()
        assert "refused" in "".join(case["losses"])
        return
    assert set(case.get("notes", ())) <= set(noted)
    data = loaded(artifact)
    must_load(data)
    within(case.get("file", {}), data)
    assert data["rule"]["query"].strip() == artifact.query
    if "query" in case:
        assert artifact.query == case["query"].strip()
    if "reason" in case:
        assert case["reason"] in artifact.reason


KNOWN = {*CODES, *NOTES, "settings", "unknown-field", "unknown-logsource", "not-stored"}


@pytest.mark.parametrize("case", [c for c in RULES if "read" in c], ids=lambda case: case["name"])
def test_read_back(case: dict[str, Any]) -> None:
    rule = made(case)
    read = PLATFORM.read_back(PLATFORM.render(rule, CONTEXT), CONTEXT)
    assert (read.id, read.title) == (rule.id, rule.title)
    expected = case["read"]
    assert list(read.logsource) == expected.get("logsource", list(rule.logsource))
    if "threshold" in expected:
        assert read.threshold is not None
        distinct = read.threshold.distinct
        assert {
            "count": read.threshold.count,
            "by": [path.steps[0] for path in read.threshold.by],
            "within": read.threshold.within // timedelta(minutes=1),
            "distinct": distinct and distinct.steps[0],
        } == expected["threshold"]
    if "new_terms" in expected:
        assert read.new_terms is not None
        assert {
            "fields": [path.steps[0] for path in read.new_terms.fields],
            "history": read.new_terms.history // timedelta(minutes=1),
        } == expected["new_terms"]
    if "sequence" in expected:
        assert read.sequence is not None
        assert {
            "within": read.sequence.within and read.sequence.within // timedelta(milliseconds=1),
            "steps": [[[p.steps[0] for p in s.by], s.absent, s.repeat] for s in read.sequence.steps],
        } == expected["sequence"]


def test_a_rule_read_back_gives_the_rules_verdicts() -> None:
    pack = CONTEXT.packs["kubernetes.audit"]
    rule = made(
        {
            "rule": {
                "indicators": [{"field": "verb", "is": ["get", "list"]}, {"field": "stage", "exists": False}]
            }
        }
    )
    read = PLATFORM.read_back(PLATFORM.render(rule, CONTEXT), CONTEXT)
    for event in ({"verb": "get"}, {"verb": "get", "stage": "x"}, {"verb": "put"}, {}):
        stored = PLATFORM.project(canonical_event(pack, event), pack)
        assert matches(read.condition, stored) == matches(rule.condition, event)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not toml [", "not a rule file"),
        ("[metadata]\n", "not a rule file"),
        (
            '[rule]\nlanguage = "lucene"\nquery = "a:b"\nname = "x"\nrule_id = "y"\n',
            "no rule language: lucene",
        ),
        ('[rule]\nlanguage = "kuery"\nquery = "a:("\nname = "x"\nrule_id = "y"\n', "unexpected end"),
    ],
)
def test_a_file_that_is_no_rule(text: str, message: str) -> None:
    artifact = Artifact(rule_id="y", platform="elastic", files=(File("raw/x.toml", text),))
    with pytest.raises(RuleError, match=re.escape(message)):
        PLATFORM.read_back(artifact, CONTEXT)


@given(text=strategies.texts())
def test_every_toml_string_reads_back(text: str) -> None:
    kept = "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)
    for written in (toml_text.string(text), toml_text.prose(text)):
        assert tomllib.loads(f"a = {written}")["a"] == kept
    assert tomllib.loads(f"a = {toml_text.query(text)}")["a"] == kept + "\n"
    assert tomllib.loads(f"a = {toml_text.strings([text, text])}")["a"] == [kept, kept]


@given(title=st.text(min_size=1, max_size=20))
def test_every_title_becomes_a_name_that_elastic_takes(title: str) -> None:
    assert re.fullmatch(r"[a-zA-Z0-9].+?[a-zA-Z0-9\[\]()]", rule_name(title, Losses("elastic")), re.ASCII)


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(rule=strategies.rules())
def test_any_rule_is_rendered_or_refused(rule: Rule) -> None:
    rule = msgspec.structs.replace(rule, logsource=("raw",), platforms={}, sequence=_of_raw(rule.sequence))
    artifact = PLATFORM.render(rule, Context(packs=CONTEXT.packs, keep_unmapped=True))
    if artifact.files:
        must_load(loaded(artifact))
        read = PLATFORM.read_back(artifact, CONTEXT)
        assert read.id == rule.id
    else:
        assert any(d.effect is Fidelity.REFUSED for d in artifact.diagnostics)


def _of_raw(sequence: Sequence | None) -> Sequence | None:
    if sequence is None:
        return None
    steps = tuple(msgspec.structs.replace(step, logsource=()) for step in sequence.steps)
    return msgspec.structs.replace(sequence, steps=steps)


def test_the_documentation_lists_every_code() -> None:
    page = (FIXTURES.parents[3] / "docs" / "elastic.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", page[page.index("## Losses") :], re.MULTILINE))
    assert {code: text.replace("\\|", "|") for code, text in rows.items()} == {**CODES, **NOTES}


def test_an_unknown_technique_is_left_out_and_said() -> None:
    losses = Losses("elastic")
    found = threats((AttackTag("TA0001", "T9999"), AttackTag("TA9999"), AttackTag("TA0001", "T1078")), losses)
    assert [[t.entry.id for t in threat.techniques] for threat in found] == [["T1078"]]
    assert [d.message.split()[0] for d in losses.diagnostics] == ["T9999", "TA9999"]


@pytest.mark.parametrize("text", ["now", "now-5", "now-5x", "2026-01-01", "now-1d/d"])
def test_other_date_math_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match="now-"):
        parse_since(text)


OCCURS, ABSENT = WrittenStep("any where true", ()), WrittenStep("any where true", (), absent=True)


@pytest.mark.parametrize(
    ("steps", "within"),
    [
        ([OCCURS, ABSENT], None),
        ([ABSENT, ABSENT], timedelta(seconds=1)),
        ([OCCURS], timedelta(seconds=1)),
        ([OCCURS, WrittenStep("any where true", (), absent=True, repeat=2)], timedelta(seconds=1)),
    ],
)
def test_sequences_that_eql_has_not(steps: list[WrittenStep], within: timedelta | None) -> None:
    losses = Losses("elastic")
    write_sequence(steps, within, losses)
    assert [d.code for d in losses.diagnostics] == ["sequence"] * len(losses.diagnostics) != []


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(days=2), "2d"),
        (timedelta(hours=36), "36h"),
        (timedelta(seconds=90), "90s"),
        (timedelta(milliseconds=1500), "1500ms"),
        (timedelta(microseconds=1), "1ms"),
    ],
)
def test_spans(span: timedelta, text: str) -> None:
    assert duration(span) == text
