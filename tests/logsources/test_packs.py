"""The packs: that each loads, agrees with itself, and that mistakes in a team's own are placed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from converter.logsources import load_packs
from converter.logsources.lookup import known
from converter.logsources.naming import is_flat
from converter.logsources.pack import FieldType
from converter.model.diagnostics import RuleError
from converter.model.expressions import TRUE, absolute_fields, predicates
from converter.model.paths import parse_path

from .support import BUILT_IN, CASES, all_packs, cases

PLATFORMS = ("elastic", "splunk", "panther")


def test_the_built_in_packs() -> None:
    packs = load_packs()
    assert set(BUILT_IN) <= set(packs)
    assert [packs[name].name for name in packs] == list(packs) == sorted(packs)
    assert "nothing" not in packs
    with pytest.raises(KeyError):
        packs["nothing"]


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_pack_says_where_its_facts_come_from_and_where_its_logs_are(name: str) -> None:
    pack = all_packs()[name]
    assert pack.title
    assert len(pack.description) > 40
    assert pack.sources
    assert "log_types" in pack.platforms["panther"]
    assert pack.platforms["elastic"]["index"]
    assert pack.platforms["splunk"]["macro"]
    assert pack.platforms["splunk"]["definition"]
    assert name == "raw" or pack.select != TRUE


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("name", BUILT_IN)
def test_stored_names_are_those_of_one_field(name: str, platform: str) -> None:
    pack = all_packs()[name]
    owners: dict[str, str] = {}
    for field in pack.fields.values():
        stored = field.platforms.get(platform)
        if stored is not None:
            assert owners.setdefault(stored.name, str(field.path)) == str(field.path)
            if not is_flat(platform):
                assert parse_path(stored.name)
    taken = set(owners) & set(pack.constants.get(platform, {})) if not name.startswith("linux") else set()
    assert not taken


@pytest.mark.parametrize("name", BUILT_IN)
def test_fields_keep_to_their_objects(name: str) -> None:
    """A scalar has nothing below it, and what select, entities and variants name is declared."""
    pack = all_packs()[name]
    for path in pack.fields:
        for depth in range(1, len(path.steps)):
            above = pack.fields.get(type(path)(path.steps[:depth]))
            assert above is None or above.type is FieldType.OBJECT, f"{path} lies in a {above}"
    named = list(absolute_fields(pack.select))
    named += [path for paths in pack.entities.values() for path in paths]
    named += [new for variant in pack.variants for new in variant.rename.values() if new.steps]
    undeclared = [str(path) for path in named if known(pack, path) is None]
    assert not undeclared


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_macro_says_what_the_constants_say(name: str) -> None:
    """Every projected event is one of those that the macro selects."""
    pack = all_packs()[name]
    constants = pack.constants.get("splunk", {})
    definition = pack.platforms["splunk"]["definition"].replace('"', "")
    values = [v for value in constants.values() for v in (value if isinstance(value, list) else [value])]
    assert any(f"={value}" in definition for value in values) or definition.endswith("=*")


@pytest.mark.parametrize("name", BUILT_IN)
def test_elastics_event_category_is_one_that_every_event_has(name: str) -> None:
    """EQL asks for it in front of ``where``: what the integrations do not write always is no category."""
    pack = all_packs()[name]
    category = pack.platforms.get("elastic", {}).get("category", "any")
    stored = pack.constants.get("elastic", {}).get("event.category")
    selected = {
        operand
        for predicate in predicates(pack.select)
        if predicate.subject == parse_path("event.category")
        for operand in predicate.values
    }
    assert category in ("any", stored) or selected == {category}


def test_only_the_packs_that_are_asked_for_are_built() -> None:
    code = (
        "from converter.logsources import find_packs, load_packs, loader; packs = load_packs();"
        "find_packs('sigma', {'product': 'windows', 'service': 'security'}, packs);"
        "packs['kubernetes.audit'], packs['aws.cloudtrail']; print(loader._built_in.cache_info().currsize)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(run.stdout) <= 2 + 2  # those two, and what the Windows pack found stands on


def test_a_teams_pack_extends_a_built_in_one() -> None:
    own, base = all_packs()["team.cluster"], all_packs()["kubernetes.audit"]
    assert own.title == "Our clusters' audit log"
    assert own.select == base.select
    assert own.platforms["elastic"]["index"] == ["logs-ourclusters-*"]
    assert own.platforms["elastic"]["dataset"] == "kubernetes.audit_logs"
    assert own.platforms["panther"]["log_types"] == ["Custom.Cluster"]
    assert "event.kind" not in own.constants["elastic"]
    assert own.constants["elastic"]["event.dataset"] == "kubernetes.audit_logs"
    added = own.fields[parse_path("clusterName")]
    assert added.platforms["elastic"].name == "kubernetes.audit.clusterName"
    assert own.fields[parse_path("verb")].platforms["splunk"].name == "action"
    assert set(base.fields) - set(own.fields) == {parse_path("level")}
    assert own.entities["clusters"] == (parse_path("clusterName"),)
    assert own.entities["usernames"] == base.entities["usernames"]


def test_a_teams_pack_takes_the_place_of_the_one_it_extends(tmp_path: Path) -> None:
    (tmp_path / "mine.yml").write_text("name: raw\nextends: raw\nplatforms: {elastic: {index: [mine-*]}}\n")
    (tmp_path / "notes.txt").write_text("not a pack")
    packs = load_packs([tmp_path])
    assert packs["raw"].platforms["elastic"]["index"] == ["mine-*"]
    assert tuple(packs) == tuple(load_packs())
    assert load_packs()["raw"].platforms["elastic"]["index"] != ["mine-*"]


def test_packs_of_a_team_extend_one_another_but_not_in_a_ring(tmp_path: Path) -> None:
    base = "title: A\ntime: {fields: [t]}\n"
    (tmp_path / "a.yaml").write_text(f"name: a\n{base}fields: {{x: keyword}}\n")
    (tmp_path / "b.yaml").write_text("name: b\nextends: a\nfields: {y: ip}\n")
    assert [str(path) for path in load_packs([tmp_path])["b"].fields] == ["x", "y"]
    (tmp_path / "a.yaml").write_text(f"name: a\nextends: b\n{base}")
    with pytest.raises(RuleError, match="extend one another"):
        load_packs([tmp_path])


def test_one_name_twice(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text("name: x\ntitle: X\ntime: {fields: [t]}\n")
    with pytest.raises(RuleError, match=r"also declared in .*a\.yaml"):
        load_packs([tmp_path])


@pytest.mark.parametrize("case", cases("broken"))
def test_a_mistake_is_placed(case: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "pack.yaml"
    file.write_text(case["text"], encoding="utf-8")
    with pytest.raises(RuleError) as raised:
        load_packs([tmp_path])
    (found,) = raised.value.diagnostics
    assert found.file == str(file)
    assert found.line == case["line"]
    assert case["says"] in f"{found.message} {found.hint}"


def test_every_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("name: [")
    (tmp_path / "b.yaml").write_text("name: b\ntitle: B\n")
    with pytest.raises(RuleError) as raised:
        load_packs([tmp_path])
    assert [os.path.basename(str(found.file)) for found in raised.value.diagnostics] == ["a.yaml", "b.yaml"]


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"[" * 20_000, b"\x00"])
def test_no_text_or_no_end_of_it(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "pack.yaml").write_bytes(content)
    with pytest.raises(RuleError):
        load_packs([tmp_path])


def test_a_folder_that_is_not_there() -> None:
    with pytest.raises(RuleError, match="nowhere"):
        load_packs([CASES / "nowhere"])


def test_the_packs_of_the_guide_are_packs(tmp_path: Path) -> None:
    """docs/logsources.md: the pack written out in full, the one that extends, and the table of packs."""
    guide = (Path(__file__).parents[2] / "docs" / "logsources.md").read_text(encoding="utf-8")
    blocks = [block.split("```")[0] for block in guide.split("```yaml\n")[1:]]
    for number, block in enumerate(block for block in blocks if block.startswith("name:")):
        (tmp_path / f"{number}.yaml").write_text(block, encoding="utf-8")
    packs = load_packs([tmp_path])
    assert "acme.vpn" in packs
    assert packs["acme.vpn"].fields[parse_path("groups")].platforms["splunk"].name == "groups{}"
    assert parse_path("userAgent") not in packs["kubernetes.audit"].fields
    listed = [
        line.split("`")[1] for line in guide.splitlines() if line.startswith("| `") and ". " not in line
    ]
    assert set(BUILT_IN) <= set(listed)
