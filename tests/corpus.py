"""Where the public rules and logs are that some tests sweep over; without them those tests are skipped."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec
import pytest

from converter import Rule, read
from converter.platforms.collection import READER_FAILED, rule_files

CORPUS: Final = Path(
    os.environ.get("CONVERTER_CORPUS") or Path(__file__).resolve().parents[2] / "shared" / "corpus"
)
PANTHER_CLASSES: Final = Path(os.environ.get("PYPANTHER") or "nowhere") / "pypanther" / "rules"
"""Panther's public rules in class form. The files in the corpus come without their Python."""


class Collection(msgspec.Struct, frozen=True):
    """Where a platform's public rules are. Of so many files (``step``) one is taken, all over it, which
    gives at least so many rules that can be read. ``beside``: folders with what the rules lean on.
    """

    folders: tuple[Path, ...]
    step: int
    fewest: int = 500
    beside: tuple[Path, ...] = ()


COLLECTIONS: Final = {
    "sigma": Collection(
        tuple(
            CORPUS / "sigma" / name for name in ("rules", "rules-emerging-threats", "rules-threat-hunting")
        ),
        step=3,
    ),
    "panther": Collection((PANTHER_CLASSES,), step=1),
    "elastic": Collection((CORPUS / "elastic" / "rules",), step=1),
    "splunk": Collection(
        (CORPUS / "splunk" / "detections",),
        step=1,
        beside=(CORPUS / "splunk" / "macros", CORPUS / "splunk" / "lookups"),
    ),
}


def imported(platform: str) -> list[Rule]:
    """The public rules of a platform as they are read. Skips the test where they are not at hand."""
    collection = COLLECTIONS[platform]
    files = rule_files(platform, [folder for folder in collection.folders if folder.is_dir()])
    if not files:
        pytest.skip("the public rules are not here (CONVERTER_CORPUS, PYPANTHER)")
    beside = [folder for folder in collection.beside if folder.is_dir()]
    found = [one for file in files[:: collection.step] for one in read(file, platform, beside=beside)]
    assert not [one for one in found for problem in one.diagnostics if problem.code == READER_FAILED]
    rules = [one.rule for one in found if one.rule is not None]
    assert len(rules) >= collection.fewest
    return rules
