"""Hostile text in every place of a rule that takes text: refused when it is read, or rendered so that every
file still parses, holds the text as data, and alerts on the same events.
"""

from __future__ import annotations

import ast
import configparser
import json
import tomllib
from pathlib import PurePosixPath
from typing import Any

import pytest
import yaml

from converter import Fidelity, Rule, RuleError, check, render
from converter.check import Options
from converter.model.load import load_text
from converter.platforms.base import File
from tests.strategies import HOSTILE

pytestmark = pytest.mark.no_cover  # many texts go the way of a few

PLATFORMS = ("panther", "elastic", "splunk")
OPERATORS = ("is", "starts_with", "ends_with", "contains", "like")
PLACES: dict[str, Any] = {
    "title": {},
    "description": {},
    "author": {},
    "runbook": {},
    "references": [],
    "false_positives": [],
    "tags": [],
}


def _rule(**changes: Any) -> Rule | None:
    """The rule with these parts, or None where the loader refuses them."""
    data: dict[str, Any] = {
        "id": "0d5f7b7e-0000-4000-8000-000000000001",
        "title": "A rule",
        "logsource": "kubernetes.audit",
        "indicators": [{"field": "verb", "is": "get"}],
        "output": ["verb"],
        **changes,
    }
    text = yaml.safe_dump(data, allow_unicode=True, default_style='"')  # 1e3 and 0o17 stay text
    try:
        (rule,) = load_text(text)
    except RuleError as error:
        assert error.diagnostics
        return None
    return rule


def _assert_parses(file: File) -> None:
    path = PurePosixPath(file.path)
    assert not path.is_absolute()
    assert ".." not in path.parts
    assert file.path.isprintable()
    match path.suffix:
        case ".py":
            ast.parse(file.text)
        case ".yml":
            assert isinstance(yaml.safe_load(file.text), dict)
        case ".toml":
            assert set(tomllib.loads(file.text)) == {"metadata", "rule"}
        case ".conf":
            parser = configparser.RawConfigParser(strict=True, delimiters=("=",), comment_prefixes=("#",))
            parser.optionxform = str  # type: ignore[assignment,method-assign]
            parser.read_string(file.text.replace("\\\n", " "))
            assert len(parser.sections()) == 1
        case other:
            pytest.fail(f"a file of an unknown kind: {other}")


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_in_metadata(text: str) -> None:
    for place, kind in PLACES.items():
        rule = _rule(**{place: [text] if kind == [] else text})
        if rule is None:
            continue
        for platform in PLATFORMS:
            artifact = render(rule, platform)
            assert artifact.fidelity is Fidelity.EXACT, (place, artifact.diagnostics)
            for file in artifact.files:
                _assert_parses(file)


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_in_alert_and_output(text: str) -> None:
    escaped = text.replace("{", "{{").replace("}", "}}")
    rule = _rule(
        alert={"title": f"{escaped} by {{user.username}}"},
        output=[{"field": "verb", "as": text}],
    )
    if rule is None:
        rule = _rule(alert={"title": f"{escaped} by {{user.username}}"})
    if rule is None:
        return
    for platform in PLATFORMS:
        artifact = render(rule, platform)
        assert artifact.fidelity is Fidelity.EXACT, artifact.diagnostics
        for file in artifact.files:
            _assert_parses(file)


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_as_operand(text: str, operator: str) -> None:
    """Every platform says the same as the rule on events around the text, or names what it cannot say."""
    rule = _rule(
        indicators=[{"field": "user.username", operator: [text, "other"]}],
        exclusions=[{"field": "userAgent", operator: text}],
        tests=[
            {"name": "it", "expect": "match", "event": {"user": {"username": "other"}, "userAgent": "x-x"}},
        ],
    )
    if rule is None:
        assert text in ("", "\ud800")
        return
    for platform in PLATFORMS:
        for file in render(rule, platform).files:
            _assert_parses(file)
    report = check([rule], platforms=PLATFORMS, options=Options(engines=False))
    assert report.ok, next(pair for pair in report.pairs if not pair.agrees)
    assert report.summary.events > 3 * 10


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_as_a_key_of_the_event(text: str) -> None:
    rule = _rule(
        indicators=[{"field": f"requestObject.{json.dumps(text, ensure_ascii=False)}.name", "is": "x"}],
        tests=[{"name": "it", "expect": "match", "event": {"requestObject": {text: {"name": "x"}}}}],
    )
    if rule is None:
        return
    for platform in PLATFORMS:
        for file in render(rule, platform).files:
            _assert_parses(file)
    report = check([rule], platforms=PLATFORMS, options=Options(engines=False))
    assert report.ok, next(pair for pair in report.pairs if not pair.agrees)
