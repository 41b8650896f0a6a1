"""The plain forms, written where a field's type is declared, are exact on every well-formed event."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from converter.evaluate import compile_expression
from converter.logsources.pack import Field, FieldType, Pack, PlatformField, TimeField
from converter.model.expressions import TRUE, All, AnyOf, Expression, ForSome, Not, Operator, Predicate
from converter.model.losses import Losses
from converter.model.paths import FieldPath
from converter.platforms.panther import layout
from converter.platforms.panther.conditions import ConditionWriter
from converter.platforms.panther.fields import Fields
from converter.platforms.panther.interpreter import Interpreter
from converter.platforms.panther.module import Module
from converter.platforms.panther.writer import fill
from tests.platforms.panther.made import CLASSES, NETWORKS, REGEXES, TEXTS, limits, nonempty, operands
from tests.platforms.panther.made import values as any_value
from tests.platforms.panther.support import run

TYPES = {
    ("text",): FieldType.KEYWORD,
    ("in", "text"): FieldType.TEXT,
    ("address",): FieldType.IP,
    ("moment",): FieldType.DATE,
    ("in", "whole"): FieldType.INTEGER,
    ("share",): FieldType.FLOAT,
    ("in", "flag"): FieldType.BOOLEAN,
    ("list", "text"): FieldType.KEYWORD,
    ("list", "flag"): FieldType.BOOLEAN,
}
VALUES: dict[FieldType, st.SearchStrategy[Any]] = {
    FieldType.KEYWORD: st.sampled_from(TEXTS),
    FieldType.TEXT: st.sampled_from(TEXTS),
    FieldType.IP: st.sampled_from(["10.1.2.3", "8.8.8.8", "fe80::1", "::ffff:10.0.0.1", "2001:db8::1"]),
    FieldType.DATE: st.sampled_from(["2024-01-02T03:04:05Z", "2024-01-01", "2024-01-02 04:00:00+01:00"]),
    FieldType.INTEGER: st.sampled_from([0, 1, 403, 1000, -7, 2**63]),
    FieldType.FLOAT: st.sampled_from([0, 0.5, 403.0, 1e22, -1.5]),
    FieldType.BOOLEAN: st.booleans(),
}
PACK = Pack(
    name="made",
    title="Made",
    select=TRUE,
    time=TimeField(fields=()),
    fields={
        FieldPath(keys): Field(
            path=FieldPath(keys),
            type=kind,
            platforms={"panther": PlatformField(name=".".join(keys), type=kind)},
        )
        for keys, kind in TYPES.items()
    },
)


def _object(keys: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """An object with some of the declared fields below these keys, each of its type, null or missing."""
    found = {path[-1]: st.none() | VALUES[kind] for path, kind in TYPES.items() if path[:-1] == keys}
    return st.fixed_dictionaries({}, optional=found)


events = st.builds(
    lambda top, inner, elements: {**top, **inner, **elements},
    _object(()),
    st.fixed_dictionaries({}, optional={"in": st.none() | _object(("in",))}),
    st.fixed_dictionaries({}, optional={"list": st.none() | st.lists(_object(("list",)), max_size=2)}),
)

OPERANDS: dict[Operator, st.SearchStrategy[Any]] = {
    Operator.IS: operands,
    Operator.REGEX: st.sampled_from(REGEXES),
    Operator.CIDR: st.sampled_from(NETWORKS),
    Operator.IP: st.sampled_from(CLASSES),
    **dict.fromkeys((Operator.STARTS_WITH, Operator.ENDS_WITH, Operator.CONTAINS, Operator.LIKE), nonempty),
    **dict.fromkeys((Operator.GT, Operator.GTE, Operator.LT, Operator.LTE), limits),
}


@st.composite
def _predicates(draw: st.DrawFn, paths: tuple[FieldPath, ...]) -> Predicate:
    path = draw(st.sampled_from(paths))
    operator = draw(st.sampled_from([*OPERANDS, Operator.EXISTS]))
    if operator is Operator.EXISTS:
        return Predicate(path, operator)
    values = draw(st.lists(OPERANDS[operator], min_size=1, max_size=5))
    return Predicate(path, operator, tuple(values), draw(st.booleans()), draw(st.booleans()))


at_top = _predicates(tuple(FieldPath(keys) for keys in TYPES if keys[0] != "list"))
in_list = _predicates(tuple(FieldPath(keys[1:]) for keys in TYPES if keys[0] == "list"))
conditions: st.SearchStrategy[Expression] = st.recursive(
    at_top | st.builds(ForSome, st.just(FieldPath.of("list")), in_list | st.builds(Not, in_list)),
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(All, st.lists(inner, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(inner, max_size=3).map(tuple)),
    ),
    max_leaves=4,
)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(conditions, events)
def test_any_condition_on_any_well_formed_event(expression: Expression, event: dict[str, Any]) -> None:
    module, losses = Module(), Losses("panther")
    body = layout.returned(ConditionWriter(module, Fields([PACK]), losses).condition(expression))
    source = fill("rule.py.j2", {"sections": module.around([f"def rule(event):\n{body}"])})
    wanted = compile_expression(expression)(event)
    assert run(source, event) is wanted, source
    read = Interpreter(source, Fields([PACK])).condition("rule")
    assert compile_expression(read)(event) is wanted, source


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(conditions, st.dictionaries(st.sampled_from(["text", "in", "list", "address", "share"]), any_value))
def test_nothing_raises_on_what_is_not_well_formed(expression: Expression, event: dict[str, Any]) -> None:
    module = Module()
    body = layout.returned(ConditionWriter(module, Fields([PACK]), Losses("panther")).condition(expression))
    source = fill("rule.py.j2", {"sections": module.around([f"def rule(event):\n{body}"])})
    assert run(source, event) in (True, False)


def test_the_plain_forms_are_what_is_tested() -> None:
    module = Module()
    writer = ConditionWriter(module, Fields([PACK]), Losses("panther"))
    plain = writer.condition(Predicate(FieldPath.of("in", "whole"), Operator.IS, (403,)))
    assert layout.one_line(plain) == 'event.deep_get("in", "whole") == 403'
