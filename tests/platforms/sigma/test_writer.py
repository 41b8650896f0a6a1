"""What the writer writes, and what it says that it cannot."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import yaml
from sigma.collection import SigmaCollection

from converter.model.diagnostics import Fidelity
from converter.model.expressions import FALSE, TRUE, Expression
from converter.model.load import load_text
from converter.model.rule import Rule
from converter.platforms.base import ReadContext, Source
from converter.platforms.sigma import PLATFORM
from converter.platforms.sigma.codes import LOSSES
from tests.platforms.sigma.support import CONTEXT, FIXTURES

CASES: list[dict[str, Any]] = yaml.safe_load((FIXTURES / "losses.yml").read_text(encoding="utf-8"))
HEAD = {"id": "0d5f7b7e-1111-4222-8333-444455556666", "title": "A rule", "logsource": "raw"}
NAMED = {"platforms": {"sigma": {"logsource": {"product": "test"}}}}


def rule_of(parts: dict[str, Any]) -> Rule:
    (rule,) = load_text(yaml.safe_dump({**HEAD, **NAMED, **parts}))
    return rule


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_losses(case: dict[str, Any]) -> None:
    artifact = PLATFORM.render(rule_of(case["rule"]), CONTEXT)
    found = [f"{d.code}:{d.effect}" for d in artifact.diagnostics if d.effect is not None]
    assert found == case["losses"]
    assert bool(artifact.files) == (not any("refused" in loss for loss in case["losses"]))


def test_every_loss_is_listed_and_shown() -> None:
    shown = {loss.split(":")[0] for case in CASES for loss in case["losses"]}
    assert shown | {"constant"} == set(LOSSES)


@pytest.mark.parametrize("constant", [TRUE, FALSE])
def test_a_condition_that_is_always_the_same_is_refused(constant: Expression) -> None:
    rule = msgspec.structs.replace(rule_of({"indicators": [{"field": "a", "is": 1}]}), indicators=(constant,))
    assert [d.code for d in PLATFORM.render(rule, CONTEXT).diagnostics] == ["constant"]


def written(parts: dict[str, Any]) -> list[dict[str, Any]]:
    (file,) = PLATFORM.render(rule_of(parts), CONTEXT).files
    SigmaCollection.from_yaml(file.text)  # pySigma takes it
    return list(yaml.safe_load_all(file.text))


def test_a_rule_as_sigma() -> None:
    (document,) = written(
        {
            "description": "What it finds.",
            "severity": "high",
            "status": "stable",
            "indicators": [
                {"field": "a", "is": ["x", "y"], "ignore_case": True},
                {"field": "b", "contains": "Z"},
                {"field": "a", "exists": True},
                {"any": [{"field": "c", "is": 1}, {"field": "d", "starts_with": "/x*"}]},
            ],
            "exclusions": [{"field": "e", "exists": False}, {"all": [{"field": "f", "is": True}]}],
            "attack": ["TA0007:T1613", "TA0001"],
            "tags": ["mine", "cve.2024-1"],
            "output": ["a", {"field": "b", "as": "c"}],
            "false_positives": ["None"],
            "references": ["https://example.org"],
            "author": "Someone",
            "created": "2024-01-05",
        }
    )
    assert document == {
        "title": "A rule",
        "id": HEAD["id"],
        "status": "stable",
        "description": "What it finds.",
        "references": ["https://example.org"],
        "author": "Someone",
        "date": document["date"],
        "tags": [
            "attack.discovery",
            "attack.initial-access",
            "attack.t1613",
            "custom.mine",
            "cve.2024-1",
        ],
        "logsource": {"product": "test"},
        "detection": {
            "selection": {"a": ["x", "y"], "b|contains|cased": "Z", "a|exists": True},
            "selection_2": [{"c": 1}, {"d|startswith|cased": "/x\\*"}],
            "filter": {"e": None},
            "filter_2": {"f": True},
            "condition": "selection and selection_2 and not filter and not filter_2",
        },
        "fields": ["a", "b"],
        "falsepositives": ["None"],
        "level": "high",
    }


@pytest.mark.parametrize(
    ("names", "written_as", "codes"),
    [
        (["aws.cloudtrail"], {"product": "aws", "service": "cloudtrail"}, set()),
        (["slack.audit"], {"product": "slack", "service": "audit"}, {"logsource"}),
        (["windows.file"], {"product": "windows", "service": "file"}, {"logsource"}),
        (["raw"], None, {"logsource"}),
        (["slack.audit", "wiz.audit"], None, {"logsource"}),
        (["aws.cloudtrail", "slack.audit"], None, {"logsource"}),
        (["aws.cloudtrail", "raw"], None, {"logsource"}),
    ],
)
def test_the_log_source_is_named(
    names: list[str], written_as: dict[str, str] | None, codes: set[str]
) -> None:
    rule = rule_of({"logsource": names, "indicators": [{"field": "eventName", "is": "x"}], "platforms": {}})
    context = msgspec.structs.replace(CONTEXT, keep_unmapped=True)
    artifact = PLATFORM.render(rule, context)
    assert {one.code for one in artifact.diagnostics} - {"unmapped-field"} == codes
    if written_as is None:
        assert artifact.fidelity is Fidelity.REFUSED
        return
    assert artifact.fidelity is Fidelity.EXACT
    assert yaml.safe_load(artifact.files[0].text)["logsource"] == written_as
    assert PLATFORM.read_back(artifact, context).logsource == tuple(names)
    read = ReadContext(packs=CONTEXT.packs)
    (again,) = PLATFORM.read(Source(file="a.yml", text=artifact.files[0].text), read)
    assert again.rule is not None
    assert again.rule.logsource == tuple(names)


@pytest.mark.parametrize(
    ("functions", "exact"),
    [(["basename"], True), (["lower", "length"], True), ([{"split": "/", "index": 1}], False)],
)
def test_what_a_function_gives_is_there_with_the_field(functions: list[Any], exact: bool) -> None:
    artifact = PLATFORM.render(
        rule_of({"indicators": [{"field": "a", "exists": True, "apply": functions}]}), CONTEXT
    )
    assert (artifact.fidelity is Fidelity.EXACT) is exact
    if exact:
        detection = yaml.safe_load(artifact.files[0].text)["detection"]
        assert detection["selection"] == {"a|exists": True}


def test_a_sequence_as_a_correlation() -> None:
    first, second, third, correlation = written(
        {
            "sequence": {
                "within": "90s",
                "steps": [
                    {"name": "fails", "repeat": 2, "by": ["user"], "indicators": [{"field": "a", "is": 1}]},
                    {"by": ["target"], "indicators": [{"field": "a", "is": 2}]},
                ],
            }
        }
    )
    names = [document["name"] for document in (first, second, third)]
    assert first["detection"] == second["detection"] == {"selection": {"a": 1}, "condition": "selection"}
    assert first["title"] == "A rule (fails)"
    assert correlation["correlation"] == {
        "type": "temporal_ordered",
        "rules": names,
        "group-by": ["key_1"],
        "timespan": "90s",
        "aliases": {"key_1": dict(zip(names, ["user", "user", "target"], strict=True))},
    }


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"nonsense": 1}, "unknown setting 'nonsense'"),
        ({"logsource": "x"}, "platforms.sigma.logsource: expected a mapping"),
        ({"name": 1}, "platforms.sigma.name: expected a text"),
        ({"related": {}}, "platforms.sigma.related: expected a list"),
    ],
)
def test_settings_that_are_not_what_they_must_be(settings: dict[str, Any], message: str) -> None:
    rule = rule_of({"indicators": [{"field": "a", "is": 1}], "platforms": {"sigma": settings}})
    (finding,) = PLATFORM.render(rule, CONTEXT).diagnostics
    assert finding.code == "settings"
    assert message in finding.message
