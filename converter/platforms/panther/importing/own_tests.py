"""A rule held to the unit tests that its detection carries.

An exact reading gives the verdict of every test under the reference evaluator. A test that it does not pass
shows that the reading is not exact, and in which direction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

import msgspec

from converter.evaluate import compile_expression, matches
from converter.logsources import canonical_event
from converter.logsources.pack import Pack
from converter.model.diagnostics import Fidelity
from converter.model.rule import JsonObject, Rule, RuleTest
from converter.platforms.panther.importing.findings import Findings
from converter.platforms.panther.importing.logic import Test

_Holds: TypeAlias = Callable[[JsonObject], bool]


def with_tests(rule: Rule, tests: Iterable[Test], packs: Mapping[str, Pack], findings: Findings) -> Rule:
    """The rule with the tests that it passes; what speaks against the reading is a finding."""
    kept: list[RuleTest] = []
    used: Counter[str] = Counter()
    holds = compile_expression(rule.condition)
    for number, test in enumerate(tests):
        at = ("Tests", number)
        if test.mocked:
            findings.note("mocks", f"the test {test.name[:60]!r} replaces functions; it is left out", at)
        elif test.event is None:
            findings.note("test", f"the test {test.name[:60]!r} has no event; it is left out", at)
        elif _verdict(holds, rule, test, packs) is not test.expected:
            effect = Fidelity.NARROWER if test.expected else Fidelity.WIDER
            expected = "match" if test.expected else "no match"
            message = f"the rule as it was read disagrees with its own test {test.name[:60]!r}: {expected}"
            findings.lose("own-test", message, at, effect)
        else:
            used[test.name] += 1
            name = test.name if used[test.name] == 1 else f"{test.name} ({used[test.name]})"
            made = RuleTest(name=name, events=(test.event,), match=test.expected)
            if _passes(holds, rule, made, packs):
                kept.append(made)
            else:
                findings.note(
                    "test", f"the event of {test.name[:60]!r} is of no log source of the rule's", at
                )
    return msgspec.structs.replace(rule, tests=tuple(kept))


def _verdict(holds: _Holds, rule: Rule, test: Test, packs: Mapping[str, Pack]) -> bool:
    """Whether the event matches, as an event of any of the rule's log sources."""
    return any(holds(canonical_event(packs[name], test.event or {})) for name in rule.logsource)


def _passes(holds: _Holds, rule: Rule, test: RuleTest, packs: Mapping[str, Pack]) -> bool:
    """Whether ``convert test`` finds the same, which asks of which of several log sources an event is."""
    (event,) = test.events
    forms = [(packs[name], canonical_event(packs[name], event)) for name in rule.logsource]
    if len(forms) > 1:
        forms = [
            (pack, form) for pack, form in forms if matches(pack.select, form) or matches(pack.select, event)
        ]
    return any(holds(form) for _, form in forms[:1]) is test.match
