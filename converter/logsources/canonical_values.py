"""Operands as the log writes them, where a platform stores other values: values.py the other way round."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from converter.evaluate import matches
from converter.logsources.canonical import text_of
from converter.logsources.pack import PlatformField
from converter.logsources.stored_names import Canonical, Part
from converter.model.expressions import (
    CASE_OPERATORS,
    All,
    Expression,
    Function,
    FunctionName,
    Not,
    Operator,
    Predicate,
    Reference,
    Scalar,
    any_of,
    references,
)
from converter.model.paths import FieldPath

_RECASED = {"lower": str.lower, "upper": str.upper}


def asked_of(predicate: Predicate, found: Canonical) -> Expression:
    """The predicate, whose subject is a stored name, asked of the canonical field that ``found`` tells."""
    stored = found.field
    if found.part is Part.WHOLE:
        asked = msgspec.structs.replace(predicate, subject=found.path)
        return asked if stored is None else _restored(asked, stored)
    if found.part is Part.ADDRESS:
        if predicate.operator is Operator.EXISTS and not predicate.functions:
            return Predicate(found.path, Operator.IP, ("v4", "v6"))
        return msgspec.structs.replace(predicate, subject=found.path)
    return msgspec.structs.replace(
        predicate, subject=found.path, functions=(piece_function(found), *predicate.functions)
    )


def piece_function(found: Canonical) -> Function:
    """What takes the stored part out of the whole value."""
    if found.part is Part.BASENAME:
        return Function(FunctionName.BASENAME)
    assert found.field is not None
    return Function(FunctionName.SPLIT, found.field.separator, found.piece)


def _restored(predicate: Predicate, stored: PlatformField) -> Expression:
    """Operands before the platform's change of values and case."""
    if predicate.operator is Operator.EXISTS:
        return predicate
    if stored.case and predicate.operator in CASE_OPERATORS:
        return _any_case(predicate, stored.case)
    if not stored.values or predicate.functions or references(predicate):
        return predicate
    if predicate.operator is Operator.IS and not predicate.all_of:
        return _same_words(predicate, stored)
    words = _words(predicate, stored)
    if not words:
        return predicate
    return any_of(Predicate(predicate.subject, Operator.IS, words), predicate)


def _same_words(predicate: Predicate, stored: PlatformField) -> Predicate:
    values: list[Scalar | Reference] = []
    for value in predicate.values:
        words = _words(msgspec.structs.replace(predicate, values=(value,)), stored)
        values.extend(words or (value,))
    return msgspec.structs.replace(predicate, values=tuple(dict.fromkeys(values)))


def _words(predicate: Predicate, stored: PlatformField) -> tuple[str, ...]:
    """The log's words that are stored as a text which the predicate accepts."""
    subject = FieldPath(("value",))
    asked = msgspec.structs.replace(predicate, subject=subject)
    return tuple(word for word, image in stored.values.items() if matches(asked, {"value": image}))


def _any_case(predicate: Predicate, case: str) -> Expression:
    """A stored text is all in one case: an operand in another meets nothing, the rest meet any case."""
    if predicate.ignore_case or predicate.operator is Operator.REGEX:
        return msgspec.structs.replace(predicate, ignore_case=True)
    if references(predicate):
        return predicate
    values = tuple(_of_case(predicate.values, case))
    if not values or (predicate.all_of and len(values) < len(predicate.values)):
        there = Predicate(predicate.subject, Operator.EXISTS)
        return All((there, Not(there)))
    letters = any(text_of(value).lower() != text_of(value).upper() for value in values)
    return msgspec.structs.replace(predicate, values=values, ignore_case=letters)


def _of_case(values: Iterable[Scalar | Reference], case: str) -> Iterable[Scalar | Reference]:
    for value in values:
        if not isinstance(value, str) or _RECASED[case](value) == value:
            yield value
