"""Saying a predicate with value functions by one without, where that means the same.

KQL has no functions at all and EQL's run as scripts, so ``lower`` becomes ``ignore_case`` and ``basename``
becomes a suffix wherever the operand allows it.
"""

from __future__ import annotations

import msgspec

from converter.evaluate.values import text_of
from converter.model.expressions import (
    FALSE,
    Expression,
    FunctionName,
    Operator,
    Predicate,
    Scalar,
    all_of,
    any_of,
    references,
)

_CASE = frozenset({FunctionName.LOWER, FunctionName.UPPER})
_FOLDABLE = frozenset(
    {Operator.IS, Operator.STARTS_WITH, Operator.ENDS_WITH, Operator.CONTAINS, Operator.LIKE}
)


def simplified(predicate: Predicate) -> Expression:
    """The same without its functions, or the predicate itself when that cannot be said."""
    if not predicate.functions or references(predicate):
        return predicate
    names = {function.name for function in predicate.functions}
    if names - _CASE - {FunctionName.BASENAME} or len(names & _CASE) > 1:
        return predicate
    if names & _CASE:
        if predicate.operator not in _FOLDABLE:
            return predicate
        return _folded(predicate, lower=FunctionName.LOWER in names)
    return _based(predicate)


def _folded(predicate: Predicate, *, lower: bool) -> Expression:
    """``lower`` or ``upper`` as ``ignore_case``; operands that are not in that case can never match."""
    texts = [text_of(value) for value in predicate.values if not isinstance(value, tuple)]  # type: ignore[arg-type]
    if not lower and not all(text.isascii() for text in texts):
        return predicate
    possible = [t for t in texts if predicate.ignore_case or t == (t.lower() if lower else t.upper())]
    if not possible or (predicate.all_of and len(possible) < len(texts)):
        return FALSE
    rest = tuple(f for f in predicate.functions if f.name not in _CASE)
    return simplified(
        msgspec.structs.replace(predicate, values=tuple(possible), ignore_case=True, functions=rest)
    )


def _based(predicate: Predicate) -> Expression:
    """``basename is x`` as ``is x``, or ends with ``/x`` or ``\\x``."""
    if predicate.operator not in (Operator.IS, Operator.ENDS_WITH):
        return predicate
    plain = msgspec.structs.replace(predicate, functions=(), all_of=False)
    terms = [_based_on(plain, text_of(value)) for value in predicate.values]  # type: ignore[arg-type]
    return all_of(*terms) if predicate.all_of else any_of(*terms)


def _based_on(plain: Predicate, text: str) -> Expression:
    if "/" in text or "\\" in text:
        return FALSE
    if plain.operator is Operator.ENDS_WITH:
        return msgspec.structs.replace(plain, values=(text,))
    suffixes: tuple[Scalar, ...] = (f"/{text}", f"\\{text}")
    return any_of(
        msgspec.structs.replace(plain, values=(text,)),
        msgspec.structs.replace(plain, operator=Operator.ENDS_WITH, values=suffixes),
    )
