"""What equality, order and words mean on a stored field of a type, for every language but ES|QL.

Source: Elasticsearch, "Field data types", "Term query", "Range query", "Match phrase query".
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Final

from converter.evaluate.values import number_of, text_of
from converter.logsources.pack import FieldType
from converter.model.expressions import (
    FALSE,
    Expression,
    Operator,
    Predicate,
    Scalar,
    Subject,
    all_of,
    any_of,
)
from converter.model.paths import FieldPath
from converter.platforms.elastic.analysis import phrase, some_word, wildcard_word, words_of
from converter.platforms.elastic.fields import StoredFields
from converter.platforms.elastic.operands import (
    EXACT_TYPES,
    NUMBER_TYPES,
    TEXT_TYPES,
    equal_operand,
    moment_text,
    stored_network,
)
from converter.platforms.elastic.patterns import ANY, ONE, Pattern, format_like
from converter.platforms.elastic.text_order import ordered_text

MOST_WORDS: Final = 60
"""Of one phrase or list of words on an analysed field. Each is part of a regular expression."""

_IPV4: Final = (0xFFFF << 32, (0xFFFF << 32) + 2**32 - 1)
"""Where Elasticsearch puts IPv4 addresses among the IPv6 ones (``::ffff:0:0/96``)."""
_LAST: Final = 2**128 - 1


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
        raise UnreadableError(f"{value!r} is no value for a field of type {kind.value}")
    if kind is FieldType.DATE:
        return all_of(Predicate(path, Operator.GTE, (operand,)), Predicate(path, Operator.LTE, (operand,)))
    return Predicate(path, Operator.IS, (operand,), ignore_case=ignore_case)


def networks(text: str) -> tuple[str, ...]:
    """What an address or network covers. Raises UnreadableError for what is neither."""
    try:
        return stored_network(text) if "/" in text else (str(ipaddress.ip_address(text)),)
    except ValueError as error:
        raise UnreadableError(f"{text!r} is no address and no network") from error


def ordered(
    fields: StoredFields,
    subject: Subject,
    operator: Operator,
    value: Scalar,
    name: str | None = None,
    *,
    ignore_case: bool = False,
) -> Expression:
    """A bound of a range: numbers and times by size, keywords by their characters, addresses by theirs.

    A field that nobody declares is taken for a number where the bound is one, else for a keyword. Raises
    UnreadableError for what the type does not hold, for date math, which needs a clock, and for a time where
    no type says that it is one.
    """
    name = name or (str(subject.steps[0]) if isinstance(subject, FieldPath) else None)
    kind = FieldType.KEYWORD if name is None else fields.type_of(name)
    operand: Scalar | None = None
    if kind in NUMBER_TYPES or name is None or not fields.declares(name):
        operand = number_of(value)
    elif kind is FieldType.DATE:
        operand = moment_text(text_of(value))
    elif kind is FieldType.IP:
        return Predicate(subject, Operator.CIDR, tuple(_addresses(operator, text_of(value))))
    if operand is not None:
        return Predicate(subject, operator, (operand,))
    declared = name is not None and fields.declares(name)
    moment = not declared and (moment_text(text_of(value)) is not None or text_of(value).startswith("now"))
    if kind not in EXACT_TYPES or moment or not text_of(value):
        raise UnreadableError(f"a range over {name} ({kind.value}) with {value!r}")
    try:
        return ordered_text(subject, operator, text_of(value), ignore_case=ignore_case)
    except ValueError as error:
        raise UnreadableError(str(error)) from error


def _addresses(operator: Operator, text: str) -> Iterator[str]:
    """The networks of all addresses on one side of one; IPv4 ones lie among the IPv6 ones."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:
        raise UnreadableError(f"{text!r} is no address") from error
    number = int(address) + (_IPV4[0] if isinstance(address, ipaddress.IPv4Address) else 0)
    low, high = {
        Operator.GT: (number + 1, _LAST),
        Operator.GTE: (number, _LAST),
        Operator.LT: (0, number - 1),
        Operator.LTE: (0, number),
    }[operator]
    for first, last in ((low, min(high, _IPV4[0] - 1)), (max(low, _IPV4[1] + 1), high)):
        if first <= last:
            yield from map(
                str,
                ipaddress.summarize_address_range(ipaddress.IPv6Address(first), ipaddress.IPv6Address(last)),
            )
    first, last = max(low, _IPV4[0]) - _IPV4[0], min(high, _IPV4[1]) - _IPV4[0]
    if 0 <= first <= last:
        yield from map(
            str, ipaddress.summarize_address_range(ipaddress.IPv4Address(first), ipaddress.IPv4Address(last))
        )


# -- patterns and words


def wildcard(
    fields: StoredFields,
    path: FieldPath,
    parts: Pattern,
    name: str | None = None,
    *,
    ignore_case: bool = False,
) -> Expression:
    """Some value, or some word of an analysed field, fits a pattern. Raises UnreadableError."""
    name = name or str(path.steps[0])
    kind = fields.type_of(name)
    if parts == (ANY,):
        return Predicate(path, Operator.EXISTS)
    if ANY not in parts and ONE not in parts:
        return equal(fields, path, "".join(map(str, parts)), name, ignore_case=ignore_case)
    if kind is FieldType.TEXT and ONE not in parts:
        return wildcard_word(path, [None if part is ANY else str(part) for part in parts])
    if kind not in TEXT_TYPES:
        raise UnreadableError(f"a wildcard on {name}, which is of type {kind.value}")
    return Predicate(path, Operator.LIKE, (format_like(parts),), ignore_case=ignore_case)


def need_text(fields: StoredFields, name: str, what: str) -> None:
    """Raises UnreadableError for a field whose values are no exact text."""
    kind = fields.type_of(name)
    if kind not in EXACT_TYPES:
        raise UnreadableError(f"{what} on {name}, which is of type {kind.value}")


def need_exact(fields: StoredFields, name: str, what: str) -> None:
    """Raises UnreadableError for an analysed field, whose words are asked for one by one."""
    if fields.type_of(name) is FieldType.TEXT:
        raise UnreadableError(f"{what} on the analysed field {name}")


def analysed(path: FieldPath, text: str, *, in_a_row: bool, every: bool = False) -> Expression:
    """A text field: its words one after the other, ``every`` one of them, or any. Raises UnreadableError."""
    found = words_of(text)
    if len(found) > MOST_WORDS:
        raise UnreadableError(f"more than {MOST_WORDS} words on the analysed field {path}")
    if in_a_row:
        return phrase(path, text)
    if every:
        return all_of(*(some_word(path, word) for word in found)) if found else FALSE
    return some_word(path, text)


# -- names with wildcards


def some_field(fields: StoredFields, name: str) -> Expression:
    """``prefix.*`` exists: some field below the prefix has a value. Raises UnreadableError for others.

    Fields that nobody declares are found through the object that they lie in.
    """
    prefix = name.removesuffix(".*")
    if "*" in prefix or prefix == name or not prefix:
        raise UnreadableError("a wildcard in a field name")
    declared = [one for one in fields.by_name if one.startswith(f"{prefix}.")]
    exist = (Predicate(FieldPath((one,)), Operator.EXISTS) for one in (*declared, prefix))
    return any_of(*exist)
