"""Lists of words on an analysed field are asked for at once, and mean the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from converter.evaluate import matches
from converter.model.expressions import AnyOf, Not, Operator, Predicate, any_of, negated
from converter.model.paths import FieldPath
from converter.platforms.elastic.analysis import LONGEST, joined, phrase, some_word

MESSAGE, OTHER = FieldPath(("message",)), FieldPath(("other",))
WORDS = st.lists(
    st.sampled_from(["ab", "a.b", "1", "1,5", "_x", "x_", "a b", "b-1", "é", "ab|c", "("]),
    min_size=1,
    max_size=6,
)
TEXTS = st.text(alphabet="ab1_x. ,-é|(c5", max_size=12)


@given(WORDS, TEXTS)
def test_the_same_events_match(words: list[str], text: str) -> None:
    terms = [phrase(MESSAGE, word) for word in words]
    asked = any_of(*terms, Predicate(OTHER, Operator.EXISTS))
    event = {"message": text}
    assert matches(joined(asked), event) == matches(asked, event)
    assert matches(joined(negated(asked)), event) == matches(negated(asked), event)


def test_a_long_list_is_a_few_questions() -> None:
    asked = some_word(MESSAGE, " ".join(f"word{n:05}x" for n in range(1_000)))
    found = joined(Not(asked))
    assert isinstance(found, Not)
    assert isinstance(found.term, AnyOf)
    assert 1 < len(found.term.terms) < 5
    assert all(
        isinstance(one, Predicate) and len(str(one.values[0])) < LONGEST + 500 for one in found.term.terms
    )
    for word, holds in (("word00000x", True), ("word00999x", True), ("word01000x", False)):
        assert matches(found.term, {"message": f"a {word}."}) is holds
