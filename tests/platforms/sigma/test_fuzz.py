"""Any text gives findings, never an exception, and soon."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from converter.platforms.base import Source
from converter.platforms.sigma import PLATFORM
from tests.platforms.sigma.support import FIXTURES, READING, cases, documents, rule_text
from tests.strategies import hostile_texts
from tests.timing import at_most

SEEDS = [rule_text(case[0]) for case in cases("detections.txt")] + [
    str(case["text"]) for case in documents("correlations.yml")
]
PIECES = (
    *"| * ? \\ ' \" : [ ] { } ( ) - & * ! % # ~ \n \t \0".split(" "),
    *("|re", "|windash", "|base64offset", "|expand", "|fieldref", "|cidr", "|all", "|exists", "|gt", "|wide"),
    *(
        "not ",
        "and ",
        "1 of ",
        "them",
        "%x%",
        "<<: ",
        "---\n",
        "null",
        "1e999",
        "0x",
        ".inf",
        "a{9999}",
        "(?<=x)",
    ),
    *("correlation: ", "filter: ", "action: global\n", " -a -b -c -d -e -f -g -h -i", "((((", "\ufeff", "é"),
)
MOST_SECONDS = 2


@st.composite
def broken_texts(draw: st.DrawFn) -> str:
    """A fixture's text with pieces put in, taken out and taken from another one."""
    text = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(text)))
        match draw(st.integers(0, 3)):
            case 0:
                text = text[:at] + draw(st.sampled_from(PIECES)) + text[at:]
            case 1:
                text = text[:at] + text[at + draw(st.integers(1, 20)) :]
            case 2:
                other = draw(st.sampled_from(SEEDS))
                text = text[:at] + other[draw(st.integers(0, len(other))) :][:60] + text[at:]
            case _:
                text = text[:at] + draw(hostile_texts()) + text[at:]
    return text


@given(text=broken_texts())
def test_broken_texts_are_read_or_refused(text: str) -> None:
    with at_most(MOST_SECONDS):
        rules = PLATFORM.read(Source(file="rule.yml", text=text), READING)
    for rule in rules:
        assert (rule.rule is None) == (rule.status == "refused")
        assert rule.rule is not None or rule.diagnostics


def test_there_are_seeds() -> None:
    assert FIXTURES.is_dir()
    assert len(SEEDS) > 100
