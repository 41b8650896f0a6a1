"""What the catalog knows of one rule: its logic in words, the fields it needs, its names in the catalog."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from converter.catalog.index import index_of
from converter.catalog.original import LARGEST_TEXT
from converter.catalog.records import Record
from converter.catalog.rows import Tables
from converter.catalog.site.places import field_place, rule_place, value_place
from converter.catalog.sources import Origin, canonical, files_of, imported
from converter.catalog.wording import correlation_text
from converter.logsources import load_packs
from converter.model.load import load_text
from converter.platforms.collection import Reading

PACKS = load_packs()
WORDS: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "wording.yaml").read_text(encoding="utf-8")
)
REFUSED: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "refused.yaml").read_text(encoding="utf-8")
)


def text(**keys: Any) -> str:
    """A rule file with these keys."""
    rule = {
        "id": "0d5f7b7e-0000-4000-8000-000000000001",
        "title": "A rule",
        "logsource": "kubernetes.audit",
        **({} if "sequence" in keys else {"indicators": [{"field": "verb", "is": "get"}]}),
        **keys,
    }
    return yaml.safe_dump(rule, sort_keys=False)


def record(**keys: Any) -> Record:
    """The record of a rule with these keys."""
    return index_of(canonical(load_text(text(**keys))), PACKS).records[0]


@pytest.mark.parametrize("case", WORDS, ids=lambda case: case["words"][:50])
def test_how_matches_add_up_is_said_in_words(case: dict[str, Any]) -> None:
    words = case["words"]
    (rule,) = load_text(text(**{key: value for key, value in case.items() if key != "words"}))
    assert correlation_text(rule) == words


def test_a_long_condition_stands_on_several_lines() -> None:
    names = [f"system:serviceaccount:namespace-{n}" for n in range(6)]
    found = record(
        indicators=[
            {"field": "verb", "is": "get"},
            {"any": [{"field": "user.username", "is": names}, {"not": {"field": "stage", "exists": True}}]},
        ],
        exclusions=[{"field": "userAgent", "starts_with": "kubectl"}],
    )
    lines = found.condition.splitlines()
    assert lines[:3] == ["all of:", '    verb is "get"', "    any of:"]
    assert lines[3] == "        user.username is any of:"
    assert lines[4].startswith(
        '            "system:serviceaccount:namespace-0", "system:serviceaccount:namespace-1"'
    )
    assert " ".join(line.strip() for line in lines[4:-2]) == ", ".join(f'"{name}"' for name in names)
    assert lines[-2:] == ["        stage does not exist", '    not userAgent starts with "kubectl"']


def test_the_steps_of_a_sequence_are_told_apart() -> None:
    found = record(
        sequence={
            "within": "60s",
            "steps": [
                {
                    "name": "first",
                    "by": ["user.username"],
                    "repeat": 2,
                    "indicators": [{"field": "verb", "is": "a"}],
                },
                {"by": ["user.username"], "absent": True, "indicators": [{"field": "verb", "is": "b"}]},
            ],
        }
    )
    assert found.correlation == "2 steps in order, all within 1m"
    assert found.condition.splitlines() == [
        "step 1 (first) of kubernetes.audit, 2 times, by user.username:",
        '    verb is "a"',
        "step 2 of kubernetes.audit, which must not occur, by user.username:",
        '    verb is "b"',
    ]


def test_every_field_that_is_needed_is_told_with_its_names() -> None:
    found = record(
        threshold={
            "by": ["sourceIPs[0]"],
            "within": "5m",
            "having": [{"distinct": "objectRef.name", "gte": 2, "where": [{"field": "level", "is": "x"}]}],
        },
        output=["requestURI"],
        alert={"group_by": ["stage"]},
    )
    assert [use.field for use in found.needs] == [
        "verb",
        "sourceIPs",
        "objectRef.name",
        "level",
        "stage",
        "requestURI",
    ]
    assert dict(found.needs[1].stored) == {
        "elastic": "source.ip",
        "panther": "sourceIPs",
        "splunk": "sourceIPs{}",
    }
    assert dict(found.log_types) == {
        "elastic": ("kubernetes.audit_logs",),
        "panther": ("Amazon.EKS.Audit",),
        "splunk": ("aws:cloudwatchlogs:eks",),
    }
    assert found.entities["ip_addresses"] == ("sourceIPs",)


def test_the_title_of_an_alert_is_said_with_its_fields() -> None:
    assert record(alert={"title": "{user.username} did {verb}"}).alert == "{user.username} did {verb}"


def test_places_depend_on_their_own_subject_alone() -> None:
    one, other = record(), record(title="Ein anderer Titel / with \\ things: <b>")
    assert rule_place(one) != rule_place(other)
    assert rule_place(other).startswith("rules/canonical/ein-anderer-titel-with-things-b-")
    assert field_place("Image") != field_place("image")
    assert value_place(("a", "is", "x")) != value_place(("a", "is", "X"))
    assert value_place(("a", "is", "../../etc/passwd")).startswith("values/etc-passwd-")
    assert value_place(("a", "is", "日本")).count("/") == 1


def test_rules_that_share_a_name_have_pages_of_their_own() -> None:
    found = [*canonical(load_text(text())), *canonical(load_text(text(severity="high")))]
    keys = [record.key for record in index_of(found, PACKS).records]
    assert len(set(keys)) == 2
    assert keys[1] == f"{keys[0]}-2"


def test_a_rule_of_two_files_is_shown_with_both(tmp_path: Path) -> None:
    rule, code = tmp_path / "rule.yml", tmp_path / "rule.py"
    rule.write_text("AnalysisType: rule\n")
    code.write_bytes(b"def rule(event):\n    return '\xff'\n")
    (tmp_path / "other.py").write_text("")
    assert files_of(rule) == (
        (str(rule), "AnalysisType: rule\n"),
        (str(code), "def rule(event):\n    return '\ufffd'\n"),
    )
    code.write_text("#" * (LARGEST_TEXT + 1))
    assert "not shown" in files_of(rule)[1][1]
    rule.unlink()
    assert "cannot be read" in files_of(rule)[0][1]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["platform"])
def test_a_refused_rule_is_told_with_what_it_says_of_itself(case: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / case["file"]
    file.write_text(case["text"], encoding="utf-8")
    origin = Origin(reading=Reading(platform=case["platform"]), paths=(file,))
    (found,) = index_of(imported([origin]), PACKS).records
    assert found.reading == "refused"
    assert case["reason"] in [finding.code for finding in found.findings]
    assert found.written == ((str(file), case["text"]),)
    assert (found.query, found.language) == (case["query"].rstrip("\n"), case["language"])
    told = {name: getattr(found, name) for name in case["told"]}
    assert {n: list(v) if isinstance(v, tuple) else v for n, v in told.items()} == case["told"]
    assert (found.condition, found.normal, found.output, found.needs) == ("", "", (), ())
    assert found.tables == Tables()


@pytest.mark.parametrize(
    ("platform", "file", "text"),
    [
        ("sigma", "a.yml", f"title: x\nrelated: {'9' * 300}\ntags: {{a: 1}}\nlevel: [1]\ndetection: 5\n"),
        (
            "elastic",
            "a.toml",
            "[rule]\nname = 5\ntype = 'esql'\nquery = 'FROM x | NO'\nindex = [1]\ntags = 7\n",
        ),
        (
            "splunk",
            "a.yml",
            f"name: [x]\nsearch: '| no'\ntags: {{impact: {'9' * 300}, cve: {{}}}}\ndate: [1]\n",
        ),
        ("panther", "a.yml", "AnalysisType: policy\nRuleID: 99\nReports: {MITRE ATT&CK: 7}\nTags: {a: 1}\n"),
    ],
)
def test_what_a_refused_rule_says_of_itself_may_be_anything(
    platform: str, file: str, text: str, tmp_path: Path
) -> None:
    (tmp_path / file).write_text(text, encoding="utf-8")
    origin = Origin(
        reading=Reading(platform=platform, cache=str(tmp_path / "cache")), paths=(tmp_path / file,)
    )
    for _ in ("read", "remembered"):
        (found,) = index_of(imported([origin]), PACKS).records
        assert (found.reading, found.written) == ("refused", ((str(tmp_path / file), text),))
