"""A printer that forgets to escape is caught: its function is replaced, language by language."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from converter import Rule, check
from converter.check import Options
from converter.model.load import load_text

RULE = """
id: 0d5f7b7e-0000-4000-8000-000000000001
title: Odd names
logsource: kubernetes.audit
indicators:
  - {field: user.username, %s: ['we"ird', 'back\\slash', 'a*b(c)', "two\\\\words", 'or'], ignore_case: %s}
exclusions:
  - {field: verb, starts_with: ['"', '\\', '(*']}
platforms: {elastic: {%s}}
tests:
  - {name: quote, expect: match, event: {user: {username: 'we"ird'}}}
"""


def _rule(operator: str = "is", ignore_case: str = "false", language: str = "") -> Rule:
    settings = f"language: {language}" if language else ""
    (rule,) = load_text(RULE % (operator, ignore_case, settings))
    return rule


class Bare(dict[str, str]):
    """An escape table in which every character stands for itself."""

    def __missing__(self, key: str) -> str:
        return key


def _pasted(text: str) -> str:
    return f'"{text}"'


ELASTIC = "converter.platforms.elastic"
SPL = "converter.platforms.splunk.spl"
BROKEN: dict[str, tuple[str, Rule, dict[str, Any]]] = {
    "Panther's texts": (
        "panther",
        _rule(),
        {"converter.platforms.panther.literals._python_body": lambda text: text},
    ),
    "KQL's quotes": ("elastic", _rule(language="kuery"), {f"{ELASTIC}.kql.literals.quoted": _pasted}),
    "KQL's wildcards": (
        "elastic",
        _rule("starts_with", language="kuery"),
        {f"{ELASTIC}.kql.literals._escaped": lambda character, starts_keyword: character},
    ),
    "EQL's strings": ("elastic", _rule(language="eql"), {f"{ELASTIC}.eql.literals.string": _pasted}),
    "ES|QL's strings": (
        "elastic",
        _rule(language="esql"),
        {f"{ELASTIC}.esql.text._ESCAPES": Bare(), f"{ELASTIC}.esql.text._NOT_TRIPLE": re.compile("")},
    ),
    "SPL's strings in where": ("splunk", _rule(), {f"{SPL}.where_terms.quoted": _pasted}),
    "SPL's values in search": (
        "splunk",
        _rule("contains", "true"),
        {f"{SPL}.text.quoted": _pasted},
    ),
}


def _agrees(platform: str, rule: Rule) -> bool:
    return check([rule], platforms=[platform], options=Options(engines=False)).ok


@pytest.mark.parametrize(("platform", "rule", "patches"), BROKEN.values(), ids=BROKEN)
def test_a_forgotten_escape_is_caught(
    platform: str, rule: Rule, patches: dict[str, Callable[..., Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _agrees(platform, rule)
    for target, replacement in patches.items():
        monkeypatch.setattr(target, replacement)
    assert not _agrees(platform, rule)
