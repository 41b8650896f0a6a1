"""Damaged and hostile texts never crash or hang the reader: they are read, or refused with a place."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from converter.platforms.base import Source
from converter.platforms.panther import PLATFORM
from converter.platforms.panther.importing.keys import KeyProblem, key_path, template
from tests.platforms.panther.importing.support import REPOSITORY, read, specification
from tests.timing import at_most

SECONDS = 3.0
PIECES = (
    *("\n", ":", "- ", "[", "]", "{", "}", "'", '"', "&a ", "*a", "<<: ", "|", "#", "\0", "é", "\t", "1e999"),
    *("RuleID: ", "Filename: x.py", "Detection:\n", "Condition: Equals\n", "Values:\n", "All:\n", "None:\n"),
    *("Sequence:\n", "Group:\n", "MinMatchCount: -1\n", "Threshold: 0\n", "LogTypes: 5\n", "Tests: [5]\n"),
    *("InlineFilters: {}\n", "BaseDetection: Team.Custom\n", "AlertTitle: '{a.b[}'\n", "Severity: []\n"),
)
FILES = sorted(path for path in REPOSITORY.rglob("*") if path.suffix in (".yml", ".py"))


def check(text: str, file: str = "x.yml") -> None:
    with at_most(SECONDS):
        found = read(text, file)
    assert found
    for one in found:
        assert (one.rule is None) == (one.status == "refused")
        if one.rule is None:
            assert any(finding.effect and finding.line for finding in one.diagnostics)
    PLATFORM.leans_on(Source(file=file, text=text), ())


def damaged(text: str, chance: random.Random) -> str:
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(text) + 1)
        match chance.randrange(4):
            case 0:
                text = text[:place] + chance.choice(PIECES) + text[place:]
            case 1:
                text = text[:place] + text[place + chance.randint(1, 30) :]
            case 2:
                text = text[:place] + text[place : place + 40] * chance.randint(2, 4) + text[place:]
            case _:
                text = text[:place]
    return text


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(FILES), st.randoms(use_true_random=False))
def test_no_damaged_file_crashes(path: Path, chance: random.Random) -> None:
    check(damaged(path.read_text("utf-8"), chance), str(path))


values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-3, 9), st.sampled_from(["", "a", "a.b", "a[*]", "Equals"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["KeyPath", "Key", "DeepKey", "Condition", "Value", "Values", "Any", "All", "None", "OnlyOne",
                 "Expressions", "Sequence", "Group", "RuleID", "MatchCriteria", "Transitions"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)  # fmt: skip
KEYS = (
    *(
        "Detection",
        "InlineFilters",
        "LogTypes",
        "Tests",
        "Reports",
        "Tags",
        "Threshold",
        "DedupPeriodMinutes",
    ),
    *(
        "GroupBy",
        "AlertContext",
        "AlertTitle",
        "SummaryAttributes",
        "Severity",
        "Status",
        "Reference",
        "RuleID",
    ),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(st.sampled_from(KEYS), values, max_size=5), st.sampled_from(["rule", "correlation_rule"])
)
def test_no_values_in_places_of_others_crash(parts: dict[str, object], kind: str) -> None:
    check(specification(AnalysisType=kind, **parts))


def nested(width: int, depth: int) -> object:
    """Choices of choices."""
    if not depth:
        return {"Key": "a", "Condition": "Exists"}
    return {"OnlyOne": [nested(width, depth - 1)] * width}


ASKED = {"Key": "a", "Condition": "Exists"}
CHOICE = {"OnlyOne": [{"Key": f"a{n}", "Condition": "Exists"} for n in range(500)]}
MANY = {"Key": "a", "Condition": "IsIn", "Values": list(range(20_000))}
LARGE = {
    "deep combinators": "AnalysisType: rule\nDetection:\n"
    + "".join("  " * n + "- None:\n" for n in range(1, 190))
    + "  " * 190
    + "- {KeyPath: a, Condition: Exists}\n",
    "many values": specification(Detection=[MANY]),
    "a choice of many": specification(Detection=[CHOICE, ASKED]),
    "choices of choices": specification(Detection=[nested(7, 4), ASKED]),
    "a long path": specification(Detection=[{"KeyPath": ".".join("a" * 5_000), "Condition": "Exists"}]),
    "a bomb of aliases": "a: &a [x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(8)),
    "a correlation with itself": specification(
        AnalysisType="correlation_rule", RuleID="x", Detection=[{"Group": [{"RuleID": "x"}]}]
    ),
}


@pytest.mark.no_cover  # its time is measured
@pytest.mark.parametrize("name", LARGE)
def test_nothing_large_hangs(name: str) -> None:
    check(LARGE[name])


@given(st.text(max_size=30))
def test_a_path_is_read_or_is_none(text: str) -> None:
    try:
        steps = key_path(text).steps
    except KeyProblem:
        return
    assert steps
    assert isinstance(steps[0], str)


@given(st.lists(st.sampled_from(["{a.b}", "{", "}", "a", "{a[0]}", "{}", "{ a }"]), max_size=6).map("".join))
def test_a_title_keeps_its_literal_texts(text: str) -> None:
    parts = template(text)
    literal = "".join(part for part in parts if isinstance(part, str))
    rest = iter(text)
    assert all(character in rest for character in literal)
    texts = [isinstance(part, str) for part in parts]
    assert not any(first and second for first, second in itertools.pairwise(texts))
