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

from tests.catalog.pages import dead_links, look_at, pages, wrong_numbers
from tests.catalog.test_browser import ARGUMENTS, BROWSER, PATIENCE, ROOT, sync_api
from tests.corpus import CORPUS, PANTHER_CLASSES

PLATFORMS = ("elastic", "panther", "sigma", "splunk")
QUERIES = ("mimikatz", "powershell encoded", "T1059.001", "CommandLine", "a", "okta user session")


class Built(msgspec.Struct, frozen=True):
    """What building a site printed, and took in seconds of processor time."""

    told: str
    seconds: float


def build(home: Path) -> Built:
    """Build the site below a folder as a user does."""
    sources = [(name, CORPUS / name) for name in PLATFORMS]
    sources += [("panther", PANTHER_CLASSES)] if PANTHER_CLASSES.is_dir() else []
    named = [text for name, path in sources for text in ("--from", name, str(path))]
    command = [sys.executable, "-c", "from converter.cli import main; main()", "catalog", "canonical_rules"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [*command, *named, "-o", str(home / "site")],
        env={**os.environ, "XDG_CACHE_HOME": str(home / "cache")},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=ROOT,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Built(done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason="the public rules are not here (CONVERTER_CORPUS)")
def test_the_site_of_all_public_rules(tmp_path: Path) -> None:
    """One test, since the site takes minutes to build: its cost, its pages, links, numbers, sizes, search."""
    first, again = build(tmp_path), build(tmp_path)
    assert int(first.told.split()[0]) > 4000
    assert "nothing changed" in again.told
    assert again.seconds * 5 < first.seconds
    # https://man7.org/linux/man-pages/man2/getrusage.2.html: ru_maxrss is in kibibytes
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    assert largest < 2 * 2**30
    print(first, again, f"largest process {largest / 2**20:.0f} MiB", sep="\n")

    site = tmp_path / "site"
    sizes = {str(page): page.stat().st_size for page in pages(site)}
    assert sizes[str(site / "index.html")] < 300_000
    assert {page: size for page, size in sizes.items() if size > 1_000_000} == {}

    with ProcessPoolExecutor(max_workers=2) as pool:
        seen = list(pool.map(look_at, sorted(pages(site)), chunksize=50))
    assert {one.page: one.faults for one in seen if one.faults} == {}
    dead, followed = dead_links(site, seen)
    assert not dead
    wrong, compared = wrong_numbers(seen)
    assert not wrong
    print(f"{len(seen)} pages valid, {followed} links alive, {compared} numbers right")
    assert (len(seen) > 10_000, followed > 300_000, compared > 20_000) == (True, True, True)

    if BROWSER is not None:
        took = search_times(site)
        print(took)
        assert max(took.values()) < 100


def search_times(site: Path) -> dict[str, float]:
    """The milliseconds that each search takes, at the best of three times: the machine may be busy."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=ARGUMENTS)
        page = browser.new_page()
        page.goto(f"file://{site}/rules.html")
        took = {query: min(_answered(page, query) for _ in range(3)) for query in QUERIES}
        browser.close()
    return took


def _answered(page: Any, query: str) -> float:
    page.fill("#filters [name=q]", "")
    page.fill("#filters [name=q]", query)
    sync_api.expect(page.locator("#results")).to_have_attribute("data-query", query, timeout=PATIENCE)
    return float(page.evaluate("document.body.dataset.searchMilliseconds"))
