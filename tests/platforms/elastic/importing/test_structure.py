"""Rules and exports of odd structure: anything under any key is read or refused, never an exception."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from converter.platforms.base import ReadContext, Source
from converter.platforms.elastic import PLATFORM
from tests.fuzzing.targets import check, context
from tests.platforms.elastic.importing.test_beside import INDICATORS, lines, rule

EXPORTS = Path(__file__).parent / "exports"
TURNS = 250
ODD: list[Any] = [
    *(None, True, 0, -1, 5, 1.5, 10**30, float("nan"), "", "a", "*", "now-7d", "\ud800"),
    *([], {}, [[]], [None], [5], ["a"], {"a": 1}, {"a": {"value": None}}, {"field": "a"}, [{"field": 5}]),
]
QUERIES = ("bool", "term", "nested", "match", "range", "terms", "exists", "query_string", "regexp", "prefix")
FILTERS = [
    {
        "meta": {"negate": True},
        "query": {
            "bool": {
                "should": [
                    {"term": {"a": "b"}},
                    {"range": {"n": {"gte": 1, "include_lower": True}}},
                    {"multi_match": {"query": "a", "fields": ["f"]}},
                    {"nested": {"path": "p", "query": {"exists": {"field": "p.q"}}}},
                    {"simple_query_string": {"query": "a", "fields": ["f"]}},
                ],
                "minimum_should_match": 1,
            }
        },
    },
    {
        "meta": {
            "type": "combined",
            "relation": "OR",
            "params": [{"query": {"wildcard": {"f": {"value": "a*"}}}}],
        }
    },
]


def seeds() -> list[Any]:
    texts = [file.read_text(encoding="utf-8") for file in sorted(EXPORTS.glob("*.ndjson"))]
    whole = [json.loads(line) for text in texts for line in text.splitlines() if line.endswith("}")]
    match = rule(filters=FILTERS, threat_filters=FILTERS[:1], exceptions_list=[{"list_id": "mine"}])
    return [*whole, match, match, match]


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    members = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in members:
        yield (*path, key)
        yield from places(value, (*path, key))


def changed(data: Any, chance: random.Random) -> Any:
    data = json.loads(json.dumps(data))
    for _ in range(chance.randint(1, 4)):
        found = list(places(data))
        if not found:
            break
        *way, key = chance.choice(found)
        inside = data
        for step in way:
            inside = inside[step]
        match chance.randrange(3):
            case 0:
                inside[key] = copy.deepcopy(chance.choice(ODD))
            case 1:
                inside[key] = {chance.choice(QUERIES): inside[key]}
            case _:
                del inside[key]
    return data


@pytest.mark.parametrize("seed", range(4))
def test_odd_structure(seed: int, tmp_path: Path) -> None:
    entry = {"field": "a", "type": "match", "value": "b"}
    lines(tmp_path, "beside.ndjson", *INDICATORS, {"list_id": "mine", "entries": [entry]})
    beside = ReadContext(packs=context().packs, beside=(tmp_path,))
    chance = random.Random(seed)
    given = seeds()
    for _ in range(TURNS):
        data = changed(chance.choice(given), chance)
        try:
            found = PLATFORM.read(Source(file="x.ndjson", text=json.dumps(data) + "\n"), beside)
        except Exception:
            pytest.fail(f"an exception for {json.dumps(data)[:2000]}", pytrace=True)
        check([one for one in found if one.rule is None])
