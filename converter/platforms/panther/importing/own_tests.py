"""A rule held to the unit tests that its detection carries.

An exact reading gives the verdict of every test under the reference evaluator. A test that it does not pass
shows that the reading is not exact, and in which direction. Panther finds a key whatever its case (measured:
panther_core), so the event of a test is spelled as the rule spells it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import msgspec

from converter.evaluate import compile_expression, matches
from converter.evaluate.values import nodes_at
from converter.logsources import canonical_event
from converter.logsources.pack import Pack
from converter.model.diagnostics import Fidelity
from converter.model.expressions import Predicate, absolute_fields, mapped
from converter.model.paths import ANY, FieldPath
from converter.model.rule import JsonObject, Rule, RuleTest
from converter.platforms.panther.importing.findings import Findings
from converter.platforms.panther.importing.logic import Test

_Holds: TypeAlias = Callable[[JsonObject], bool]


def with_tests(rule: Rule, tests: Iterable[Test], packs: Mapping[str, Pack], findings: Findings) -> Rule:
    """The rule with the tests that it passes; what speaks against the reading is a finding."""
    kept: list[RuleTest] = []
    used: Counter[str] = Counter()
    holds = compile_expression(rule.condition)
    paths = [path.keys for path in absolute_fields(rule.condition)]
    for number, given in enumerate(tests):
        at = ("Tests", number)
        test = msgspec.structs.replace(given, event=_respelled(given.event, paths))
        if test.event != given.event:
            message = f"keys in the event of {test.name[:60]!r} are spelled as the rule has them"
            findings.note("key-case", message, at)
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


def with_single_values(rule: Rule, tests: Iterable[Test]) -> Rule:
    """The rule without ``[]`` at the end of paths where its tests have single values and no list.

    With and without it a path gives the same (1.5, 1.6). A reader writes it wherever Python goes through what
    it finds; but Splunk stores lists under other names than single values.
    """
    events = [test.event for test in tests if test.event is not None]

    def single(predicate: Predicate) -> Predicate:
        path = predicate.subject
        if not isinstance(path, FieldPath) or len(path.steps) < 2 or path.steps[-1] is not ANY:
            return predicate
        found = [node for event in events for node in nodes_at(event, path.steps[:-1])]
        if any(isinstance(node, list | dict) for node in found) or not any(n is not None for n in found):
            return predicate
        return msgspec.structs.replace(predicate, subject=FieldPath(path.steps[:-1]))

    return msgspec.structs.replace(
        rule,
        indicators=tuple(mapped(term, single) for term in rule.indicators),
        exclusions=tuple(mapped(term, single) for term in rule.exclusions),
    )


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


def _respelled(event: Any, paths: Iterable[tuple[str, ...]]) -> Any:
    """The event with the keys that the rule names spelled as there: Panther ignores their case."""
    for keys in paths:
        event = _with_spelling(event, keys)
    return event


def _with_spelling(node: Any, keys: tuple[str, ...]) -> Any:
    if isinstance(node, list):
        return [_with_spelling(element, keys) for element in node]
    if not keys or not isinstance(node, dict):
        return node
    first, rest = keys[0], keys[1:]
    if first in node:
        inner = _with_spelling(node[first], rest)
        return node if inner is node[first] else {**node, first: inner}
    same = [key for key in node if key.lower() == first.lower()]
    if len(same) != 1:
        return node
    return {
        first if key == same[0] else key: _with_spelling(value, rest) if key == same[0] else value
        for key, value in node.items()
    }
