"""A report as JUnit XML and as SARIF: what is said, where, and that hostile texts stay well-formed."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree as XML

import jsonschema
import pytest

from converter.check import Disagreement, Pair, Report
from converter.check.report import Change, summarised
from converter.check.reports import findings, written
from converter.check.sarif import sarif_log
from converter.model.diagnostics import Diagnostic, Fidelity, Severity

HOSTILE = "<&\"'> \x00\x1b]]> \uffff ünï"
LOSS = Diagnostic(code="window", severity=Severity.WARNING, message="counts longer", effect=Fidelity.WIDER)

# What SARIF 2.1.0 asks of the parts that are written (sections 3.13, 3.14, 3.18, 3.27 to 3.30).
SARIF: dict[str, Any] = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "$schema": {"type": "string", "format": "uri"},
        "runs": {
            "type": "array",
            "items": {
                "required": ["tool", "results"],
                "properties": {
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "tool": {
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "required": ["name"],
                                "properties": {"rules": {"uniqueItems": True, "items": {"required": ["id"]}}},
                            }
                        },
                    },
                    "results": {
                        "items": {
                            "required": ["message"],
                            "properties": {
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "ruleIndex": {"type": "integer", "minimum": 0},
                                "message": {"required": ["text"]},
                                "partialFingerprints": {"additionalProperties": {"type": "string"}},
                                "locations": {"items": {"$ref": "#/$defs/location"}},
                            },
                            "additionalProperties": {"type": ["object", "string"]},
                        },
                    },
                },
            },
        },
    },
    "$defs": {
        "location": {
            "properties": {
                "physicalLocation": {
                    "properties": {
                        "artifactLocation": {"properties": {"uri": {"pattern": "^[!-~]+$"}}},
                        "region": {
                            "properties": {
                                "startLine": {"type": "integer", "minimum": 1},
                                "startColumn": {"type": "integer", "minimum": 1},
                            },
                            "additionalProperties": False,
                        },
                    },
                    "additionalProperties": False,
                }
            },
            "additionalProperties": False,
        }
    },
}


def _pair(**parts: Any) -> Pair:
    known: dict[str, Any] = {
        "rule": "r1",
        "title": "Two reads",
        "platform": "elastic",
        "fidelity": Fidelity.EXACT,
        "engine": "reader",
        "events": 3,
        "file": "rules/a b.yaml",
        "line": 7,
    }
    return Pair(**{**known, **parts})


FOUND = Disagreement(origin="made", event={"a": HOSTILE}, expected=True, got=False, predicate="a is x")
PAIRS = [
    _pair(diagnostics=(LOSS,)),
    _pair(title=HOSTILE, disagreements=(FOUND,)),
    _pair(engine="eql 1", problem=f"not run: {HOSTILE}"),
    _pair(engine="eql 1", events=0, skipped={"not EQL": 3}),
    _pair(platform="splunk", fidelity=Fidelity.REFUSED, events=0),
]
CHANGE = Change(
    rule="r1", title="Two reads", kind="verdicts", platform="panther", old="match", new="no match"
)


@pytest.fixture(name="report")
def _report() -> Report:
    report = summarised(list(PAIRS))
    return Report(pairs=report.pairs, summary=report.summary, changes=(CHANGE,))


def test_junit_counts_what_failed_and_what_was_not_run(report: Report) -> None:
    root = XML.fromstring(written(report, "junit").encode("utf-8"))
    counts = {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "6", "failures": "2", "errors": "1", "skipped": "2"}
    suites = {suite.get("name"): suite.get("tests") for suite in root}
    assert suites == {
        "elastic reader": "2",
        "elastic eql 1": "2",
        "splunk reader": "1",
        "changes since the baseline": "1",
    }
    case = root.find("testsuite/testcase")
    assert case is not None
    assert (case.get("file"), case.get("line")) == ("rules/a b.yaml", "7")
    failure = root.find("testsuite/testcase/failure")
    assert failure is not None
    assert "expected True, got False" in str(failure.get("message"))
    assert "decided by: a is x" in str(failure.text)


def test_sarif_names_the_line_of_every_finding(report: Report) -> None:
    log = json.loads(written(report, "sarif"))
    jsonschema.validate(log, SARIF)
    (run,) = log["runs"]
    results = run["results"]
    assert [(result["ruleId"], result["level"]) for result in results] == [
        ("window", "warning"),
        ("disagreement", "error"),
        ("not-run", "error"),
        ("changed-verdicts", "error"),
    ]
    for result in results:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    place = results[0]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "rules/a%20b.yaml"}, "region": {"startLine": 7}}
    assert results[0]["properties"] == {"effect": "wider"}
    assert "locations" not in results[3]


def test_a_fingerprint_stays_when_lines_move() -> None:
    def fingerprint(diagnostic: Diagnostic) -> str:
        found: str = sarif_log([diagnostic])["runs"][0]["results"][0]["partialFingerprints"]["finding/v1"]
        return found

    here = Diagnostic(code="a", severity=Severity.NOTE, message="m", file="x.yaml", line=1)
    there = Diagnostic(code="a", severity=Severity.NOTE, message="m", file="x.yaml", line=2)
    other = Diagnostic(code="b", severity=Severity.NOTE, message="m", file="x.yaml", line=1)
    assert fingerprint(here) == fingerprint(there) != fingerprint(other)


def test_files_elsewhere_have_absolute_names() -> None:
    diagnostic = Diagnostic(code="a", severity=Severity.NOTE, message="m", file="/elsewhere/x.yaml")
    (result,) = sarif_log([diagnostic])["runs"][0]["results"]
    assert result["locations"] == [
        {"physicalLocation": {"artifactLocation": {"uri": "file:///elsewhere/x.yaml"}}}
    ]


def test_json_is_the_report_itself(report: Report) -> None:
    data = json.loads(written(summarised([_pair()]), "json"))
    assert data["summary"]["pairs"] == 1
    assert len(list(findings(report))) == 4
