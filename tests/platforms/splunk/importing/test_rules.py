"""Whole files as data: rules/expected.yaml says what each holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from converter.model.dump import dump_rule
from converter.model.load import load_text
from converter.platforms.base import ReadContext, Source
from converter.platforms.splunk import PLATFORM
from tests.platforms.splunk.importing.support import FOLDER, packs

RULES = FOLDER / "rules"
EXPECTED: dict[str, list[dict[str, Any]]] = yaml.safe_load((RULES / "expected.yaml").read_text("utf-8"))


def read(name: str) -> Any:
    path = RULES / name
    return PLATFORM.read(Source(file=str(path), text=path.read_text("utf-8")), ReadContext(packs=packs()))


@pytest.mark.parametrize("name", EXPECTED)
def test_a_file_holds_these_rules(name: str) -> None:
    found = read(name)
    assert [one.title for one in found] == [one["title"] for one in EXPECTED[name]]
    for one, expected in zip(found, EXPECTED[name], strict=True):
        assert (one.id, one.kind, one.status) == (expected["id"], expected["kind"], expected["status"])
        assert set(expected.get("codes", ())) <= {diagnostic.code for diagnostic in one.diagnostics}
        assert all(
            diagnostic.line and diagnostic.column for diagnostic in one.diagnostics if diagnostic.effect
        )
        if "place" in expected:
            (refusal,) = [diagnostic for diagnostic in one.diagnostics if diagnostic.effect]
            assert [refusal.line, refusal.column] == expected["place"]
        if "rule" not in expected:
            assert one.rule is None
            continue
        (wanted,) = load_text(yaml.safe_dump({"id": one.rule.id, **expected["rule"]}))
        for key in expected["rule"]:
            assert getattr(one.rule, key) == getattr(wanted, key), key
        (again,) = load_text(dump_rule(one.rule))
        assert dump_rule(again) == dump_rule(one.rule)


def test_every_file_of_the_folder_is_expected() -> None:
    files = {str(path.relative_to(RULES)) for path in RULES.rglob("*") if PLATFORM.is_rule_file(path)}
    assert files - {"expected.yaml"} == set(EXPECTED)


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("", "empty", 1),
        ("a: [", "syntax", 1),
        ("- a\n", "syntax", 1),
        ("name: x\n", "no-search", 1),
        ("name: x\nsearch: 5\n", "no-search", 1),
        ("a: 1\n\nname: &a [*a]\nsearch: a=1 | join b [search c]\n", "syntax", 1),
        ("name: x\nsearch: a=1 | join b [search c]\n", "spl-command", 2),
    ],
)
def test_a_broken_file_is_one_refused_rule(text: str, code: str, line: int) -> None:
    found = PLATFORM.read(Source(file="x.yml", text=text), ReadContext(packs=packs()))
    assert [one.status for one in found] == ["refused"]
    refusals = [one for one in found[0].diagnostics if one.effect is not None]
    assert [(one.code, one.line) for one in refusals] == [(code, line)]


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("detections/a.yml", True),
        ("a.yaml", True),
        ("macros/a.yml", False),
        ("lookups/a.yml", False),
        ("default/savedsearches.conf", True),
        ("default/macros.conf", False),
        ("a.csv", False),
    ],
)
def test_which_files_are_rules(path: str, is_one: bool) -> None:
    assert PLATFORM.is_rule_file(Path(path)) is is_one
