"""Detections hold for the events that the specification says, whatever the values and the modifiers."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from converter.evaluate import matches
from tests.platforms.sigma.specification import ANY, ONE, Item, detected, tokens
from tests.platforms.sigma.support import cases, read_one, rule_text

Events: TypeAlias = list[dict[str, Any]]
TEXTS = st.text("aAbBé1-/ \\*?.–\n", max_size=5)
NUMBERS = st.sampled_from((0, 1, 10, 1.5, -1, True, False))
OF_TEXTS = tuple(
    "contains startswith endswith cased contains|cased cased|endswith windash contains|windash "
    "windash|startswith neq contains|neq all contains|all contains|all|windash windash|contains|all "
    "contains|all|cased startswith|neq|cased endswith|all|neq".split()
)
ENCODED = tuple(
    "base64 base64|contains base64offset|contains wide|base64offset|contains utf16be|base64|contains "
    "utf16le|base64offset|contains windash|base64 base64offset|contains|all".split()
)
REFERENCES = ("fieldref", "fieldref|neq", "fieldref|cased", "fieldref|contains", "fieldref|endswith|cased")
PATTERNS = ("a", "^a", "A.b", "a$", "[a-b]+1", "\\\\", "a?\\*", "^$", "[@-\\[]1", "\\d\\s?/")


def listed(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A value, or a list of some."""
    return values | st.lists(values, min_size=1, max_size=3)


def keyed(modifiers: st.SearchStrategy[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Modifiers and values of a field."""
    return st.tuples(modifiers, values)


QUESTIONS = st.one_of(
    keyed(st.sampled_from(("", "neq", "all")), listed(TEXTS | NUMBERS | st.none())),
    keyed(st.sampled_from(OF_TEXTS), listed(TEXTS)),
    keyed(st.sampled_from(ENCODED), listed(st.text("aA1é-/ ", min_size=1, max_size=4))),
    keyed(st.sampled_from(("gt", "gte", "lt", "lte")), st.sampled_from((0, 1, 1.5))),
    keyed(st.just("exists"), st.booleans()),
    keyed(
        st.sampled_from(("", "neq", "cased", "startswith", "endswith|cased", "contains")), st.just("b")
    ).map(lambda asked: (f"fieldref|{asked[0]}".strip("|"), asked[1])),
    keyed(st.sampled_from(("re", "re|i", "re|s", "re|m|i", "re|neq")), st.sampled_from(PATTERNS)),
)


@st.composite
def values_near(draw: st.DrawFn, modifiers: str, asked: Any) -> Any:
    """A value that may well be what is asked: with wildcards filled in, and small changes."""
    if not draw(st.booleans()):
        return draw(listed(TEXTS | NUMBERS | st.none()))
    wanted = draw(st.sampled_from(asked if isinstance(asked, list) else [asked]))
    shape: list[str] = list(str(wanted))
    if isinstance(wanted, str) and not {"re", "fieldref"} & set(modifiers.split("|")):
        shape = draw(st.sampled_from(list(Item(f"a|{modifiers}".strip("|"), asked).shapes(tokens(wanted)))))
    fillings = {ANY: TEXTS, ONE: st.sampled_from("a*\\")}
    text = "".join(draw(fillings[one]) if one in fillings else one for one in shape)
    changes = (text, text.swapcase(), f"a{text}", text.replace("-", "/"), [text, None, draw(TEXTS)])
    return draw(st.sampled_from(changes))


@st.composite
def detections_and_events(draw: st.DrawFn) -> tuple[Any, Events]:
    """A detection of one or two fields, all or any of which must be as asked, and events for it."""
    asked = {name: draw(QUESTIONS) for name in draw(st.sampled_from(("a", "b", "ab")))}
    items = {f"{name}|{modifiers}".strip("|"): values for name, (modifiers, values) in asked.items()}
    definition: Any = items if draw(st.booleans()) else [{key: value} for key, value in items.items()]
    events = [
        {name: draw(values_near(*asked.get(name, ("", "a")))) for name in "ab" if draw(st.integers(0, 9)) > 0}
        for _ in range(draw(st.integers(1, 5)))
    ]
    return definition, events


@given(detections_and_events())
def test_what_is_read_holds_for_the_events_of_the_specification(
    given_: tuple[Any, list[dict[str, Any]]],
) -> None:
    definition, events = given_
    read = read_one(rule_text(json.dumps({"s": definition, "condition": "s"}, ensure_ascii=False)))
    assert read.rule is not None and read.status == "exact", read.diagnostics
    for event in events:
        assert matches(read.rule.condition, event) == detected(definition, event), event


@pytest.mark.parametrize(("detection", "holds", "fails"), list(cases("verdicts.txt")))
def test_verdicts(detection: str, holds: str, fails: str) -> None:
    """Each detection holds for some events and for others it does not: of the reader, and of the oracle."""
    read = read_one(rule_text(detection))
    assert read.rule is not None and read.status == "exact", read.diagnostics
    definition = yaml.safe_load(detection)
    for events, expected in ((holds, True), (fails, False)):
        for event in yaml.safe_load(events):
            assert matches(read.rule.condition, event) is expected, event
            if definition["condition"] == "s":
                assert detected(definition["s"], event) is expected, event
