"""Values that decide a predicate one way or the other: in, just in, just out, other case, absent.

They need not be labelled: the reference evaluator says what each of them means. They must only be rich
enough that a wrong rendering of the predicate gives itself away on one of them.
"""

from __future__ import annotations

import ipaddress
import itertools
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from converter.check.regex_examples import examples
from converter.evaluate.timestamps import parse_text, to_text
from converter.evaluate.values import json_in, number_of, text_of
from converter.logsources.pack import FieldType
from converter.model.addresses import Network, blocks_of, networks_of
from converter.model.expressions import (
    ORDER_OPERATORS,
    Function,
    FunctionName,
    Operator,
    Predicate,
    Scalar,
    constants,
)
from converter.model.paths import PathStep

ADDRESSES = (
    "8.8.8.8",
    "10.1.2.3",
    "172.16.0.1",
    "172.32.0.1",
    "192.168.1.1",
    "127.0.0.1",
    "169.254.169.254",
    "224.0.0.1",
    "0.0.0.0",  # noqa: S104 - a sample value, nothing binds to it
    "100.64.0.1",
    "203.0.113.9",
    "255.255.255.255",
    "2606:4700:4700::1111",
    "fd00::1",
    "::1",
    "fe80::1",
    "ff02::1",
    "::",
    "2001:db8::1",
)
"""One or two addresses of every class, and neighbours just outside the private ranges."""

_PLAIN = (Operator.IS, Operator.STARTS_WITH, Operator.ENDS_WITH, Operator.CONTAINS)
_MOST_IN_PLACE = 120
"""So many operands at most are put in place of the one that a text holds, or beside it."""
_MOST_SURROUNDED = 50
_LONGEST_LIST = 100
_FIRST = 2
"""Of a long list of operands so many at most have all their near misses, and each has the first ones."""
_IPV4_MAPPED = ipaddress.ip_network("::ffff:0:0/96")
_MINUS_ZERO = re.compile(r"-0(\.0+)?([eE][+-]?\d+)?")
_SECOND = 1_000_000_000


def witnesses(predicate: Predicate, kind: FieldType | None) -> list[Any]:
    """Values for the predicate's field, typed as the log source declares it (None: undeclared, any text).

    Strings, numbers or booleans; never null (absence is the caller's to try).
    """
    if predicate.operator is Operator.EXISTS:
        raw: list[Scalar] = ["x", "", 1, True, "8.8.8.8", "2024-01-02T03:04:05Z"]
    else:
        raw = _around(list(constants(predicate)), _OF[predicate.operator])
    for function in reversed(predicate.functions):
        raw = [value for one in raw for value in _UNDO[function.name](function, one)]
    if kind in (FieldType.BOOLEAN, FieldType.IP):
        raw += [True, False, *ADDRESSES]
    typed = (typed_value(value, kind) for value in raw)
    return list({(type(value), value): value for value in typed if value is not None}.values())


def _around(operands: list[Scalar], values_of: Callable[[Scalar], Iterator[Scalar]]) -> list[Scalar]:
    """The values around each operand. Of a long list every one has its own, and its own in another case, and
    some, from all over it, have the rest: all would make an event for each operand and near miss.
    """
    apart = -(-len(operands) // _MOST_SURROUNDED)
    return [
        value
        for index, operand in enumerate(operands)
        for value in itertools.islice(values_of(operand), None if index % apart == 0 else _FIRST)
    ]


def near_misses(value: Scalar, kind: FieldType | None) -> list[Any]:
    """Texts that differ a little from one that an event holds; none for a value that is no text."""
    if not isinstance(value, str):
        return []
    return [near for text in _texts(value) if (near := typed_value(text, kind)) is not None]


def in_place(text: str, predicate: Predicate) -> Iterator[str]:
    """A text that an event holds, with near misses and the other operands in place of an operand that is in
    it. The rest stays, so that it keeps what other predicates ask of the same field.
    """
    operands = [operand for operand in predicate.values if isinstance(operand, str)]
    if predicate.operator is Operator.LIKE:
        operands = [max(re.split(r"[*?\\]+", operand), key=len) for operand in operands]
    elif predicate.operator not in _PLAIN:
        return
    lowered = text.lower()
    if len(lowered) != len(text):
        return
    others = () if predicate.all_of else operands[:_MOST_IN_PLACE]
    find = lowered.rfind if predicate.operator is Operator.ENDS_WITH else lowered.find
    for operand in filter(None, operands):
        if (at := find(operand.lower())) < 0:
            continue
        before, found, after = text[:at], text[at : at + len(operand)], text[at + len(operand) :]
        for put in (found, *others):
            yield from (
                f"{before}{one}{after}" for one in (put, put[:-1], put[1:], f"x{put}", put.swapcase())
            )
        if not predicate.all_of:
            return


def beside(text: str, predicate: Predicate) -> Iterator[str]:
    """A text that an event holds, with each operand and its near misses added where the operator looks for
    them. The rest stays, so that it keeps what other predicates ask of the same field.
    """
    operands = [operand for operand in predicate.values[:_MOST_IN_PLACE] if isinstance(operand, str)]
    if predicate.all_of and predicate.operator is Operator.CONTAINS:
        yield from _all_beside(text, operands)
        return
    for operand in operands:
        other = operand.swapcase()
        match predicate.operator:
            case Operator.CONTAINS:
                yield f"{operand}{text}"
                yield from (f"{text}{put}" for put in (operand, other, operand[:-1], operand[1:]))
            case Operator.STARTS_WITH:
                yield from (f"{put}{text}" for put in (operand, other, operand[:-1], f"x{operand}"))
            case Operator.ENDS_WITH:
                yield from (f"{text}{put}" for put in (operand, other, operand[1:], f"{operand}x"))
            case Operator.LIKE:
                yield from _beside_pattern(text, operand)
            case Operator.REGEX:
                for example in examples(operand):
                    yield from (f"{text}{example}", f"{example}{text}", f"{text} {example} {text}")


def _all_beside(text: str, operands: list[str]) -> Iterator[str]:
    """A text with all of these behind it, and with one of them a little different, or before all others."""
    yield "".join([text, *operands])
    for place, operand in enumerate(operands):
        others = "".join([text, *operands[:place], *operands[place + 1 :]])
        yield f"{operand}{others}"
        yield from (f"{others}{near}" for near in (operand, operand.swapcase(), operand[:-1], operand[1:]))


def _beside_pattern(text: str, pattern: str) -> Iterator[str]:
    """A wildcard pattern filled in, with the text where it leaves room for one."""
    before, after = text if pattern[:1] == "*" else "", text if pattern[-1:] == "*" else ""
    for star in ("", "zz"):
        put = filled(pattern, star)
        for near in (put, put.swapcase(), put[1:], put[:-1]):
            yield from dict.fromkeys((f"{before}{near}{after}", f"{before}{near}", f"{near}{after}"))
    if "*" in pattern[1:-1]:
        yield filled(pattern, text)


def without(text: str, predicate: Predicate) -> str:
    """A text that an event holds, without any of the operands of a predicate that looks for texts in it."""
    if predicate.operator not in _PLAIN:
        return text
    for operand in predicate.values:
        if isinstance(operand, str) and operand:
            text = re.sub(re.escape(operand), "", text, flags=re.IGNORECASE)
    return text


def _texts(operand: Scalar) -> Iterator[Scalar]:
    """A text and its near misses: case, more at either end, less at either end, wildcards as letters."""
    text = text_of(operand)
    yield text
    yield text.swapcase()
    yield text.upper()
    yield f"{text}x"
    yield f"x{text}"
    yield f"x{text}x"
    yield text[:-1]
    yield text[1:]
    yield f"{text}\n"
    if "*" in text or "?" in text:
        yield text.replace("*", "zz").replace("?", "q")
    if "\\" in text:
        yield text.replace("\\", "")
        yield text.replace("\\", "\\\\")
    yield ""


def _equal_values(operand: Scalar) -> Iterator[Scalar]:
    if isinstance(operand, bool):
        yield from (operand, not operand)
        return
    number = number_of(operand)
    if number is not None:
        yield from (number, number + 1, number - 1)
    yield from _texts(operand)


def _like_values(operand: Scalar) -> Iterator[Scalar]:
    pattern = text_of(operand)
    for star in ("", "zz", "a/b\\c d"):
        text = filled(pattern, star)
        yield from (text, text.swapcase(), f"x{text}", f"{text}x", text[:-1], text[1:])
    yield pattern


def filled(pattern: str, star: str) -> str:
    """A wildcard pattern with its wildcards filled in and its escapes resolved."""
    out, position = [], 0
    while position < len(pattern):
        character = pattern[position]
        if character == "\\" and pattern[position + 1 : position + 2] in ("*", "?", "\\"):
            position += 1
            out.append(pattern[position])
        else:
            out.append({"*": star, "?": "q"}.get(character, character))
        position += 1
    return "".join(out)


def _regex_values(operand: Scalar) -> Iterator[Scalar]:
    for example in examples(text_of(operand)):
        yield from (example, example.swapcase(), f"x{example}", f"{example}x", f"x {example} y", example[:-1])
        yield f"{example}\n"
    yield text_of(operand)


def _order_values(operand: Scalar) -> Iterator[Scalar]:
    number = number_of(operand)
    if number is not None:
        yield from (number - 1, number, number + 1, number * 10, -number)
        return
    moment = parse_text(text_of(operand))
    if moment is not None:
        yield from (to_text(moment + shift) for shift in (-_SECOND, 0, _SECOND))


def _class_values(operand: Scalar) -> Iterator[Scalar]:
    """Addresses at both sides of every edge of a class, and one of each network that a query may name."""
    yield from ADDRESSES
    name = text_of(operand)
    covered, excepted = networks_of(name)
    if excepted:
        yield from (str(block[-1]) for block in blocks_of(name))
    for network in excepted or covered:
        yield from _edges(network)


def _cidr_values(operand: Scalar) -> Iterator[Scalar]:
    yield from _edges(ipaddress.ip_network(text_of(operand)))
    yield from ADDRESSES


def _edges(network: Network) -> Iterator[str]:
    """A network's first and last address, and those around it."""
    yield str(network[0])
    yield str(network[-1])
    for neighbour, step in ((network[0], -1), (network[-1], 1)):
        try:
            yield str(neighbour + step)
        except ValueError:
            continue


_OF: dict[Operator, Callable[[Scalar], Iterator[Scalar]]] = {
    Operator.IS: _equal_values,
    Operator.STARTS_WITH: _texts,
    Operator.ENDS_WITH: _texts,
    Operator.CONTAINS: _texts,
    Operator.LIKE: _like_values,
    Operator.REGEX: _regex_values,
    Operator.CIDR: _cidr_values,
    Operator.IP: _class_values,
    **dict.fromkeys(ORDER_OPERATORS, _order_values),
}


def _of_length(function: Function, wanted: Scalar) -> Iterator[Scalar]:
    number = number_of(wanted)
    if isinstance(number, int) and 0 <= number <= 10_000:
        yield "a" * number
        if number:
            yield "é" + "a" * (number - 1)


def _in_folder(function: Function, wanted: Scalar) -> Iterator[Scalar]:
    text = text_of(wanted)
    yield from (text, f"/usr/bin/{text}", f"C:\\Temp\\{text}", f"/{text}/other", f"{text}/")


def _as_part(function: Function, wanted: Scalar) -> Iterator[Scalar]:
    separator, index = function.separator or "", function.index or 0
    before = index if index >= 0 else 1
    after = -index - 1 if index < 0 else 1
    yield separator.join([*["p"] * before, text_of(wanted), *["q"] * after])
    yield separator.join([*["p"] * (before + 1), text_of(wanted), *["q"] * (after + 1)])
    yield text_of(wanted)


def _inside_json(function: Function, wanted: Scalar) -> Iterator[Scalar]:
    """JSON texts that hold the value where it is looked for, as itself and as text, and some that do not."""
    for value in (wanted, text_of(wanted)):
        yield json.dumps(_in_json({}, function.path or (), value))
    yield from ('{"other": "x"}', "{}", "[]", "no JSON")


def within(text: str, predicate: Predicate) -> Iterator[str]:
    """A JSON text that an event holds, with the witnesses of a predicate that looks into it in their place.
    The rest stays, so that it keeps what other predicates ask of the same text.
    """
    if [function.name for function in predicate.functions[:1]] != [FunctionName.JSON]:
        return
    path, whole = predicate.functions[0].path or (), json_in(text)
    rest = msgspec.structs.replace(predicate, functions=predicate.functions[1:])
    for value in (*witnesses(rest, None), None, [], {}):
        yield json.dumps(_in_json(whole, path, value))


def _in_json(whole: Any, steps: tuple[PathStep, ...], value: Any) -> Any:
    """What a JSON text says, with a value put at a path: a new object or list, where there is none."""
    if not steps:
        return value
    first, rest = steps[0], steps[1:]
    if isinstance(first, str):
        inner = whole if isinstance(whole, dict) else {}
        return {**inner, first: _in_json(inner.get(first), rest, value)}
    place = min(max(first or 0, 0), _LONGEST_LIST - 1)
    listed = list(whole) if isinstance(whole, list) else []
    listed += [None] * (place + 1 - len(listed))
    listed[place] = _in_json(listed[place], rest, value)
    return listed


def _other_case(function: Function, wanted: Scalar) -> Iterator[Scalar]:
    yield from (text_of(wanted), text_of(wanted).swapcase())


def _padded(function: Function, wanted: Scalar) -> Iterator[Scalar]:
    yield from (text_of(wanted), f"  {text_of(wanted)}\t")


_UNDO: dict[FunctionName, Callable[[Function, Scalar], Iterator[Scalar]]] = {
    FunctionName.LOWER: _other_case,
    FunctionName.UPPER: _other_case,
    FunctionName.TRIM: _padded,
    FunctionName.BASENAME: _in_folder,
    FunctionName.LENGTH: _of_length,
    FunctionName.SPLIT: _as_part,
    FunctionName.JSON: _inside_json,
}


def typed_value(value: Scalar, kind: FieldType | None) -> Scalar | None:
    """The value in the declared type; None if it has no such form, so would make the event malformed.

    Malformed are also an IPv4 address written as IPv6, which platforms store as the IPv4 that it is, and the
    text of minus zero, which is no number's own text.
    """
    if isinstance(value, str) and (_is_mapped(value) or _MINUS_ZERO.fullmatch(value)):
        return None
    match kind:
        case None:
            return value
        case FieldType.INTEGER:
            number = number_of(value)
            return int(number) if number is not None and number == int(number) else None
        case FieldType.FLOAT:
            return number_of(value)
        case FieldType.BOOLEAN:
            return {"true": True, "false": False}.get(text_of(value))
        case FieldType.IP:
            return value if isinstance(value, str) and _is_address(value) else None
        case FieldType.DATE:
            return value if isinstance(value, str) and parse_text(value) is not None else None
        case FieldType.OBJECT | FieldType.NESTED:
            return None
        case _:
            return text_of(value)


def _is_mapped(text: str) -> bool:
    """Whether it is an IPv4 address written as IPv6."""
    return "ffff:" in text.lower() and _is_address(text) and ipaddress.ip_address(text) in _IPV4_MAPPED


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
