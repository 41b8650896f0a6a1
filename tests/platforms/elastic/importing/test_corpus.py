"""Public Elastic rules: how many are read, and how exactly. (``make fuzz`` reads them damaged.)"""

from __future__ import annotations

import time
from collections import Counter
from functools import cache

import msgspec
import pytest

from converter.logsources import load_packs
from converter.model.dump import dump_rule
from converter.model.load import load_text
from converter.platforms.base import ReadContext, ReadRule, Source
from converter.platforms.elastic import PLATFORM
from tests import corpus

CORPUS = corpus.CORPUS / "elastic"
KQL = ("query", "new_terms", "threshold", "threat_match")
LONGEST = 20.0
"""Seconds for the whole corpus on one core."""

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not (CORPUS / "rules").is_dir(), reason="CONVERTER_CORPUS has no elastic/rules"),
]


@cache
def texts() -> tuple[tuple[str, str], ...]:
    return tuple((str(path), path.read_text(encoding="utf-8")) for path in sorted(CORPUS.rglob("*.toml")))


@cache
def context() -> ReadContext:
    return ReadContext(packs=load_packs())


@cache
def rules() -> tuple[ReadRule, ...]:
    return tuple(
        rule for file, text in texts() for rule in PLATFORM.read(Source(file=file, text=text), context())
    )


def test_every_file_is_read_in_time() -> None:
    started = time.process_time()
    found = rules()
    assert time.process_time() - started < LONGEST
    assert len(found) == len(texts()) > 500


@pytest.mark.parametrize(("kinds", "share"), [(KQL, 0.975), (("eql",), 0.98), (("esql",), 0.6)])
def test_exact_shares(kinds: tuple[str, ...], share: float) -> None:
    found = Counter(rule.status for rule in rules() if rule.kind in kinds)
    assert found["exact"] / found.total() >= share, found


def test_what_is_not_exact_says_why_and_where() -> None:
    for rule in rules():
        if rule.status == "exact":
            continue
        reasons = [found for found in rule.diagnostics if found.effect is not None]
        assert reasons, rule.source
        assert all(found.line and found.column and found.file for found in reasons), rule.source


def test_rules_survive_their_file() -> None:
    for found in rules():
        if found.rule is not None:
            (again,) = load_text(dump_rule(found.rule))
            assert msgspec.structs.replace(again, place=None) == found.rule, found.source
