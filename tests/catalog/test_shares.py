"""Rules that ask the same, shared values, and coverage of ATT&CK."""

from __future__ import annotations

import math
import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.catalog.coverage import coverage_of, navigator_layer
from converter.catalog.index import index_of
from converter.catalog.normal import normal_form
from converter.catalog.records import Record
from converter.catalog.shares import COMMON, false_positives, overlaps, related, shared_values
from converter.catalog.sources import canonical
from converter.evaluate import matches
from converter.logsources import load_packs
from converter.model.attack import attack_table
from converter.model.expressions import All, AnyOf, Expression, ForSome, Not, Predicate
from converter.model.load import expression_from_data
from converter.model.rule import Rule
from tests.strategies import events, expressions

PACKS = load_packs()


def rule(*indicators: object, number: int = 0, logsource: str = "kubernetes.audit") -> Rule:
    """A rule with these conditions."""
    terms = tuple(expression_from_data(data) for data in indicators)
    return Rule(
        id=f"00000000-0000-4000-8000-{number:012}",
        title=f"Rule {number}",
        logsource=(logsource,),
        indicators=terms,
    )


SAME = [
    ([{"field": "a", "is": ["x", "y"]}], [{"any": [{"field": "a", "is": "Y"}, {"field": "a", "is": "x"}]}]),
    (
        [{"field": "a[]", "is": 1}, {"field": "b", "is": 2}],
        [{"field": "b", "is": 2.0}, {"field": "a", "is": "1"}],
    ),
    (
        [{"not": {"any": [{"field": "a", "is": 1}, {"field": "b", "is": 2}]}}],
        [{"not": {"field": "b", "is": 2}}, {"not": {"field": "a", "is": 1}}],
    ),
    (
        [{"field": "a", "is": ["x", "y"], "all_of": True}],
        [{"field": "a", "is": "x"}, {"field": "a", "is": "y"}],
    ),
    ([{"field": "a", "like": "*x*"}], [{"field": "a", "contains": "x", "ignore_case": True}]),
]
UNLIKE = [
    ([{"field": "a", "is": "x"}], [{"field": "a", "is": "y"}]),
    ([{"field": "a", "is": ["x", "y"]}], [{"field": "a", "is": ["x", "y"], "all_of": True}]),
    ([{"field": "a", "is": "x"}], [{"not": {"field": "a", "is": "x"}}]),
    (
        [{"for_some": "a", "where": [{"field": "b", "is": 1}, {"field": "c", "is": 2}]}],
        [{"field": "a[].b", "is": 1}, {"field": "a[].c", "is": 2}],
    ),
]


@pytest.mark.parametrize("pair", SAME, ids=lambda pair: str(pair[0])[:50])
def test_rules_that_ask_the_same_have_one_form(pair: tuple[list[object], list[object]]) -> None:
    one, other = (rule(*indicators) for indicators in pair)
    assert normal_form(one) == normal_form(other)


@pytest.mark.parametrize("pair", UNLIKE, ids=lambda pair: str(pair[0])[:50])
def test_rules_that_ask_something_else_have_another(pair: tuple[list[object], list[object]]) -> None:
    one, other = (rule(*indicators) for indicators in pair)
    assert normal_form(one) != normal_form(other)


def rearranged(expression: Expression, chance: random.Random) -> Expression:
    """The same question otherwise: terms in another order and twice, negations on the other side."""
    match expression:
        case All(terms) | AnyOf(terms):
            inner = [rearranged(term, chance) for term in (*terms, *terms[:1])]
            chance.shuffle(inner)
            if chance.random() < 0.5:
                kind, other = type(expression), AnyOf if isinstance(expression, All) else All
                return Not(other(tuple(Not(term) for term in inner))) if kind is not other else expression
            return type(expression)(tuple(inner))
        case Not(term):
            return Not(rearranged(term, chance))
        case ForSome(path, term):
            return ForSome(path, rearranged(term, chance))
        case Predicate():
            return Not(Not(expression))


@given(expressions(), st.randoms(), events())
def test_the_form_does_not_depend_on_the_arrangement(
    expression: Expression, chance: random.Random, event: dict[str, object]
) -> None:
    other = rearranged(expression, chance)
    assert matches(expression, event) == matches(other, event)
    one, two = (Rule(id="0", title="t", logsource=("raw",), indicators=(e,)) for e in (expression, other))
    assert normal_form(one) == normal_form(two)


def test_overlaps_are_within_a_log_source() -> None:
    same = {"field": "verb", "is": "get"}
    listed = [
        rule(same, number=1),
        rule({"field": "verb", "is": "GET"}, number=2),
        rule(same, number=3, logsource="okta.system"),
        rule({"field": "verb", "is": "list"}, number=4),
    ]
    (found,) = overlaps(index_of(canonical(listed), PACKS))
    assert (found.logsource, found.rules) == ("kubernetes.audit", (0, 1))


def test_related_rules_share_rare_values() -> None:
    common = {"field": "stage", "is": "ResponseComplete"}
    listed = [
        rule(common, {"field": "verb", "is": ["get", "list"]}, number=1),
        rule(common, {"field": "verb", "is": ["get", "list"]}, number=2),
        rule(common, {"field": "verb", "is": "get"}, {"field": "level", "is": "x"}, number=3),
        rule({"field": "level", "is": "y"}, {"not": {"field": "verb", "is": "get"}}, number=4),
        *(rule(common, number=number) for number in range(5, 5 + COMMON)),
    ]
    found = related(index_of(canonical(listed), PACKS))
    names = {
        position: record.title for position, record in enumerate(index_of(canonical(listed), PACKS).records)
    }
    alike = {names[at]: {names[o.rule]: o.likeness for o in others} for at, others in enumerate(found)}
    assert alike["Rule 1"]["Rule 2"] == alike["Rule 2"]["Rule 1"] == 1.0
    # get weighs 1/2 (3 rules), list 1/log2(3), x 1: what the two have in common is get alone
    get, both, one = 1 / 2, 1 / math.log2(3), 1.0
    expected = get**2 / math.sqrt((get**2 + both**2) * (get**2 + one**2))
    assert alike["Rule 1"]["Rule 3"] == round(expected, 2)
    assert alike["Rule 4"] == {}
    assert alike["Rule 5"] == {}
    assert all(len(others) <= 5 for others in alike.values())


def test_values_are_listed_by_how_many_look_for_them() -> None:
    listed = [
        rule({"field": "verb", "is": "get"}, {"not": {"field": "stage", "is": "x"}}, number=1),
        rule({"field": "verb", "is": ["get", "list"]}, number=2),
    ]
    found = shared_values(index_of(canonical(listed), PACKS))
    assert [(value.key[2], len(value.seekers), len(value.excluders)) for value in found] == [
        ("get", 2, 0),
        ("list", 1, 0),
        ("x", 0, 1),
    ]


def record(*attack: str, title: str = "t", reading: str = "exact") -> Record:
    """A record that names these of ATT&CK."""
    return Record(key=title, platform="sigma", source="", id="", title=title, attack=attack, reading=reading)


def test_coverage_counts_techniques_under_their_tactics() -> None:
    records = [
        record("TA0007:T1613"),
        record("TA0001:T1078.004"),
        record("TA0001:T1078.004", "TA0040"),
        record(),
        record(reading="refused"),
    ]
    coverage = coverage_of(records)
    named = {(c.tactic, c.technique): (c.rules, c.below) for c in coverage.techniques if c.covered}
    assert named == {
        ("TA0007", "T1613"): ((0,), ()),
        ("TA0001", "T1078.004"): ((1, 2), ()),
        ("TA0001", "T1078"): ((), (1, 2)),
    }
    assert coverage.without == (3, 4)
    assert coverage.unread == (4,)
    assert {tactic: rules for tactic, rules in coverage.tactics.items() if rules} == {
        "TA0007": (0,),
        "TA0001": (1, 2),
        "TA0040": (2,),
    }
    table = attack_table()
    assert len(coverage.techniques) == sum(len(t.tactics) for t in table.techniques.values())


def test_the_layer_has_a_score_for_each_technique_named() -> None:
    layer = navigator_layer("all", [record("TA0007:T1613", title=f"Rule {n}") for n in range(25)])
    (technique,) = layer["techniques"]
    assert (technique["techniqueID"], technique["tactic"], technique["score"]) == ("T1613", "discovery", 25)
    assert technique["comment"].splitlines()[-1] == "and 5 more"
    assert layer["gradient"]["maxValue"] == 25
    assert layer["versions"]["attack"] == attack_table().version.split(".")[0]
    assert navigator_layer("none", [])["techniques"] == []


def test_false_positives_are_told_alike_and_what_names_none_is_left_out() -> None:
    texts = [
        ("Unknown", "A backup  program."),
        ("None.",),
        ("N/A",),
        ("a backup program", "Unlikely"),
        ("Tests",),
    ]
    asked = rule({"field": "a", "is": 1})
    rules = [
        msgspec.structs.replace(asked, title=f"Rule {number}", false_positives=told)
        for number, told in enumerate(texts)
    ]
    found = false_positives(index_of(canonical(rules), PACKS))
    assert [(one.text, one.rules) for one in found] == [("A backup program.", (0, 3)), ("Tests", (4,))]
