"""Whatever text a rule holds, its pages have the same elements as those of a rule that holds a plain word."""

from __future__ import annotations

from functools import cache
from html.parser import HTMLParser
from typing import TypeAlias

import msgspec
import pytest
from hypothesis import given, settings

from converter.catalog.prepare import Prepared
from converter.catalog.records import FieldUse, LabelledTest, Record
from converter.catalog.renderings import Rendering
from converter.catalog.rows import Row, Tables, Value
from converter.catalog.site.data import data_files
from converter.catalog.site.environment import environment
from converter.catalog.site.overview_pages import overview_pages
from converter.catalog.site.pages import Catalog
from converter.catalog.site.rule_pages import rule_pages
from converter.catalog.site.shared_pages import shared_pages
from converter.logsources import load_packs
from converter.model.diagnostics import Diagnostic, Fidelity, Severity
from converter.platforms.base import File
from tests.strategies import hostile_texts

Shape: TypeAlias = list[tuple[str, tuple[str, ...]]]
"""The elements of a page, each with the names of its attributes."""

PACKS = load_packs()
TEMPLATES = {
    "rule.html.j2",
    "field.html.j2",
    "value.html.j2",
    "logsource.html.j2",
    "false_positive.html.j2",
    "index.html.j2",
    "fields.html.j2",
    "false_positives.html.j2",
    "overlaps.html.j2",
    "losses.html.j2",
}


def records(text: str) -> list[Prepared]:
    """Two rules that hold the text wherever there is room for one, as a reader might hand it on."""
    row = Row(field=text, fields=(text,), kind="is", values=(Value(text, (text, "is", text)),))
    finding = Diagnostic(
        code="left-out", severity=Severity.WARNING, message=text, hint=text, effect=Fidelity.WIDER, line=1
    )
    tables = Tables(indicators=(row,), exclusions=((row, row),), inner=(row,))
    rendering = Rendering(
        platform="splunk",
        fidelity="wider",
        language=text,
        reason=text,
        query=text,
        files=(File(f"{text}/a", f"{text} "),),
        losses=(finding,),
        notes=(text,),
        macros=(text,),
    )
    record = Record(
        key="sigma/one",
        platform="sigma",
        source=text,
        id=text,
        title=text,
        kind=text,
        reading="partial",
        description=text,
        severity="high",
        status="test",
        logsources=("kubernetes.audit", text),
        log_types={text: (text,)},
        entities={text: (text,)},
        tags=(text,),
        references=(text,),
        attack=("TA0002:T1059",),
        condition=text,
        correlation=text,
        normal="same",
        tables=tables,
        needs=(FieldUse(field=text, stored={text: text}),),
        output=(text,),
        alert=text,
        false_positives=(text,),
        tests=(LabelledTest(text, text, 1),),
        runbook=text,
        author=text,
        created=text,
        updated=text,
        risk={"impact": 1, "confidence": 2, "score": 3},
        settings={text: {text: {text: text}}},
        residue=(text,),
        findings=(finding,),
        written=((text, text),),
        text=text,
    )
    packed = msgspec.msgpack.encode((rendering,))
    return [Prepared(record, packed), Prepared(msgspec.structs.replace(record, key="sigma/two"), packed)]


class Elements(HTMLParser):
    """The elements of a page with the names of their attributes, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Shape = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(name for name, _ in attrs)))

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data[:80]}")


def pages(text: str) -> dict[str, list[str]]:
    """The pages of the two rules, by template."""
    catalog = Catalog(records(text))
    made: dict[str, list[str]] = {}
    for page in [*overview_pages(catalog), *rule_pages(catalog), *shared_pages(catalog, PACKS)]:
        if page.template in TEMPLATES:
            data = msgspec.msgpack.decode(msgspec.msgpack.encode(page.data))
            template = environment().get_template(page.template)
            made.setdefault(page.template, []).append(template.render(data, root="", place=page.place))
    assert set(made) == TEMPLATES
    for file in data_files(catalog):
        msgspec.json.decode(file.text.partition(" = ")[2].removesuffix(";\n"))
    return made


def elements(text: str) -> dict[str, list[Shape]]:
    """The elements of every page, by template."""
    found: dict[str, list[Shape]] = {}
    for template, texts in pages(text).items():
        for page in texts:
            parser = Elements()
            parser.feed(page)
            found.setdefault(template, []).append(parser.found)
    return found


@cache
def plain() -> dict[str, list[Shape]]:
    """The elements of the pages of harmless rules."""
    return elements("xplain")


@settings(max_examples=25)
@given(hostile_texts())
def test_pages_have_the_same_elements(text: str) -> None:
    assert elements(f"x{text}") == plain()


@settings(max_examples=8)
@given(hostile_texts())
def test_pages_are_valid(text: str) -> None:
    html5lib = pytest.importorskip("html5lib")
    for texts in pages(f"x{text}").values():
        for page in texts:
            html5lib.HTMLParser(strict=True).parse(page)
