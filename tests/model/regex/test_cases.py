"""Patterns and what they become, or why they are refused: one line of data each."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import re2
import yaml

from converter.model.regex import RegexError, as_literal, parse, render
from converter.model.regex.syntax import Dialect

CASES: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("cases.yaml").read_text(encoding="utf-8"))
RENDERINGS: list[dict[str, Any]] = CASES["renderings"]
DIALECTS: tuple[Dialect, ...] = ("re2", "python", "pcre", "lucene")
REFUSALS = [(dialect, *case) for dialect, cases in CASES["refusals"].items() for case in cases]


def label(case: dict[str, Any]) -> str:
    return f"{case.get('from', 're2')}:{case['pattern']}"


@pytest.mark.parametrize("case", RENDERINGS, ids=label)
def test_renderings(case: dict[str, Any]) -> None:
    tree = parse(case["pattern"], case.get("from", "re2"))
    for dialect in DIALECTS:
        if dialect not in case:
            continue
        expected = case[dialect]
        if isinstance(expected, dict):
            with pytest.raises(RegexError, match=re.escape(expected["refused"])):
                render(tree, dialect)
            continue
        rendered = render(tree, dialect)
        assert rendered == expected
        if dialect == "re2":
            re2.compile(rendered)
        if dialect == "python":
            re.compile(rendered)
    if "literal" in case:
        found = as_literal(tree)
        assert (None if found is None else [*map(str, found)]) == case["literal"]


@pytest.mark.parametrize(("dialect", "pattern", "construct", "offset"), REFUSALS)
def test_refusals_name_construct_and_offset(
    dialect: Any, pattern: str, construct: str, offset: int | None
) -> None:
    with pytest.raises(RegexError, match=re.escape(construct)) as caught:
        parse(pattern, dialect)
    assert caught.value.offset == offset
    assert (f"at offset {offset}" in str(caught.value)) == (offset is not None)
    if dialect == "re2":
        with pytest.raises(re2.error):
            re2.compile(pattern)


def test_deep_nesting_is_refused_not_a_crash() -> None:
    for dialect in DIALECTS:
        with pytest.raises(RegexError, match="nested deeper"):
            parse("(" * 5000 + "a" + ")" * 5000, dialect)


def test_nesting_up_to_the_limit_is_read_and_written() -> None:
    deep = "(" * 60 + "a" + ")" * 60
    for dialect in DIALECTS:
        assert render(parse(deep), dialect).count("(") == (0 if dialect == "lucene" else 60)


def test_single_bytes_are_refused_though_re2_has_them() -> None:
    with pytest.raises(RegexError, match="single byte"):
        parse("\\C")


def test_lone_surrogates_and_unknown_dialects_are_refused() -> None:
    with pytest.raises(RegexError, match="lone surrogate"):
        parse("\ud800")
    with pytest.raises(ValueError, match="unknown regex dialect"):
        parse("a", "perl")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="unknown regex dialect"):
        render(parse("a"), "perl")  # type: ignore[arg-type]
