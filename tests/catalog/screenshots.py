"""The pictures in docs/images: ``python -m tests.catalog.screenshots docs/images`` takes them anew.

They show the catalog of this project's own rules, in the system's Chromium.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from converter.catalog.prepare import Workshop, listed, prepare
from converter.catalog.site.build import write_site
from converter.catalog.site.pages import Catalog
from converter.catalog.site.places import field_place, rule_place
from converter.catalog.sources import canonical
from converter.logsources import load_packs
from converter.model.load import load_rules
from tests.catalog.test_browser import ARGUMENTS, BROWSER, NARROW, ROOT, WIDE, sync_api

RULE: Final = "EKS Audit Log based single sourceIP is generating multiple 403s"
"""The rule whose page is shown."""


def shots(catalog: Catalog) -> list[tuple[str, str, dict[str, Any]]]:
    """Name, page, and how the window is set up."""
    (rule,) = [record for record in catalog.records if record.title == RULE]
    light: dict[str, Any] = {"viewport": WIDE, "color_scheme": "light"}
    dark: dict[str, Any] = {"viewport": WIDE, "color_scheme": "dark"}
    return [
        ("catalog-start", "index.html", light),
        ("catalog-rule", rule_place(rule), {**light, "viewport": {"width": 1280, "height": 1250}}),
        ("catalog-search", "rules.html#q=kubernetes", dark),
        ("catalog-attack", "attack.html", light),
        ("catalog-field", field_place("Image"), {"viewport": NARROW, "color_scheme": "light"}),
    ]


def main() -> None:
    """Take every picture."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    workshop = Workshop()
    work = listed(canonical(load_rules([ROOT / "canonical_rules"])), workshop)
    catalog = Catalog(prepare(work, workshop))
    with tempfile.TemporaryDirectory() as site, sync_api.sync_playwright() as playwright:
        write_site(catalog, load_packs(), Path(site))
        browser = playwright.chromium.launch(executable_path=BROWSER, args=ARGUMENTS)
        for name, place, window in shots(catalog):
            page = browser.new_page(**window)
            page.goto(f"file://{site}/{place}")
            page.wait_for_load_state("networkidle")
            page.wait_for_timeout(1000)
            page.screenshot(path=str(folder / f"{name}.png"))
        browser.close()


if __name__ == "__main__":
    main()
