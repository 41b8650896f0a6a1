"""Patterns that ask for so many matches, against matches counted one after the other."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.model.regex import parse, render
from converter.platforms.elastic.esql.counts import at_least

COUNTED = [
    *("a", "[ab]", "ab", "a[bc]+", "a[bc]*d", "[bc]+a", "ab|cd", "ab|bc", "abc|bc", "ab?", "abc|bd|dd"),
    *("a|bc", "[ab]{2}|c", "(?:ab|ba)|d", "(?:a[bc]+)|d", r"\ba[bc]+", r"(?i)aB|cd", "a(?:bc){2,}"),
]


@given(st.sampled_from(COUNTED), st.integers(1, 4), st.text("abcdB ", max_size=12))
def test_as_many_as_are_found(pattern: str, number: int, text: str) -> None:
    asked = at_least(parse(pattern, "re2"), number)
    assert asked is not None
    found = len(re.findall(pattern, text))
    assert (re.search(render(asked, "python"), text) is not None) is (found >= number)


@pytest.mark.parametrize("pattern", ["a+", "abc|b", "ab|abc", "(?:ab){2,}", "a.*b", "abcd|bc", "a?", "x*"])
def test_what_a_match_may_take_from_others_is_not_counted(pattern: str) -> None:
    assert at_least(parse(pattern, "re2"), 2) is None
