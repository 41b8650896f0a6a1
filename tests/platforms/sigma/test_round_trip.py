"""What the writer wrote, the reader reads back with the meaning that the rule has."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from converter.evaluate import matches
from converter.logsources.project import project
from converter.model.diagnostics import Fidelity
from converter.model.expressions import (
    All,
    AnyOf,
    Expression,
    ForSome,
    Function,
    FunctionName,
    Not,
    Operator,
    Predicate,
)
from converter.model.paths import FieldPath
from converter.model.rule import Rule
from converter.platforms.base import Artifact
from converter.platforms.sigma import PLATFORM
from tests import strategies
from tests.platforms.sigma.support import CONTEXT, PACKS, flat

RAW = PACKS["raw"]
SETTINGS = {"sigma": {"logsource": {"product": "test"}}}

flat_events = st.dictionaries(
    strategies.keys().filter(bool),
    strategies.scalars() | st.lists(strategies.scalars(), min_size=1, max_size=3),
    max_size=5,
)


def rule_of(*indicators: Expression) -> Rule:
    return Rule(
        id="0d5f7b7e-1111-4222-8333-444455556666",
        title="A rule",
        logsource=("raw",),
        indicators=indicators,
        platforms=SETTINGS,
    )


def effects_of(artifact: Artifact) -> set[Fidelity]:
    return {d.effect for d in artifact.diagnostics if d.effect is not None}


def check(rule: Rule, happened: list[dict[str, Any]]) -> None:
    """Read back, the verdicts are the same; with a loss they differ in its direction only."""
    artifact = PLATFORM.render(rule, CONTEXT)
    effects = effects_of(artifact)
    if Fidelity.REFUSED in effects:
        assert not artifact.files
        return
    read = PLATFORM.read_back(artifact, CONTEXT)
    assert (read.id, read.title, read.logsource) == (rule.id, rule.title, rule.logsource)
    for event in happened:
        expected = matches(rule.condition, event)
        got = matches(read.condition, project(RAW, event, "sigma"))
        if expected != got:
            assert (Fidelity.WIDER if got else Fidelity.NARROWER) in effects, (artifact.files[0].text, event)


@given(
    expression=strategies.expressions().map(flat),
    exclusion=strategies.expressions(max_leaves=2).map(flat),
    happened=st.lists(flat_events, min_size=1, max_size=5),
)
def test_conditions(expression: Expression, exclusion: Expression, happened: list[dict[str, Any]]) -> None:
    rule = msgspec.structs.replace(rule_of(expression), exclusions=(exclusion,))
    check(rule, happened)


@given(
    operator=st.sampled_from([Operator.IS, Operator.CONTAINS, Operator.STARTS_WITH, Operator.ENDS_WITH]),
    texts=st.lists(strategies.hostile_texts(min_size=1), min_size=1, max_size=3),
    ignore_case=st.booleans(),
)
def test_every_text_is_written_so_that_it_reads_back(
    operator: Operator, texts: list[str], ignore_case: bool
) -> None:
    path = FieldPath(("a",))
    artifact = PLATFORM.render(rule_of(Predicate(path, operator, tuple(texts), ignore_case)), CONTEXT)
    assert artifact.fidelity is Fidelity.EXACT
    read = PLATFORM.read_back(artifact, CONTEXT).condition
    for text in texts:
        assert matches(read, {"a": text})
    for other in ("", "*", "?", "\\", "no such text"):
        original = Predicate(path, operator, tuple(texts), ignore_case)
        assert matches(read, {"a": other}) == matches(original, {"a": other})


@given(pattern=strategies.hostile_texts(min_size=1) | st.text("ab*?\\", min_size=1, max_size=8))
def test_every_wildcard_pattern_reads_back(pattern: str) -> None:
    original = Predicate(FieldPath(("a",)), Operator.LIKE, (pattern,))
    artifact = PLATFORM.render(rule_of(original), CONTEXT)
    read = PLATFORM.read_back(artifact, CONTEXT).condition
    for text in ("", "a", "b", "ab", "*", "?", "\\", "a*", "a\\b", pattern, pattern.replace("\\", "")):
        assert matches(read, {"a": text}) == matches(original, {"a": text}), (pattern, text)


ELEMENTS = st.lists(
    st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(["x", "y", "z"]), max_size=2), max_size=3
)
ELEMENT_TERMS = st.recursive(
    st.builds(
        Predicate,
        st.sampled_from([FieldPath(("a",)), FieldPath(("b",))]),
        st.just(Operator.IS),
        st.lists(st.sampled_from(["x", "y"]), min_size=1, max_size=2).map(tuple),
        st.just(False),
        st.booleans(),
    ),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=2).map(lambda terms: All(tuple(terms))),
        st.lists(inner, min_size=1, max_size=2).map(lambda terms: AnyOf(tuple(terms))),
        inner.map(Not),
    ),
    max_leaves=4,
)


@given(term=ELEMENT_TERMS, negated=st.booleans(), happened=st.lists(ELEMENTS, min_size=1, max_size=6))
def test_conditions_on_one_element(
    term: Expression, negated: bool, happened: list[list[dict[str, Any]]]
) -> None:
    """What is said of a condition on one element errs in the direction that is named."""
    bound: Expression = ForSome(FieldPath(("l",)), term)
    check(rule_of(Not(bound) if negated else bound), [{"l": elements} for elements in happened])


NAMES = ("cmd.exe", "Cmd.EXE", "e", "x y", "a+b", "日本", "1", "é")
PATHS = st.lists(st.sampled_from([*NAMES, "\\", "/", "\n"]), max_size=4).map("".join)
BASENAME, LOWER, LENGTH = (
    Function(n) for n in (FunctionName.BASENAME, FunctionName.LOWER, FunctionName.LENGTH)
)


@given(
    operator=st.sampled_from([Operator.IS, Operator.CONTAINS, Operator.STARTS_WITH, Operator.ENDS_WITH]),
    texts=st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True).map(tuple),
    functions=st.sampled_from([(BASENAME,), (LOWER,), (BASENAME, LOWER), (LOWER, BASENAME)]),
    flags=st.tuples(st.booleans(), st.booleans()),
    paths=st.lists(PATHS, min_size=1, max_size=5),
)
def test_base_names_and_lower_case_are_said_otherwise(
    operator: Operator,
    texts: tuple[str, ...],
    functions: tuple[Function, ...],
    flags: tuple[bool, bool],
    paths: list[str],
) -> None:
    asked = Predicate(FieldPath(("a",)), operator, texts, flags[0], flags[1], functions)
    check(rule_of(asked), [{"a": path} for path in paths] + [{"a": paths}])


@given(
    operator=st.sampled_from([Operator.IS, Operator.GT, Operator.GTE, Operator.LT, Operator.LTE]),
    sizes=st.lists(st.integers(-1, 9), min_size=1, max_size=2).map(tuple),
    paths=st.lists(PATHS, min_size=1, max_size=5),
)
def test_lengths_are_said_otherwise(operator: Operator, sizes: tuple[int, ...], paths: list[str]) -> None:
    asked = Predicate(FieldPath(("a",)), operator, sizes, functions=(LENGTH,))
    check(rule_of(asked), [{"a": path} for path in paths])


def test_what_is_said_otherwise_is_not_refused() -> None:
    for functions, operator, value in (
        ((BASENAME,), Operator.IS, "x.exe"),
        ((BASENAME, LOWER), Operator.CONTAINS, "x.exe"),
        ((LENGTH,), Operator.GTE, 5),
    ):
        asked = Predicate(FieldPath(("a",)), operator, (value,), functions=functions)
        assert PLATFORM.render(rule_of(asked), CONTEXT).fidelity is Fidelity.EXACT


@given(name=strategies.keys().filter(bool))
def test_every_field_name_reads_back(name: str) -> None:
    original = Predicate(FieldPath((name,)), Operator.IS, ("x",))
    artifact = PLATFORM.render(rule_of(original), CONTEXT)
    if "|" in name:
        assert artifact.fidelity is Fidelity.REFUSED
    else:
        assert PLATFORM.read_back(artifact, CONTEXT).condition == original
