"""Public detections, read whole: every file without a crash, and how much of them exactly.

The public YAML (CONVERTER_CORPUS) comes without its Python, so that only what needs none is read. PYPANTHER
names a folder that holds the package pypanther, whose rules are classes.
"""

from __future__ import annotations

import time
from collections import Counter
from functools import cache
from pathlib import Path

import msgspec
import pytest

from converter.evaluate import compile_expression
from converter.logsources import canonical_event
from converter.model.diagnostics import Diagnostic
from converter.model.dump import dump_rule
from converter.model.load import load_text
from converter.platforms.base import ReadContext, ReadRule, Source
from converter.platforms.losses import STREAM_CODES
from converter.platforms.panther import PLATFORM
from tests.corpus import CORPUS
from tests.corpus import PANTHER_CLASSES as CLASSES
from tests.platforms.panther.importing.support import packs

YAML = CORPUS / "panther"

needs_yaml = pytest.mark.skipif(not YAML.is_dir(), reason="CONVERTER_CORPUS holds no Panther detections")
needs_classes = pytest.mark.skipif(not CLASSES.is_dir(), reason="PYPANTHER names no folder with pypanther")
pytestmark = pytest.mark.corpus

EXACT = 0.82
COUNTED = 0.85
"""At least so much of the classes is read in full, and so much with nothing lost but in which groups matches
are counted."""

SECONDS = 0.5
"""Processor time for each class, on average."""


@cache
def sweep(folder: Path) -> tuple[list[ReadRule], float]:
    """All detections of a folder, and the seconds that reading them took."""
    context = ReadContext(packs=packs())
    sources = [
        Source(file=str(path), text=path.read_text("utf-8"))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and PLATFORM.is_rule_file(path)
    ]
    started = time.process_time()
    found = [one for source in sources for one in PLATFORM.read(source, context)]
    return found, time.process_time() - started


def _effects(one: ReadRule) -> list[Diagnostic]:
    return [finding for finding in one.diagnostics if finding.effect is not None]


def check_findings(found: list[ReadRule]) -> None:
    """What is not exact says why and where, and what is read is a canonical rule."""
    for one in found:
        effects = _effects(one)
        assert (one.status == "exact") == (not effects), one.source
        assert (one.rule is None) == (one.status == "refused")
        assert (one.status == "partial") == bool(one.residue), one.source
        assert all(finding.line and finding.column for finding in effects), one.source
        if one.rule is not None:
            (again,) = load_text(dump_rule(one.rule))
            assert msgspec.structs.replace(again, place=None) == one.rule, one.source


@needs_yaml
def test_yaml_without_its_python_is_refused_by_name() -> None:
    found, _ = sweep(YAML)
    assert len(found) >= 400
    check_findings(found)
    unexplained = {
        finding.code
        for one in found
        for finding in one.diagnostics
        if finding.effect and one.status == "refused"
    }
    assert unexplained <= {"missing-file", "rule-missing", "policy"}


@needs_classes
def test_so_many_classes_are_read() -> None:
    found, seconds = sweep(CLASSES)
    shares = {status: count / len(found) for status, count in Counter(one.status for one in found).items()}
    assert shares["exact"] >= EXACT, shares
    counted = [one for one in found if {finding.code for finding in _effects(one)} <= STREAM_CODES]
    assert len(counted) / len(found) >= COUNTED
    assert seconds / len(found) < SECONDS
    check_findings(found)


@needs_classes
def test_no_exact_class_fails_one_of_its_own_tests() -> None:
    """Nor is any class called exact that has a test which was left out for what its event holds."""
    seen = 0
    for one in sweep(CLASSES)[0]:
        if one.rule is None or one.rule.sequence is not None:
            continue
        holds = compile_expression(one.rule.condition)
        for test in one.rule.tests:
            forms = [canonical_event(packs()[name], test.events[0]) for name in one.rule.logsource]
            assert any(map(holds, forms)) is test.match, (one.source, test.name)
            seen += 1
        if one.status == "exact":
            assert "own-test" not in {finding.code for finding in one.diagnostics}
    assert seen > 1_000
