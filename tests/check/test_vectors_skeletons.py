"""A made event looks like its log source: it is taken for one of it, has a time, and keeps declared types."""

from __future__ import annotations

from typing import Any

import pytest

from converter.check.constraints.answers import Found
from converter.check.constraints.choices import Goal
from converter.check.constraints.events import EventSolver
from converter.check.skeletons import dressed
from converter.check.vectors import field_lookup
from converter.check.verdicts import plain
from converter.check.witnesses import typed_value
from converter.evaluate.values import path_getter
from converter.events.records import source_reader
from converter.logsources import load_packs
from converter.logsources.pack import FieldType
from converter.model.paths import FieldPath

PACKS = load_packs()


@pytest.mark.parametrize("name", PACKS)
def test_a_skeleton_is_one_of_its_log_source(name: str) -> None:
    pack = PACKS[name]
    answer = EventSolver(field_lookup(pack)).solve([Goal(plain(pack.select), True)])
    assert isinstance(answer, Found), answer
    event = dressed(answer.value, pack, ())
    read = source_reader(pack).own_event(event, 0)
    assert read is not None
    assert read.time is not None
    for path, field in pack.fields.items():
        values: list[Any] = path_getter(path)(event)
        if field.type not in (FieldType.OBJECT, FieldType.NESTED):
            assert all(typed_value(value, field.type) is not None for value in values), (path, values)


def test_the_rules_own_fields_are_left_alone() -> None:
    pack = PACKS["kubernetes.audit"]
    plain_event = dressed({"kind": "Event"}, pack, ())
    assert plain_event["sourceIPs"] == ["198.51.100.7"]
    spared = dressed({"kind": "Event"}, pack, [FieldPath(("sourceIPs", 0)), FieldPath(("user",))])
    assert "sourceIPs" not in spared
    assert "user" not in spared
