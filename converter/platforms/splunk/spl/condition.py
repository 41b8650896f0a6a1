"""A condition as SPL: a base search that reads few events, and ``where`` for what it cannot say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from converter.logsources.pack import PlatformField
from converter.model.expressions import All, AnyOf, Expression, Function, Not, Subject
from converter.model.losses import Losses
from converter.model.paths import FieldPath
from converter.platforms.splunk.spl.flatten import without_for_some
from converter.platforms.splunk.spl.search_terms import SearchTerms
from converter.platforms.splunk.spl.where_terms import WhereTerms


class Printed(msgspec.Struct, frozen=True):
    """``terms``: conjuncts of the base search; ``where``: conjuncts that ``where`` has to add."""

    terms: tuple[str, ...]
    where: tuple[str, ...]

    def search(self, source: str) -> str:
        """The base search over the events of a log source."""
        return " ".join(part for part in (source, *self.terms) if part)


class ConditionPrinter:
    """Prints conditions over stored fields. What it loses on the way is in ``losses``."""

    def __init__(self, fields: Mapping[FieldPath, PlatformField], losses: Losses) -> None:
        self._losses = losses
        self._search = SearchTerms(fields)
        self._where = WhereTerms(fields, losses)

    @property
    def elements(self) -> Mapping[str, str]:
        """Fields that an eval has to make before the printed ``where``: name → eval expression."""
        return self._where.elements

    @property
    def address_classes(self) -> tuple[str, ...]:
        """The address classes that the printed conditions ask for by macro."""
        return tuple(self._where.address_classes)

    def printed(self, expression: Expression) -> Printed:
        """The condition, split between ``search`` and ``where``."""
        terms: list[str] = []
        where: list[str] = []
        for conjunct in _conjuncts(without_for_some(expression, self._losses)):
            text, exact = self._search.term(conjunct)
            if text is not None:
                terms.append(text)
            if not exact:
                where.append(self._where.condition(conjunct))
        return Printed(tuple(dict.fromkeys(terms)), tuple(where))

    def whole(self, expression: Expression) -> str:
        """All of the condition as one eval expression, true or false for every event."""
        return self._where.condition(without_for_some(expression, self._losses))

    def value(self, subject: Subject, functions: tuple[Function, ...]) -> str | None:
        """A value as an eval expression, null where there is none; None where there may be several."""
        return self._where.value(subject, functions)


def _conjuncts(expression: Expression) -> Iterator[Expression]:
    """The terms that must all hold: nested All flattened, ``not any`` taken apart."""
    match expression:
        case All(terms):
            for term in terms:
                yield from _conjuncts(term)
        case Not(AnyOf(terms)) if terms:
            for term in terms:
                yield Not(term)
        case _:
            yield expression
