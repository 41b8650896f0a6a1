"""Sequences as correlation rules over signals."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import yaml

from converter.model.diagnostics import Fidelity
from converter.platforms.panther import PLATFORM
from tests.platforms.panther.support import codes, context, render, rule, run, specification, text_of

SEQUENCE: dict[str, Any] = {
    "within": "90s",
    "steps": [
        {
            "name": "Listed",
            "by": ["user.username", "sourceIPs[]"],
            "indicators": [{"field": "verb", "is": "list"}],
            "exclusions": [{"field": "userAgent", "contains": "probe"}],
        },
        {
            "name": "Signed in",
            "logsource": "aws.cloudtrail",
            "by": ["userIdentity.userName", "sourceIPAddress"],
            "indicators": [{"field": "eventName", "is": "ConsoleLogin"}],
            "repeat": 3,
        },
        {
            "by": ["user.username", "sourceIPs[]"],
            "indicators": [{"field": "verb", "is": "get"}],
            "absent": True,
        },
    ],
}


def test_the_correlation_rule() -> None:
    artifact = render(title="In a row", sequence=SEQUENCE, output=["user.username"])
    found = specification(artifact)
    head = "8b0e4f0a-64c4-4d9e-9f1a-0f6f2b7c1d11"
    assert found["AnalysisType"] == "correlation_rule"
    assert found["Detection"] == [
        {
            "Sequence": [
                {"ID": "1 Listed", "RuleID": f"{head}.1"},
                {"ID": "2 Signed in", "RuleID": f"{head}.2", "MinMatchCount": 3},
                {"ID": "Step 3", "RuleID": f"{head}.3", "Absence": True},
            ],
            "Transitions": [
                {
                    "ID": f"{one} FOLLOWED BY {other}",
                    "From": one,
                    "To": other,
                    "WithinTimeFrameMinutes": 2,
                    "Match": [{"On": "p_alert_context.sequence_key"}],
                }
                for one, other in (("1 Listed", "2 Signed in"), ("2 Signed in", "Step 3"))
            ],
            "EventEvaluationOrder": "Chronological",
            "LookbackWindowMinutes": 22,
            "Schedule": {"RateMinutes": 15, "TimeoutMinutes": 5},
        }
    ]
    assert [file.path for file in artifact.files] == [
        "kubernetes.audit/in_a_row.yml",
        "kubernetes.audit/in_a_row_step_1_listed.yml",
        "kubernetes.audit/in_a_row_step_1_listed.py",
        "aws.cloudtrail/in_a_row_step_2_signed_in.yml",
        "aws.cloudtrail/in_a_row_step_2_signed_in.py",
        "kubernetes.audit/in_a_row_step_3.yml",
        "kubernetes.audit/in_a_row_step_3.py",
    ]
    assert artifact.fidelity is Fidelity.NARROWER
    assert set(codes(artifact)) == {"sequence", "window"}


def test_a_step_makes_signals_with_its_join_keys() -> None:
    artifact = render(sequence=SEQUENCE, output=["user.username"])
    signal = specification(artifact, 1)
    assert signal["CreateAlert"] is False and signal["LogTypes"] == ["Amazon.EKS.Audit"]
    event = {"verb": "list", "user": {"username": "u"}, "sourceIPs": ["1.1.1.1", "2.2.2.2"]}
    source = text_of(artifact, ".py", 0)
    assert run(source, event) is True
    assert run(source, event, "alert_context") == {
        "user.username": "u",
        "sequence_key": ["['u', '1.1.1.1']", "['u', '2.2.2.2']"],
    }
    assert run(source, {"verb": "list"}, "alert_context")["sequence_key"] == []


def test_a_sequence_is_read_back() -> None:
    given = rule(sequence=SEQUENCE)
    read = PLATFORM.read_back(PLATFORM.render(given, context()), context())
    assert read.sequence is not None and given.sequence is not None
    assert read.sequence.within == timedelta(minutes=2)
    for one, other in zip(read.steps, given.steps, strict=True):
        assert (one.by, one.absent, one.repeat, one.logsource) == (
            other.by,
            other.absent,
            other.repeat,
            other.logsource,
        )


def test_a_sequence_without_keys_or_time() -> None:
    steps = [{"indicators": [{"field": "verb", "is": verb}]} for verb in ("list", "get")]
    artifact = render(sequence={"steps": steps})
    (transition,) = specification(artifact)["Detection"][0]["Transitions"]
    assert set(transition) == {"ID", "From", "To"}
    read = PLATFORM.read_back(artifact, context())
    assert read.sequence is not None and read.sequence.within is None
    assert [step.by for step in read.steps] == [(), ()]


@pytest.mark.parametrize("word", ["On", "From"])
def test_keys_mean_the_same_in_yaml_1_1(word: str) -> None:
    text = text_of(render(sequence=SEQUENCE), ".yml")
    (detection,) = yaml.safe_load(text)["Detection"]
    assert word in {key for each in detection["Transitions"] for key in (*each, *each["Match"][0])}
