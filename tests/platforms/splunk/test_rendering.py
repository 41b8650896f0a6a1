"""Whole rules: their files, names, settings, and what their text says."""

from __future__ import annotations

import json
import re
from configparser import RawConfigParser
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from converter.logsources import load_packs
from converter.model.diagnostics import Fidelity
from converter.model.expressions import Operator, Predicate
from converter.model.load import load_text
from converter.model.paths import FieldPath
from converter.model.rule import AlertSettings, Rule
from converter.platforms.base import Artifact, Context
from converter.platforms.splunk import PLATFORM
from tests.strategies import HOSTILE, hostile_texts

CONTEXT = Context(packs=load_packs())
ID = "0d5f7b7e-0000-4000-8000-000000000001"


def rule(**parts: Any) -> Rule:
    data = {
        "id": ID,
        "title": "A rule",
        "severity": "high",
        "logsource": "kubernetes.audit",
        "indicators": [{"field": "verb", "is": "list"}],
        **parts,
    }
    return load_text(json.dumps({key: value for key, value in data.items() if value is not None}))[0]


def rendered(**parts: Any) -> Artifact:
    return PLATFORM.render(rule(**parts), CONTEXT)


def detection(artifact: Artifact) -> dict[str, Any]:
    text = next(file.text for file in artifact.files if file.path.startswith("detections/"))
    data: dict[str, Any] = yaml.safe_load(text)
    return data


def stanza(artifact: Artifact) -> tuple[str, dict[str, str]]:
    """The stanza as Splunk reads it: a backslash at a line's end joins the next line."""
    text = next(file.text for file in artifact.files if file.path.startswith("savedsearches/"))
    assert re.search(r"[\x00-\x09\x0b-\x1f\x7f\x85]", text) is None
    joined = re.sub(r"\\\n", "\x00", text)
    parser = RawConfigParser(interpolation=None, delimiters=("=",), comment_prefixes=("#",), strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(joined)
    (name,) = parser.sections()
    return name, {key: value.replace("\x00", "\n") for key, value in parser[name].items()}


def test_the_files_of_a_rule() -> None:
    artifact = rendered()
    assert [file.path for file in artifact.files] == [
        "detections/kubernetes.audit/a_rule.yml",
        "macros/aws_cloudwatchlogs_eks.yml",
        "macros/a_rule_filter.yml",
        "savedsearches/a_rule.conf",
    ]
    assert (artifact.fidelity, artifact.language) == (Fidelity.EXACT, "spl")
    assert artifact.query == detection(artifact)["search"]
    assert artifact.query.endswith("\n| `a_rule_filter`")


@pytest.mark.parametrize(
    ("title", "name", "stem"),
    [
        ("EKS: 403s (many)", "EKS 403s many", "eks_403s_many"),
        ("Windows-Rundll32.exe a/b", "Windows-Rundll32.exe a/b", "windows_rundll32_exe_a_b"),
        ("a -- b", "a b", "a_b"),
        ("日本", "rule 0d5f7b7e 0000 4000 8000 000000000001", "rule_0d5f7b7e_0000_4000_8000_000000000001"),
        ("../../x", "x", "x"),
    ],
)
def test_the_name_gives_the_file_name(title: str, name: str, stem: str) -> None:
    artifact = rendered(title=title)
    assert detection(artifact)["name"] == name
    assert artifact.files[0].path == f"detections/kubernetes.audit/{stem}.yml"
    assert re.sub(r"[ \-./]", "_", name).lower() == stem


def test_a_long_title_is_shortened_and_stays_unique() -> None:
    first = rendered(title="word " * 20 + "one")
    second = PLATFORM.render(rule(title="word " * 20 + "two", id=ID.replace("0d5f", "1111")), CONTEXT)
    names = [detection(artifact)["name"] for artifact in (first, second)]
    assert all(len(name) <= 67 for name in names)
    assert names[0] != names[1]
    assert "name-shortened" in [diagnostic.code for diagnostic in first.diagnostics]


def test_the_saved_search_holds_the_schedule_and_the_throttle() -> None:
    artifact = rendered(
        alert={"title": "x", "group_by": ["user.username"], "suppress_for": "30m"},
        platforms={"splunk": {"enabled": True, "email": ["soc@example.com"]}},
    )
    name, keys = stanza(artifact)
    assert name == "A rule"
    assert " ".join(keys["search"].split()) == " ".join(artifact.query.split())
    assert keys["disabled"] == "0"
    assert (keys["dispatch.earliest_time"], keys["dispatch.latest_time"]) == ("-20m@m", "-5m@m")
    assert (keys["alert.suppress.period"], keys["alert.suppress.fields"]) == ("1800s", "user.username")
    assert (keys["alert.digest_mode"], keys["alert.severity"]) == ("0", "5")
    assert keys["action.email.to"] == "soc@example.com"
    assert detection(artifact)["tags"]["throttling"] == {"fields": ["user.username"], "period": "1800s"}


def test_without_grouping_the_threshold_s_group_is_throttled() -> None:
    quiet = {"title": "x", "suppress_for": "1h"}
    _, keys = stanza(rendered(alert=quiet, threshold=THRESHOLD))
    assert keys["alert.suppress.fields"] == "sourceIPs_0,user.username"
    _, keys = stanza(rendered(alert=quiet))
    assert (keys["alert.suppress.period"], keys["alert.digest_mode"]) == ("3600s", "1")
    assert "alert.suppress.fields" not in keys


def test_a_team_keeps_its_own_macro_and_index() -> None:
    artifact = rendered(platforms={"splunk": {"macro": "our_k8s", "index": "prod"}})
    assert artifact.query.startswith('index=prod `our_k8s` verb="list"')
    assert [file.path for file in artifact.files if file.path.startswith("macros/")] == [
        "macros/a_rule_filter.yml"
    ]


@pytest.mark.parametrize(
    ("settings_", "word"),
    [
        ({"indx": "a"}, "indx"),
        ({"type": "Correlation"}, "Correlation"),
        ({"macro": "a`b"}, "macro"),
        ({"schedule": "* * * * *\n[evil]"}, "schedule"),
        ({"risk_objects": [{"field": "user", "type": "alien"}]}, "alien"),
    ],
)
def test_bad_settings_are_refused(settings_: dict[str, Any], word: str) -> None:
    artifact = rendered(platforms={"splunk": settings_})
    assert artifact.fidelity is Fidelity.REFUSED
    assert artifact.files == ()
    assert word in artifact.diagnostics[0].message


def test_team_settings_come_before_the_default_and_after_the_rule() -> None:
    context = Context(packs=CONTEXT.packs, settings={"author": "Team", "index": "all"})
    artifact = PLATFORM.render(rule(platforms={"splunk": {"index": "own"}}), context)
    assert detection(artifact)["author"] == "Team"
    assert artifact.query.startswith("index=own ")


def test_types_and_risk() -> None:
    user = ["user.username", {"field": "sourceIPs[0]", "as": "src_ip"}]
    written = detection(rendered(output=user))
    assert written["type"] == "TTP"
    assert written["rba"]["risk_objects"] == [{"field": "user.username", "type": "user", "score": 75}]
    assert written["rba"]["threat_objects"] == [{"field": "src_ip", "type": "ip_address"}]
    hunting = rendered()
    assert detection(hunting)["type"] == "Hunting"
    assert "rba" not in detection(hunting)
    assert "no-risk-object" in [diagnostic.code for diagnostic in hunting.diagnostics]


def test_a_subtechnique_stands_for_its_technique() -> None:
    written = detection(rendered(attack=["TA0005:T1550", "TA0005:T1550.001", "TA0007:T1613"]))
    assert written["tags"]["mitre_attack_id"] == ["T1550.001", "T1613"]


THRESHOLD = {"count": 3, "by": ["sourceIPs[0]", "user.username"], "within": "30m"}


def test_a_threshold_slides_with_both_ends_included() -> None:
    artifact = rendered(threshold=THRESHOLD)
    assert (
        "| streamstats time_window=1801s window=3 global=f count AS match_count, min(_time) AS first_match"
        " by sourceIPs_0 user.username\n| where match_count>=3 AND (_time-first_match)<=1800"
    ) in artifact.query
    losses = {d.code: d.effect for d in artifact.diagnostics if d.effect}
    assert losses == {"repeated-results": Fidelity.WIDER}
    found = PLATFORM.read_back(artifact, CONTEXT).threshold
    assert found is not None
    assert (found.count, found.within, found.distinct) == (3, timedelta(minutes=30), None)
    assert found.by == (FieldPath(("sourceIPs{}", 0)), FieldPath(("user.username",)))


def test_a_distinct_threshold() -> None:
    artifact = rendered(threshold={"count": 5, "distinct": "objectRef.resource", "within": "1h"})
    found = PLATFORM.read_back(artifact, CONTEXT).threshold
    assert found is not None
    assert (found.count, found.distinct) == (5, FieldPath(("objectRef.resource",)))
    assert (found.within, found.by) == (timedelta(hours=1, seconds=1), ())
    assert {d.code for d in artifact.diagnostics if d.effect} == {"repeated-results", "window"}


def test_a_list_in_by_makes_a_group_per_value() -> None:
    artifact = rendered(threshold={"count": 2, "by": ["user.groups[]"], "within": "1m"})
    assert "| eval \"user.groups{}\"=mvdedup('user.groups{}')\n| mvexpand user.groups{}\n" in artifact.query
    found = PLATFORM.read_back(artifact, CONTEXT).threshold
    assert found is not None
    assert found.by == (FieldPath(("user.groups{}",)),)


def test_tumbling_windows_are_a_named_loss() -> None:
    artifact = rendered(threshold=THRESHOLD, platforms={"splunk": {"window": "tumbling"}})
    assert artifact.fidelity is Fidelity.NARROWER
    assert [d.code for d in artifact.diagnostics if d.effect is not None] == ["window"]
    assert "| bin _time span=1800s\n| stats count AS match_count by _time sourceIPs_0" in artifact.query
    found = PLATFORM.read_back(artifact, CONTEXT).threshold
    assert found is not None
    assert found.within == timedelta(minutes=30)


def test_new_terms_look_back_over_their_history() -> None:
    artifact = rendered(new_terms={"fields": ["user.username", "userAgent"], "history": "7d"})
    assert detection(artifact)["deployment"]["scheduling"]["earliest_time"] == "-20m@m-604800s"
    found = PLATFORM.read_back(artifact, CONTEXT).new_terms
    assert found is not None
    assert found.history == timedelta(days=7)
    assert found.fields == (FieldPath(("user.username",)), FieldPath(("userAgent",)))


def step(logsource: str, field: str, value: str, by: str, **more: Any) -> dict[str, Any]:
    return {"logsource": logsource, "by": [by], "indicators": [{"field": field, "is": value}], **more}


SAME = [
    step("kubernetes.audit", "verb", "list", "user.username"),
    step("kubernetes.audit", "verb", "get", "user.username"),
]
CROSSED = [
    step("linux.process", "event.action", "exec", "orchestrator.resource.name"),
    step("kubernetes.audit", "verb", "get", "objectRef.name"),
]


def sequence(steps: list[dict[str, Any]]) -> Artifact:
    return rendered(indicators=None, logsource=None, sequence={"within": "60s", "steps": steps})


@pytest.mark.parametrize(
    ("steps", "absent"),
    [
        (SAME, [False, False]),
        (CROSSED, [False, False]),
        ([*SAME, step("kubernetes.audit", "verb", "delete", "user.username")], [False] * 3),
        ([{**SAME[0], "repeat": 3}, SAME[1]], [False] * 4),
        (
            [
                SAME[0],
                {**step("kubernetes.audit", "verb", "watch", "user.username"), "absent": True},
                SAME[1],
            ],
            [False, True, False],
        ),
    ],
    ids=["same", "crossed", "three", "repeated", "absent"],
)
def test_a_sequence_reads_back(steps: list[dict[str, Any]], absent: list[bool]) -> None:
    artifact = sequence(steps)
    assert artifact.fidelity is Fidelity.EXACT
    found = PLATFORM.read_back(artifact, CONTEXT).sequence
    assert found is not None
    assert found.within == timedelta(seconds=60)
    assert [one.absent for one in found.steps] == absent
    assert all(len(one.by) == 1 for one in found.steps)


def test_steps_of_different_sources_have_a_search_each() -> None:
    artifact = sequence(CROSSED)
    assert artifact.query.startswith("| multisearch\n    [search `")
    found = PLATFORM.read_back(artifact, CONTEXT).sequence
    assert found is not None
    assert [one.by for one in found.steps] == [
        (FieldPath(("orchestrator.resource.name",)),),
        (FieldPath(("objectRef.name",)),),
    ]
    assert [one.logsource for one in found.steps][1] == ("kubernetes.audit",)


@pytest.mark.parametrize("position", [0, 2])
def test_an_absence_at_an_end_is_refused(position: int) -> None:
    missing = {**step("kubernetes.audit", "verb", "watch", "user.username"), "absent": True}
    artifact = sequence([*SAME[:position], missing, *SAME[position:]])
    assert artifact.fidelity is Fidelity.REFUSED
    assert [d.code for d in artifact.diagnostics if d.effect is not None] == ["sequence"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_in_every_place(text: str) -> None:
    words = text if text.strip() else "x"
    line = " ".join(words.split()) or "x"
    made = msgspec.structs.replace(
        rule(output=["user.username"]),
        description=words,
        author=line,
        false_positives=(words,),
        runbook=words,
        indicators=(Predicate(FieldPath(("userAgent",)), Operator.IS, (words,)),),
        alert=AlertSettings(title=(text,)),
    )
    artifact = PLATFORM.render(made, CONTEXT)
    written = detection(artifact)
    assert written["description"] == words[:10_000]
    assert written["known_false_positives"] in (words, "None are known yet.")
    name, keys = stanza(artifact)
    assert name == "A rule"
    assert set(keys) == set(stanza(rendered(output=["user.username"]))[1])
    assert keys["search"].endswith("`a_rule_filter`")
    back = PLATFORM.read_back(artifact, CONTEXT)
    assert back.id == ID
    assert all("/" not in file.path.split("/", 2)[-1] for file in artifact.files)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(hostile_texts(min_size=1))
def test_any_text_in_a_condition_keeps_its_verdict(text: str) -> None:
    from converter.evaluate import matches

    condition = Predicate(FieldPath(("userAgent",)), Operator.CONTAINS, (text,))
    made = Rule(id=ID, title="A rule", logsource=("kubernetes.audit",), indicators=(condition,))
    artifact = PLATFORM.render(made, CONTEXT)
    back = PLATFORM.read_back(artifact, CONTEXT).condition
    constants = dict(CONTEXT.packs["kubernetes.audit"].constants["splunk"])
    assert matches(back, {**constants, "userAgent": f"a{text}b"})
    assert not matches(back, {**constants, "userAgent": ""})
