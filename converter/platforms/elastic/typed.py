"""What equality, order and words mean on a stored field of a type, for every language but ES|QL.

Source: Elasticsearch, "Field data types", "Term query", "Range query", "Match phrase query".
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
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
    moment_after,
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
        return dated(path, text_of(value))
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
    elif kind is FieldType.DATE and moment_text(text_of(value)) is not None:
        return _dated(subject, operator, text_of(value))
    elif kind is FieldType.IP:
        return Predicate(subject, Operator.CIDR, tuple(_networks(*_side(operator, text_of(value)))))
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


def dated(subject: Subject, text: str) -> Expression:
    """The moment that a text is, or the day, minute or second."""
    return all_of(_dated(subject, Operator.GTE, text), _dated(subject, Operator.LTE, text))


def _dated(subject: Subject, operator: Operator, text: str) -> Expression:
    """A bound in time. A day is all of the day: ``<=`` and ``>`` look at its end (Elasticsearch, "Range
    query", missing date components), as does equality.
    """
    end = moment_after(text) if operator in _OF_THE_END else None
    if end is not None:
        return Predicate(subject, _OF_THE_END[operator], (end,))
    return Predicate(subject, operator, (moment_text(text) or text,))


_OF_THE_END: Final = {Operator.LTE: Operator.LT, Operator.GT: Operator.GTE}


def bounded(fields: StoredFields, path: FieldPath, bounds: Iterable[tuple[Operator, Scalar]]) -> Expression:
    """A range: one value is within all of the bounds. Raises UnreadableError, as :func:`ordered` does."""
    pairs = list(bounds)
    if fields.type_of(str(path.steps[0])) is FieldType.IP:
        sides = [_side(operator, text_of(value)) for operator, value in pairs]
        low, high = max(side[0] for side in sides), min(side[1] for side in sides)
        found = tuple(_networks(low, high))
        return Predicate(path, Operator.CIDR, found) if found else FALSE
    return all_of(*(ordered(fields, path, operator, value) for operator, value in pairs))


def _side(operator: Operator, text: str) -> tuple[int, int]:
    """The first and last of the addresses on one side of one; IPv4 ones lie among the IPv6 ones."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:
        raise UnreadableError(f"{text!r} is no address") from error
    number = int(address) + (_IPV4[0] if isinstance(address, ipaddress.IPv4Address) else 0)
    return {
        Operator.GT: (number + 1, _LAST),
        Operator.GTE: (number, _LAST),
        Operator.LT: (0, number - 1),
        Operator.LTE: (0, number),
    }[operator]


def _networks(low: int, high: int) -> Iterator[str]:
    """The networks of all addresses from one to another."""
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
