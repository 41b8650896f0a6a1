"""Damaged text never crashes or hangs the reader: it is read, or refused with a place."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from converter.platforms.base import ReadContext, Source
from converter.platforms.splunk import PLATFORM
from tests.platforms.splunk.importing.support import BARE_PACKS, FOLDER
from tests.platforms.splunk.importing.test_corpus import DETECTIONS
from tests.timing import at_most

SECONDS = 2.0
PIECES = (
    *(
        "|",
        "[",
        "]",
        "(",
        ")",
        '"',
        "'",
        "`",
        "\\",
        "*",
        "=",
        "!=",
        ",",
        "$",
        "\n",
        "\0",
        "é",
        "NOT ",
        " OR ",
        "AND",
    ),
    *(
        "| where ",
        "| stats count by ",
        "| eval a=if(",
        "| rex ",
        "| search ",
        "case(",
        "coalesce(a,",
        "a IN (",
        "```",
    ),
    *(
        "| tstats count from datamodel=X where ",
        "| rename a as b",
        "| lookup a b",
        "| bin _time span=",
        "| fillnull ",
    ),
)
OWN = [*sorted((FOLDER / "rules").rglob("*.yml")), FOLDER / "rules" / "savedsearches.conf"]


def check(text: str, file: str = "x.yml") -> None:
    with at_most(SECONDS):
        found = PLATFORM.read(Source(file=file, text=text), ReadContext(packs=BARE_PACKS))
    assert found
    for one in found:
        assert (one.rule is None) == (one.status == "refused")
        if one.rule is None:
            assert any(diagnostic.effect and diagnostic.line for diagnostic in one.diagnostics)


def damaged(text: str, chance: random.Random) -> str:
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(text) + 1)
        match chance.randrange(4):
            case 0:
                text = text[:place] + chance.choice(PIECES) + text[place:]
            case 1:
                text = text[:place] + text[place + chance.randint(1, 30) :]
            case 2:
                text = text[:place] + text[place : place + 40] * chance.randint(2, 4) + text[place:]
            case _:
                text = text[:place]
    return text


@settings(max_examples=60)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=6)), max_size=30).map("".join))
def test_no_search_crashes(search: str) -> None:
    check(yaml.safe_dump({"name": "x", "search": search}))


@settings(max_examples=60)
@given(st.sampled_from(OWN), st.randoms(use_true_random=False))
def test_no_damaged_file_crashes(path: Path, chance: random.Random) -> None:
    check(damaged(path.read_text("utf-8"), chance), path.name)


@pytest.mark.no_cover  # its time is measured
@pytest.mark.parametrize(
    "search",
    [
        "(" * 5_000 + "a=1" + ")" * 5_000,
        "NOT " * 5_000 + "a=1",
        "a=1 | where " + "(" * 3_000 + "b=1" + ")" * 3_000,
        "a=1 | eval b=" + "a." * 5_000 + "a",
        "a=1 " + "".join("| eval a=a.a " for _ in range(60)) + "| where a=1",
        "a=1 " + "".join(f'| eval a=if(a="{n}",a,b) ' for n in range(40)) + "| where a=1",
        "a=1 " + "[search " * 200 + "]" * 200,
        "a=1 | where " + " OR ".join(f"b={n}" for n in range(3_000)),
        "a IN (" + ",".join(map(str, range(20_000))) + ")",
        'a=1 | rex field=a "' + "(?<x>a" * 300 + '" | stats count by x',
    ],
    ids=range(10),
)
def test_nothing_large_hangs(search: str) -> None:
    check(yaml.safe_dump({"name": "x", "search": search}))


@pytest.mark.corpus
@pytest.mark.skipif(not DETECTIONS.is_dir(), reason="CONVERTER_CORPUS holds no Splunk detections")
def test_no_damaged_public_detection_crashes() -> None:
    chance = random.Random(20)
    paths = sorted(DETECTIONS.rglob("*.yml"))
    for _ in range(400):
        check(damaged(chance.choice(paths).read_text("utf-8"), chance))
