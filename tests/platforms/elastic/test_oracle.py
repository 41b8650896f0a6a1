"""The EQL written is EQL for Elastic's own Python parser too.

PyPI ``eql`` (what Elastic's detection-rules validates with) is an optional dependency. It lacks one thing
that is written here: two escapes ``\\u{…}`` in one string, which it takes for one; they are replaced before.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given

from converter.logsources import load_packs
from converter.model.expressions import Expression, ForSome
from converter.model.load import load_rules
from converter.model.losses import Losses
from converter.platforms.base import Context
from converter.platforms.elastic import PLATFORM
from converter.platforms.elastic.eql.writer import write
from tests.platforms.elastic.made import conditions, predicates
from tests.platforms.elastic.support import cases, described, stored_expression

eql = pytest.importorskip("eql")

ROOT = Path(__file__).resolve().parents[3]


_ESCAPE = re.compile(r"\\u\{[0-9a-f]+\}")


def parses(query: str) -> None:
    parser = eql.parser
    with (
        parser.elasticsearch_syntax,
        parser.ignore_missing_functions,
        parser.allow_runs,
        parser.allow_negation,
    ):
        assert eql.parse_query(_ESCAPE.sub("_", query)) is not None


def test_the_rule_pack() -> None:
    context = Context(packs=load_packs())
    parsed = 0
    for rule in load_rules([ROOT / "canonical_rules"]):
        artifact = PLATFORM.render(rule, context)
        if artifact.language == "eql":
            parses(artifact.query)
            parsed += 1
    assert parsed > 5


@pytest.mark.parametrize("case", list(cases("eql_write.txt")))
def test_the_fixture_cases(case: list[str]) -> None:
    expression = stored_expression(case[0])
    losses = Losses("elastic")
    text = write(expression, described(expression), losses).text
    if case[1] and text not in ("true", "false"):
        parses(f"any where {text}")


@given(expression=conditions(predicates()))
def test_made_conditions(expression: Expression) -> None:
    assert not isinstance(expression, ForSome)
    parses(f"any where {write(expression, described(expression), Losses('elastic')).text}")
