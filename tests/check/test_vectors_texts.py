"""One value for several conditions: found, or proved impossible, by case."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from converter.check.constraints.answers import Answer, Found, Impossible, Literal, Unsolved
from converter.check.constraints.values import solve_value
from converter.check.texts.alphabet import Alphabet
from converter.check.texts.languages import languages
from converter.check.texts.numbers import integers
from converter.check.texts.search import find_text
from converter.check.verdicts import plain
from converter.evaluate import matches
from converter.logsources.pack import FieldType
from converter.model.expressions import Function, FunctionName, Operator, Predicate
from converter.model.load import expression_from_data
from converter.model.paths import FieldPath
from converter.model.regex import render
from tests.strategies import PATTERNS

CASES = yaml.safe_load((Path(__file__).parent / "vectors_texts.yaml").read_text(encoding="utf-8"))
ANSWERS: dict[bool | str, type[Answer]] = {True: Found, False: Impossible, "unsolved": Unsolved}
VALUE = FieldPath(("value",))


def _literals(case: dict[str, Any]) -> list[Literal]:
    found = []
    for wanted, key in ((True, "wanted"), (False, "unwanted")):
        for condition in case.get(key, []):
            predicate = plain(expression_from_data({"field": "value", **condition}))
            assert isinstance(predicate, Predicate)
            found.append(Literal(predicate, wanted))
    return found


@pytest.mark.parametrize("case", CASES, ids=str)
def test_found_or_impossible(case: dict[str, Any]) -> None:
    kind = FieldType(case["type"]) if "type" in case else None
    literals = _literals(case)
    answer = solve_value(literals, kind)
    assert isinstance(answer, ANSWERS[case["found"]]), answer
    if isinstance(answer, Found):
        for predicate, wanted in literals:
            assert matches(predicate, {"value": answer.value}) is wanted


LETTERS = ("a", "b", "A", "/", " ", "İ")
SHORT = ["".join(letters) for length in range(4) for letters in itertools.product(LETTERS, repeat=length)]
FUNCTIONS: list[tuple[Function, ...]] = [
    (),
    (Function(FunctionName.LOWER),),
    (Function(FunctionName.BASENAME), Function(FunctionName.UPPER)),
    (Function(FunctionName.TRIM),),
    (Function(FunctionName.SPLIT, "/", 1),),
    (Function(FunctionName.SPLIT, "a", -2), Function(FunctionName.LOWER)),
    (Function(FunctionName.LOWER), Function(FunctionName.SPLIT, " ", 0)),
]
PLAIN = (Operator.IS, Operator.STARTS_WITH, Operator.ENDS_WITH, Operator.CONTAINS)


@st.composite
def _exact_predicates(draw: st.DrawFn) -> Predicate:
    operator = draw(st.sampled_from((*PLAIN, Operator.LIKE, Operator.REGEX)))
    texts = st.text("aAb/ ", min_size=1, max_size=2)
    patterns = st.sampled_from([*PATTERNS, "^a", "[^/]$", "a|b A", "(ab)*$", r"a\b", r"(?m)^\s", "a{2}"])
    likes = st.text("ab?*", min_size=1, max_size=3)
    operands = {Operator.REGEX: patterns, Operator.LIKE: likes}.get(operator, texts)
    values = tuple(draw(st.lists(operands, min_size=1, max_size=3)))
    folded = draw(st.booleans()) and operator is not Operator.REGEX
    functions = draw(st.sampled_from(FUNCTIONS))
    if operator is Operator.REGEX and any(r"\b" in value for value in values):
        functions = ()
    return Predicate(VALUE, operator, values, folded, False, functions)


@given(_exact_predicates())
@settings(max_examples=60)
def test_an_automaton_takes_what_the_evaluator_takes(predicate: Predicate) -> None:
    both = languages(predicate, number=False)
    assert both.exact
    letters = [((ord(letter), ord(letter)),) for letter in LETTERS]
    alphabet = Alphabet([*both.outer.labels, *letters], both.outer.cases)
    automaton = both.outer.automaton(alphabet)
    classes = {
        letter: next(iter(alphabet.classes(label))) for letter, label in zip(LETTERS, letters, strict=True)
    }
    for text in SHORT:
        states = [0]
        for letter in text:
            states.append(automaton.step(states[-1], classes[letter]))
        holds = matches(predicate, {"value": text})
        assert automaton.accepts(states[-1]) is holds, text
        assert holds or not automaton.sure(states[-1])
        for read, state in enumerate(states):
            assert not holds or automaton.distance(state) <= len(text) - read


@given(_exact_predicates(), _exact_predicates())
@settings(max_examples=60)
def test_no_short_text_is_missed(one: Predicate, other: Predicate) -> None:
    languages_of = [languages(predicate, number=False).outer for predicate in (one, other)]
    alphabet = Alphabet(
        (label for language in languages_of for label in language.labels),
        (case for language in languages_of for case in language.cases),
    )
    wanted, unwanted = (language.automaton(alphabet) for language in languages_of)
    text = find_text(alphabet, [wanted], [unwanted])
    short = [t for t in SHORT if matches(one, {"value": t}) and not matches(other, {"value": t})]
    if text is None:
        assert not short
    else:
        assert matches(one, {"value": text})
        assert not matches(other, {"value": text})


@given(st.integers(-1200, 1200) | st.none(), st.integers(-1200, 1200) | st.none())
@settings(max_examples=60)
def test_ranges_of_integers(low: int | None, high: int | None) -> None:
    import re2

    tree = integers(low, high)
    if tree is None:
        assert low is not None
        assert high is not None
        assert low > high
        return
    found = re2.compile(f"^(?:{render(tree, 're2')})$")
    for number in range(-1300, 1301, 7):
        inside = (low is None or low <= number) and (high is None or number <= high)
        assert (found.search(str(number)) is not None) is inside
