"""Events and expressions for property tests: odd values in the places that the expressions read."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

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
from converter.model.paths import FieldPath

TEXTS = [
    *("", "a", "A", "ab", "Ab\n", "403", "403.0", "0.50", "1e3", "-0", "true", "True", "null", "None"),
    *("10.1.2.3", "8.8.8.8", "fe80::1", "2001:db8::1", "::ffff:10.0.0.1", "C:\\Windows\\cmd.exe", "/a//b/"),
    *("/usr/bin/curl", "é\u0130ſK", "\x00\"'\\", "2024-01-02T03:04:05Z", "2024-01-02 03:04:05.123456789"),
    *("2024-01-02T04:04:05+01:00", "*", "a*b?c", " a\t", "{a}"),
]
"""Texts that the operators tell apart, and texts that printers may get wrong."""

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, 1, 403, -7, 2**63, 0.5, 403.0, 1e22, 1000]),
    st.sampled_from(TEXTS),
)
KEYS = ["a", "b", "list", "object", "dotted.key"]
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=3)
    ),
    max_leaves=6,
)
events: st.SearchStrategy[dict[str, Any]] = st.dictionaries(st.sampled_from(KEYS), values, max_size=5)

steps = st.one_of(st.sampled_from(KEYS), st.none(), st.integers(-2, 2))
paths = st.builds(
    lambda first, rest: FieldPath((first, *rest)), st.sampled_from(KEYS), st.lists(steps, max_size=3)
)

operands = st.one_of(st.booleans(), st.sampled_from([0, 1, 403, 0.5, 403.0, 1000]), st.sampled_from(TEXTS))
nonempty = operands.filter(lambda value: value != "")
functions = st.one_of(
    st.sampled_from(
        [
            Function(FunctionName.LOWER),
            Function(FunctionName.UPPER),
            Function(FunctionName.TRIM),
            Function(FunctionName.BASENAME),
            Function(FunctionName.LENGTH),
            Function(FunctionName.SPLIT, "/", -1),
            Function(FunctionName.SPLIT, ".", 1),
            Function(FunctionName.SPLIT, "a", 0),
        ]
    )
)
changed = st.builds(reference, paths, st.lists(functions, max_size=2).map(tuple))
subjects = st.one_of(
    paths,
    st.builds(
        lambda path, parts: Concat((path, *parts)),
        paths,
        st.lists(st.one_of(paths, st.just(":"), changed), max_size=2),
    ),
)
REGEXES = ["a", "^a$", "", "(?i)AB", r"\bcmd\b", "[^a]", r"\d{3}", "a|b", r"\.exe$", r"^\s*a", "(?s)a.b", "é"]
NETWORKS = ["10.0.0.0/8", "8.8.8.8", "fe80::/10", "0.0.0.0/0", "2001:db8::/32"]
CLASSES = ["private", "public", "loopback", "link_local", "multicast", "unspecified", "reserved", "v4", "v6"]


def _predicate(operator: Operator, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Predicate]:
    return st.builds(
        lambda subject, found, fold, every, applied: Predicate(
            subject, operator, tuple(found), fold, every, tuple(applied)
        ),
        subjects,
        st.lists(values, min_size=1, max_size=4),
        st.booleans(),
        st.booleans(),
        st.lists(functions, max_size=2),
    )


_TEXT = (Operator.STARTS_WITH, Operator.ENDS_WITH, Operator.CONTAINS, Operator.LIKE)
_ORDER = (Operator.GT, Operator.GTE, Operator.LT, Operator.LTE)
limits = st.sampled_from([0, 403, 0.5, "403", "2024-01-02T03:04:05Z", "2024-01-02"])
references = st.one_of(paths, st.builds(reference, subjects, st.lists(functions, max_size=2).map(tuple)))
predicates = st.one_of(
    _predicate(Operator.IS, operands),
    *(_predicate(operator, nonempty) for operator in _TEXT),
    _predicate(Operator.REGEX, st.sampled_from(REGEXES)),
    *(_predicate(operator, limits) for operator in _ORDER),
    _predicate(Operator.CIDR, st.sampled_from(NETWORKS)),
    _predicate(Operator.IP, st.sampled_from(CLASSES)),
    _predicate(Operator.SAME_AS, references),
    *(_predicate(operator, references) for operator in (*_TEXT[:3], *_ORDER)),
    _predicate(Operator.ENDS_WITH, st.one_of(nonempty, references)),
    st.builds(
        lambda subject, applied: Predicate(subject, Operator.EXISTS, functions=tuple(applied)),
        subjects,
        st.lists(functions, max_size=1),
    ),
)


def _branches(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(inner, max_size=3).map(tuple)
    return st.one_of(
        st.builds(All, several),
        st.builds(AnyOf, several),
        st.builds(Not, inner),
        st.builds(ForSome, paths, inner),
    )


expressions: st.SearchStrategy[Expression] = st.recursive(predicates, _branches, max_leaves=5)
