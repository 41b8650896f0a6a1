"""Public Elastic rules: their queries are in the grammars, and most have a canonical form."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator

import pytest

from converter.model.diagnostics import RuleError
from converter.platforms.elastic.eql.reader import read as read_eql
from converter.platforms.elastic.fields import StoredFields
from converter.platforms.elastic.grammars import parse
from converter.platforms.elastic.kql.reader import read as read_kql
from tests import corpus

CORPUS = corpus.CORPUS / "elastic"

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not (CORPUS / "rules").is_dir(), reason="CONVERTER_CORPUS has no elastic/rules"),
]


def queries(language: str) -> Iterator[str]:
    for path in sorted(CORPUS.rglob("*.toml")):
        rule = tomllib.loads(path.read_text(encoding="utf-8"))["rule"]
        if rule.get("language") == language:
            yield rule["query"]


@pytest.mark.parametrize(
    ("language", "grammar", "parsed", "read"), [("kuery", "kql", 0.99, 0.98), ("eql", "eql", 0.99, 0.97)]
)
def test_public_queries(language: str, grammar: str, parsed: float, read: float) -> None:
    fields = StoredFields()
    reader = read_kql if grammar == "kql" else read_eql
    total = in_grammar = readable = 0
    for query in queries(language):
        total += 1
        try:
            parse(grammar, query)
            in_grammar += 1
            reader(query, fields)
            readable += 1
        except RuleError:
            continue
    assert total > 100
    assert in_grammar / total >= parsed
    assert readable / total >= read
