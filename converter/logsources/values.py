"""Operands on a platform that stores other values: another case, or other words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import msgspec

from converter.logsources.pack import PlatformField
from converter.model.diagnostics import Fidelity
from converter.model.expressions import (
    CASE_OPERATORS,
    FunctionName,
    Operator,
    Predicate,
    Scalar,
)
from converter.model.paths import FieldPath

Loss: TypeAlias = tuple[str, Fidelity, str]
"""Code, effect on the predicate, message."""


class ValueChanges(msgspec.Struct, frozen=True):
    """How predicates on one stored field follow its changes of value.

    ``alone``: the field is the predicate's only one; otherwise (concat, same_as) operands cannot follow.
    """

    field: PlatformField
    alone: bool = True

    def carried_over(self, predicate: Predicate) -> tuple[Predicate, tuple[Loss, ...]]:
        """The predicate for the stored values, and what it loses by them."""
        if predicate.operator is Operator.EXISTS:
            return predicate, ()
        if not self.alone:
            return predicate, (self._loss("it is compared with or joined to another field"),)
        losses: tuple[Loss, ...] = ()
        if self.field.values:
            predicate, losses = self._renamed(predicate)
        if self.field.case and predicate.operator in CASE_OPERATORS:
            predicate, more = self._recased(predicate)
            losses += more
        return predicate, losses

    def _renamed(self, predicate: Predicate) -> tuple[Predicate, tuple[Loss, ...]]:
        if predicate.operator is not Operator.IS or predicate.functions:
            return predicate, (self._loss(f"`{predicate.operator}` looks inside the original value"),)
        known = self.field.values
        images = set(known.values())
        values: list[Scalar | FieldPath] = []
        losses: list[Loss] = []
        for value in predicate.values:
            text = _text(value)
            stored = {
                image
                for original, image in known.items()
                if original == text or (predicate.ignore_case and original.lower() == text.lower())
            }
            if stored:
                values.extend(sorted(stored))
                shared = {o for o, image in known.items() if image in stored} - {text}
                missed = [
                    o for o in sorted(shared) if text not in (o, o.lower() if predicate.ignore_case else o)
                ]
                missed = [o for o in missed if not (predicate.ignore_case and o.lower() == text.lower())]
                if missed:
                    losses.append(
                        self._effect(Fidelity.WIDER, f"{text} and {', '.join(missed)} are stored alike")
                    )
            else:
                values.append(value)
                if text in images:
                    losses.append(self._effect(Fidelity.WIDER, f"{text} is how another value is stored"))
        return msgspec.structs.replace(predicate, values=tuple(values)), tuple(losses)

    def _recased(self, predicate: Predicate) -> tuple[Predicate, tuple[Loss, ...]]:
        if any(function.name in (FunctionName.LOWER, FunctionName.UPPER) for function in predicate.functions):
            return predicate, ()
        lower = self.field.case == "lower"
        losses: tuple[Loss, ...] = ()
        if not predicate.ignore_case and _has_letters(predicate.values):
            losses = (
                (
                    "case",
                    Fidelity.WIDER,
                    f"{self.field.name} is stored in {self.field.case} case, so its original case is lost",
                ),
            )
        if predicate.operator is Operator.REGEX:
            return msgspec.structs.replace(predicate, ignore_case=True), losses
        values = tuple(
            (value.lower() if lower else value.upper()) if isinstance(value, str) else value
            for value in predicate.values
        )
        return msgspec.structs.replace(predicate, values=values), losses

    def _effect(self, effect: Fidelity, why: str) -> Loss:
        return ("value-change", effect, f"{self.field.name} holds other values than the log: {why}")

    def _loss(self, why: str) -> Loss:
        return self._effect(Fidelity.REFUSED, why)


def _text(value: Scalar | FieldPath) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _has_letters(values: Iterable[Scalar | FieldPath]) -> bool:
    return any(isinstance(value, str) and value.lower() != value.upper() for value in values)
