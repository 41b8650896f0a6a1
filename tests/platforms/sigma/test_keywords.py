"""Values without a field: where they are looked for, and what is said of it."""

from __future__ import annotations

import msgspec
import pytest

from converter.model.diagnostics import Fidelity
from converter.platforms.base import ReadContext
from tests.platforms.sigma.support import PACKS, expression, read_one, rule_text

WINDOWS = "{product: windows, service: security}"
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


@pytest.mark.parametrize(
    ("logsource", "field"),
    [
        (CLOUDTRAIL, "event.original"),
        ("{product: azure, service: activitylogs}", "event.original"),
        ("{product: zeek, service: smb_files}", "event.original"),
        ("{category: antivirus}", "event.original"),
        ("{category: database}", "event.original"),
        ("{product: nobody, service: knows}", "event.original"),
        ("{product: windows, category: image_load}", "Message"),
        ("{category: webserver}", "message"),
    ],
)
def test_where_the_whole_text_of_a_log_is(logsource: str, field: str) -> None:
    read = read_one(rule_text("{s: [x], condition: s}", logsource))
    assert read.status == "exact"
    assert read.rule is not None
    assert read.rule.condition == expression(f"{{field: {field}, contains: x, ignore_case: true}}")


def test_a_pack_names_the_field_with_the_whole_text() -> None:
    pack = PACKS["aws.cloudtrail"]
    named = {**pack.platforms, "sigma": {**pack.platforms["sigma"], "message": "eventName"}}
    packs = {**PACKS, "aws.cloudtrail": msgspec.structs.replace(pack, platforms=named)}
    read = read_one(rule_text("{s: [x], condition: s}", CLOUDTRAIL), ReadContext(packs=packs))
    assert read.status == "exact"
    assert read.rule is not None
    assert read.rule.condition == expression("{field: eventName, contains: x, ignore_case: true}")
