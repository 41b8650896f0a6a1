"""Together the rules use all that a rule can say. Computed from the model: what is new needs a rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec
import pytest

from converter import Fidelity, render
from converter.model.expressions import (
    Concat,
    Derived,
    Expression,
    ForSome,
    FunctionName,
    Not,
    Operator,
    Predicate,
    elements_asked,
)
from converter.model.load import load_rules
from converter.model.paths import FieldPath
from converter.model.rule import (
    AlertSettings,
    Level,
    NewTerms,
    OutputField,
    Risk,
    Rule,
    Sequence,
    Status,
    Step,
    Threshold,
)
from tests.canonical_rules import overview
from tests.hostile import rule_with

RULES = load_rules([overview.FOLDER])
NODES = [node for rule in RULES for node in overview.all_nodes(rule)]
PREDICATES = [node for node in NODES if isinstance(node, Predicate)]
DERIVED = [value for leaf in PREDICATES for value in leaf.values if isinstance(value, Derived)]
"""The operands that are joined or changed values of the event."""
NOT_SAID_IN_A_FILE = {"place"}
"""Attributes that loading sets."""
REFUSED_SOMEWHERE: Final[dict[str, dict[str, Any]]] = {
    "json": {"indicators": [{"field": "userAgent", "apply": [{"json": "a"}], "is": "x"}]},
}
"""What some platform has no form for, so that no rule of the pack can show it; an example of each."""


def _structs(rule: Rule) -> Iterator[msgspec.Struct]:
    """The rule and every part of it that is a struct of its own."""
    yield rule
    yield from (
        part for part in (rule.threshold, rule.sequence, rule.new_terms, rule.risk) if part is not None
    )
    yield from rule.sequence.steps if rule.sequence else ()
    yield from rule.output
    yield rule.alert


PARTS = [part for rule in RULES for part in _structs(rule)]
ATTRIBUTES = [
    (kind, field.name)
    for kind in (Rule, Threshold, Sequence, Step, NewTerms, OutputField, AlertSettings, Risk)
    for field in msgspec.structs.fields(kind)
    if field.name not in {*NOT_SAID_IN_A_FILE, *REFUSED_SOMEWHERE}
]


@pytest.mark.parametrize("operator", Operator)
def test_every_operator_is_used(operator: Operator) -> None:
    assert any(leaf.operator is operator for leaf in PREDICATES)


@pytest.mark.parametrize("part", REFUSED_SOMEWHERE)
def test_what_no_rule_shows_is_refused_by_some_platform(part: str) -> None:
    rule = rule_with(REFUSED_SOMEWHERE[part])
    assert rule is not None
    assert any(render(rule, name).fidelity is Fidelity.REFUSED for name in overview.PLATFORMS)


@pytest.mark.parametrize("function", [each for each in FunctionName if each not in REFUSED_SOMEWHERE])
def test_every_value_function_is_used(function: FunctionName) -> None:
    assert any(applied.name is function for leaf in PREDICATES for applied in leaf.functions)


@pytest.mark.parametrize("kind", Expression.__args__, ids=lambda kind: kind.__name__)
def test_every_kind_of_node_is_used(kind: type[Expression]) -> None:
    assert any(isinstance(node, kind) for node in NODES)


@pytest.mark.parametrize(
    ("kind", "attribute"), ATTRIBUTES, ids=lambda value: getattr(value, "__name__", value)
)
def test_every_part_of_a_rule_is_used(kind: type[msgspec.Struct], attribute: str) -> None:
    defaults = {field.name: field.default for field in msgspec.structs.fields(kind)}
    values = [getattr(part, attribute) for part in PARTS if isinstance(part, kind)]
    assert any(value and value != defaults[attribute] for value in values)


@pytest.mark.parametrize("level", Level)
def test_every_severity_is_used(level: Level) -> None:
    assert any(rule.severity is level for rule in RULES)


@pytest.mark.parametrize("status", Status)
def test_every_status_is_used(status: Status) -> None:
    assert any(rule.status is status for rule in RULES)


@pytest.mark.parametrize("name", overview.PLATFORMS)
def test_every_platform_has_settings_somewhere(name: str) -> None:
    assert any(rule.platforms.get(name) for rule in RULES)


FORMS = {
    "several operands": any(len(leaf.values) > 1 for leaf in PREDICATES),
    "ignore_case": any(leaf.ignore_case for leaf in PREDICATES),
    "all_of": any(leaf.all_of for leaf in PREDICATES),
    "concat": any(isinstance(leaf.subject, Concat) for leaf in PREDICATES),
    "a field as operand": any(
        isinstance(value, FieldPath)
        for leaf in PREDICATES
        for value in leaf.values
        if leaf.operator is not Operator.SAME_AS
    ),
    "an operand that is joined": any(isinstance(value.subject, Concat) for value in DERIVED),
    "an operand that is changed": any(value.functions for value in DERIVED),
    "plain values of a list": any(isinstance(n, ForSome) and elements_asked(n.term)[0] for n in NODES),
    "exists: false": any(
        isinstance(n, Not) and getattr(n.term, "operator", None) is Operator.EXISTS for n in NODES
    ),
    "not of several": any(isinstance(n, Not) and not isinstance(n.term, Predicate) for n in NODES),
    "two functions": any(len(leaf.functions) > 1 for leaf in PREDICATES),
    "an index": any("index" in overview.features(rule) for rule in RULES),
    "any element": any(None in getattr(leaf.subject, "steps", ()) for leaf in PREDICATES),
    "a boolean operand": any(True in leaf.values for leaf in PREDICATES if bool in map(type, leaf.values)),
    "a number with a fraction": any(isinstance(value, float) for leaf in PREDICATES for value in leaf.values),
    "a moment in time": any(
        leaf.operator is Operator.LT and str in map(type, leaf.values) for leaf in PREDICATES
    ),
    "three classes of addresses": len({v for p in PREDICATES if p.operator is Operator.IP for v in p.values})
    >= 3,
    "IPv6": any(":" in str(value) for p in PREDICATES if p.operator is Operator.CIDR for value in p.values),
    "a list of log sources": any(len(rule.logsource) > 1 and rule.sequence is None for rule in RULES),
    "a threshold over everything": any(rule.threshold and not rule.threshold.by for rule in RULES),
    "a count": any(rule.threshold and not rule.threshold.distinct for rule in RULES),
    "new terms of one field": any(rule.new_terms and len(rule.new_terms.fields) == 1 for rule in RULES),
    "new terms of two fields": any(rule.new_terms and len(rule.new_terms.fields) == 2 for rule in RULES),
    "a sequence of two": any(rule.sequence and len(rule.sequence.steps) == 2 for rule in RULES),
    "a sequence of three": any(rule.sequence and len(rule.sequence.steps) == 3 for rule in RULES),
    "a sequence within one source": any(rule.sequence and len(overview.sources(rule)) == 1 for rule in RULES),
    "a sequence over two sources": any(rule.sequence and len(overview.sources(rule)) > 1 for rule in RULES),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_used(form: str) -> None:
    assert FORMS[form]
