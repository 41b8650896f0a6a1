"""The site of all public rules (CONVERTER_CORPUS, PYPANTHER) and our own: every page, every link."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.catalog.pages import Seen, dead_links, look_at, pages, wrong_numbers
from tests.catalog.test_browser import ARGUMENTS, BROWSER, PATIENCE, ROOT, sync_api
from tests.corpus import CORPUS, PANTHER_CLASSES

PLATFORMS = ("elastic", "panther", "sigma", "splunk")

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CORPUS.is_dir(), reason="the public rules are not here (CONVERTER_CORPUS)"),
]


class Built(msgspec.Struct, frozen=True):
    """The site, and what building it took: seconds of processor time, and a second time with nothing changed;
    bytes of the largest process.
    """

    folder: Path
    seconds: float
    seconds_again: float
    bytes: int


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The site, built twice as a user builds it."""
    home = tmp_path_factory.mktemp("public")
    sources = [(name, CORPUS / name) for name in PLATFORMS]
    sources += [("panther", PANTHER_CLASSES)] if PANTHER_CLASSES.is_dir() else []
    named = [text for name, path in sources for text in ("--from", name, str(path))]
    command = [sys.executable, "-c", "from converter.cli import main; main()", "catalog", "canonical_rules"]

    def build() -> tuple[float, str]:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [*command, *named, "-o", str(home / "site")],
            env={**os.environ, "XDG_CACHE_HOME": str(home / "cache")},
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout

    first, told = build()
    again, told_again = build()
    assert int(told.split()[0]) > 4000
    assert "nothing changed" in told_again
    # https://man7.org/linux/man-pages/man2/getrusage.2.html: ru_maxrss is in kibibytes
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    print(told, told_again, f"{first:.1f} s and {again:.1f} s of processor time, {largest / 2**20:.0f} MiB")
    return Built(home / "site", first, again, largest)


@pytest.fixture(scope="module")
def public_site(built: Built) -> Path:
    """The site's folder."""
    return built.folder


@pytest.fixture(scope="module")
def seen(public_site: Path) -> list[Seen]:
    """Every page, taken apart."""
    with ProcessPoolExecutor(max_workers=2) as pool:
        return list(pool.map(look_at, sorted(pages(public_site)), chunksize=50))


def test_every_page_is_valid_html(seen: list[Seen]) -> None:
    assert {one.page: one.faults for one in seen if one.faults} == {}
    assert len(seen) > 10_000


def test_no_link_and_no_anchor_is_dead(public_site: Path, seen: list[Seen]) -> None:
    dead, followed = dead_links(public_site, seen)
    assert not dead
    assert followed > 300_000


def test_every_number_leads_to_as_many_rules(seen: list[Seen]) -> None:
    wrong, compared = wrong_numbers(seen)
    assert not wrong
    assert compared > 20_000


def test_pages_are_of_a_size_that_a_browser_likes(public_site: Path) -> None:
    sizes = {page: page.stat().st_size for page in pages(public_site)}
    assert sizes[public_site / "index.html"] < 300_000
    assert {str(page): size for page, size in sizes.items() if size > 1_000_000} == {}


def test_building_takes_less_than_two_gibibytes(built: Built) -> None:
    assert built.bytes < 2 * 2**30


def test_building_again_unchanged_takes_a_fifth_at_most(built: Built) -> None:
    assert built.seconds_again * 5 < built.seconds


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here (CHROMIUM names one)")
def test_the_search_answers_at_once(public_site: Path) -> None:
    """Each query within a tenth of a second, at the best of three times: the machine may be busy."""
    queries = (
        "mimikatz",
        "powershell encoded",
        "T1059.001",
        "CommandLine",
        "a",
        "okta user session",
        "rundll32",
    )
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=ARGUMENTS)
        page = browser.new_page()
        page.goto(f"file://{public_site}/rules.html")
        took = {query: min(_answered(page, query) for _ in range(3)) for query in queries}
        browser.close()
    print(took)
    assert max(took.values()) < 100


def _answered(page: Any, query: str) -> float:
    """The milliseconds that a search takes."""
    page.fill("#filters [name=q]", "")
    page.fill("#filters [name=q]", query)
    sync_api.expect(page.locator("#results")).to_have_attribute("data-query", query, timeout=PATIENCE)
    return float(page.evaluate("document.body.dataset.searchMilliseconds"))
