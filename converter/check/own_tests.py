"""Running the tests that rules carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from converter.evaluate import StreamEvaluator, compile_expression
from converter.events.records import log_events, packs_of
from converter.logsources.pack import Pack
from converter.model.diagnostics import RuleError
from converter.model.rule import Rule


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A test that did not give what it expects: ``match``, ``no_match``, or a number of alerts."""

    rule: str
    title: str
    test: str
    expected: Any
    got: Any


class TestResult(msgspec.Struct, frozen=True, kw_only=True):
    """Counts, and the tests that failed."""

    __test__ = False  # not a test class, whatever its name makes pytest think

    rules: int
    tests: int
    passed: int
    failed: int
    failures: tuple[Failure, ...]


def run_tests(rules: Sequence[Rule], packs: Mapping[str, Pack]) -> TestResult:
    """Run every test of every rule under the reference evaluator."""
    failures = [failure for rule in rules for failure in _failures(rule, packs)]
    total = sum(len(rule.tests) for rule in rules)
    return TestResult(
        rules=len(rules),
        tests=total,
        passed=total - len(failures),
        failed=len(failures),
        failures=tuple(failures),
    )


def _failures(rule: Rule, packs: Mapping[str, Pack]) -> list[Failure]:
    known = packs_of(rule, packs)
    evaluator = StreamEvaluator(rule)
    conditions = [compile_expression(step.condition) for step in rule.steps]
    found = []
    for test in rule.tests:
        events = list(log_events(test.events, known, trusted=True))
        expected: Any = test.alerts if test.alerts is not None else _verdict(bool(test.match))
        try:
            if test.alerts is not None:
                got: Any = len(evaluator.alerts(events))
            else:
                got = _verdict(any(c(event.data) for event in events for c in conditions))
        except RuleError as error:
            got = str(error)
        if got != expected:
            found.append(Failure(rule=rule.id, title=rule.title, test=test.name, expected=expected, got=got))
    return found


def _verdict(match: bool) -> str:
    return "match" if match else "no_match"
