"""What the Elastic tests share: stored fields of every type, and reading their fixture files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml

from converter.logsources.pack import FieldType, PlatformField
from converter.model.expressions import (
    FALSE,
    TRUE,
    All,
    AnyOf,
    Expression,
    ForSome,
    Not,
    Predicate,
    fields_asked,
    renamed,
)
from converter.model.load import expression_from_data
from converter.model.paths import FieldPath
from converter.platforms.elastic.fields import StoredFields

FIXTURES: Final = Path(__file__).parent / "fixtures"

TYPES: Final = {
    "user.name": FieldType.KEYWORD,
    "host.name": FieldType.KEYWORD,
    "process.args": FieldType.KEYWORD,
    "process.command_line": FieldType.WILDCARD,
    "message": FieldType.TEXT,
    "source.ip": FieldType.IP,
    "related.ip": FieldType.IP,
    "http.code": FieldType.INTEGER,
    "score": FieldType.FLOAT,
    "ok": FieldType.BOOLEAN,
    "@timestamp": FieldType.DATE,
    "items": FieldType.NESTED,
    "items.name": FieldType.KEYWORD,
    "items.size": FieldType.INTEGER,
    "flat.value": FieldType.FLATTENED,
    "objects": FieldType.OBJECT,
    "odd/na-me": FieldType.KEYWORD,
}
LISTS: Final = frozenset({"process.args", "related.ip", "objects", "items", "items.name", "items.size"})
STORED: Final = StoredFields.of_types(TYPES)

_CONSTANTS: Final[dict[str, Expression]] = {"always": TRUE, "never": FALSE}


def described(expression: Expression) -> dict[FieldPath, PlatformField]:
    """What localising says of the stored paths in an expression."""
    return {
        path: PlatformField(
            name=str(path.steps[0]),
            type=TYPES.get(str(path.steps[0]), FieldType.KEYWORD),
            is_list=str(path.steps[0]) in LISTS,
        )
        for path in _paths(expression)
    }


def stored_expression(text: str) -> Expression:
    """An expression in YAML whose dotted fields are stored names; ``always`` and ``never`` are themselves."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    return _stored(expression_from_data(yaml.safe_load(text)))


def cases(name: str) -> Iterator[list[str]]:
    """The cases of a fixture file: one a line, parts between ``==>``."""
    for line in (FIXTURES / name).read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            yield [part.strip() for part in line.split("==>")]


def _stored(expression: Expression) -> Expression:
    match expression:
        case All(terms):
            return All(tuple(map(_stored, terms)))
        case AnyOf(terms):
            return AnyOf(tuple(map(_stored, terms)))
        case Not(term):
            return Not(_stored(term))
        case ForSome(path, term):
            return ForSome(_stored_path(path), _stored(term))
        case Predicate():
            return renamed(expression, _stored_path)


def _stored_path(path: FieldPath) -> FieldPath:
    return FieldPath((".".join(path.keys), *(step for step in path.steps if isinstance(step, int))))


def _paths(expression: Expression) -> Iterator[FieldPath]:
    match expression:
        case All(terms) | AnyOf(terms):
            for term in terms:
                yield from _paths(term)
        case Not(term):
            yield from _paths(term)
        case ForSome(path, term):
            yield path
            yield from _paths(term)
        case Predicate():
            yield from fields_asked(expression)
