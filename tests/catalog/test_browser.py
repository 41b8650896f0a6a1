"""The site in a browser, opened from the file system: search, filters, links, matrix, screens, and harm."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from converter.catalog.site.pages import Catalog
from converter.catalog.site.places import rule_place

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

ROOT = Path(__file__).resolve().parents[2]
BROWSER = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
PATIENCE = 30_000
"""Milliseconds: what happens in one on an idle machine may take long on a busy one."""
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 740}

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium here (CHROMIUM names one)")


class Site:
    """A page in a browser, and what it complained about."""

    def __init__(self, page: Any, folder: Path) -> None:
        self.page = page
        self.folder = folder
        self.complaints: list[str] = []
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self._note("error", str(error)))
        page.on("dialog", lambda dialog: self._note("error", f"dialog: {dialog.message}"))

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(f"{self.page.url}: {text}")

    def open(self, place: str) -> Any:
        """Go to a page of the site."""
        self.page.goto("about:blank")
        self.page.goto(f"file://{self.folder}/{place}")
        return self.page

    def count(self, pattern: str) -> None:
        """Wait until the status line matches."""
        sync_api.expect(self.page.locator("#status")).to_have_text(re.compile(pattern), timeout=PATIENCE)

    def answered(self, query: str, place: str = "#results") -> Any:
        """Wait until what is shown in the list answers the query; gives the list."""
        shown = self.page.locator(place)
        sync_api.expect(shown).to_have_attribute("data-query", query, timeout=PATIENCE)
        return shown


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=BROWSER, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def opened(browser: Any, site: Path) -> Iterator[Site]:
    """The site in a new window; nothing may have been complained about in the end."""
    context = browser.new_context(viewport=WIDE, color_scheme="light", offline=True)
    shown = Site(context.new_page(), site)
    yield shown
    context.close()
    assert not shown.complaints


def test_search_finds_by_title_id_field_value_and_technique(opened: Site) -> None:
    page = opened.open("rules.html")
    for query, title in (
        ("sigma 1", "Sigma 1"),
        ("0d5f7b7e-0000-4000-8000-000000000102", "Sigma 2"),
        ("word0", "Sigma 0"),
        ("parentimage explorer", "Sigma 0"),
        ("T1613", "Kubernetes Denied Service Account Request"),
        ("container resource discovery", "Kubernetes Denied Service Account Request"),
    ):
        page.fill("#filters [name=q]", query)
        assert title in opened.answered(query).inner_text()
        assert float(page.evaluate("document.body.dataset.searchMilliseconds")) < 100
    page.fill("#filters [name=q]", "nothingatall")
    opened.count("^0 rules$")


def test_filters_narrow_the_list_and_are_kept_in_the_address(opened: Site, catalog: Catalog) -> None:
    page = opened.open("rules.html")
    opened.count(f"^{len(catalog.records)} rules$")
    page.select_option("[name=platform]", "sigma")
    opened.count("^4 rules$")
    page.select_option("[name=severity]", "high")
    opened.count("^3 rules$")
    page.fill("#filters [name=q]", "word1")
    opened.count("^1 rule$")
    kept = page.url.partition("#")[2]
    assert {"platform=sigma", "severity=high", "q=word1"} == set(kept.split("&"))
    opened.open(f"rules.html#{kept}")
    opened.count("^1 rule$")
    assert page.input_value("[name=platform]") == "sigma"
    page.click("button[type=reset]")
    opened.count(f"^{len(catalog.records)} rules$")
    expected = {record.severity for record in catalog.records if record.severity}
    assert {o for o in page.locator("[name=severity] option").all_text_contents() if o != "any"} == expected


def test_from_a_search_to_a_rule_to_the_others_that_look_for_the_same(opened: Site) -> None:
    page = opened.open("index.html")
    page.keyboard.press("/")
    page.keyboard.type("sigma 0")
    assert opened.answered("sigma 0", "#found").locator("a").first.inner_text().startswith("Sigma 0")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/rules/sigma/sigma-0-*.html")
    title = page.inner_text("h1")
    row = page.locator("table.indicators tr", has_text="powershell.exe")
    count = row.locator(".count").first
    number = int(count.inner_text())
    assert number >= 1
    count.click()
    page.wait_for_url("**/values/*")
    titles = page.locator("#seekers tbody tr td:first-child").all_inner_texts()
    assert len([other for other in titles if other != title]) == number
    assert len(titles) == number + 1


def test_every_count_of_some_rules_is_the_number_of_other_rules_shown(opened: Site, catalog: Catalog) -> None:
    chosen = [record for record in catalog.records if record.platform == "sigma" and record.condition]
    checked = 0
    for record in chosen:
        page = opened.open(rule_place(record))
        links = page.locator("table.indicators .count")
        for at in range(links.count()):
            number, target = int(links.nth(at).inner_text()), links.nth(at).get_attribute("href")
            page.goto(f"file://{opened.folder}/rules/sigma/{target}")
            own = page.locator(f"#seekers a[href$='{record.key}.html']").count()
            assert page.locator("#seekers tbody tr").count() - own == number
            checked += 1
            opened.open(rule_place(record))
    assert checked >= 3


def test_a_number_leads_to_a_list_of_as_many_rules(opened: Site) -> None:
    """Every number of the start page, the losses and the log sources that leads to the list of rules."""
    checked = 0
    for place in ("index.html", "losses.html", "logsources.html"):
        page = opened.open(place)
        links = page.locator("td.number a[href^='rules.html#']")
        told = [(link.inner_text(), link.get_attribute("href")) for link in links.all()]
        assert told, place
        for number, target in told[:: max(1, len(told) // 8)]:
            opened.open(target)
            opened.count(f"^{number} rules?$")
            checked += 1
    assert checked > 15


def test_a_cell_of_the_matrix_leads_to_the_rules_that_it_counts(opened: Site) -> None:
    page = opened.open("attack.html")
    page.select_option("[name=platform]", "canonical")
    cell = page.locator('[data-tag="TA0007:T1613"]')
    number = int(cell.get_attribute("data-count"))
    assert number > 1
    cell.click()
    page.wait_for_url("**/rules.html#*technique=T1613*")
    opened.count(f"^{number} rules$")
    gap = opened.open("attack.html").locator(".cell[data-count='0']:visible").first
    gap.click()
    page.wait_for_url("**/techniques/*.html")
    assert "No rule names this technique" in page.inner_text("main")


def test_code_is_coloured_and_copied_as_it_is(opened: Site, catalog: Catalog) -> None:
    longest = max(catalog.records, key=lambda record: len(record.condition))
    page = opened.open(rule_place(longest))
    shown = page.locator("#logic ~ .code code").last
    assert shown.text_content() == longest.condition
    assert shown.locator(".t-string").count() > 3
    assert shown.locator(".t-word").count() > 3
    folded = page.locator("#written ~ details .code code").first
    text = folded.text_content()
    assert folded.locator("span").count() == 0
    folded.evaluate("node => { node.closest('details').open = true; }")
    sync_api.expect(folded.locator("span")).not_to_have_count(0, timeout=PATIENCE)
    assert folded.text_content() == text
    page.evaluate(
        "Object.defineProperty(navigator, 'clipboard',"
        " {value: {writeText: async text => { window.kept = text; }}})"
    )
    button = page.locator("#logic ~ .code .copy").last
    button.click()
    sync_api.expect(button).to_have_text("Copied", timeout=PATIENCE)
    assert page.evaluate("window.kept") == longest.condition


def test_tables_are_filtered_as_one_types(opened: Site) -> None:
    page = opened.open("fields.html")
    rows = page.locator("#fields tbody tr:visible")
    everything = rows.count()
    page.fill("[data-filter=fields]", "responsestatus")
    assert 0 < rows.count() < everything


def test_the_matrix_counts_the_rules_that_are_chosen(opened: Site, catalog: Catalog) -> None:
    page = opened.open("attack.html")
    cell = page.locator('[data-tag="TA0002:T1059"]')

    def expected(platform: str = "", logsource: str = "") -> int:
        return sum(
            any(tag.startswith("TA0002:T1059") for tag in record.attack)
            for record in catalog.records
            if platform in ("", record.platform) and (not logsource or logsource in record.logsources)
        )

    assert int(cell.get_attribute("data-count")) == expected()
    page.select_option("[name=platform]", "sigma")
    assert int(cell.get_attribute("data-count")) == expected("sigma") == 3
    assert int(cell.get_attribute("data-heat")) == 5
    page.select_option("[name=logsource]", "okta.system")
    assert int(cell.get_attribute("data-count")) == expected("sigma", "okta.system") == 0
    assert "logsource=okta.system" in page.url
    status = page.inner_text("#status")
    assert status.startswith("0 of ")
    page.check("[name=gaps]")
    assert page.locator("#matrix.only-gaps").count() == 1
    gaps = page.locator(".tactic > ul > li > .cell[data-count='0']").count()
    assert gaps == page.locator(".tactic > ul > li > .cell").count()


def test_sub_techniques_are_shown_on_demand(opened: Site) -> None:
    page = opened.open("attack.html")
    below = page.locator('[data-tag="TA0002:T1059.001"]')
    assert not below.is_visible()
    page.check("[name=below]")
    assert below.is_visible()


def background(page: Any) -> str:
    """The colour of the paper."""
    colour: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return colour


def test_dark_and_light(opened: Site, browser: Any) -> None:
    page = opened.open("index.html")
    light = background(page)
    page.click("#theme")
    dark = background(page)
    assert dark != light
    opened.open("attack.html")
    assert background(page) == dark, "the choice holds on other pages"
    system = browser.new_context(color_scheme="dark")
    other = system.new_page()
    other.goto(f"file://{opened.folder}/index.html")
    assert background(other) == dark, "the system's choice is taken"
    system.close()


@pytest.mark.parametrize(
    "place", ["index.html", "rules.html", "attack.html", "fields.html", "losses.html", "rule"]
)
def test_a_narrow_screen_scrolls_only_downwards(opened: Site, catalog: Catalog, place: str) -> None:
    opened.page.set_viewport_size(NARROW)
    longest = max(catalog.records, key=lambda record: len(record.condition))
    page = opened.open(rule_place(longest) if place == "rule" else place)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


def test_a_rule_that_means_harm_is_text(opened: Site, catalog: Catalog) -> None:
    (hostile,) = [record for record in catalog.records if "<script>" in record.title]
    page = opened.open(rule_place(hostile))
    for details in page.locator("details").all():
        details.evaluate("node => { node.open = true; }")
    assert "<script>document.body.dataset.harmed = 'title'</script>" in page.inner_text("h1")
    assert "<img src=x onerror=" in page.inner_text("main")
    touched = [
        "index.html",
        "rules.html#q=script",
        "overlaps.html",
        "losses.html",
        "false-positives.html",
        *(catalog.value_link(value.key) for row in hostile.tables.indicators for value in row.values),
    ]
    for place in touched:
        opened.open(place)
        if "#q=" in place:
            assert "<script>" in opened.answered("script").inner_text()
        assert page.evaluate("document.body.dataset.harmed") is None, place
        assert page.locator("main img, main script").count() == 0, place
    opened.open("rules.html")
    page.fill("#find", "script document")
    assert "<script>" in opened.answered("script document", "#found").inner_text()
    assert page.evaluate("document.body.dataset.harmed") is None


def test_the_policy_stops_scripts_of_the_page_itself(opened: Site) -> None:
    page = opened.open("about.html")
    with page.expect_console_message(lambda message: "Content Security Policy" in message.text):
        page.evaluate(
            "document.body.append(Object.assign(document.createElement('script'), {textContent: 'x.y'}))"
        )
    opened.complaints.clear()


def test_on_paper_there_is_the_rule_alone_and_all_of_it(opened: Site, catalog: Catalog) -> None:
    page = opened.open(rule_place(max(catalog.records, key=lambda record: len(record.tests))))
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print", color_scheme="dark")
    assert not page.locator("header.top").is_visible()
    assert page.locator("details:not([open]):not(.file)").count() == 0
    assert background(page) == "rgb(255, 255, 255)"


def test_it_can_be_used_with_the_keyboard(opened: Site) -> None:
    page = opened.open("index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_nothing_is_asked_of_the_network(browser: Any, site: Path) -> None:
    context = browser.new_context()
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for place in ("index.html", "attack.html", "rules.html#q=kubernetes"):
        page.goto("about:blank")
        page.goto(f"file://{site}/{place}")
    sync_api.expect(page.locator("#results")).to_have_attribute("data-query", "kubernetes", timeout=PATIENCE)
    context.close()
    assert [url for url in asked if url.endswith("/minisearch.js")]
    assert all(url.startswith(("file:", "about:")) for url in asked)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(browser: Any, site: Path, catalog: Catalog, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed")
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    value = max(catalog.shared, key=lambda key: len(catalog.index.seekers.get(key, ())))
    richest = max(catalog.records, key=lambda record: len(record.tables.exclusions) + len(record.tests))
    places = [
        f"{name}.html" for name in ("index", "rules", "fields", "attack", "logsources", "losses", "about")
    ]
    places += ["false-positives.html", "overlaps.html", rule_place(richest), catalog.value_link(value)]
    faults = []
    for place in places:
        page.goto(f"file://{site}/{place}")
        found = axe.Axe().run(page).response["violations"]
        faults += [
            (place, fault["id"], [node["html"][:120] for node in fault["nodes"][:3]])
            for fault in found
            if fault["impact"] in ("serious", "critical")
        ]
    context.close()
    assert not faults
