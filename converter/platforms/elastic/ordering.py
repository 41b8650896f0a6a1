"""Order comparisons, which KQL and EQL write alike: ``name > 5``, ``name <= "2024-…"``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from converter.evaluate.values import number_of, text_of
from converter.logsources.pack import FieldType
from converter.model.expressions import Operator, Scalar
from converter.platforms.elastic.clause import Clause
from converter.platforms.elastic.operands import NUMBER_TYPES, always_ordered, moment_text


class Ordering(NamedTuple):
    """How a language compares one field: its name and sign as written, the clauses for *has a value* and
    *never*, and its quoted texts.
    """

    name: str
    sign: str
    present: Clause
    never: Clause
    quoted: Callable[[str], str]

    def clauses(self, operator: Operator, kind: FieldType, values: Iterable[Scalar]) -> list[Clause] | None:
        """A clause for each value; None for a field of a type that has no order of its own."""
        if kind not in NUMBER_TYPES and kind is not FieldType.DATE:
            return None
        return [self._clause(operator, kind, value) for value in values]

    def _clause(self, operator: Operator, kind: FieldType, value: Scalar) -> Clause:
        number = number_of(value)
        if kind in NUMBER_TYPES and number is not None:
            always = always_ordered(operator, number, kind)
            if always is not None:
                return self.present if always else self.never
            return Clause(f"{self.name} {self.sign} {text_of(number)}")
        moment = moment_text(text_of(value)) if kind is FieldType.DATE and number is None else None
        return self.never if moment is None else Clause(f"{self.name} {self.sign} {self.quoted(moment)}")
