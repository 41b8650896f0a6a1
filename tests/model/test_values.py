"""Expressions, rules, address classes and diagnostics as values."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from converter.model.addresses import CLASSES, networks_of
from converter.model.diagnostics import (
    ConverterError,
    Diagnostic,
    Fidelity,
    MissingExtraError,
    RefusedError,
    RuleError,
    Severity,
    fidelity_of,
)
from converter.model.expressions import (
    All,
    AnyOf,
    Concat,
    ForSome,
    Not,
    Operator,
    Predicate,
    absolute_fields,
    all_of,
    any_of,
    children,
    fields_of,
    mapped,
    negated,
    predicates,
)
from converter.model.paths import FieldPath
from converter.model.rule import AttackTag, OutputField, Risk, Rule, Sequence, Step, condition

A, B, C = (Predicate(FieldPath((name,)), Operator.IS, (name,)) for name in "abc")
TREE = All((A, AnyOf((B, Not(C))), ForSome(FieldPath(("list",)), All((A, B)))))


def test_conjunction_and_disjunction_are_flattened() -> None:
    assert all_of(A, All((B, All((C,))))) == All((A, B, C))
    assert any_of(AnyOf((A,)), AnyOf((B, C))) == AnyOf((A, B, C))
    assert (all_of(A), any_of(A)) == (A, A)
    assert (all_of(), any_of()) == (All(()), AnyOf(()))


def test_negation_does_not_pile_up() -> None:
    assert negated(A) == Not(A)
    assert negated(Not(A)) == A


def test_a_tree_is_walked_left_to_right_and_mapped() -> None:
    assert list(predicates(TREE)) == [A, B, C, A, B]
    assert children(A) == ()
    assert mapped(TREE, lambda _: C) == All(
        (C, AnyOf((C, Not(C))), ForSome(FieldPath(("list",)), All((C, C))))
    )
    assert mapped(TREE, lambda predicate: predicate) == TREE


def test_the_fields_that_a_tree_reads_are_absolute() -> None:
    same = Predicate(Concat((FieldPath(("x",)), "-")), Operator.SAME_AS, (FieldPath(("y",)),))
    tree = All((same, ForSome(FieldPath(("list",)), ForSome(FieldPath(("inner", None)), A))))
    assert list(map(str, absolute_fields(tree))) == ["x", "y", "list", "list[].inner[]", "list[].inner[].a"]
    assert fields_of(same.subject) == (FieldPath(("x",)),)


def test_a_rule_is_one_condition_and_one_step() -> None:
    rule = Rule(id="i", title="t", logsource=("raw",), indicators=(A, B), exclusions=(C, A))
    assert rule.condition == All((A, B, Not(AnyOf((C, A)))))
    assert rule.steps == (Step(logsource=("raw",), indicators=(A, B), exclusions=(C, A)),)
    assert condition((A,), ()) == A


def test_the_steps_of_a_sequence_have_their_log_sources() -> None:
    steps = (Step(indicators=(A,)), Step(logsource=("own",), indicators=(B,)))
    rule = Rule(id="i", title="t", logsource=("raw",), sequence=Sequence(steps=steps))
    assert [step.logsource for step in rule.steps] == [("raw",), ("own",)]
    assert steps[0].condition == A


@pytest.mark.parametrize(
    ("impact", "confidence", "score"), [(50, 50, 25), (100, 100, 100), (1, 50, 1), (7, 7, 0)]
)
def test_the_risk_score_is_rounded_half_up(impact: int, confidence: int, score: int) -> None:
    assert Risk(impact=impact, confidence=confidence).score == score


def test_names_of_parts() -> None:
    assert [str(AttackTag("TA0007")), str(AttackTag("TA0007", "T1613"))] == ["TA0007", "TA0007:T1613"]
    path = FieldPath(("a", 0))
    assert [OutputField(path).name, OutputField(path, "x").name] == ["a[0]", "x"]


ADDRESSES = {
    "10.1.2.3": {"private", "v4"},
    "127.0.0.1": {"loopback", "v4"},
    "169.254.1.1": {"link_local", "v4"},
    "8.8.8.8": {"public", "v4"},
    "100.64.0.1": {"reserved", "v4"},
    "0.0.0.0": {"unspecified", "reserved", "v4"},
    "224.0.0.1": {"multicast", "v4"},
    "2606:4700::1": {"public", "v6"},
    "fd00::1": {"private", "v6"},
    "fe80::1": {"link_local", "v6"},
    "2001:db8::1": {"reserved", "v6"},
}


@pytest.mark.parametrize("text", ADDRESSES)
def test_the_classes_of_an_address(text: str) -> None:
    address = ip_address(text)
    found = set()
    for name in CLASSES:
        covered, excepted = networks_of(name)
        if any(address in network for network in covered) and not any(address in n for n in excepted):
            found.add(name)
    assert found == ADDRESSES[text]


def test_the_gravest_effect_is_the_fidelity() -> None:
    def finding(effect: Fidelity | None) -> Diagnostic:
        return Diagnostic(code="c", severity=Severity.WARNING, message="m", effect=effect)

    assert fidelity_of([]) is Fidelity.EXACT
    assert fidelity_of([finding(None), finding(Fidelity.WIDER)]) is Fidelity.WIDER
    assert fidelity_of([finding(Fidelity.NARROWER), finding(Fidelity.WIDER)]) is Fidelity.NARROWER
    assert Fidelity.REFUSED | Fidelity.EXACT is Fidelity.REFUSED


def test_a_diagnostic_prints_what_it_has() -> None:
    bare = Diagnostic(code="window", severity=Severity.NOTE, message="m")
    full = Diagnostic(
        code="window",
        severity=Severity.WARNING,
        message="m",
        hint="h",
        file="f",
        line=2,
        column=3,
        rule_id="r",
        platform="p",
    )
    assert str(bare) == "note[window] m"
    assert str(full) == "f:2:3: warning[window] p: m (rule r)\n  hint: h"


@pytest.mark.parametrize(
    ("error", "builtin"),
    [(RuleError, ValueError), (RefusedError, ValueError), (MissingExtraError, ImportError)],
)
def test_errors_are_builtin_errors_too_and_carry_diagnostics(
    error: type[ConverterError], builtin: type[Exception]
) -> None:
    finding = Diagnostic(code="c", severity=Severity.ERROR, message="m")
    raised = error("message", [finding])
    assert isinstance(raised, builtin)
    assert raised.diagnostics == (finding,)
