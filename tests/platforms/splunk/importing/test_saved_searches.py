"""What savedsearches.conf and macros.conf say beside a search: trigger conditions, defaults, macros."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from converter.model.diagnostics import Fidelity
from converter.model.expressions import predicates
from converter.model.load import load_text
from converter.platforms.base import ReadContext, ReadRule, Source
from converter.platforms.splunk import PLATFORM
from tests.platforms.splunk.importing.support import BARE_PACKS

HEAD = "cron_schedule = 0 * * * *\ndispatch.earliest_time = -1h\ndispatch.latest_time = now\n"
STANZA = "[A search]\n" + HEAD


def read(text: str, *beside: Path) -> ReadRule:
    context = ReadContext(packs=BARE_PACKS, beside=beside)
    (found,) = PLATFORM.read(Source(file="savedsearches.conf", text=text), context)
    return found


def effects(found: ReadRule) -> list[tuple[str, Fidelity | None]]:
    return [(one.code, one.effect) for one in found.diagnostics if one.effect is not None]


RESULTS = "counttype = number of events\nrelation = {}\nquantity = {}"


@pytest.mark.parametrize(
    ("search", "trigger", "threshold"),
    [
        ("a=1", "", None),
        ("a=1", "counttype = always", None),
        ("a=1", RESULTS.format("greater than", 0), None),
        ("a=1", RESULTS.format("greater than", 5), "{count: 6}"),
        ("a=1", RESULTS.format("Equal to", 5), "{having: [{count: matches, is: 5}]}"),
        ("a=1", RESULTS.replace("events", "hosts").format("greater than", 2), "{count: 3, distinct: host}"),
        ("a=1 | stats count by b", RESULTS.format("greater than", 5), "{count: 6, distinct: b}"),
        ("a=1 | stats count by b", "alert_condition = search count > 5", "{count: 6, by: [b]}"),
        ("a=1 | stats count by b", "alert_condition = | where count > 5", "{count: 6, by: [b]}"),
        ("a=1 | stats count by b | where count > 5", "counttype = always", "{count: 6, by: [b]}"),
    ],
)
def test_a_trigger_condition_is_a_part_of_the_rule(search: str, trigger: str, threshold: str | None) -> None:
    found = read(f"{STANZA}search = {search}\n{trigger}\n")
    assert (found.status, effects(found)) == ("exact", [])
    assert found.rule is not None
    if threshold is None:
        assert found.rule.threshold is None
        return
    wanted = {**yaml.safe_load(threshold), "within": "1h", "every": "1h"}
    head = {"id": found.rule.id, "title": "x", "logsource": "raw", "indicators": [{"field": "a", "is": "1"}]}
    (expected,) = load_text(yaml.safe_dump({**head, "threshold": wanted}))
    assert found.rule.threshold == expected.threshold


BOTH = [Fidelity.WIDER, Fidelity.NARROWER]


@pytest.mark.parametrize(
    ("trigger", "lost"),
    [
        (RESULTS.format("rises by", 5), BOTH),
        (RESULTS.format("less than", 5), BOTH),
        (RESULTS.format("greater than", "many"), [Fidelity.WIDER]),
        (RESULTS.replace("events", "moons").format("greater than", 1), [Fidelity.WIDER]),
    ],
)
def test_a_trigger_condition_that_cannot_be_said_is_named(trigger: str, lost: list[Fidelity]) -> None:
    found = read(f"{STANZA}search = a=1\n{trigger}\n")
    assert effects(found) == [("trigger", one) for one in lost]


def test_a_trigger_on_groups_of_several_fields_is_left_out() -> None:
    found = read(f"{STANZA}search = a=1 | stats count by b c\n{RESULTS.format('greater than', 5)}\n")
    assert (found.status, effects(found)) == ("partial", [("spl-stats", Fidelity.WIDER)])


def test_what_stands_before_any_stanza_is_for_all_of_them() -> None:
    found = read(
        f"\ufeff{HEAD}[A search]\ndisabled = 1\nsearch = a=1 | stats count by b \\\n| where count > 2\n"
    )
    assert found.rule is not None and found.rule.threshold is not None
    assert found.rule.threshold.count == 3
    assert [one.code for one in found.diagnostics] == ["disabled"]


def test_macros_of_one_name_differ_by_their_number_of_arguments(tmp_path: Path) -> None:
    (tmp_path / "macros.conf").write_text(
        "[which(1)]\nargs = x\ndefinition = b=$x$\n[which(2)]\nargs = x, y\ndefinition = b=$x$ c=$y$\n"
        '[made(1)]\nargs = x\ndefinition = "d=" . $x$\niseval = 1\n'
    )
    found = read(f"{STANZA}search = a=1 `which(2)` `which(3,4)`\n", tmp_path)
    assert found.rule is not None
    assert [(str(p.subject), p.values) for p in predicates(found.rule.condition)] == [
        ("a", ("1",)),
        ("b", ("2",)),
        ("b", ("3",)),
        ("c", ("4",)),
    ]
    assert read(f"{STANZA}search = a=1 `made(2)`\n", tmp_path).status == "partial"
