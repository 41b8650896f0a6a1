"""The stored fields that the ES|QL tests ask about: a field of every type, one value or a list of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from converter.logsources.pack import FieldType, PlatformField
from converter.model.expressions import (
    Expression,
    fields_asked,
    predicates,
)
from converter.model.paths import FieldPath
from converter.platforms.elastic import kql
from converter.platforms.elastic.fields import StoredFields

CASES: Final = Path(__file__).with_name("cases")

FIELDS: Final[Mapping[str, PlatformField]] = {
    name: PlatformField(name=name, type=kind, is_list=is_list)
    for name, kind, is_list in (
        ("a", FieldType.KEYWORD, False),
        ("b", FieldType.WILDCARD, False),
        ("l", FieldType.KEYWORD, True),
        ("m", FieldType.KEYWORD, True),
        ("n", FieldType.INTEGER, False),
        ("ns", FieldType.INTEGER, True),
        ("x", FieldType.FLOAT, False),
        ("t", FieldType.BOOLEAN, False),
        ("i", FieldType.IP, False),
        ("il", FieldType.IP, True),
        ("d", FieldType.DATE, False),
        ("objects", FieldType.OBJECT, True),
        ("nested", FieldType.NESTED, True),
    )
}


STORED: Final = StoredFields.of_types({name: field.type for name, field in FIELDS.items()})


def kql_reader(text: str) -> Expression:
    """What the KQL function asks of the stored fields."""
    return kql.read(text, STORED)


class Localised(msgspec.Struct):
    """What the writer takes: an expression over stored names, and what is stored there."""

    expression: Expression
    fields: Mapping[FieldPath, PlatformField]


def localised(expression: Expression) -> Localised:
    """The expression with the description of every field that it reads."""
    paths = {path for predicate in predicates(expression) for path in fields_asked(predicate)}
    paths |= {FieldPath((name,)) for name in ("objects", "nested")}
    return Localised(expression, {path: FIELDS[str(path.steps[0])] for path in paths})


def lines(name: str) -> Iterator[tuple[int, str]]:
    """The lines of a case file that hold a case, with their numbers."""
    text = (CASES / name).read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            yield number, line
