"""ES|QL conditions run as they stand: a row is a list of values per column, and every node gives such a list.

The empty list is null. This is the language's own way of working (blocks of values, single-value functions
that give null for several), where the reader translates into two-valued expressions: each checks the other.
Regular expressions are Python's ``re``, which agrees with Lucene on what the tests use.
"""

from __future__ import annotations

import ipaddress
import operator
import re
import urllib.parse
from collections.abc import Callable
from typing import Any

from converter.evaluate.timestamps import parse_text
from converter.logsources.pack import FieldType
from converter.platforms.elastic.esql import tree
from converter.platforms.elastic.esql.parse import parse_condition
from tests.platforms.elastic.esql.stored import FIELDS

Block = list[Any]


class Moment(int):
    """A time, so that text beside it is read as one."""


class Address(int):
    """An address as the 128 bits that Elasticsearch keeps."""


def keeps(text: str, event: dict[str, Any]) -> bool:
    """Whether ``WHERE text`` keeps the event."""
    return value(parse_condition(text), event) == [True]


def address(text: str) -> Address:
    parsed = ipaddress.ip_address(text)
    return Address(int(parsed) if parsed.version == 6 else 0xFFFF00000000 + int(parsed))


def field(name: str, event: dict[str, Any]) -> Block:
    stored = event.get(name)
    values = [v for v in (stored if isinstance(stored, list) else [stored]) if v is not None]
    kind = FIELDS[name].type
    if kind is FieldType.IP:
        return [address(v) for v in values]
    if kind is FieldType.DATE:
        return [Moment(parse_text(v) or 0) for v in values]
    return values


def alike(left: Any, right: Any) -> tuple[Any, Any]:
    """Text beside a time or an address is read as one (implicit casting)."""
    for kind, cast in ((Moment, lambda t: Moment(parse_text(t) or 0)), (Address, address)):
        if isinstance(left, kind) and isinstance(right, str):
            return left, cast(right)
        if isinstance(right, kind) and isinstance(left, str):
            return cast(left), right
    return left, right


COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


def value(node: tree.Node, event: dict[str, Any]) -> Block:
    match node:
        case tree.Literal(None):
            return []
        case tree.Literal(constant):
            return list(constant) if isinstance(constant, tuple) else [constant]
        case tree.Column(name):
            return field(name, event)
        case tree.Negation(operand):
            return [not v for v in value(operand, event)]
        case tree.Junction(every, operands):
            return junction(every, [value(operand, event) for operand in operands])
        case tree.Comparison(sign, left, right):
            return compare(sign, value(left, event), value(right, event))
        case tree.InList(operand, items):
            here = value(operand, event)
            return junction(False, [compare("==", here, value(item, event)) for item in items])
        case tree.Like(operand, patterns, regex):
            return single(lambda v: any(fits(v, p, regex) for p in patterns))(value(operand, event))
        case tree.IsNull(operand):
            return [not value(operand, event)]
        case tree.Arithmetic(_, sign, left, right):
            return single(ARITHMETIC[sign])(value(left, event), value(right, event))
        case tree.Call("CASE", arguments):
            return case(arguments, event)
        case tree.Call("COALESCE", arguments):
            return next((found for a in arguments if (found := value(a, event))), [])
        case tree.Call(name, arguments):
            return FUNCTIONS[name](*(value(argument, event) for argument in arguments))
    raise NotImplementedError(node)


def junction(every: bool, operands: list[Block]) -> Block:
    if [not every] in operands:
        return [not every]
    return [] if [] in operands else [every]


def compare(sign: str, left: Block, right: Block) -> Block:
    if len(left) != 1 or len(right) != 1:
        return []
    return [COMPARE[sign](*alike(left[0], right[0]))]


def fits(text: str, pattern: str, regex: bool) -> bool:
    if regex:
        return re.fullmatch(pattern, text, re.DOTALL) is not None
    parts = re.findall(r"\\.|[*?]|[^\\*?]+", pattern, re.DOTALL)
    wild = {"*": ".*", "?": "."}
    as_regex = "".join(wild.get(p) or re.escape(p[1:] if p[0] == "\\" else p) for p in parts)
    return re.fullmatch(as_regex, text, re.DOTALL) is not None


def case(arguments: tuple[tree.Node, ...], event: dict[str, Any]) -> Block:
    for position in range(0, len(arguments) - 1, 2):
        if value(arguments[position], event) == [True]:
            return value(arguments[position + 1], event)
    return value(arguments[-1], event) if len(arguments) % 2 else []


def single(function: Callable[..., Any]) -> Callable[..., Block]:
    """A function of single values: null for null and for several."""

    def called(*blocks: Block) -> Block:
        if any(len(block) != 1 for block in blocks):
            return []
        found = function(*(block[0] for block in blocks))
        return found if isinstance(found, list) else [] if found is None else [found]

    return called


def each(function: Callable[[Any], Any]) -> Callable[[Block], Block]:
    """A function of every value; those it cannot take drop out."""
    return lambda block: [found for v in block if (found := function(v)) is not None]


def number(v: Any) -> float | None:
    """What Java's ``Double.parseDouble`` reads of it: without the underscores that Python takes."""
    try:
        return None if "_" in str(v) else float(v)
    except ValueError:
        return None


def to_ip(v: Any) -> Address | None:
    try:
        return v if isinstance(v, Address) else address(v)
    except ValueError:
        return None


def to_time(v: Any) -> Moment | None:
    found = v if isinstance(v, Moment) else parse_text(v)
    return None if found is None else Moment(found)


def text(v: Any) -> str:
    return str(v).lower() if isinstance(v, bool) else str(v)


def cidr_match(block: Block, *networks: Block) -> Block:
    def inside(here: Address) -> bool:
        for network in (ipaddress.ip_network(n) for wanted in networks for n in wanted):
            mapped = 0xFFFF00000000 if network.version == 4 else 0
            first, last = (int(network[0]) + mapped, int(network[-1]) + mapped)
            if first <= here <= last:
                return True
        return False

    return single(inside)(block)


def mv_slice(block: Block, start: Block) -> Block:
    return [block[start[0]]] if -len(block) <= start[0] < len(block) else []


def substring(v: str, start: int, size: int | None = None) -> str:
    first = start + len(v) if start < 0 else max(start - 1, 0)
    return v[max(first, 0) :][:size]


def url_decode(v: str) -> str | None:
    """What java.net.URLDecoder makes of it; None where it throws."""
    if re.search(r"%(?![0-9A-Fa-f]{2})", v):
        return None
    return urllib.parse.unquote_plus(v)


FUNCTIONS: dict[str, Callable[..., Block]] = {
    "TO_LOWER": each(str.lower),
    "TO_UPPER": each(str.upper),
    "TO_STRING": each(text),
    "TO_DOUBLE": each(number),
    "TO_LONG": each(int),
    "TO_IP": each(to_ip),
    "TO_DATETIME": each(to_time),
    "TRIM": single(lambda v: v.strip(" \t\r\n\f\v")),
    "LENGTH": single(len),
    "CONCAT": single(lambda *parts: "".join(parts)),
    "SPLIT": single(lambda v, separator: v.split(separator)),
    "REPLACE": single(lambda v, pattern, new: re.sub(pattern, new, v)),
    "STARTS_WITH": single(str.startswith),
    "ENDS_WITH": single(str.endswith),
    "CONTAINS": single(operator.contains),
    "CIDR_MATCH": cidr_match,
    "MV_CONTAINS": lambda large, small: [set(small) <= set(large)],
    "MV_INTERSECTS": lambda one, other: [bool(set(one) & set(other))],
    "MV_CONCAT": lambda block, separator: [separator[0].join(block)] if block else [],
    "MV_COUNT": lambda block: [len(block)] if block else [],
    "MV_DEDUPE": lambda block: list(dict.fromkeys(block)),
    "MV_FIRST": lambda block: block[:1],
    "MV_LAST": lambda block: block[-1:],
    "MV_MAX": lambda block: [max(block)] if block else [],
    "LEFT": single(lambda v, size: v[:size]),
    "RIGHT": single(lambda v, size: v[-size:]),
    "SUBSTRING": single(substring),
    "LOCATE": single(lambda v, wanted: v.find(wanted) + 1),
    "URL_DECODE": single(url_decode),
    "MV_MIN": lambda block: [min(block)] if block else [],
    "MV_SLICE": lambda block, start, end=None: mv_slice(block, start),
}
