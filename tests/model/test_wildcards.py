"""Texts with ``*``: the same texts as backtracking finds, in linear time."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.model.wildcards import wildcard_regex
from tests.timing import at_most


@given(st.text("ab*.", max_size=8), st.text("ab.", max_size=8))
def test_what_a_pattern_stands_for(pattern: str, text: str) -> None:
    slow = ".*".join(map(re.escape, pattern.split("*")))
    expected = re.fullmatch(slow, text, re.DOTALL) is not None
    assert (re.fullmatch(wildcard_regex(pattern), text, re.DOTALL) is not None) == expected


@pytest.mark.no_cover  # its time is measured
@pytest.mark.parametrize("pattern", ["a*" * 40 + "b", "*" * 60 + "b", "*a" * 40 + "*b"])
def test_many_wildcards_take_no_time(pattern: str) -> None:
    with at_most(1.0):
        assert re.fullmatch(wildcard_regex(pattern), "a" * 2_000, re.DOTALL) is None
