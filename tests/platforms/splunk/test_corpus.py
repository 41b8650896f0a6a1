"""The grammars against public detections: how much of what people write is read."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import yaml

from converter.platforms.splunk.spl import syntax as s
from converter.platforms.splunk.spl.errors import SplError
from converter.platforms.splunk.spl.parse import parse_pipeline
from converter.platforms.splunk.spl.pipeline import MacroText
from converter.platforms.splunk.spl.read_search import SearchReader
from converter.platforms.splunk.spl.read_where import WhereReader
from tests.corpus import CORPUS

DETECTIONS = CORPUS / "splunk" / "detections"

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not DETECTIONS.is_dir(), reason="CONVERTER_CORPUS holds no Splunk detections"),
]

PARSED = 0.98
SEARCHES_READ = 0.98
CONDITIONS_READ = 0.85
"""At least so much of the corpus is read; raise these with the reader."""


def _yaml(path: Path) -> dict[str, object]:
    data = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    assert isinstance(data, dict)
    return data


@cache
def pipelines() -> tuple[list[s.Pipeline], int]:
    """The detections that parse, and how many there are."""
    macros = {}
    for path in sorted((CORPUS / "splunk" / "macros").glob("*.yml")):
        data = _yaml(path)
        name = str(data["name"]).partition("(")[0]
        macros[name] = MacroText(str(data["definition"]), tuple(data.get("arguments") or ()))  # type: ignore[arg-type]
    found: list[s.Pipeline] = []
    paths = sorted(DETECTIONS.rglob("*.yml"))
    for path in paths:
        own = {**macros, f"{path.stem}_filter": MacroText("search *")}
        try:
            found.append(parse_pipeline(str(_yaml(path)["search"]), own)[0])
        except SplError:
            continue
    return found, len(paths)


def _share(read: list[bool]) -> float:
    return sum(read) / len(read)


def test_public_detections_parse() -> None:
    found, count = pipelines()
    assert len(found) / count >= PARSED


def _reads(read, node) -> bool:  # type: ignore[no-untyped-def]
    try:
        read(node)
    except SplError:
        return False
    return True


def test_their_search_terms_are_understood() -> None:
    terms = [
        command.body.expression if isinstance(command.body, s.Search) else command.body.where
        for pipeline in pipelines()[0]
        for command in pipeline.commands
        if isinstance(command.body, (s.Search, s.Tstats))
    ]
    assert _share([_reads(SearchReader().read, node) for node in terms]) >= SEARCHES_READ


def test_their_where_conditions_are_understood() -> None:
    conditions = [
        command.body.expression
        for pipeline in pipelines()[0]
        for command in pipeline.commands
        if isinstance(command.body, s.Where)
    ]
    assert _share([_reads(WhereReader().read, node) for node in conditions]) >= CONDITIONS_READ
