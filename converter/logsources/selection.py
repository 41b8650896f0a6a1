"""What a log source says of each of its events: what a rule that names it need not ask.

On a platform every event carries the pack's constants, and is found under one of the names that the pack
lists for it (sourcetypes, sources); in canonical form every event satisfies the pack's ``select``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from converter.evaluate import matches
from converter.logsources.guard import guard
from converter.logsources.pack import Pack
from converter.logsources.recognise import recognised_names
from converter.model.expressions import (
    TRUE,
    All,
    Expression,
    ForSome,
    Not,
    Operator,
    Predicate,
    absolute_fields,
    any_of,
    mapped,
)
from converter.model.paths import FieldPath

_SPLUNK_SELECTS = ("sourcetype", "source", "eventtype", "index", "tag")
"""Splunk's own fields that say where events come from; search compares them without case."""


class SourceSelection:
    """What every event of all of ``packs`` satisfies on ``platform``."""

    def __init__(self, packs: Sequence[Pack], platform: str) -> None:
        self._packs = packs
        self._platform = platform
        self._constants = [_constants(pack, platform) for pack in packs]
        self._terms = [set(_said(pack, platform)) for pack in packs]

    def implies_stored(self, term: Expression) -> bool:
        """Whether a condition in stored names asks only for constants, and all of the packs have them."""
        if not self._constants or isinstance(term, Not | ForSome):
            return False
        names = {str(path.steps[0]) for path in absolute_fields(term)}
        if not names or not all(names <= constants.keys() for constants in self._constants):
            return False
        asked = _any_case(term) if self._platform == "splunk" else term
        return all(matches(asked, constants) for constants in self._constants)

    def implies(self, term: Expression) -> bool:
        """Whether all of the packs' own conditions say what a condition in canonical names asks."""
        return bool(self._terms) and all(
            any(said == term or _implies(said, term) for said in terms) for terms in self._terms
        )

    def every_event(self) -> tuple[Expression, ...]:
        """A condition that every event of the log sources satisfies and that asks something."""
        selects = [pack.select for pack in self._packs]
        return () if not selects or TRUE in selects else (any_of(*selects),)


def _constants(pack: Pack, platform: str) -> dict[str, Any]:
    """The stored fields whose values a log source is known by."""
    constants: dict[str, Any] = {
        name: value if isinstance(value, list) else [value]
        for name, value in pack.constants.get(platform, {}).items()
    }
    if platform == "splunk":
        names = recognised_names(pack, platform)
        for field in _SPLUNK_SELECTS:
            known = [*constants.get(field, ()), *names.get(field, ())]
            if known:
                constants[field] = known
    return constants


def _any_case(term: Expression) -> Expression:
    """The condition without regard to case, as Splunk's search compares."""
    return mapped(term, lambda predicate: msgspec.structs.replace(predicate, ignore_case=True))


def _said(pack: Pack, platform: str) -> Iterator[Expression]:
    """The conditions that an event of the pack satisfies, each by itself."""
    yield from _terms(pack.select)
    names = pack.platforms.get(platform, {})
    if "misses" not in names:
        yield from _terms(guard([pack], platform))


def _terms(expression: Expression) -> Iterator[Expression]:
    if isinstance(expression, All):
        for term in expression.terms:
            yield from _terms(term)
    else:
        yield expression


def _implies(said: Expression, term: Expression) -> bool:
    """Whether ``said`` lists no value that ``term`` does not ask for as well."""
    match said, term:
        case (
            Predicate(FieldPath() as one, Operator.IS, values, False, False, ()),
            Predicate(FieldPath() as other, Operator.IS, asked, _, False, ()),
        ):
            texts = {str(value) for value in asked}
            return one.without_indexes() == other.without_indexes() and all(str(v) in texts for v in values)
        case Predicate(FieldPath() as one, _, _, _, _, ()), Predicate(
            FieldPath() as other, Operator.EXISTS, _, _, _, ()
        ):
            return one.without_indexes() == other.without_indexes()
    return False
