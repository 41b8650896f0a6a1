"""Operands on a platform that stores other values: another case, or other words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import msgspec

from converter.logsources.canonical import text_of
from converter.logsources.pack import PlatformField
from converter.model.diagnostics import Fidelity
from converter.model.expressions import (
    CASE_OPERATORS,
    FunctionName,
    Operator,
    Predicate,
    Reference,
    Scalar,
    constants,
)

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
            return predicate, (self._refused("it is compared with or joined to another field"),)
        losses: tuple[Loss, ...] = ()
        if self.field.values:
            predicate, losses = self._renamed(predicate)
        if self.field.case and predicate.operator in CASE_OPERATORS:
            predicate, more = self._recased(predicate)
            losses += more
        return predicate, losses

    def _renamed(self, predicate: Predicate) -> tuple[Predicate, tuple[Loss, ...]]:
        if predicate.operator is not Operator.IS or predicate.functions:
            return predicate, (self._refused(f"`{predicate.operator}` looks inside the original value"),)
        values: list[Scalar | Reference] = []
        losses: list[Loss] = []
        for value in constants(predicate):
            operand = text_of(value)
            wanted = [text for text in self.field.values if _same(text, operand, predicate.ignore_case)]
            images = sorted({self.field.values[text] for text in wanted})
            values.extend(images)
            if not images or (predicate.ignore_case and self._may_be_kept(operand, images)):
                values.append(value)
            alike = [
                text
                for text, image in self.field.values.items()
                if text not in wanted and (image in images or _same(image, operand, ignore_case=True))
            ]
            if alike:
                losses.append(self._wider(f"{', '.join(alike)} and {operand} are stored alike"))
        return msgspec.structs.replace(predicate, values=tuple(dict.fromkeys(values))), tuple(losses)

    @staticmethod
    def _may_be_kept(operand: str, images: Iterable[str]) -> bool:
        """Whether the log's word may be stored as it is: written in another case it is not renamed.

        Of true and false there is one spelling.
        """
        return operand not in ("true", "false") and not any(_same(image, operand, True) for image in images)

    def _recased(self, predicate: Predicate) -> tuple[Predicate, tuple[Loss, ...]]:
        if any(function.name in (FunctionName.LOWER, FunctionName.UPPER) for function in predicate.functions):
            return predicate, ()
        losses: tuple[Loss, ...] = ()
        if not predicate.ignore_case and _has_letters(predicate.values):
            message = f"{self.field.name} is stored in {self.field.case} case: the log's own case is lost"
            losses = (("case", Fidelity.WIDER, message),)
        if predicate.operator is Operator.REGEX:
            return msgspec.structs.replace(predicate, ignore_case=True), losses
        recase = str.lower if self.field.case == "lower" else str.upper
        values = tuple(recase(value) if isinstance(value, str) else value for value in predicate.values)
        return msgspec.structs.replace(predicate, values=values, ignore_case=False), losses

    def _wider(self, why: str) -> Loss:
        return ("value-change", Fidelity.WIDER, f"{self.field.name} holds other values than the log: {why}")

    def _refused(self, why: str) -> Loss:
        return ("value-change", Fidelity.REFUSED, f"{self.field.name} holds other values than the log: {why}")


def _same(one: str, other: str, ignore_case: bool) -> bool:
    return one == other or (ignore_case and one.lower() == other.lower())


def _has_letters(values: Iterable[Scalar | Reference]) -> bool:
    return any(isinstance(value, str) and value.lower() != value.upper() for value in values)
