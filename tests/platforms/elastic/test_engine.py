"""PyPI's eql runs what it has in common with Elasticsearch, and says what it leaves alone."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import yaml

from converter.model.diagnostics import MissingExtraError, RuleError
from converter.platforms.base import Artifact, Skip
from converter.platforms.elastic import PLATFORM

pytest.importorskip("eql")

CASES = """
- ['any where a == "x"', {a: x}, true]
- ['any where a == "x"', {a: y}, false]
- ['any where a == "x"', {}, false]
- ['any where a == "x"', {a: X}, differs in case]
- ['any where a in~ ("x", "Y")', {a: y}, differs in case]
- ['any where a in ("x", "y")', {a: y}, true]
- ['any where a == "x"', {a: [x]}, true]
- ['any where a == "x"', {a: [x, y]}, several values]
- ['any where a == "x" and a == "y"', {a: [x, y]}, several values]
- ['any where a == "x" and a == "y"', {a: x}, false]
- ['any where a == "x"', {a: 5}, another type]
- ['any where a == "x"', {a: true}, another type]
- ['any where a == 5', {a: 5.0}, true]
- ['any where a > 5', {a: 6}, true]
- ['any where a > "5"', {a: "6"}, order of texts]
- ['any where not a == "x"', {}, below a negation]
- ['any where not a == "x"', {a: y}, true]
- ['any where not (a == "x" or b == "y")', {a: z}, below a negation]
- ['any where a == null', {}, true]
- ['any where a != null', {a: x}, true]
- ['any where a.b.c == "x" and `a.b` == "y"', {a.b.c: x, a.b: y}, true]
- ['any where `odd name`.b like "x*"', {odd name.b: xyz}, true]
- ['any where a like "[x]*"', {a: '[x]yz'}, true]
- ['any where a like "x?"', {a: xy}, "the wildcard ?"]
- ['any where a regex "x.*"', {a: xy}, regular expression]
- ['any where startsWith(a, "x") and endsWith(a, "z") and stringContains(a, "y")', {a: xyz}, true]
- ['any where startsWith(a, "x")', {a: "x\\ny"}, several lines]
- ['any where cidrMatch(a, "10.0.0.0/8")', {a: 10.1.2.3}, the function cidrMatch]
- ['any where a == "\\u{2a}\\u{2b}"', {a: x}, escape]
- ['process where true', {event.category: [process, network]}, true]
- ['process where true', {event.category: network}, false]
"""


def _verdict(query: str, event: dict[str, Any], step: int = 0, language: str = "eql") -> bool | Skip:
    (factory,) = PLATFORM.engines()
    artifact = Artifact(rule_id="r", platform="elastic", language=language, query=query)
    (verdict,) = factory().verdicts(artifact, [event], step)
    return verdict


@pytest.mark.parametrize(("query", "event", "expected"), yaml.safe_load(CASES), ids=str)
def test_verdicts(query: str, event: dict[str, Any], expected: bool | str) -> None:
    verdict = _verdict(query, event)
    if isinstance(expected, bool):
        assert verdict is expected
    else:
        assert isinstance(verdict, Skip)
        assert expected in verdict.reason


def test_each_step_of_a_sequence_has_its_own_verdict() -> None:
    query = 'sequence by k with maxspan=1m [process where a == "x"] ![any where b == "y"]'
    assert _verdict(query, {"event.category": "process", "a": "x"}) is True
    assert _verdict(query, {"event.category": "process", "a": "x"}, 1) is False
    assert _verdict(query, {"b": "y"}, 1) is True


def test_other_languages_and_repeated_steps_are_skipped() -> None:
    assert _verdict("a:x", {}, language="kuery") == Skip("not EQL")
    repeated = 'sequence by k with maxspan=1m [any where a == "x"] with runs=3 [any where b == "y"]'
    assert _verdict(repeated, {}, 1) == Skip("repeated steps")


def test_what_does_not_parse_is_an_error() -> None:
    with pytest.raises(RuleError, match="does not parse"):
        _verdict("any where where", {})


def test_without_the_package_it_is_a_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "eql", None)
    with pytest.raises(MissingExtraError, match="engines"):
        _verdict("any where true", {})
