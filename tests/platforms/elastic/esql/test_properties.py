"""Whatever a condition says, its text says the same when it is read back, on events of every shape."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from converter.evaluate import compile_expression
from converter.evaluate.values import number_of
from converter.model.diagnostics import Fidelity
from converter.model.expressions import (
    All,
    AnyOf,
    Concat,
    Expression,
    ForSome,
    Function,
    FunctionName,
    Not,
    Operator,
    Predicate,
    reference,
)
from converter.model.losses import Losses
from converter.model.paths import FieldPath
from converter.platforms.elastic.esql import condition, read_condition
from converter.platforms.elastic.esql.joined import SEPARATOR
from tests import strategies as house
from tests.platforms.elastic.esql.direct import keeps, number
from tests.platforms.elastic.esql.stored import FIELDS, kql_reader, localised


def _is_plain(text: str) -> bool:
    """No number in a form that TO_DOUBLE takes and a rule does not (.5, 007): its note speaks of those."""
    return (number(text) is None) == (number_of(text) is None)


HOSTILE = [text for text in house.HOSTILE if len(text) < 40 and _is_plain(text)]
WITHOUT_TILDE = [text for text in house.HOSTILE if "~" not in text]
TEXTS = ["a", "A", "ab", "b/a", "a\\b", "x/y/z", "a*b", "a?", "\\*", "é", "É", "", " a ", "10", "7.5", "true"]
ADDRESSES = ["10.0.0.1", "127.0.0.1", "8.8.8.8", "::1", "2001:db8::1", "fe80::1", "2a00::5"]
MOMENTS = ["2024-01-02T03:04:05Z", "2024-01-02T03:04:06Z", "2025-01-01T00:00:00Z"]
texts = st.sampled_from(TEXTS) | st.sampled_from(HOSTILE)
random_texts = st.text(st.characters(codec="utf-8", exclude_characters=SEPARATOR), max_size=6)
free_texts = texts | random_texts.filter(_is_plain)
numbers = st.integers(-3, 12) | st.sampled_from([0.5, 7.5, 10.0])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "a": free_texts,
    "b": texts,
    "n": st.integers(-3, 12),
    "x": numbers,
    "t": st.booleans(),
    "i": st.sampled_from(ADDRESSES),
    "d": st.sampled_from(MOMENTS),
}
LISTS = {"l": VALUES["a"], "m": VALUES["b"], "ns": VALUES["n"], "il": VALUES["i"]}
TEXT_FIELDS = ("a", "b", "l", "m")
ORDER = (Operator.GT, Operator.GTE, Operator.LT, Operator.LTE)
AFFIXES = (Operator.STARTS_WITH, Operator.ENDS_WITH, Operator.CONTAINS)
PATTERNS = ["a", "^a", "a$", "^a$", "a|b", "[^a]b", "a.b", "(?i)A", "^(a|b)*$", "x/.*z", r"\\", r"\d+", ""]
FUNCTIONS = (
    Function(FunctionName.LOWER),
    Function(FunctionName.UPPER),
    Function(FunctionName.BASENAME),
    Function(FunctionName.TRIM),
    Function(FunctionName.SPLIT, "/", 0),
    Function(FunctionName.SPLIT, "/", -1),
    Function(FunctionName.SPLIT, "/", 1),
    Function(FunctionName.SPLIT, "\\", -2),
)

events = st.fixed_dictionaries(
    {},
    optional={
        **VALUES,
        # Elasticsearch keeps a list of keywords as a set.
        **{name: st.lists(values, max_size=3, unique=True) | values for name, values in LISTS.items()},
    },
)


def paths(names: tuple[str, ...]) -> st.SearchStrategy[FieldPath]:
    return st.sampled_from([FieldPath((name,)) for name in names])


def several(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(values, min_size=1, max_size=3).map(tuple)


not_empty = free_texts.filter(bool)
subjects = paths(TEXT_FIELDS) | st.just(Concat((FieldPath(("a",)), "-", FieldPath(("n",)))))
functions = st.lists(st.sampled_from(FUNCTIONS), max_size=2).map(tuple)
references = st.one_of(
    paths(("a", "b", "n")),
    st.builds(reference, paths(("a", "b")), functions),
    st.just(reference(Concat((FieldPath(("b",)), "/", FieldPath(("n",)))))),
    st.just(reference(Concat(("x", reference(FieldPath(("b",)), FUNCTIONS[:1]))))),
)
predicates: st.SearchStrategy[Expression] = st.one_of(
    st.builds(Predicate, paths(tuple(FIELDS)[:-2]), st.just(Operator.EXISTS)),
    st.builds(
        Predicate, subjects, st.just(Operator.IS), several(texts), st.booleans(), st.booleans(), functions
    ),
    st.builds(
        Predicate,
        subjects,
        st.sampled_from(AFFIXES),
        several(not_empty),
        st.booleans(),
        st.booleans(),
        functions,
    ),
    st.builds(Predicate, subjects, st.just(Operator.LIKE), several(not_empty), st.booleans(), st.booleans()),
    st.builds(
        Predicate,
        subjects,
        st.just(Operator.REGEX),
        several(st.sampled_from(PATTERNS)),
        st.booleans(),
        st.booleans(),
    ),
    st.builds(Predicate, paths(("n", "x", "ns")), st.just(Operator.IS), several(numbers | texts)),
    st.builds(Predicate, paths(("n", "x", "ns", "a", "l")), st.sampled_from(ORDER), several(numbers)),
    st.builds(Predicate, paths(("d", "a")), st.sampled_from(ORDER), several(st.sampled_from(MOMENTS))),
    st.builds(Predicate, paths(("t",)), st.just(Operator.IS), several(st.booleans() | texts)),
    st.builds(Predicate, paths(("i", "il")), st.just(Operator.IS), several(st.sampled_from(ADDRESSES))),
    st.builds(
        Predicate,
        paths(("i", "il", "a")),
        st.just(Operator.IP),
        several(st.sampled_from(["public", "private", "v4", "v6", "reserved", "loopback"])),
        st.just(False),
        st.booleans(),
    ),
    st.builds(
        Predicate,
        paths(("i", "il")),
        st.just(Operator.CIDR),
        several(st.sampled_from(["10.0.0.0/8", "::/0", "0.0.0.0/0", "::/64", "2001:db8::/32", "8.8.8.8"])),
    ),
    st.builds(
        Predicate,
        paths(("a", "l", "n")),
        st.just(Operator.SAME_AS),
        several(paths(("b", "m"))),
        st.booleans(),
    ),
    st.builds(
        Predicate,
        paths(("a", "b", "n")),
        st.sampled_from([Operator.STARTS_WITH, Operator.ENDS_WITH, Operator.CONTAINS, Operator.SAME_AS]),
        several(references),
        st.booleans(),
        st.booleans(),
    ),
    st.builds(
        Predicate,
        paths(("n", "ns")),
        st.sampled_from(ORDER),
        several(paths(("n", "ns"))),
        all_of=st.booleans(),
    ),
    st.builds(
        Predicate,
        paths(("a", "l", "n")),
        st.sampled_from([Operator.IS, *ORDER]),
        several(st.integers(0, 4)),
        functions=st.just((Function(FunctionName.LENGTH),)),
    ),
)
expressions = st.recursive(
    predicates,
    lambda terms: (
        st.builds(Not, terms)
        | st.builds(All, st.lists(terms, max_size=3).map(tuple))
        | st.builds(AnyOf, st.lists(terms, max_size=3).map(tuple))
    ),
    max_leaves=5,
)


def check(expression: Expression, event: dict[str, Any]) -> None:
    """The text says of the event what the expression says, or errs as its losses tell."""
    check_stored(expression, event, event)


def check_stored(expression: Expression, event: dict[str, Any], stored: dict[str, Any]) -> None:
    """The same for an event that is stored in another shape."""
    losses = Losses("elastic")
    text = condition(localised(expression), losses)
    effects = {found.effect for found in losses.diagnostics}
    if Fidelity.REFUSED in effects:
        return
    wanted = compile_expression(expression)(event)
    said = compile_expression(read_condition(text, FIELDS, kql_reader))(stored)
    if "KQL(" not in text:
        assert keeps(text, stored) is said, text
    if wanted and not said:
        assert Fidelity.NARROWER in effects, text
    if said and not wanted:
        assert Fidelity.WIDER in effects, text


@settings(max_examples=250, deadline=None)
@given(predicates, st.booleans(), events)
def test_a_predicate_and_its_opposite_read_back_the_same(
    predicate: Expression, negate: bool, event: dict[str, Any]
) -> None:
    check(Not(predicate) if negate else predicate, event)


@settings(max_examples=150, deadline=None)
@given(expressions, events)
def test_a_condition_reads_back_the_same(expression: Expression, event: dict[str, Any]) -> None:
    check(expression, event)


@settings(max_examples=150, deadline=None)
@given(
    st.text(st.characters(codec="utf-8", exclude_characters="~")) | st.sampled_from(WITHOUT_TILDE),
    st.data(),
)
def test_any_text_survives_as_operand(text: str, data: st.DataObject) -> None:
    """An operand of every text operator finds itself and not a text with one more character."""
    operator = data.draw(st.sampled_from([Operator.IS, *(AFFIXES if text else ())]))
    written = condition(localised(Predicate(FieldPath(("a",)), operator, (text,))), Losses("elastic"))
    read = compile_expression(read_condition(written, FIELDS))
    assert read({"a": text})
    assert read({"a": text + "~"}) is (operator in (Operator.STARTS_WITH, Operator.CONTAINS))
    assert read({"a": "~" + text}) is (operator in (Operator.ENDS_WITH, Operator.CONTAINS))


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_any_name_survives_as_column(name: str) -> None:
    path = FieldPath((name,))
    from converter.platforms.elastic.esql.text import identifier

    read = compile_expression(read_condition(f"{identifier(name)} IS NULL"))
    assert read({})
    assert not read({str(path.steps[0]): "x"})


elements = st.fixed_dictionaries({}, optional={"l": VALUES["b"], "m": VALUES["b"]})
on_elements = st.recursive(
    st.builds(
        Predicate, paths(("l", "m")), st.just(Operator.IS), several(texts), st.booleans(), st.booleans()
    )
    | st.builds(Predicate, paths(("l", "m")), st.just(Operator.EXISTS))
    | st.just(Predicate(FieldPath(("l",)), Operator.SAME_AS, (FieldPath(("m",)),))),
    lambda terms: (
        st.builds(Not, terms)
        | st.builds(All, st.lists(terms, min_size=1, max_size=2).map(tuple))
        | st.builds(AnyOf, st.lists(terms, min_size=1, max_size=2).map(tuple))
    ),
    max_leaves=3,
)


@settings(max_examples=150, deadline=None)
@given(on_elements, st.booleans(), st.lists(elements, min_size=1, max_size=3))
def test_conditions_on_one_element_err_as_they_say(
    term: Expression, negate: bool, objects: list[dict[str, Any]]
) -> None:
    """Elasticsearch keeps a list of objects as one list of values per key."""
    asked: Expression = ForSome(FieldPath(("objects",)), term)
    flattened = {
        key: list(dict.fromkeys(element[key] for element in objects if key in element)) for key in ("l", "m")
    }
    check_stored(Not(asked) if negate else asked, {"objects": objects}, flattened)
