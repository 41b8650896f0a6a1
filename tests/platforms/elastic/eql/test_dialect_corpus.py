"""The public queries of EQL's older dialect: how many find exactly the events that they must."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest

from converter.model.diagnostics import RuleError
from converter.platforms.elastic.eql.dialects import OLDER, OLDER_WITH_CASE, Dialect
from converter.platforms.elastic.eql.query import ids, run
from tests import corpus

FOLDER = corpus.CORPUS / "eql"
LEAST = 0.94
"""Share of the queries, under every dialect that they are meant for."""

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="CONVERTER_CORPUS has no eql"),
]


def dialects(query: dict[str, Any]) -> list[Dialect]:
    """A query says when it is meant for one of the two cases alone."""
    both = ((OLDER, "case_sensitive"), (OLDER_WITH_CASE, "case_insensitive"))
    return [dialect for dialect, other in both if not query.get(other)]


def test_public_queries_find_the_listed_events() -> None:
    events = json.loads((FOLDER / "test_data.json").read_text(encoding="utf-8"))
    queries = tomllib.loads((FOLDER / "test_queries.toml").read_text(encoding="utf-8"))["queries"]
    right, wrong, refused = 0, [], []
    for query in queries:
        expected = query["expected_event_ids"]
        try:
            found = [ids(run(query["query"], events, dialect)) for dialect in dialects(query)]
        except RuleError as error:
            assert error.diagnostics[0].line, query["query"]
            refused.append(str(error))
            continue
        if all(one == expected for one in found):
            right += 1
        else:
            wrong.append(query["query"])
    assert wrong == []
    assert right / len(queries) >= LEAST, refused
