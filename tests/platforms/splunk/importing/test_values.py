"""Tests of values that are made from a text, against Python doing the same to random texts."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converter.evaluate import compile_expression
from converter.platforms.base import ReadRule
from tests.platforms.splunk.importing.test_queries import reading

TEXTS = st.text(alphabet="abA@.=/ \t\n-", max_size=9)
WANTED = ["a", "b", "ab", "aa", "a.b", "", " a", "a-"]

PATTERNS = [
    r"^(?<g>[^@]+)@",
    r"^(?<g>a+)b",
    r"^(?<g>[ab]+)",
    r"(?<g>\.[^.]+)$",
    r"(?<g>[^.]+)$",
    r"@(?<g>[^@]+)$",
    r"^[^@]+@(?<g>[^@=]+)=",
    r"^a(?<g>.)b",
    r"^(?<g>[^/]+)/[^/]+$",
    r"(?i)^(?<g>a+)$",
    r"=(?<g>[ab]+)",
    r"(?<g>a)",
    r"@(?<g>\S+)",
    r"(?<g>[^@]+)@",
    r"^(?<g>a*)",
    r"(?<g>a|ab)b?$",
    r"^(?<g>a{1,2})",
    r"a(?<g>.*)b",
]


def by_python(pattern: str, text: str) -> str | None:
    """What the group holds in the first match. Values are single lines of a row: ``$`` is as in PCRE."""
    found = re.search(pattern.replace("(?<", "(?P<"), text)
    return None if found is None else found["g"]


def verdict(read: ReadRule) -> Callable[[dict[str, Any]], bool]:
    """What the rule says of an event; of one that never matches, nothing."""
    if read.rule is None:
        assert "never-matches" in {one.code for one in read.diagnostics if one.effect}
        return lambda event: False
    return compile_expression(read.rule.condition)


QUESTIONS: list[tuple[str, Callable[[str, str], bool]]] = [
    ('where g="{}"', lambda value, wanted: value == wanted),
    ('where g!="{}"', lambda value, wanted: value != wanted),
    ('where like(g, "{}%")', lambda value, wanted: value.startswith(wanted)),
    ('where like(g, "%{}%")', lambda value, wanted: wanted in value),
    ('where lower(g)="{}"', lambda value, wanted: value.lower() == wanted),
]


@pytest.mark.no_cover  # many texts go the way of a few
@pytest.mark.parametrize(("question", "answer"), QUESTIONS, ids=[question for question, _ in QUESTIONS])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_group_of_rex(pattern: str, question: str, answer: Callable[[str, str], bool]) -> None:
    reads = {
        wanted: reading(f'x=1 | rex field=b "{pattern}" | {question.format(wanted)}')
        for wanted in WANTED
        if wanted
    }
    verdicts = {wanted: verdict(read) for wanted, read in reads.items()}

    @settings(max_examples=150, deadline=None)
    @given(TEXTS)
    def holds(text: str) -> None:
        value = by_python(pattern, text)
        for wanted, read in reads.items():
            right = value is not None and answer(value, wanted)
            ours = verdicts[wanted]({"x": "1", "b": text})
            if read.status in ("exact", "refused"):
                assert ours == right, (text, wanted, value)
            else:
                assert ours or not right, (text, wanted, value)

    holds()


MADE: list[tuple[str, Callable[[str], str]]] = [
    ("trim(b)", lambda text: text.strip(" \t")),
    ("ltrim(b)", lambda text: text.lstrip(" \t")),
    ('rtrim(b, "-.")', lambda text: text.rstrip("-.")),
    ('trim(b, "]a^-")', lambda text: text.strip("]a^-")),
    ("lower(trim(b))", lambda text: text.strip(" \t").lower()),
    ("substr(b, 1, 2)", lambda text: text[:2]),
    ("substr(b, 2, 1)", lambda text: text[1:2]),
    ("substr(b, 3)", lambda text: text[2:]),
]
ASKED: list[tuple[str, Callable[[str, str], bool]]] = [
    ('where v="{}"', lambda value, wanted: value == wanted),
    ('where like(v, "%{}%")', lambda value, wanted: wanted in value),
    ('where like(v, "{}%")', lambda value, wanted: value.startswith(wanted)),
    ('where like(v, "%{}")', lambda value, wanted: value.endswith(wanted)),
]


@pytest.mark.no_cover  # many texts go the way of a few
@pytest.mark.parametrize(("question", "answer"), ASKED, ids=[question for question, _ in ASKED])
@pytest.mark.parametrize(("made", "by_hand"), MADE, ids=[made for made, _ in MADE])
def test_a_part_of_a_text(
    made: str, by_hand: Callable[[str], str], question: str, answer: Callable[[str, str], bool]
) -> None:
    reads = {
        wanted: reading(f"x=1 | eval v={made} | {question.format(wanted)}")
        for wanted in [*WANTED, "a b", "- ", " ", "-"]
        if wanted
    }
    verdicts = {
        wanted: verdict(read) for wanted, read in reads.items() if read.status in ("exact", "refused")
    }
    assert verdicts or made.startswith("substr")

    @settings(max_examples=150, deadline=None)
    @given(TEXTS)
    def holds(text: str) -> None:
        for wanted, ours in verdicts.items():
            assert ours({"x": "1", "b": text}) == answer(by_hand(text), wanted), (text, wanted)

    holds()
