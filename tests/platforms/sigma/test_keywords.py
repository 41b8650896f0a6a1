"""Values without a field: where they are looked for, and what is said of it."""

from __future__ import annotations

import msgspec
import pytest

from converter.model.diagnostics import Fidelity
from converter.platforms.base import ReadContext
from tests.platforms.sigma.support import PACKS, expression, read_one, rule_text

WINDOWS = "{product: windows, category: process_creation}"
CLOUDTRAIL = "{product: aws, service: cloudtrail}"


def test_a_log_of_lines_is_searched_whole() -> None:
    read = read_one(rule_text("{s: [x], condition: s}", "{product: linux, service: sshd}"))
    assert read.status == "exact"
    assert [(d.code, d.effect) for d in read.diagnostics if d.code == "keywords"] == [("keywords", None)]


@pytest.mark.parametrize(
    ("detection", "effects"),
    [
        ("{s: [x], condition: s}", [Fidelity.NARROWER]),
        ("{s: [x], t: {EventID: 1}, condition: t and not s}", [Fidelity.WIDER]),
        ("{s: [x], t: {EventID: 1}, condition: t and not (s and t)}", [Fidelity.WIDER]),
        ("{s: [x], t: {EventID: 1}, condition: s or not s}", [Fidelity.NARROWER, Fidelity.WIDER]),
        ("{s: {'|neq': x}, condition: s}", [Fidelity.WIDER]),
        ("{s: {'|neq': x}, condition: not s}", [Fidelity.NARROWER]),
        ("{s: {EventID: 1}, condition: s}", []),
    ],
)
def test_a_message_is_only_a_part_of_an_event(detection: str, effects: list[Fidelity]) -> None:
    read = read_one(rule_text(detection, WINDOWS))
    assert [d.effect for d in read.diagnostics if d.code == "keywords"] == effects


def test_a_log_source_without_a_message_is_refused() -> None:
    read = read_one(rule_text("{s: [x], condition: s}", CLOUDTRAIL))
    assert read.status == "refused"
    assert [d.code for d in read.diagnostics] == ["keywords"]


def test_a_pack_names_the_field_with_the_whole_text() -> None:
    pack = PACKS["aws.cloudtrail"]
    named = {**pack.platforms, "sigma": {**pack.platforms["sigma"], "message": "eventName"}}
    packs = {**PACKS, "aws.cloudtrail": msgspec.structs.replace(pack, platforms=named)}
    read = read_one(rule_text("{s: [x], condition: s}", CLOUDTRAIL), ReadContext(packs=packs))
    assert read.status == "exact"
    assert read.rule is not None
    assert read.rule.condition == expression("{field: eventName, contains: x, ignore_case: true}")
