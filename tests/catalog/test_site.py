"""The site as files: whole, valid, linked, harmless, and rebuilt only where something changed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

from converter.catalog.prepare import Prepared, Workshop, listed, prepare
from converter.catalog.site.build import is_current, page_count, read_manifest, write_site
from converter.catalog.site.environment import is_link, visible
from converter.catalog.site.pages import Catalog
from converter.catalog.site.places import field_place, rare_place
from converter.logsources import load_packs
from converter.model.diagnostics import RuleError
from tests.catalog.conftest import found
from tests.catalog.pages import Seen, dead_links, look_at, pages, parsed, wrong_numbers

PACKS = load_packs()


@pytest.fixture(scope="module")
def seen(site: Path) -> list[Seen]:
    """Every page, taken apart."""
    return list(map(look_at, pages(site)))


@pytest.mark.no_cover  # nothing of the converter runs here
def test_pages_are_valid_html(seen: list[Seen]) -> None:
    assert {one.page: one.faults for one in seen if one.faults} == {}


def test_no_link_is_dead(site: Path, seen: list[Seen]) -> None:
    dead, followed = dead_links(site, seen)
    assert not dead
    assert followed > 5000


def test_numbers_lead_to_as_many_rules(seen: list[Seen]) -> None:
    wrong, compared = wrong_numbers(seen)
    assert not wrong
    assert compared > 300


def test_nothing_of_a_rule_becomes_markup(site: Path) -> None:
    for page in pages(site):
        links = parsed(page)
        assert not links.handlers, page
        assert all(re.fullmatch(r"(\.\./)*(assets|data)/[a-z/.]+", s.get("src") or "") for s in links.scripts)
        for reference in links.references:
            assert urlsplit(reference).scheme in ("", "http", "https"), (page, reference)
    (hostile,) = [page for page in (site / "rules/canonical").iterdir() if "script-document" in page.name]
    text = "".join(parsed(hostile).texts)
    for place in (
        "description",
        "value",
        "excluded",
        "alias",
        "runbook",
        "author",
        "tag",
        "type",
        "test",
    ):
        assert f"<script>document.body.dataset.harmed = '{place}'</script>" in text, place
    assert "{{ 7 * 7 }}" in text
    assert "\u202e" not in text
    assert "\\u{202e}" in text


def test_data_scripts_hold_plain_json(site: Path, catalog: Catalog) -> None:
    for name, variable in (("rules", "CATALOG"), ("search", "CATALOG_TEXT")):
        text = (site / f"data/{name}.js").read_text(encoding="utf-8")
        start, end = f"window.{variable} = ", ";\n"
        assert text.startswith(start)
        data = json.loads(text.removeprefix(start).removesuffix(end))
        assert len(data["rules"]) == len(catalog.records)


def test_the_start_page_is_small(site: Path) -> None:
    assert (site / "index.html").stat().st_size < 300_000


def test_every_page_is_counted(site: Path, catalog: Catalog) -> None:
    assert len(list(pages(site))) == page_count(catalog)


def test_a_shared_value_leads_to_all_rules_that_look_for_it(site: Path, catalog: Catalog) -> None:
    compared = 0
    for position, record in enumerate(catalog.records):
        for row in record.tables.indicators:
            for value in row.values:
                others = catalog.index.seen_by(position, row, value)
                if others:
                    place = catalog.value_link(catalog.index.key(row, value))
                    links = [link for link in parsed(site / place).references if "/rules/" in link]
                    titles = {link for link in links if link.endswith(f"{record.key}.html")}
                    assert titles
                    assert len(links) >= others + 1
                    compared += 1
    assert compared > 30


def test_values_of_one_rule_alone_are_by_rule_and_apart_where_they_are_many(
    own_site: tuple[list[Prepared], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    prepared, folder = own_site
    catalog = Catalog(prepared)
    (name,) = [name for name in catalog.keys_by_field if name == "CommandLine"]
    values = [key[2] for key in catalog.keys_by_field[name] if key not in catalog.shared]
    assert len(values) == 3
    text = "".join(parsed(folder / field_place(name)).texts)
    assert all(value in text for value in values)
    assert not (folder / rare_place(name)).exists()
    monkeypatch.setattr("converter.catalog.site.shared_pages._MOST_RARE", 2)
    write_site(catalog, PACKS, tmp_path / "apart")
    assert len(list(pages(tmp_path / "apart"))) == page_count(catalog)
    apart = parsed(tmp_path / "apart" / rare_place(name))
    assert all(value in "".join(apart.texts) for value in values)
    assert sum("/rules/sigma/" in link for link in apart.references) == 3
    assert not any(
        "/rules/sigma/" in link for link in parsed(tmp_path / "apart" / field_place(name)).references
    )
    dead, _ = dead_links(tmp_path / "apart")
    assert {target for _, target in dead} <= {"layers/all.json", "layers/canonical.json", "layers/sigma.json"}


def test_a_refused_rule_has_a_page_that_says_why(site: Path) -> None:
    (page,) = (site / "rules/sigma").glob("broken*.html")
    text = "".join(parsed(page).texts)
    assert "Not read" in text
    assert "no canonical form" in text


@pytest.fixture
def own_site(tmp_path: Path) -> tuple[list[Prepared], Path]:
    """A site of three rules, and what it was made from."""
    workshop = Workshop(rendered=False)
    prepared = prepare(listed(found(tmp_path), workshop), workshop)[-4:]
    folder = tmp_path / "site"
    write_site(Catalog(prepared), PACKS, folder, inputs="one")
    return prepared, folder


def states(folder: Path) -> dict[str, tuple[int, int]]:
    """When each file was written, and how large it is."""
    return {
        str(file.relative_to(folder)): (file.stat().st_mtime_ns, file.stat().st_size)
        for file in folder.rglob("*")
        if file.is_file() and file.name != ".catalog"
    }


def test_an_unchanged_site_is_left_alone(own_site: tuple[list[Prepared], Path]) -> None:
    prepared, folder = own_site
    assert is_current(folder, read_manifest(folder), "one")
    assert not is_current(folder, read_manifest(folder), "two")
    before = states(folder)
    built = write_site(Catalog(prepared), PACKS, folder, inputs="one")
    assert (built.written, built.removed) == (0, 0)
    assert states(folder) == before


def test_only_what_changed_is_written_and_what_is_gone_removed(own_site: tuple[list[Prepared], Path]) -> None:
    prepared, folder = own_site
    before = states(folder)
    first, *rest = prepared
    changed = msgspec.structs.replace(first.record, description="Another description.")
    write_site(Catalog([Prepared(changed, first.packed), *rest]), PACKS, folder)
    after = states(folder)
    assert [name for name in before if before[name] != after[name]] == [f"rules/{first.record.key}.html"]
    built = write_site(Catalog(rest), PACKS, folder)
    assert built.removed >= 1
    assert not (folder / f"rules/{first.record.key}.html").exists()


@pytest.mark.parametrize("damage", ["gone", "cut"])
def test_a_damaged_page_is_written_again(own_site: tuple[list[Prepared], Path], damage: str) -> None:
    prepared, folder = own_site
    page = folder / "attack.html"
    text = page.read_text()
    if damage == "gone":
        page.unlink()
    else:
        page.write_text(text[:100])
    assert not is_current(folder, read_manifest(folder), "one")
    write_site(Catalog(prepared), PACKS, folder, inputs="one")
    assert page.read_text() == text


def test_a_build_that_was_interrupted_is_not_trusted(
    own_site: tuple[list[Prepared], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared, folder = own_site

    def interrupted(catalog: Catalog) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("converter.catalog.site.build.overview_pages", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_site(Catalog(prepared), PACKS, folder, inputs="two")
    assert not is_current(folder, read_manifest(folder), "two")
    assert not is_current(folder, read_manifest(folder), "one")
    assert write_site(Catalog(prepared), PACKS, folder, inputs="two").written > 100


def test_a_folder_with_other_things_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(RuleError, match="holds no catalog"):
        read_manifest(tmp_path)


def test_several_processes_write_the_same(own_site: tuple[list[Prepared], Path], tmp_path: Path) -> None:
    prepared, folder = own_site
    write_site(Catalog(prepared), PACKS, tmp_path / "two", inputs="one", jobs=2)
    for name in states(folder):
        assert (tmp_path / "two" / name).read_bytes() == (folder / name).read_bytes()


def test_records_are_remembered_by_content(tmp_path: Path) -> None:
    workshop = Workshop(cache=str(tmp_path / "cache"), rendered=False)
    work = listed(found(tmp_path), workshop)
    told: list[int] = []
    first = prepare(work, workshop, told.append)
    assert told[0] == 0
    told.clear()
    assert prepare(work, workshop, told.append) == first
    assert told == [len(work)]
    assert prepare(work, msgspec.structs.replace(workshop, jobs=2, cache=None)) == first
    other = listed(found(tmp_path), msgspec.structs.replace(workshop, settings={"splunk": {"macro": "x"}}))
    assert not {one.digest for one in other} & {one.digest for one in work}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://example.org/a?b=c#d", True),
        ("HTTP://example.org", True),
        ("javascript:alert(1)", False),
        ("https://example.org/ javascript:x", False),
        ('https://example.org/"onclick="x', False),
        ("//example.org", False),
        ("data:text/html,x", False),
        ("https://", False),
    ],
)
def test_only_whole_web_addresses_become_links(text: str, expected: bool) -> None:
    assert is_link(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\tb\nc", "a\tb\nc"),
        ("a\0b\x1b[31m", "a\\u{0}b\\u{1b}[31m"),
        ("\u202edesrever", "\\u{202e}desrever"),
        ("\ud800", "\\u{d800}"),
        ("ünïcödé 日本 😀", "ünïcödé 日本 😀"),
        ("\ufffe\U0010ffff", "\\u{fffe}\\u{10ffff}"),
    ],
)
def test_what_hides_is_spelled_out(text: str, expected: str) -> None:
    assert visible(text) == expected
