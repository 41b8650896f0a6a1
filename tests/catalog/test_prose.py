"""Prose is arranged as its writer meant it, and no word of it is lost."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.catalog.site.prose import blocks


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("One line.", [("p", ["One line."])]),
        ("broken\nto fit\n\n  another ", [("p", ["broken to fit"]), ("p", ["another"])]),
        ("## Triage ##\nLook.", [("h", ["Triage"]), ("p", ["Look."])]),
        (
            "Do:\n- one\n  more\n- two\n\nAfter",
            [("p", ["Do:"]), ("ul", ["one more", "two"]), ("p", ["After"])],
        ),
        ("1. a\n2) b", [("ol", ["a", "b"])]),
        ("```\na  b\n\n# c\n```\nd", [("pre", ["a  b", "", "# c"]), ("p", ["d"])]),
        ("```yaml\nnever closed", [("pre", ["never closed"])]),
        ("#hash -dash 1.5", [("p", ["#hash -dash 1.5"])]),
    ],
)
def test_blocks(text: str, expected: list[tuple[str, list[str]]]) -> None:
    assert [(block.kind, block.lines) for block in blocks(text)] == expected


def test_a_list_that_goes_on_keeps_its_numbers() -> None:
    found = blocks("1. a\n\nBetween.\n\n2. b")
    assert [(block.kind, block.start) for block in found] == [("ol", 1), ("p", 1), ("ol", 2)]


@given(st.text(alphabet="ab 1.-#*\n\t\r\x85日", max_size=80))
def test_every_letter_is_kept_in_order(text: str) -> None:
    shown = "".join(line for block in blocks(text) for line in block.lines)
    assert re.findall("[ab日]", shown) == re.findall("[ab日]", text)
