"""What equality, ranges and words mean on a stored field of a type, for Query DSL and Lucene.

Source: Elasticsearch, "Field data types", "Term query", "Range query", "Match phrase query".
"""

from __future__ import annotations

import ipaddress

from converter.evaluate.values import number_of, text_of
from converter.logsources.pack import FieldType
from converter.model.expressions import FALSE, Expression, Operator, Predicate, Scalar, all_of
from converter.model.paths import FieldPath
from converter.platforms.elastic.analysis import phrase, some_word
from converter.platforms.elastic.fields import StoredFields
from converter.platforms.elastic.operands import NUMBER_TYPES, equal_operand, moment_text, stored_network


class UnreadableError(Exception):
    """A part of a rule that has no canonical form; says which."""


def equal(
    fields: StoredFields,
    path: FieldPath,
    value: Scalar,
    name: str | None = None,
    *,
    ignore_case: bool = False,
) -> Expression:
    """Some value of the field equals the operand, as its type compares. Raises UnreadableError."""
    kind = fields.type_of(name or str(path.steps[0]))
    if kind is FieldType.TEXT:
        return analysed(path, text_of(value), in_a_row=True)
    if kind is FieldType.IP:
        return Predicate(path, Operator.CIDR, networks(text_of(value)))
    operand = equal_operand(value, kind, ignore_case)
    if operand is None:
        if kind in NUMBER_TYPES and number_of(value) is not None:
            return FALSE
        raise UnreadableError(f"{value!r}, no value for a field of type {kind.value}")
    if kind is FieldType.DATE:
        return all_of(Predicate(path, Operator.GTE, (operand,)), Predicate(path, Operator.LTE, (operand,)))
    return Predicate(path, Operator.IS, (operand,), ignore_case=ignore_case)


def networks(text: str) -> tuple[str, ...]:
    """What an address or network covers. Raises UnreadableError for what is neither."""
    try:
        return stored_network(text) if "/" in text else (str(ipaddress.ip_address(text)),)
    except ValueError as error:
        raise UnreadableError(f"{text!r}, no address and no network") from error


def ordered(fields: StoredFields, path: FieldPath, operator: Operator, value: Scalar) -> Expression:
    """A range bound. Raises UnreadableError where texts would be compared by their letters, or date math."""
    name = str(path.steps[0])
    kind = fields.type_of(name)
    operand: Scalar | None = None
    if kind in NUMBER_TYPES or not fields.declares(name):
        operand = number_of(value)
    elif kind is FieldType.DATE:
        operand = moment_text(text_of(value))
    if operand is None:
        raise UnreadableError(f"a range over {name} ({kind.value}) with {value!r}")
    return Predicate(path, operator, (operand,))


def analysed(path: FieldPath, text: str, *, in_a_row: bool) -> Expression:
    """A text field: its words one after the other, or any of them."""
    return phrase(path, text) if in_a_row else some_word(path, text)
