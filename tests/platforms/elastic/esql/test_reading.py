"""The reader against the language run as it stands, on conditions that no writer made."""

from __future__ import annotations

from typing import Any

from hypothesis import given, reject, settings
from hypothesis import strategies as st

from converter.evaluate import compile_expression
from converter.model.diagnostics import RuleError
from converter.platforms.elastic.esql import read_condition
from tests.platforms.elastic.esql.direct import keeps
from tests.platforms.elastic.esql.stored import FIELDS

TEXTS = ["a", "A", "a/b", "b", "", "%41+/b", "%2"]
TEXT_TERMS = [
    *("a", "b", "l", "m", "TO_LOWER(a)", "TO_UPPER(l)", "TRIM(l)", "COALESCE(a, b)", "CASE(t, a, b)"),
    *(
        'CONCAT(a, "/", b)',
        'MV_FIRST(SPLIT(a, "/"))',
        'MV_SLICE(SPLIT(l, "/"), 1)',
        "MV_DEDUPE(l)",
        "n::string",
    ),
    *("LEFT(a, 1)", "RIGHT(a, 2)", "SUBSTRING(a, 2)", "SUBSTRING(a, 2, 1)", "URL_DECODE(a)"),
    *('REPLACE(a, "/", "")', 'TO_LOWER(REPLACE(a, "[ab]", "A"))', 'REPLACE(REPLACE(a, "b", "/"), "/", "")'),
    *("COALESCE(TO_LOWER(a), b)", 'CASE(a == "a", "a", NOT t, l)', '"a"', "null"),
]
NUMBER_TERMS = [
    *("n", "ns", "x", "LENGTH(a)", "LENGTH(l)", "MV_COUNT(l)", "MV_MAX(ns)", "MV_MIN(ns)", "TO_DOUBLE(n)"),
    *('LOCATE(a, "/")', 'LOCATE(REPLACE(a, "/", ""), "b")'),
    *("COALESCE(n, 2)", "CASE(t, n, 1)", "CASE(n > 1, 2)", "1"),
]
TESTS = [
    *("t", "NOT t", "a == b", "a != b", "l == a", "TO_LOWER(a) == TO_LOWER(b)", "n == x", "true", "null"),
    *("MV_CONTAINS(l, a)", "MV_CONTAINS(l, m)", "MV_INTERSECTS(l, m)", 'MV_CONTAINS(l, ["a", "b"])'),
    *('MV_CONTAINS(["a", "b"], a)', 'CIDR_MATCH(i, "10.0.0.0/8")', 'CIDR_MATCH(il, "::/0")', 'i == "::1"'),
    *('d > "2024-06-01"', 'd == "2024-01-01"', 'STARTS_WITH(l, "a")', 'ENDS_WITH(COALESCE(a, b), "b")'),
    *('MV_CONCAT(l, ",") LIKE "*a*"', 'CONCAT("␟", MV_CONCAT(l, "␟")) RLIKE ".*␟a.*"', "t == false"),
]
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "a": st.sampled_from(TEXTS),
        "b": st.sampled_from(TEXTS),
        "l": st.lists(st.sampled_from(TEXTS), max_size=3, unique=True),
        "m": st.lists(st.sampled_from(TEXTS), max_size=2, unique=True),
        "n": st.integers(0, 3),
        "ns": st.lists(st.integers(0, 3), max_size=3),
        "x": st.sampled_from([0.5, 1, 2.0]),
        "t": st.booleans(),
        "i": st.sampled_from(["10.0.0.1", "8.8.8.8", "::1"]),
        "il": st.lists(st.sampled_from(["10.0.0.1", "::1"]), max_size=2, unique=True),
        "d": st.sampled_from(["2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"]),
    },
)


def made(template: str, **parts: list[str]) -> st.SearchStrategy[str]:
    return st.fixed_dictionaries({name: st.sampled_from(options) for name, options in parts.items()}).map(
        lambda chosen: template.format(**chosen)
    )


WORDS = [f'"{text}"' for text in TEXTS]
tests = st.one_of(
    st.sampled_from(TESTS),
    made("{term} {sign} {word}", term=TEXT_TERMS, sign=["==", "!="], word=WORDS),
    made(
        "{term} {sign} ({one}, {two})",
        term=TEXT_TERMS,
        sign=["IN", "NOT IN"],
        one=WORDS,
        two=[*WORDS, "null"],
    ),
    made(
        "{term} {sign} {word}",
        term=TEXT_TERMS,
        sign=["LIKE", "NOT LIKE"],
        word=['"a*"', '"*"', '"?/b"', '"*b"'],
    ),
    made(
        "{term} {sign} {word}",
        term=TEXT_TERMS,
        sign=["RLIKE", "NOT RLIKE"],
        word=['"a.*"', '"(a|b)"', '".*"'],
    ),
    made("{term} IS {sign}", term=[*TEXT_TERMS, *NUMBER_TERMS], sign=["NULL", "NOT NULL"]),
    made(
        "{term} {sign} {number}",
        term=NUMBER_TERMS,
        sign=["==", "!=", "<", "<=", ">", ">="],
        number=["0", "1", "2", "-1", "1.5"],
    ),
)
conditions = st.recursive(
    tests,
    lambda inner: st.one_of(
        inner.map("NOT ({})".format),
        inner.map("COALESCE({}, false)".format),
        st.tuples(inner, inner).map(lambda pair: "({} AND {})".format(*pair)),
        st.tuples(inner, inner).map(lambda pair: "({} OR {})".format(*pair)),
    ),
    max_leaves=4,
)


@settings(max_examples=800, deadline=None)
@given(conditions, EVENTS)
def test_a_condition_is_read_as_it_runs(text: str, event: dict[str, Any]) -> None:
    try:
        read = compile_expression(read_condition(text, FIELDS))
    except RuleError as error:
        assert error.diagnostics[0].code == "esql-unread"
        reject()
    assert read(event) is keeps(text, event)
