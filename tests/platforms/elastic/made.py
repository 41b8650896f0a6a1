"""Hypothesis strategies: conditions over the stored fields of every type, and stored events to meet them."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st

from converter.logsources.pack import FieldType
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
from tests.platforms.elastic.support import LISTS, TYPES

WORDS: Final = (
    "root", "Root", "admin user", "a*b", "a?b", "*", "?", "and", "x or y", "not ", " lead", "trail ", "\\",
    "C:\\Temp\\a", 'say "hi"', "a\nb", "\0", "zürich", "ZÜRICH", "{x}", "(y)", "<z>", "a:b", "true", "null",
    "403",
    "/usr/bin/sh", "sh", '"""', "'", "\u2028", "日本", "#@&~<>^$", "cannot go", "\u00a0", "-x", "~",
)  # fmt: skip
ADDRESSES: Final = ("10.1.2.3", "8.8.8.8", "127.0.0.1", "::1", "2001:db8::1", "2600::1", "192.168.0.1")
NETWORKS: Final = ("::ffff:0:0/96", "10.0.0.0/8", "8.8.8.8", "::/0", "2001:db8::/32", "192.168.0.0/16")
PATTERNS: Final = ("a+", "^ro", r"\\", "[A-Z]", "(?i)ROOT", "b$", r"\d{3}", "^(?:sh|root)$", r"a\*b", ".")
MOMENTS: Final = ("2026-01-15T00:00:00Z", "2026-01-15T10:00:00.500Z", "2026-01-16T00:00:00Z")
NUMBERS: Final = (-1, 0, 1, 2, 403, 404, 10**12)

texts = st.one_of(st.sampled_from(WORDS), st.text(max_size=5))
operands = texts.filter(bool)
_LENGTH: Final = (Function(FunctionName.LENGTH),)


def _scalar(kind: FieldType) -> st.SearchStrategy[Any]:
    return {
        FieldType.IP: st.sampled_from(ADDRESSES),
        FieldType.INTEGER: st.sampled_from(NUMBERS),
        FieldType.FLOAT: st.sampled_from((*NUMBERS, 0.5, -2.25)),
        FieldType.BOOLEAN: st.booleans(),
        FieldType.DATE: st.sampled_from(MOMENTS),
    }.get(kind, texts)


def _stored(name: str) -> st.SearchStrategy[Any]:
    kind = TYPES[name]
    if kind is FieldType.NESTED:
        element = st.fixed_dictionaries({}, optional={"name": texts, "size": st.sampled_from(NUMBERS)})
        return st.lists(element, min_size=1, max_size=3)
    value = _scalar(kind)
    return st.lists(value, min_size=1, max_size=3) if name in LISTS else value


_FIELDS: Final = sorted(set(TYPES) - {"objects", "items.name", "items.size"})

events = st.fixed_dictionaries({}, optional={name: _stored(name) for name in _FIELDS})
"""Stored events: flat, any field may be missing."""


def predicates(*kinds: FieldType) -> st.SearchStrategy[Predicate]:
    """Predicates over the fields of these types (all but nested ones)."""
    wanted = kinds or tuple(set(FieldType) - {FieldType.NESTED, FieldType.OBJECT})
    names = [name for name in _FIELDS if TYPES[name] in wanted]
    return st.sampled_from(names).flatmap(lambda name: _about(FieldPath((name,)), TYPES[name]))


def _about(path: FieldPath, kind: FieldType) -> st.SearchStrategy[Predicate]:
    options = [
        st.just(Predicate(path, Operator.EXISTS)),
        _asks(path, [Operator.IS], _scalar(kind), case=True),
    ]
    if kind in (FieldType.INTEGER, FieldType.FLOAT, FieldType.DATE):
        order = [Operator.GT, Operator.GTE, Operator.LT, Operator.LTE]
        options.append(_asks(path, order, _scalar(kind)))
    elif kind is FieldType.IP:
        classes = ("private", "public", "loopback", "v4", "v6", "link_local")
        options.append(_asks(path, [Operator.CIDR], st.sampled_from(NETWORKS)))
        options.append(_asks(path, [Operator.IP], st.sampled_from(classes)))
    elif kind is not FieldType.BOOLEAN:
        plain = [Operator.STARTS_WITH, Operator.ENDS_WITH, Operator.CONTAINS, Operator.LIKE]
        options.append(_asks(path, plain, operands, case=True))
        options.append(_asks(path, [Operator.REGEX], st.sampled_from(PATTERNS), case=True))
        options.append(
            st.builds(
                lambda number, operator: Predicate(path, operator, (number,), functions=_LENGTH),
                st.integers(0, 6),
                st.sampled_from((Operator.IS, Operator.GTE, Operator.LT)),
            )
        )
        options.append(
            st.builds(
                lambda text, name: Predicate(path, Operator.IS, (text,), functions=(Function(name),)),
                texts,
                st.sampled_from((FunctionName.LOWER, FunctionName.UPPER, FunctionName.BASENAME)),
            )
        )
    return st.one_of(options)


def _asks(
    path: FieldPath, operators: list[Operator], values: st.SearchStrategy[Any], *, case: bool = False
) -> st.SearchStrategy[Predicate]:
    return st.builds(
        lambda operator, chosen, ignore_case, all_of: Predicate(
            path, operator, tuple(chosen), ignore_case=ignore_case and case, all_of=all_of
        ),
        st.sampled_from(operators),
        st.lists(values, min_size=1, max_size=3),
        st.booleans(),
        st.booleans(),
    )


def conditions(leaf: st.SearchStrategy[Predicate]) -> st.SearchStrategy[Expression]:
    """Trees of all, any and not over leaves."""
    return st.recursive(
        leaf,
        lambda terms: st.one_of(
            st.builds(Not, terms),
            st.builds(All, st.lists(terms, min_size=1, max_size=3).map(tuple)),
            st.builds(AnyOf, st.lists(terms, min_size=1, max_size=3).map(tuple)),
        ),
        max_leaves=6,
    )


def _in_items(about: FieldPath, kind: FieldType) -> st.SearchStrategy[Predicate]:
    return _about(about, kind).filter(lambda p: p.operator is not Operator.REGEX and not p.functions)


nested = st.builds(
    ForSome,
    st.just(FieldPath(("items",))),
    conditions(
        st.one_of(
            _in_items(FieldPath(("items.name",)), FieldType.KEYWORD),
            _in_items(FieldPath(("items.size",)), FieldType.INTEGER),
        )
    ),
)
"""Conditions on one element of the nested field, with whole stored names inside."""


def elementwise(expression: Expression) -> Expression:
    """The same with the names inside a nested field relative to its elements, as an event is asked."""
    match expression:
        case ForSome(path, term):
            return ForSome(path, _relative(term, str(path.steps[0]) + "."))
        case All(terms):
            return All(tuple(map(elementwise, terms)))
        case AnyOf(terms):
            return AnyOf(tuple(map(elementwise, terms)))
        case Not(term):
            return Not(elementwise(term))
        case _:
            return expression


def _relative(term: Expression, prefix: str) -> Expression:
    match term:
        case All(terms):
            return All(tuple(_relative(inner, prefix) for inner in terms))
        case AnyOf(terms):
            return AnyOf(tuple(_relative(inner, prefix) for inner in terms))
        case Not(inner):
            return Not(_relative(inner, prefix))
        case Predicate(FieldPath((name,)), operator, values, ignore_case, all_of):
            path = FieldPath((str(name).removeprefix(prefix),))
            return Predicate(path, operator, values, ignore_case=ignore_case, all_of=all_of)
    raise AssertionError(term)
