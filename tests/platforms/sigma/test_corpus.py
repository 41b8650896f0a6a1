"""The public rule collection: everything is read, nearly all of it exactly, and its own events match."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from converter.evaluate import matches
from converter.logsources import canonical_event
from converter.model.dump import dump_rule
from converter.model.expressions import Predicate, predicates
from converter.model.load import load_text
from converter.model.paths import FieldPath
from converter.model.rule import Rule
from converter.platforms.base import Context, ReadRule, Source
from converter.platforms.sigma import PLATFORM
from tests import corpus
from tests.platforms.sigma.support import PACKS, READING

CORPUS = corpus.CORPUS / "sigma"
MOST_MILLISECONDS = 3.3
"""A rule: what sigma-cli's `sigma convert` takes for one."""

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CORPUS.is_dir(), reason="CONVERTER_CORPUS names no folder with sigma/ in it"),
]


@cache
def sources() -> tuple[Source, ...]:
    paths = sorted(path for path in CORPUS.glob("rules*/**/*.yml") if PLATFORM.is_rule_file(path))
    return tuple(Source(file=str(path), text=path.read_text(encoding="utf-8")) for path in paths)


@cache
def read_rules() -> tuple[ReadRule, ...]:
    return tuple(rule for source in sources() for rule in PLATFORM.read(source, READING))


def test_every_rule_is_read_and_nearly_all_exactly() -> None:
    statuses = Counter(rule.status for rule in read_rules())
    assert len(read_rules()) >= len(sources()) > 0
    assert statuses["exact"] >= 0.99 * len(read_rules()), statuses
    for rule in read_rules():
        assert rule.status == "exact" or rule.diagnostics


def test_what_is_read_is_a_canonical_rule() -> None:
    for read in read_rules():
        if read.rule is not None:
            text = dump_rule(read.rule)
            (loaded,) = load_text(text)
            assert dump_rule(loaded) == text


def questions(rule: Rule) -> set[Predicate]:
    """What the rule asks, of which key: names that a pack stores without their objects come back without."""
    return {
        msgspec.structs.replace(asked, subject=FieldPath(asked.subject.keys[-1:]))
        for asked in predicates(rule.condition)
        if isinstance(asked.subject, FieldPath)
    }


def test_what_is_read_can_be_written_and_read_again() -> None:
    """Sigma to canonical to Sigma to canonical: the same questions about the same fields."""
    context = Context(packs=PACKS, keep_unmapped=True)
    for read in read_rules():
        if read.rule is None:
            continue
        (file,) = PLATFORM.render(read.rule, context).files
        (again,) = PLATFORM.read(Source(file="again.yml", text=file.text), READING)
        assert again.status == "exact"
        assert again.rule is not None
        assert again.rule.logsource == read.rule.logsource
        assert questions(again.rule) == questions(read.rule)


def test_a_rule_is_read_as_fast_as_sigma_cli_converts_it() -> None:
    chosen = sources()
    start = time.process_time()
    for source in chosen:
        PLATFORM.read(source, READING)
    assert (time.process_time() - start) * 1000 <= MOST_MILLISECONDS * len(chosen)


def events_of(folder: Path) -> Iterator[dict[str, Any]]:
    """The events of a regression test: JSON objects one after the other."""
    decoder = json.JSONDecoder()
    for path in folder.glob("*.json"):
        text, position = path.read_text(encoding="utf-8").strip(), 0
        while position < len(text):
            event, position = decoder.raw_decode(text, position)
            yield from event if isinstance(event, list) else [event]
            position += len(text[position:]) - len(text[position:].lstrip())


@cache
def rules_by_id() -> dict[str, Rule]:
    return {rule.id: rule.rule for rule in read_rules() if rule.rule is not None}


def regression_tests() -> Iterator[Any]:
    for info in sorted(CORPUS.glob("regression_data/**/info.yml")):
        data = yaml.safe_load(info.read_text(encoding="utf-8"))
        count = sum(test.get("match_count") or 0 for test in data.get("regression_tests_info") or ())
        for rule in data["rule_metadata"]:
            yield pytest.param(info.parent, str(rule["id"]), count, id=info.parent.name)


@pytest.mark.parametrize(("folder", "rule_id", "count"), list(regression_tests()))
def test_the_events_of_a_rule_match_it(folder: Path, rule_id: str, count: int) -> None:
    rule = rules_by_id().get(rule_id)
    events = list(events_of(folder))
    if rule is None or not events:
        pytest.skip("the rule, or its events, are not in this part of the collection")
    found = [
        any(matches(rule.condition, canonical_event(PACKS[name], event)) for name in rule.logsource)
        for event in events
    ]
    assert sum(found) >= max(1, count)
