"""One function per operator: from its operand to a test of one value.

Each is the definition of its operator; docs/semantics.md says the same in words, a test per sentence.
"""

from __future__ import annotations

import ipaddress
import operator
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, TypeAlias

from converter.evaluate.timestamps import parse_text
from converter.evaluate.values import number_of, text_of
from converter.model.addresses import networks_of
from converter.model.expressions import Operator, Scalar

Test: TypeAlias = Callable[[Scalar], bool]
Relation: TypeAlias = Callable[[Scalar, Scalar, bool], bool]
"""From a value, another value of the event, and whether case is ignored."""


def fold(text: str, ignore_case: bool) -> str:
    """The text as it is compared: in lower case when case is ignored."""
    return text.lower() if ignore_case else text


def equal(value: Scalar, other: Scalar, ignore_case: bool = False) -> bool:
    """The same number, where at least one side is a JSON number; else the same text."""
    if _is_number(value) or _is_number(other):
        left, right = number_of(value), number_of(other)
        if left is not None and right is not None:
            return left == right
    return fold(text_of(value), ignore_case) == fold(text_of(other), ignore_case)


def is_(operand: Scalar, ignore_case: bool) -> Test:
    """Equal to the operand."""
    if isinstance(operand, str) and number_of(operand) is None:
        wanted = fold(operand, ignore_case)
        return lambda value: fold(text_of(value), ignore_case) == wanted
    return lambda value: equal(value, operand, ignore_case)


def starts_with(operand: Scalar, ignore_case: bool) -> Test:
    """The value's text begins with the operand's."""
    wanted = fold(text_of(operand), ignore_case)
    return lambda value: fold(text_of(value), ignore_case).startswith(wanted)


def ends_with(operand: Scalar, ignore_case: bool) -> Test:
    """The value's text ends with the operand's."""
    wanted = fold(text_of(operand), ignore_case)
    return lambda value: fold(text_of(value), ignore_case).endswith(wanted)


def contains(operand: Scalar, ignore_case: bool) -> Test:
    """The operand's text is somewhere in the value's."""
    wanted = fold(text_of(operand), ignore_case)
    return lambda value: wanted in fold(text_of(value), ignore_case)


def _between(relation: Callable[[str, str], bool]) -> Relation:
    """A relation of the texts of two values."""
    return lambda value, other, ignore_case: relation(
        fold(text_of(value), ignore_case), fold(text_of(other), ignore_case)
    )


def _in_order(relation: Callable[[Any, Any], bool]) -> Relation:
    """An order of two values: of numbers, else of moments; what is neither is in no order."""

    def ordered(value: Scalar, other: Scalar, ignore_case: bool) -> bool:
        one, two = number_of(value), number_of(other)
        if one is not None and two is not None:
            return relation(one, two)
        if not isinstance(value, str) or not isinstance(other, str):
            return False
        start, end = parse_text(value), parse_text(other)
        return start is not None and end is not None and relation(start, end)

    return ordered


def like(operand: Scalar, ignore_case: bool) -> Test:
    """The whole text fits the wildcard pattern (``*`` any run, ``?`` one character, ``\\`` escapes)."""
    search = _linear("(?s)^" + _wildcard_regex(fold(text_of(operand), ignore_case)) + "$", False)
    return lambda value: search(fold(text_of(value), ignore_case))


def regex(operand: Scalar, ignore_case: bool) -> Test:
    """The RE2 pattern is found somewhere in the value's text."""
    search = _linear(text_of(operand), ignore_case)
    return lambda value: search(text_of(value))


def _compares(relation: Callable[[Any, Any], bool]) -> Callable[[Scalar, bool], Test]:
    """An order operator: numeric against a number, in time against a timestamp, else false."""

    def operator_of(operand: Scalar, ignore_case: bool) -> Test:
        number = number_of(operand)
        if number is not None:
            return lambda value: (n := number_of(value)) is not None and relation(n, number)
        moment = parse_text(text_of(operand))
        if moment is None:
            raise ValueError(f"{operand!r} is neither a number nor a timestamp")
        return lambda value: (
            isinstance(value, str) and (t := parse_text(value)) is not None and relation(t, moment)
        )

    return operator_of


def cidr(operand: Scalar, ignore_case: bool) -> Test:
    """The value is an IP address in the network."""
    network = ipaddress.ip_network(text_of(operand))
    return lambda value: (a := _address(value)) is not None and a.version == network.version and a in network


def cidr_of_any(operands: Iterable[Scalar]) -> Test:
    """The value is an IP address in one of the networks: one look-up for each length of their prefixes."""
    by_mask: dict[tuple[int, int], set[int]] = {}
    for operand in operands:
        network = ipaddress.ip_network(text_of(operand))
        key = (network.version, int(network.netmask))
        by_mask.setdefault(key, set()).add(int(network.network_address))
    masks = [(version, mask, starts) for (version, mask), starts in by_mask.items()]

    def test(value: Scalar) -> bool:
        address = _address(value)
        if address is None:
            return False
        number = int(address)
        return any(address.version == version and number & mask in starts for version, mask, starts in masks)

    return test


def ip(operand: Scalar, ignore_case: bool) -> Test:
    """The value is an IP address of the class: in one of its networks and in none of its exceptions."""
    class_name = text_of(operand)
    return lambda value: isinstance(value, str) and _in_class(value, class_name)


TESTS: dict[Operator, Callable[[Scalar, bool], Test]] = {
    Operator.IS: is_,
    Operator.STARTS_WITH: starts_with,
    Operator.ENDS_WITH: ends_with,
    Operator.CONTAINS: contains,
    Operator.LIKE: like,
    Operator.REGEX: regex,
    Operator.GT: _compares(operator.gt),
    Operator.GTE: _compares(operator.ge),
    Operator.LT: _compares(operator.lt),
    Operator.LTE: _compares(operator.le),
    Operator.CIDR: cidr,
    Operator.IP: ip,
}
"""Operator → (operand, ignore_case) → test of a value. ``exists`` and ``same_as`` take no constants."""

RELATIONS: dict[Operator, Relation] = {
    Operator.SAME_AS: equal,
    Operator.STARTS_WITH: _between(str.startswith),
    Operator.ENDS_WITH: _between(str.endswith),
    Operator.CONTAINS: _between(lambda whole, part: part in whole),
    Operator.GT: _in_order(operator.gt),
    Operator.GTE: _in_order(operator.ge),
    Operator.LT: _in_order(operator.lt),
    Operator.LTE: _in_order(operator.le),
}
"""Operator → test of two values of the event, for operands that are references."""


def _is_number(value: Scalar) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _address(value: Scalar) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    return _parsed_address(value) if isinstance(value, str) else None


@lru_cache(maxsize=4096)
def _parsed_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _in_class(text: str, class_name: str) -> bool:
    address = _parsed_address(text)
    if address is None:
        return False
    covered, excepted = networks_of(class_name)
    return any(address in n for n in covered if n.version == address.version) and not any(
        address in n for n in excepted if n.version == address.version
    )


def _wildcard_regex(pattern: str) -> str:
    """A wildcard pattern as RE2 text for the whole value."""
    import re2

    out: list[str] = []
    position = 0
    while position < len(pattern):
        character = pattern[position]
        if character == "\\" and position + 1 < len(pattern) and pattern[position + 1] in "*?\\":
            position += 1
            out.append(re2.escape(pattern[position]))
        else:
            out.append({"*": ".*", "?": "."}.get(character) or re2.escape(character))
        position += 1
    return "".join(out)


def _linear(pattern: str, ignore_case: bool) -> Callable[[str], bool]:
    """A search with google-re2, which runs in time linear in the text. Raises ValueError for other syntax."""
    import re2

    options = re2.Options()
    options.case_sensitive = not ignore_case
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options=options)
    except re2.error as error:
        raise ValueError(f"regex {pattern!r} is not RE2 syntax: {_message(error)}") from error
    found = compiled.search

    def search(text: str) -> bool:
        try:
            return found(text) is not None
        except UnicodeEncodeError:  # a lone surrogate, which JSON allows and UTF-8 does not
            return found(text.encode("utf-8", "replace").decode("utf-8")) is not None

    return search


def _message(error: Exception) -> str:
    text = error.args[0] if error.args else error
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
