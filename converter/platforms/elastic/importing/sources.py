"""Which log sources a rule reads, told from its index patterns, integrations, tags and its query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from converter.evaluate import matches
from converter.logsources import find_packs
from converter.logsources.pack import Pack
from converter.model.expressions import (
    All,
    AnyOf,
    Expression,
    ForSome,
    Not,
    Operator,
    Predicate,
    absolute_fields,
)
from converter.model.paths import FieldPath
from converter.platforms.base import ReadContext
from converter.platforms.elastic.fields import PLATFORM

_FACTS: Final[Mapping[str, str]] = {
    "event.dataset": "dataset",
    "data_stream.dataset": "dataset",
    "event.category": "category",
    "host.os.type": "os",
}
_RAW: Final = "raw"
_MOST: Final = 12
"""A rule that may read more log sources than this reads any log."""


def log_sources(facts: Mapping[str, Any], condition: Expression, context: ReadContext) -> tuple[Pack, ...]:
    """The packs of an event condition; ``raw`` where none is known. ``facts``: index, integration, tags."""
    told = {key: list(value) for key, value in facts.items()}
    for term in _conjuncts(condition):
        name, values = _asked(term)
        if name in _FACTS:
            told.setdefault(_FACTS[name], []).extend(values)
    found = find_packs(PLATFORM, told, context.packs)
    possible = [pack for pack in found if not _contradicts(pack, condition)]
    if not 0 < len(possible) <= _MOST:
        return (context.packs[_RAW],)
    return tuple(possible)


def _conjuncts(condition: Expression) -> Iterator[Expression]:
    if isinstance(condition, All):
        for term in condition.terms:
            yield from _conjuncts(term)
    else:
        yield condition


def _asked(term: Expression) -> tuple[str, Sequence[str]]:
    """The one field that a term compares, and with which texts; an empty name where it is not so simple."""
    terms = term.terms if isinstance(term, AnyOf) else (term,)
    names: set[str] = set()
    values: list[str] = []
    for one in terms:
        if (
            not isinstance(one, Predicate)
            or one.operator not in (Operator.IS, Operator.LIKE)
            or one.functions
        ):
            return "", ()
        if not isinstance(one.subject, FieldPath):
            return "", ()
        names.add(str(one.subject.steps[0]))
        values.extend(str(value) for value in one.values)
    return (names.pop(), values) if len(names) == 1 else ("", ())


def _contradicts(pack: Pack, condition: Expression) -> bool:
    """Whether what every stored event of the pack carries makes the condition false."""
    constants = dict(pack.constants.get(PLATFORM, {}))
    for term in _conjuncts(condition):
        if isinstance(term, ForSome):
            continue
        asked = term.term if isinstance(term, Not) else term
        names = {str(path.steps[0]) for path in absolute_fields(asked)}
        if names and names <= constants.keys() and not matches(term, constants):
            return True
    return False
