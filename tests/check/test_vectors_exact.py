"""The construction against brute force: what it finds holds, and what it proves impossible is nowhere."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from converter.check.coverage import Coverer, Pair, Uncovered
from converter.check.decisions import Decision, Decisions
from converter.evaluate import compile_expression
from converter.logsources.pack import Field, FieldType
from converter.model.expressions import (
    FALSE,
    TRUE,
    All,
    AnyOf,
    Expression,
    ForSome,
    Function,
    FunctionName,
    Not,
    Operator,
    Predicate,
    children,
)
from converter.model.paths import FieldPath

TEXTS = ("a", "b", "ab", "aB", "A", "", "ba", "a/b", "x", "12", "7")
TYPES = {
    "k": FieldType.KEYWORD,
    "l": FieldType.KEYWORD,
    "n": FieldType.INTEGER,
    "b": FieldType.BOOLEAN,
    "i": FieldType.IP,
}
LISTS = {"l", "o"}
DOMAINS: dict[str, list[Any]] = {
    "k": [None, *TEXTS],
    "l": [None, [], ["a"], ["b"], ["a", "b"], ["b", "ab"], ["A", "x"], ["12"], ["a/b", "", "ba"]],
    "n": [None, 0, 6, 7, 8, 12, -1, 70],
    "b": [None, True, False],
    "i": [None, "10.0.0.1", "10.255.0.0", "8.8.8.8", "11.0.0.0", "fd00::1", "2606:4700::1"],
    "u": [None, "a", "7", 7, 12.5, True, ["a", "b"], [["a", "b"]], [["ab"], "x"], ["b", 7], {"x": "a"}],
    "o": [None, [], [{"k": "a"}], [{"k": "a", "n": 7}], [{"k": "a"}, {"k": "b"}], [{"k": "ab", "n": 12}]],
}
"""A small exhaustive domain for each field; None: it is missing. Of ``u`` the log source declares nothing."""


def lookup(path: FieldPath) -> Field | None:
    if path.keys == ("o",):
        return Field(path=path, type=FieldType.OBJECT, is_list=True)
    name = path.keys[-1]
    return Field(path=path, type=TYPES[name], is_list=name in LISTS) if name in TYPES else None


def _operands(operator: Operator, name: str) -> st.SearchStrategy[Any]:
    match operator:
        case Operator.IS if name == "b":
            return st.sampled_from([True, False, "true", 1])
        case Operator.IS if name == "n":
            return st.sampled_from([0, 7, "7", 12, 7.5, "a"])
        case Operator.IS:
            return st.sampled_from([*TEXTS, 7, 12, "10.0.0.1"])
        case Operator.REGEX:
            return st.sampled_from(["^a", "b$", "a.*b", "^[ab]+$", r"\d", r"\bb\b", "(?i)^A$", "^$"])
        case Operator.LIKE:
            return st.sampled_from(["a*", "*b", "?", "a?", "*a*b*", "10.*"])
        case Operator.GT | Operator.GTE | Operator.LT | Operator.LTE:
            return st.sampled_from([0, 7, 8, 6.5, 70])
        case Operator.CIDR:
            return st.sampled_from(["10.0.0.0/8", "10.255.0.0/16", "fd00::/8", "8.8.8.8"])
        case Operator.IP:
            return st.sampled_from(["private", "public", "v4", "v6"])
        case _:
            return st.sampled_from([text for text in TEXTS if text])


ASKED = tuple(each for each in Operator if each not in (Operator.SAME_AS, Operator.EXISTS))
FUNCTIONS = (
    (),
    (),
    (),
    (Function(FunctionName.LOWER),),
    (Function(FunctionName.BASENAME),),
    (Function(FunctionName.SPLIT, "/", -1), Function(FunctionName.UPPER)),
    (Function(FunctionName.TRIM),),
)


@st.composite
def _predicates(draw: st.DrawFn, names: tuple[str, ...]) -> Predicate:
    name = draw(st.sampled_from(names))
    steps: tuple[Any, ...] = (name,)
    if name in ("l", "u"):
        steps = draw(st.sampled_from([(name,), (name, None), (name, 0), (name, -1), (name, 1)]))
    operator = draw(st.sampled_from((*ASKED, Operator.EXISTS, Operator.IS)))
    if operator is Operator.EXISTS:
        return Predicate(FieldPath(steps), operator)
    values = tuple(draw(st.lists(_operands(operator, name), min_size=1, max_size=2)))
    functions = draw(st.sampled_from(FUNCTIONS)) if name in ("k", "l", "u") else ()
    folded = draw(st.booleans()) and operator in (Operator.IS, Operator.CONTAINS, Operator.LIKE)
    return Predicate(FieldPath(steps), operator, values, folded, draw(st.booleans()), functions)


def _trees(leaves: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, min_size=2, max_size=3).map(lambda terms: All(tuple(terms))),
            st.lists(inner, min_size=2, max_size=3).map(lambda terms: AnyOf(tuple(terms))),
            inner.map(Not),
        ),
        max_leaves=5,
    )


_elements = _trees(_predicates(("k", "n"))).map(lambda term: ForSome(FieldPath(("o",)), term))


def _over(names: tuple[str, str]) -> st.SearchStrategy[Expression]:
    """Conditions over two fields, so that few events are all there are."""
    fields = tuple(name for name in names if name != "o")
    return _trees(st.one_of(_predicates(fields), _elements) if "o" in names else _predicates(fields))


conditions = st.sampled_from(tuple(itertools.combinations(DOMAINS, 2))).flatmap(_over)


def _names(expression: Expression) -> set[str]:
    if isinstance(expression, ForSome):
        return {"o"}
    if isinstance(expression, Predicate):
        assert isinstance(expression.subject, FieldPath)
        return {expression.subject.keys[0]}
    return set().union(*map(_names, children(expression)))


def _domain(condition: Expression) -> list[dict[str, Any]]:
    """Every event over the domains of the fields that a condition reads."""
    names = sorted(_names(condition))
    choices = itertools.product(*(DOMAINS[name] for name in names))
    return [{n: v for n, v in zip(names, values, strict=True) if v is not None} for values in choices]


def _fixed(expression: Expression, number: int, constant: Expression) -> Expression:
    """The expression with its n-th predicate replaced by a constant."""
    seen = itertools.count()

    def change(node: Expression) -> Expression:
        match node:
            case Predicate():
                return constant if next(seen) == number else node
            case Not(term):
                return Not(change(term))
            case ForSome(path, term):
                return ForSome(path, change(term))
            case All(terms) | AnyOf(terms):
                return type(node)(tuple(change(term) for term in terms))
        raise TypeError(node)

    return change(expression)


def _is(operator: Operator, *values: Any, field: str = "k") -> Predicate:
    return Predicate(FieldPath((field,)), operator, values)


@given(conditions)
@example(All((_is(Operator.STARTS_WITH, "a"), _is(Operator.STARTS_WITH, "b"))))
@example(AnyOf((_is(Operator.CONTAINS, "a"), _is(Operator.CONTAINS, "ab"))))
@example(
    All(
        (
            Predicate(FieldPath(("u", 0)), Operator.IS, ("a",)),
            Predicate(FieldPath(("u", 0)), Operator.IS, ("b",)),
        )
    )
)
@example(All((_is(Operator.IS, 0, field="n"), Not(_is(Operator.IS, True, field="b")))))
@example(All((_is(Operator.IS, 1, field="b"), Not(_is(Operator.IS, True, field="b")))))
@settings(max_examples=80)
def test_pairs_are_pairs_and_proofs_are_proofs(condition: Expression) -> None:
    coverer = Coverer(condition, lookup)
    holds = compile_expression(condition)
    domain = _domain(condition)
    if coverer.unsatisfiable:
        assert not any(map(holds, domain))
    for occurrence in coverer.decisions.occurrences:
        as_true = compile_expression(_fixed(condition, occurrence.number, TRUE))
        as_false = compile_expression(_fixed(condition, occurrence.number, FALSE))
        deciding = [event for event in domain if as_true(event) is not as_false(event)]
        verdicts = {holds(event) for event in deciding}
        pair = coverer.pair(occurrence)
        if isinstance(pair, Pair):
            assert holds(pair.true) is not holds(pair.false)
            assert all(as_true(event) is not as_false(event) for event in (pair.true, pair.false))
            assert holds(pair.true) is as_true(pair.true)
            assert holds(pair.false) is as_false(pair.false)
        elif pair.proved:
            assert len(verdicts) < 2, (occurrence, deciding)
        else:
            assert pair.reason


@given(conditions)
@settings(max_examples=50)
def test_little_is_left_unsolved(condition: Expression) -> None:
    """A condition of a few predicates is solved, but for what is known to be beyond the search of a text."""
    coverer = Coverer(condition, lookup)
    found = [coverer.pair(occurrence) for occurrence in coverer.decisions.occurrences]
    reasons = {pair.reason for pair in found if isinstance(pair, Uncovered) and not pair.proved}
    assert reasons <= {
        "numbers, times or IPv6 addresses are mixed with conditions on their text",
        "fractions are mixed with conditions on their text",
        "budget: the conditions allow too many texts to search",
        "word boundaries behind a change of case are not searched",
    }


@given(conditions)
@settings(max_examples=50)
def test_who_decides_is_who_could_turn_the_verdict(condition: Expression) -> None:
    decisions = Decisions(condition)
    holds = compile_expression(condition)
    forms = [
        tuple(compile_expression(_fixed(condition, each.number, c)) for c in (TRUE, FALSE))
        for each in decisions.occurrences
    ]
    for event in _domain(condition):
        verdict, found = decisions.of(event)
        assert verdict is holds(event)
        for number, (as_true, as_false) in enumerate(forms):
            turns = as_true(event) is not as_false(event)
            if not decisions.occurrences[number].lists:
                assert turns is any(decision.number == number for decision in found)
        for decision in found:
            as_true, as_false = forms[decision.number]
            assert as_true(event) is not as_false(event)
            assert isinstance(decision, Decision)
