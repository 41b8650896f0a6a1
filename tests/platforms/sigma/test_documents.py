"""Sigma's documents: metadata, places of mistakes, broken texts."""

from __future__ import annotations

from pathlib import Path

import pytest

from converter.model.rule import AttackTag, Level, Status
from converter.platforms.base import Source
from converter.platforms.sigma import PLATFORM
from tests.platforms.sigma.support import READING, expression, read_one, rule_text

WHOLE = """
title: A rule
  of two lines
id: 0D5F7B7E-1111-4222-8333-444455556666
name: a_rule
status: experimental
description: |
    What it finds.
    And why.
references: [https://example.org/a, https://example.org/a]
author: Someone, Someone Else
date: 2024/1/5
modified: 2024-02-03
tags: [attack.discovery, attack.t1613, attack.defense_evasion, attack.t1027.001, cve.2024-1, attack.g0001]
logsource: {product: aws, service: cloudtrail, definition: Turn it on.}
detection: {s: {eventName: x}, condition: s}
fields: [userIdentity.arn]
falsepositives: [Administrators, 3]
level: informational
"""


def test_what_a_rule_says_about_itself() -> None:
    read = read_one(WHOLE)
    rule = read.rule
    assert rule is not None
    assert read.id == "0D5F7B7E-1111-4222-8333-444455556666"
    assert rule.id == "0d5f7b7e-1111-4222-8333-444455556666"
    assert (rule.title, read.title) == ("A rule of two lines", "A rule of two lines")
    assert (rule.severity, rule.status) == (Level.INFO, Status.EXPERIMENTAL)
    assert rule.description == "What it finds.\nAnd why."
    assert rule.references == ("https://example.org/a",)
    assert (rule.author, rule.created, rule.updated) == ("Someone, Someone Else", "2024-01-05", "2024-02-03")
    assert rule.attack == (AttackTag("TA0007", "T1613"), AttackTag("TA0005", "T1027.001"))
    assert rule.tags == ("cve.2024-1", "attack.g0001")
    assert rule.false_positives == ("Administrators", "3")
    assert [output.name for output in rule.output] == ["userIdentity.arn"]
    assert rule.logsource == ("aws.cloudtrail",)
    assert rule.platforms["sigma"]["logsource"]["definition"] == "Turn it on."


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("level: urgent", "level"),
        ("status: fine", "status"),
        ("status: unsupported", "status"),
        ("date: yesterday", "date"),
        ("modified: 2024-13-01", "date"),
        ("tags: [attack.t9999]", "technique"),
    ],
)
def test_a_mistake_in_a_description_is_a_note(line: str, code: str) -> None:
    read = read_one(rule_text("{s: {a: 1}, condition: s}") + line)
    assert read.status == "exact"
    assert [(d.code, d.effect, d.line) for d in read.diagnostics] == [(code, None, 4)]


def test_ids_that_are_no_uuids_are_kept_and_always_give_the_same_one() -> None:
    text = "id: my rule 7\n" + rule_text("{s: {a: 1}, condition: s}")
    first, second = read_one(text), read_one(text, file="elsewhere.yml")
    assert first.rule is not None and second.rule is not None
    assert first.rule.id == second.rule.id
    assert first.id == "my rule 7"
    assert first.rule.platforms["sigma"]["id"] == "my rule 7"


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("title: [", "yaml", 2, 1),
        ("", "empty", 1, 1),
        ("# nothing", "empty", 1, 1),
        ("- a", "not-a-rule", 1, 1),
        ("title: a\ntitle: b", "duplicate-key", 2, 1),
        ("title: a\ndetection: {s: {a: 1}, condition: s}", "logsource", 1, 1),
        ("title: a\nlogsource: {product: x}\ndetection: [s]", "detection", 3, 12),
        ("title: a\nlogsource: {product: x}", "detection", 1, 1),
        (rule_text("{s: {a: 1}, condition: s and t}"), "condition", 3, 41),
        (rule_text("{s: {a: 1}, condition: 'and s'}"), "condition", 3, 36),
        (rule_text("{s: {a|re: ['x', '(']}, condition: s}"), "regex-construct", 3, 29),
        (rule_text("{s: {a|nonsense: x}, condition: s}"), "modifier", 3, 29),
        (rule_text("{s: {a: 1}, condition: " + "not " * 70 + "s}"), "too-deep", 3, 303),
        (rule_text("{s: {a: 1}, condition: " + "(" * 70 + "s" + ")" * 70 + "}"), "too-deep", 3, 102),
    ],
)
def test_mistakes_have_their_place(text: str, code: str, line: int | None, column: int | None) -> None:
    read = read_one(text)
    assert (read.status, read.rule) == ("refused", None)
    assert [(d.code, d.line, d.column) for d in read.diagnostics if d.effect] == [(code, line, column)]
    assert all(d.file == "rule.yml" for d in read.diagnostics)


def test_every_mistake_of_a_rule_is_found() -> None:
    read = read_one(rule_text("{s: {a|re: '(', b|nonsense: x, c|hour: 3}, condition: s}"))
    assert [d.code for d in read.diagnostics] == ["regex-construct", "modifier", "time-part"]


def test_lists_nested_without_end_are_refused() -> None:
    read = read_one(rule_text("{s: " + "[" * 150 + "{a: 1}" + "]" * 150 + ", condition: s}"))
    assert [d.code for d in read.diagnostics] == ["too-deep"]


def test_many_dashes_do_not_multiply() -> None:
    read = read_one(rule_text("{s: {a|windash: '" + " -a" * 40 + "'}, condition: s}"))
    assert read.status == "exact"


def test_very_many_values_are_refused() -> None:
    values = ", ".join(f"' -a -b -c{number}'" for number in range(300))
    read = read_one(rule_text("{s: {a|windash: [" + values + "]}, condition: s}"))
    assert [d.code for d in read.diagnostics] == ["too-many"]


def test_documents_share_what_action_global_gives_them() -> None:
    text = "action: global\ntitle: A\nlogsource: {product: x}\ndetection: {condition: s}\n"
    text += (
        "---\ndetection: {s: {a: 1}}\n---\ndetection: {s: {a: 2}}\n---\naction: reset\n---\ntitle: alone\n"
    )
    read = PLATFORM.read(Source(file="x.yml", text=text), READING)
    assert [(rule.title, rule.status) for rule in read] == [
        ("A", "exact"),
        ("A", "exact"),
        ("alone", "refused"),
    ]


def test_a_document_that_repeats_the_one_before_it_with_changes() -> None:
    text = rule_text("{s: {a: 1, b: 1}, condition: s}") + "---\naction: repeat\ndetection: {s: {a: 2}}\n"
    first, second = PLATFORM.read(Source(file="x.yml", text=text), READING)
    assert first.rule is not None and second.rule is not None
    assert first.rule.condition == expression("{all: [{field: a, is: 1}, {field: b, is: 1}]}")
    assert second.rule.condition == expression("{all: [{field: a, is: 2}, {field: b, is: 1}]}")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.yml", "title: x\ndetection:\n  s: {}\n", True),
        ("a.yaml", "correlation: {}\n", True),
        ("a.yml", "filter: {}\n", True),
        ("a.yml", "logsource: {}\n", True),
        ("a.yml", "title: x\nmy_detection: {}\n", False),
        ("a.txt", "detection: {}\n", False),
        (".a.yml", "detection: {}\n", False),
    ],
)
def test_which_files_hold_rules(tmp_path: Path, name: str, text: str, expected: bool) -> None:
    path = tmp_path / name
    path.write_text(text)
    assert PLATFORM.is_rule_file(path) is expected
    assert PLATFORM.is_rule_file(tmp_path / "missing.yml")  # reading it says what is wrong


def test_field_names_become_those_of_the_log_source() -> None:
    text = rule_text(
        "{s: {Image: x, CommandLine: y}, condition: s}", "{product: linux, category: process_creation}"
    )
    rule = read_one(text).rule
    assert rule is not None and rule.logsource == ("linux.process",)
    assert [str(term.subject) for term in rule.indicators if hasattr(term, "subject")] == [
        "process.executable",
        "process.command_line",
    ]
