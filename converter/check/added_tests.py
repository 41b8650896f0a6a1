"""Writing made events into a rule's own tests, without touching another line of its file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from converter.check.vectors import Vectors
from converter.evaluate import compile_expression
from converter.events.records import source_reader
from converter.logsources.pack import Pack
from converter.model.diagnostics import RuleError
from converter.model.dump import rule_to_data
from converter.model.load import load_text
from converter.model.rule import JsonObject, Rule, RuleTest
from converter.model.yaml_out import write_yaml

_LONGEST_NAME = 120


def made_tests(rule: Rule, made: Vectors, packs: Mapping[str, Pack]) -> tuple[RuleTest, ...]:
    """The events of every predicate's pair as tests of the rule, without those that it has already.

    A test of one event expects a match when some step's condition holds, as ``convert test`` sees it.
    """
    conditions = [compile_expression(step.condition) for step in rule.steps]
    readers = [source_reader(packs[step.logsource[0]]) for step in rule.steps]
    known = {_identity(event) for test in rule.tests for event in test.events}
    names = {test.name for test in rule.tests}
    tests: list[RuleTest] = []
    for vector in made.events:
        if vector.edge or _identity(vector.event) in known:
            continue
        known.add(_identity(vector.event))
        data = readers[vector.step].event(vector.event, 0).data
        name = _free_name(vector.label, names)
        names.add(name)
        match = any(condition(data) for condition in conditions)
        tests.append(RuleTest(name=name, events=(vector.event,), match=match))
    return tuple(tests)


def add_tests(rule: Rule, tests: Sequence[RuleTest]) -> None:
    """Append tests to the rule in its file.

    Raises RuleError, and writes nothing, where adding lines would not do it (tests on one line, say).
    """
    if rule.place is None:
        raise RuleError(f"rule {rule.id} was not read from a file")
    path = Path(rule.place.file)
    old = path.read_text(encoding="utf-8")
    new = with_tests(old, rule, tests)
    wanted = msgspec.structs.replace(rule, tests=(*rule.tests, *tests))
    before, after = load_text(old), load_text(new)
    expected = [wanted if each.id == rule.id else each for each in before]
    if [_placeless(each) for each in after] != [_placeless(each) for each in expected]:
        raise RuleError(f"{path}: tests cannot be added to this layout without changing it; add them by hand")
    path.write_text(new, encoding="utf-8")


def with_tests(text: str, rule: Rule, tests: Sequence[RuleTest]) -> str:
    """The text of a rule's file with tests behind those that the rule has.

    Raises RuleError for tests that are not written as a block of lines.
    """
    lines = text.splitlines(keepends=True)
    start = (rule.place.line if rule.place else 1) - 1
    end = next((i for i in range(start + 1, len(lines)) if _ends_document(lines[i])), len(lines))
    key = next((i for i in range(start, end) if re.match(r"""(tests|"tests"|'tests')\s*:""", lines[i])), None)
    if key is None:
        at, indent, head = _behind_text(lines, start, end), 2, ["tests:\n"]
    else:
        if re.sub(r"\s#.*", "", lines[key].split(":", 1)[1]).strip():
            raise RuleError(
                f"line {key + 1}: `tests` is written on one line; put each test on a line of its own"
            )
        stop = next((i for i in range(key + 1, end) if re.match(r"[^\s#-]", lines[i])), end)
        first = next((line for line in lines[key + 1 : stop] if re.match(r"\s*-", line)), "  -")
        at, indent, head = _behind_text(lines, key, stop), len(first) - len(first.lstrip()), []
    if at and not lines[at - 1].endswith("\n"):
        lines[at - 1] += "\n"
    return "".join([*lines[:at], *head, *_written(tests, indent), *lines[at:]])


def _written(tests: Sequence[RuleTest], indent: int) -> list[str]:
    rule = Rule(id="", title="", logsource=(), tests=tuple(tests))
    text = write_yaml({"tests": rule_to_data(rule)["tests"]})
    own = text.splitlines(keepends=True)[1:]
    shift = indent - 2
    return [" " * shift + line if shift > 0 else line[-shift:] for line in own]


def _ends_document(line: str) -> bool:
    return line.startswith(("---", "..."))


def _behind_text(lines: list[str], start: int, end: int) -> int:
    """The place behind the last line before ``end`` that is not empty and no comment of what follows."""
    while end > start + 1 and (not lines[end - 1].strip() or lines[end - 1].startswith("#")):
        end -= 1
    return end


def _free_name(label: str, taken: set[str]) -> str:
    text = "".join(c if c.isprintable() else " " for c in f"made: {label}").strip()
    name = text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"
    number = 2
    while name in taken:
        ending = f" ({number})"
        name = f"{text[: _LONGEST_NAME - len(ending)]}{ending}"
        number += 1
    return name


def _identity(event: JsonObject) -> bytes:
    return msgspec.json.encode(event, order="sorted")


def _placeless(rule: Rule) -> Rule:
    return msgspec.structs.replace(rule, place=None)
