"""Public detections, read whole: every file without a crash, and how much of them exactly."""

from __future__ import annotations

import time
from collections import Counter
from functools import cache
from pathlib import Path

import msgspec
import pytest

from converter.model.dump import dump_rule
from converter.model.load import load_text
from converter.platforms.base import ReadContext, ReadRule, Source
from converter.platforms.splunk import PLATFORM
from tests.corpus import CORPUS
from tests.platforms.splunk.importing.support import packs

DETECTIONS = CORPUS / "splunk" / "detections"

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not DETECTIONS.is_dir(), reason="CONVERTER_CORPUS holds no Splunk detections"),
]

EXACT = 0.70
PARTIAL = 0.08
"""At least so much of the corpus is read in full, and so much more with a named residue."""

SECONDS = 15.0


@cache
def sweep() -> tuple[list[ReadRule], float]:
    """All detections, and the seconds that reading them took."""
    context = ReadContext(packs=packs())
    sources = [
        Source(file=str(path), text=path.read_text("utf-8"))
        for path in sorted(DETECTIONS.rglob("*"))
        if path.is_file() and PLATFORM.is_rule_file(path)
    ]
    started = time.process_time()
    found = [one for source in sources for one in PLATFORM.read(source, context)]
    return found, time.process_time() - started


def test_so_much_is_read() -> None:
    found, seconds = sweep()
    shares = {status: count / len(found) for status, count in Counter(one.status for one in found).items()}
    assert shares["exact"] >= EXACT, shares
    assert shares["partial"] >= PARTIAL, shares
    assert seconds < SECONDS


def test_what_is_not_exact_says_why_and_where() -> None:
    for one in sweep()[0]:
        effects = [diagnostic for diagnostic in one.diagnostics if diagnostic.effect is not None]
        assert (one.status == "exact") == (not effects)
        assert (one.rule is None) == (one.status == "refused")
        assert (one.status == "partial") == bool(one.residue)
        lines = Path(one.source).read_text("utf-8").count("\n") + 1
        assert all(1 <= (diagnostic.line or 0) <= lines and diagnostic.column for diagnostic in effects)


def test_every_rule_survives_the_way_to_yaml_and_back() -> None:
    for one in sweep()[0]:
        if one.rule is not None:
            (again,) = load_text(dump_rule(one.rule))
            assert msgspec.structs.replace(again, place=None) == one.rule, one.source
