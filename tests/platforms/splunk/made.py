"""Hypothesis strategies: conditions over the stored fields, and stored events to meet them."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st

from converter.logsources.pack import FieldType
from converter.model.addresses import CLASSES
from converter.model.expressions import (
    All,
    AnyOf,
    Concat,
    Expression,
    Function,
    FunctionName,
    Not,
    Operator,
    Predicate,
    reference,
)
from converter.model.paths import FieldPath
from tests.platforms.splunk.support import LISTS, TYPES

WORDS: Final = (
    "root", "Root", "ROOT", "admin user", "a*b", "a?b", "*", "?", "AND", "x OR y", "NOT ", " lead", "trail ",
    "\\", "\\\\", "C:\\Temp\\a", 'say "hi"', "a\nb", "b\n", "\0", "zürich", "ZÜRICH", "{x}", "(y)", "<z>",
    "true", "null", "403", "007", "1e3", "/usr/bin/sh", "sh", "'", "''", "\u2028", "日本", "#@&~<>^$",
    "`id`", "| stats count", "[search x]", "10.0.0.0/8", "100%", "a_b", "%", "_", "-x", "a=b", "a,b", "\t",
    "C$", "$user$", "a:b", "a lookup b",
)  # fmt: skip
ADDRESSES: Final = ("10.1.2.3", "8.8.8.8", "127.0.0.1", "::1", "2001:db8::1", "2600::1", "192.168.0.1")
NETWORKS: Final = ("10.0.0.0/8", "8.8.8.8", "::/0", "2001:db8::/32", "192.168.0.0/16")
PATTERNS: Final = (
    "a+",
    "^ro",
    r"\\",
    "[A-Z]",
    "(?i)ROOT",
    "b$",
    r"\d{3}",
    "^(?:sh|root)$",
    r"a\*b",
    "`",
    r"\$",
)
MOMENTS: Final = ("2026-01-15T00:00:00Z", "2026-01-15T10:00:00.500Z", "2026-01-16T00:00:00Z")
NUMBERS: Final = (-1, 0, 1, 2, 403, 404, 10**12)

texts = st.one_of(st.sampled_from(WORDS), st.text(st.characters(codec="utf-8"), max_size=5))
_TEXT_FIELDS: Final = ("user", "host name", "tags{}", "other{}", "items{}.name")
_ADDRESS_FIELDS: Final = ("src", "ips{}")
_NUMBER_FIELDS: Final = ("code", "ratio", "items{}.size")
_FUNCTIONS: Final = (
    (),
    (),
    (Function(FunctionName.LOWER),),
    (Function(FunctionName.UPPER),),
    (Function(FunctionName.TRIM),),
    (Function(FunctionName.BASENAME),),
    (Function(FunctionName.SPLIT, "/", -1),),
    (Function(FunctionName.SPLIT, " ", 1), Function(FunctionName.LOWER)),
)


def _scalar(kind: FieldType) -> st.SearchStrategy[Any]:
    return {
        FieldType.IP: st.sampled_from(ADDRESSES),
        FieldType.INTEGER: st.sampled_from(NUMBERS),
        FieldType.FLOAT: st.sampled_from((*NUMBERS, 0.5, -2.25)),
        FieldType.BOOLEAN: st.sampled_from(("true", "false")),
        FieldType.DATE: st.sampled_from(MOMENTS),
    }.get(kind, texts)


def _stored(name: str) -> st.SearchStrategy[Any]:
    value = _scalar(TYPES[name])
    return st.one_of(st.lists(value, min_size=2, max_size=3), value) if name in LISTS else value


events = st.fixed_dictionaries({}, optional={name: _stored(name) for name in TYPES})
"""Stored events: every field may be missing; a list of one is stored as the value itself."""


def _path(names: tuple[str, ...]) -> st.SearchStrategy[FieldPath]:
    whole = st.sampled_from(names).map(lambda name: FieldPath((name,)))
    lists = [name for name in names if name in LISTS and "{}." not in name]
    if not lists:
        return whole
    return st.one_of(
        whole,
        whole,
        st.builds(lambda name, index: FieldPath((name, index)), st.sampled_from(lists), st.integers(-2, 1)),
    )


def _some(operands: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(operands, min_size=1, max_size=3).map(tuple)


def _text_predicates() -> st.SearchStrategy[Expression]:
    plain = st.builds(
        Predicate,
        _path(_TEXT_FIELDS),
        st.sampled_from(
            (Operator.IS, Operator.STARTS_WITH, Operator.ENDS_WITH, Operator.CONTAINS, Operator.LIKE)
        ),
        _some(texts.filter(bool)),
        ignore_case=st.booleans(),
        all_of=st.booleans(),
        functions=st.sampled_from(_FUNCTIONS),
    )
    matched = st.builds(
        Predicate,
        _path(_TEXT_FIELDS),
        st.just(Operator.REGEX),
        _some(st.sampled_from(PATTERNS)),
        ignore_case=st.booleans(),
        functions=st.sampled_from(_FUNCTIONS),
    )
    joined = st.builds(
        lambda text, operand: Predicate(
            Concat((FieldPath(("user",)), text, FieldPath(("host name",)))), Operator.IS, (operand,)
        ),
        st.sampled_from(("", "@", " ")),
        st.sampled_from(("root@root", "rootsh", "root Root")),
    )
    return st.one_of(plain, plain, matched, joined)


def _other_predicates() -> st.SearchStrategy[Expression]:
    numbers = st.builds(
        Predicate,
        _path((*_NUMBER_FIELDS, "user")),
        st.sampled_from((Operator.IS, Operator.GT, Operator.GTE, Operator.LT, Operator.LTE)),
        _some(st.sampled_from((*NUMBERS, 0.5))),
    )
    lengths = st.builds(
        Predicate,
        _path(_TEXT_FIELDS),
        st.sampled_from((Operator.IS, Operator.GT, Operator.LTE)),
        _some(st.integers(0, 6)),
        functions=st.just((Function(FunctionName.LENGTH),)),
    )
    flags = st.builds(Predicate, _path(("ok",)), st.just(Operator.IS), st.sampled_from(((True,), (False,))))
    times = st.builds(
        Predicate,
        _path(("when",)),
        st.sampled_from((Operator.GT, Operator.GTE, Operator.LT, Operator.LTE)),
        _some(st.sampled_from(MOMENTS)),
    )
    networks = st.builds(
        Predicate, _path(_ADDRESS_FIELDS), st.just(Operator.CIDR), _some(st.sampled_from(NETWORKS))
    )
    classes = st.builds(
        Predicate, _path(_ADDRESS_FIELDS), st.just(Operator.IP), _some(st.sampled_from(sorted(CLASSES)))
    )
    present = st.builds(Predicate, _path(tuple(sorted(TYPES))), st.just(Operator.EXISTS))
    return st.one_of(numbers, lengths, flags, times, networks, classes, present, _same_as())


def _same_as() -> st.SearchStrategy[Expression]:
    pairs = (("user", "host name"), ("user", "tags{}"), ("tags{}", "other{}"))
    whole = st.sampled_from(pairs).map(
        lambda pair: Predicate(FieldPath((pair[0],)), Operator.SAME_AS, (FieldPath((pair[1],)),))
    )
    texts, numbers = (_path(names) for names in (("user", "host name"), ("code", "ratio")))
    joined = st.builds(lambda path: reference(Concat(("@", path))), texts)
    changed = st.builds(reference, texts, st.just((Function(FunctionName.LOWER),)))
    relations = (Operator.SAME_AS, Operator.STARTS_WITH, Operator.ENDS_WITH, Operator.CONTAINS)
    parts = st.builds(
        Predicate,
        texts,
        st.sampled_from(relations),
        _some(st.one_of(texts, joined, changed)),
        st.booleans(),
        st.booleans(),
    )
    orders = st.builds(
        Predicate, numbers, st.sampled_from((Operator.GT, Operator.LTE)), _some(numbers), all_of=st.booleans()
    )
    return st.one_of(whole, parts, orders)


def conditions() -> st.SearchStrategy[Expression]:
    """Conditions of every operator that Splunk can say, nested with all, any and not."""
    leaves = st.one_of(_text_predicates(), _other_predicates())
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map(lambda terms: All(tuple(terms))),
            st.lists(inner, max_size=3).map(lambda terms: AnyOf(tuple(terms))),
            inner.map(Not),
        ),
        max_leaves=5,
    )
