"""Through Sigma to pySigma's own backends."""

from __future__ import annotations

import pytest

from converter.model.diagnostics import Fidelity, RuleError
from converter.platforms.sigma.backend import backend_names, to_backend
from tests.platforms.sigma.support import rule_text

RULE = rule_text("{s: {a: x, b|contains: y}, condition: s}")


def test_a_rule_becomes_a_query() -> None:
    assert "splunk" in backend_names()
    converted = to_backend(RULE, "splunk")
    assert converted.queries == ('a="x" b="*y*"',)
    assert not converted.refused
    assert [(d.code, d.effect) for d in converted.diagnostics] == [
        ("not-checked", None),
        ("logsource", Fidelity.WIDER),
    ]
    assert all(d.platform == "sigma:splunk" for d in converted.diagnostics)


def test_pipelines_rename_fields() -> None:
    text = rule_text("{s: {Image: x}, condition: s}", "{product: windows, category: process_creation}")
    converted = to_backend(text, "splunk", ["splunk_cim"])
    assert converted.queries == ('Processes.process_path="x"',)
    assert [d.code for d in converted.diagnostics] == ["not-checked"]


REGEXES = rule_text("{s: {a|re: x.y, b|re: y.x}, condition: s}")


@pytest.mark.parametrize("text", ["title: x", RULE.replace("contains", "nonsense"), "- a", "{", REGEXES])
def test_what_a_backend_does_not_take_is_refused(text: str) -> None:
    converted = to_backend(text, "splunk")
    assert converted.refused
    assert converted.queries == ()
    assert converted.diagnostics[0].message


@pytest.mark.parametrize(("backend", "pipelines"), [("nowhere", ()), ("splunk", ("nowhere",))])
def test_names_that_are_not_installed(backend: str, pipelines: tuple[str, ...]) -> None:
    with pytest.raises(RuleError, match="'nowhere'; installed: "):
        to_backend(RULE, backend, pipelines)
