"""What the Sigma tests share: texts around a detection, and reading fixture files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from converter.logsources import load_packs
from converter.model.expressions import (
    Expression,
    Predicate,
    fields_of,
    mapped,
    renamed,
)
from converter.model.load import expression_from_data
from converter.model.paths import FieldPath
from converter.platforms.base import Context, ReadContext, ReadRule, Source
from converter.platforms.sigma import PLATFORM

FIXTURES: Final = Path(__file__).parent / "fixtures"
PACKS: Final = load_packs()
CONTEXT: Final = Context(packs=PACKS)
READING: Final = ReadContext(packs=PACKS)


def cases(name: str) -> Iterator[list[str]]:
    """The cases of a fixture file: one a line, parts between ``==>``."""
    for line in (FIXTURES / name).read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            yield [part.strip() for part in line.split("==>")]


def documents(name: str) -> Iterator[dict[str, Any]]:
    """The documents of a YAML fixture file."""
    yield from yaml.safe_load_all((FIXTURES / name).read_text(encoding="utf-8"))


def rule_text(detection: str, logsource: str = "{product: velocity}") -> str:
    """A rule of one detection, written in flow style, of a log that is written as lines of text."""
    return f"title: A test\nlogsource: {logsource}\ndetection: {detection}\n"


def read_one(text: str, context: ReadContext = READING, file: str = "rule.yml") -> ReadRule:
    """The only rule of a text."""
    (rule,) = PLATFORM.read(Source(file=file, text=text), context)
    return rule


def expression(text: str) -> Expression:
    """A canonical condition in YAML."""
    return expression_from_data(yaml.safe_load(text))


def flat(given: Expression) -> Expression:
    """The condition with each path cut down to its first key, and joined fields to the first of them."""

    def change(predicate: Predicate) -> Expression:
        cut = renamed(predicate, lambda path: FieldPath(path.steps[:1]))
        return msgspec.structs.replace(cut, subject=fields_of(cut.subject)[0])

    return mapped(given, change)
