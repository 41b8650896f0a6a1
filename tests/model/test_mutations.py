"""Rules with one thing changed at random: refused with findings, or a rule that holds all promises."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema
import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from converter.model import tables
from converter.model.diagnostics import RuleError
from converter.model.dump import dump_rule
from converter.model.load import load_text
from converter.model.schema import json_schema
from converter.model.yaml_in import read_yaml
from tests import strategies

VALIDATOR = jsonschema.Draft202012Validator(json_schema())
KEYS = sorted(
    {
        *(key.name for key in tables.RULE_KEYS),
        *(key.name for _, keys in tables.OBJECTS.values() for key in keys),
        *tables.PREDICATE_KEYS,
        *tables.COMBINATORS,
        *tables.SPLIT_KEYS,
        tables.WHERE_KEY,
    }
)
CONDITION = {"field": "a", "is": "b"}
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([None, True, False, 0, 1, -1, 5, 100, 0.5, "", "a", "7d", "raw", [], {}, ["a"], [["a"]]]),
    st.sampled_from([CONDITION, [CONDITION], {"gte": 5}, {"alerts": 1}, ["TA0001"]]),
    strategies.json_values(),
)


def places(data: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in decoded data but the root."""
    members = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [place for key, value in members for place in [(*path, key), *places(value, (*path, key))]]


def container_of(data: Any, place: tuple[str | int, ...]) -> Any:
    for key in place[:-1]:
        data = data[key]
    return data


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """A rule's data with something replaced, removed, added or renamed."""
    documents, _ = read_yaml(dump_rule(draw(strategies.rules())))
    data = copy.deepcopy(documents[0].data)
    place = draw(st.sampled_from(places(data)))
    container, key = container_of(data, place), place[-1]
    match draw(st.sampled_from(["replace", "remove", "add", "rename"])):
        case "remove":
            del container[key]
        case "add" if isinstance(container, dict):
            container[draw(st.sampled_from(KEYS))] = draw(VALUES)
        case "rename" if isinstance(container, dict):
            container[draw(st.sampled_from(KEYS))] = container.pop(key)
        case _:
            container[key] = draw(VALUES)
    return data


@settings(max_examples=40, deadline=None)
@given(mutated())
def test_a_changed_rule_is_refused_or_holds_all_promises(data: Any) -> None:
    try:
        [rule] = load_text(json.dumps(data, ensure_ascii=False).replace("\x7f", "\\u007f"))
    except RuleError as error:
        assert error.diagnostics
        assert all(finding.line and finding.column for finding in error.diagnostics)
        return
    text = dump_rule(rule)
    [again] = load_text(text)
    assert repr(msgspec.structs.replace(again, place=None)) == repr(msgspec.structs.replace(rule, place=None))
    assert dump_rule(again) == text
    assert [error.message for error in VALIDATOR.iter_errors(data)] == []
