"""Runs a pipeline over events: what a search finds, by the Search Reference alone.

Shares the parser with the reader of rules, and nothing else. Values are texts, numbers or lists of texts
(multivalue); a field that is missing is null. Each command is as its page of the Search Reference has it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from itertools import product
from statistics import fmean
from typing import Any, Final, TypeAlias

from converter.platforms.splunk.spl import syntax as s

Row: TypeAlias = dict[str, Any]
_ORDER: Final[dict[str, Callable[[Any, Any], bool]]] = {
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


def results(pipeline: s.Pipeline, *events: Row) -> list[Row]:
    """The rows that the pipeline makes of events."""
    rows = [dict(event) for event in events]
    for command in pipeline.commands:
        rows = _command(command.body, rows)
    return rows


def _command(body: s.CommandBody, rows: list[Row]) -> list[Row]:
    match body:
        case s.Search(expression):
            return [row for row in rows if found(expression, row)]
        case s.Where(expression):
            return [row for row in rows if value(expression, row) is True]
        case s.Eval(assignments):
            return [_evaluated(row, assignments) for row in rows]
        case s.Rename(pairs):
            return [_renamed(row, pairs) for row in rows]
        case s.Stats("stats", aggregates, by):
            return list(_stats(aggregates, by, rows))
        case s.Words(name):
            return list(_COMMANDS[name](body, rows))
    raise ValueError(f"not run here: {body}")


def _evaluated(row: Row, assignments: tuple[tuple[str, s.EvalNode], ...]) -> Row:
    made = dict(row)
    for name, node in assignments:
        result = value(node, made)
        made.pop(name, None)
        if result is not None:
            made[name] = result
    return made


def _named(name: str) -> re.Pattern[str]:
    return re.compile("(.*)".join(map(re.escape, name.split("*"))), re.DOTALL)


def _renamed(row: Row, pairs: tuple[tuple[str, str], ...]) -> Row:
    for old, new in pairs:
        if "*" in old:
            moved = {name: match.groups() for name in row if (match := _named(old).fullmatch(name))}
            rest = {name: one for name, one in row.items() if name not in moved}
            for name, texts in moved.items():
                target = new
                for text in texts:
                    target = target.replace("*", text, 1)
                rest[target] = row[name]
            row = rest
        elif old != new:
            rest = {name: one for name, one in row.items() if name not in (old, new)}
            row = {**rest, new: row[old]} if old in row else rest
    return row


def _stats(aggregates: tuple[s.Aggregate, ...], by: tuple[str, ...], rows: list[Row]) -> Iterator[Row]:
    counts = any(one.function in ("count", "dc") for one in aggregates)
    groups: dict[tuple[Any, ...], list[Row]] = {(): []} if counts and not by else {}
    for row in rows:
        for key in product(*(_values(row.get(name)) for name in by)):
            groups.setdefault(key, []).append(row)
    for key, members in groups.items():
        made = {one.name: _aggregate(one, members) for one in aggregates}
        present = {name: result for name, result in made.items() if result is not None}
        yield {**dict(zip(by, key, strict=True)), **present}


def _aggregate(one: s.Aggregate, rows: list[Row]) -> Any:
    if one.argument is None:
        return len(rows)
    if isinstance(one.argument, str):
        values = [single for row in rows for single in _values(row.get(one.argument))]
    else:
        found = [value(one.argument, row) for row in rows]
        values = [single for result in found for single in _values(result)]
    if one.function == "count":
        return sum(1 for single in values if single is not False)
    if one.function == "dc":
        return len(set(map(_text, values)))
    if one.function == "values":
        texts = sorted(set(map(_text, values)))
        return texts if len(texts) > 1 else texts[0] if texts else None
    numbers = [number for single in values if (number := _number(single)) is not None]
    if not numbers:
        return None
    return {"sum": sum(numbers), "max": max(numbers), "min": min(numbers), "avg": fmean(numbers)}[
        one.function
    ]


# -- commands of words


def _fields(words: s.Words, rows: list[Row]) -> Iterator[Row]:
    names = [word for word in words.words if word not in ("+", "-")]
    for row in rows:
        if words.words[0] == "-":
            yield {
                name: one
                for name, one in row.items()
                if not any(_named(n).fullmatch(name) and not (n[0] == "*" and name[0] == "_") for n in names)
            }
        else:
            kept = (*names, *(("_raw", "_time") if words.name == "fields" else ()))
            yield {name: one for name, one in row.items() if any(_named(n).fullmatch(name) for n in kept)}


def _fillnull(words: s.Words, rows: list[Row]) -> Iterator[Row]:
    for row in rows:
        yield {**dict.fromkeys(words.words, words.options.get("value", "0")), **row}


def _dedup(words: s.Words, rows: list[Row]) -> Iterator[Row]:
    keeps = words.options.get("keepempty") == "true"
    yield from (row for row in rows if keeps or all(name in row for name in words.words))


def _rex(words: s.Words, rows: list[Row]) -> Iterator[Row]:
    for row in rows:
        texts = _values(row.get(words.options.get("field", "_raw")))
        match = next((hit for text in texts if (hit := _pcre(words.words[0]).search(_text(text)))), None)
        yield {**row, **{k: v for k, v in match.groupdict().items() if v is not None}} if match else row


def _mvexpand(words: s.Words, rows: list[Row]) -> Iterator[Row]:
    for row in rows:
        values = _values(row.get(words.words[0]))
        yield from ({**row, words.words[0]: one} for one in values) if values else [row]


def _bin(words: s.Words, rows: list[Row]) -> Iterator[Row]:
    length = 60 * int(words.options["span"].removesuffix("m"))
    yield from ({**row, "_time": row["_time"] // length * length} for row in rows)


def _same(words: s.Words, rows: list[Row]) -> Iterator[Row]:
    yield from rows


_COMMANDS: Final[dict[str, Callable[[s.Words, list[Row]], Iterator[Row]]]] = {
    "fields": _fields,
    "table": _fields,
    "fillnull": _fillnull,
    "dedup": _dedup,
    "rex": _rex,
    "mvexpand": _mvexpand,
    "bin": _bin,
    "sort": _same,
    "head": _same,
}


# -- search


def found(node: s.SearchNode, row: Row) -> bool:
    """Whether a search expression finds the row."""
    match node:
        case s.Everything():
            return True
        case s.Both(terms):
            return all(found(term, row) for term in terms)
        case s.Either(terms):
            return any(found(term, row) for term in terms)
        case s.Negated(term):
            return not found(term, row)
        case s.Listed(field, texts):
            return any(_fits(one, text) for one in _values(row.get(field)) for text in texts)
        case s.Compared(field, operator, text):
            values = _values(row.get(field))
            if operator in ("=", "=="):
                return any(_fits(one, text) for one in values)
            if operator == "!=":
                return bool(values) and not any(_fits(one, text) for one in values)
            bound = float(text.text)
            numbers = [number for one in values if (number := _number(one)) is not None]
            return any(_ORDER[operator](number, bound) for number in numbers)
    raise ValueError(f"not run here: {node}")


def _fits(one: Any, text: s.Text) -> bool:
    wanted, given = text.text, _text(one)
    if not text.cased:
        wanted, given = wanted.lower(), given.lower()
    return re.fullmatch(".*".join(map(re.escape, wanted.split("*"))), given, re.DOTALL) is not None


# -- eval


def value(node: s.EvalNode, row: Row) -> Any:
    """What an eval expression gives for the row; None is null."""
    match node:
        case s.Literal(literal):
            return literal
        case s.FieldName(name):
            return row.get(name)
        case s.Inverted("not", operand):
            result = value(operand, row)
            return None if result is None else not result
        case s.Operation(("and" | "or" | "xor") as operator, left, right):
            return _joined(operator, value(left, row), value(right, row))
        case s.Operation(operator, left, right) if operator in _ORDER:
            return _compared(operator, value(left, row), value(right, row))
        case s.Operation(operator, left, right):
            return _computed(operator, value(left, row), value(right, row))
        case s.Call(name, arguments):
            return _called(name, arguments, row)
    raise ValueError(f"not run here: {node}")


def _joined(operator: str, left: bool | None, right: bool | None) -> bool | None:
    if operator == "xor":
        return None if left is None or right is None else left != right
    decides = operator == "or"
    if left is decides or right is decides:
        return decides
    return None if left is None or right is None else not decides


def _compared(operator: str, left: Any, right: Any) -> bool | None:
    if left is None or right is None:
        return None
    if operator == "!=":
        return not _compared("==", left, right)
    return any(_one_compared(operator, a, b) for a in _values(left) for b in _values(right))


def _one_compared(operator: str, left: Any, right: Any) -> bool:
    one, other = _number(left), _number(right)
    if one is not None and other is not None and not (isinstance(left, str) and isinstance(right, str)):
        return _ORDER[operator](one, other)
    if operator != "==":
        return False
    return _text(left) == _text(right)


def _computed(operator: str, left: Any, right: Any) -> Any:
    if left is None or right is None:
        return None
    if operator == ".":
        return f"{_text(left)}{_text(right)}"
    one, other = _number(left), _number(right)
    if one is None or other is None:
        return None
    if operator == "/":
        return one / other if other else None
    return {"+": one + other, "-": one - other, "*": one * other}[operator]


def _called(name: str, arguments: tuple[s.EvalNode, ...], row: Row) -> Any:
    if name == "if":
        return value(arguments[1 if value(arguments[0], row) is True else 2], row)
    if name == "case":
        pairs = zip(arguments[::2], arguments[1::2], strict=True)
        return next((value(then, row) for when, then in pairs if value(when, row) is True), None)
    given = [value(one, row) for one in arguments]
    if name == "coalesce":
        return next((one for one in given if one is not None), None)
    if name in ("isnull", "isnotnull"):
        return (given[0] is None) == (name == "isnull")
    if name in ("null", "true", "false"):
        return {"null": None, "true": True, "false": False}[name]
    subject = given[1] if name == "cidrmatch" else given[0] if given else None
    if subject is None:
        return None
    return _FUNCTIONS[name](*given)


def _each(test: Callable[..., bool]) -> Callable[..., bool]:
    """A test of a text, of any value of a list."""
    return lambda given, *others: any(test(_text(one), *others) for one in _values(given))


def _like(text: str, pattern: str) -> bool:
    signs = {"%": ".*", "_": "."}
    return re.fullmatch("".join(signs.get(c) or re.escape(c) for c in pattern), text, re.DOTALL) is not None


def _inside(network: str, given: Any) -> bool:
    def one(text: str) -> bool:
        try:
            return ipaddress.ip_address(text) in ipaddress.ip_network(network)
        except ValueError:
            return False

    return any(one(_text(each)) for each in _values(given))


def _part(text: Any, start: int, length: int | None = None) -> str:
    whole = _text(text)
    begin = start - 1 if start > 0 else max(0, len(whole) + start)
    return whole[begin : None if length is None else begin + length]


def _index(given: Any, at: int) -> Any:
    values = _values(given)
    return values[at] if -len(values) <= at < len(values) else None


def _pcre(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace("(?<", "(?P<"), re.ASCII)


def _values(given: Any) -> list[Any]:
    return [] if given is None else given if isinstance(given, list) else [given]


def _text(given: Any) -> str:
    return {True: "True", False: "False"}[given] if isinstance(given, bool) else str(given)


def _number(given: Any) -> float | None:
    if isinstance(given, bool) or given is None:
        return None
    try:
        return float(given)
    except (TypeError, ValueError):
        return None


_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "like": _each(_like),
    "match": _each(lambda text, pattern: _pcre(pattern).search(text) is not None),
    "in": lambda given, *others: any(_compared("==", given, other) for other in others),
    "cidrmatch": _inside,
    "nullif": lambda one, other: None if _compared("==", one, other) else one,
    "lower": lambda one: (
        [_text(each).lower() for each in one] if isinstance(one, list) else _text(one).lower()
    ),
    "upper": lambda one: (
        [_text(each).upper() for each in one] if isinstance(one, list) else _text(one).upper()
    ),
    "len": lambda one: len(_text(one)),
    "trim": lambda one: _text(one).strip(" \t"),
    "substr": _part,
    "tonumber": _number,
    "tostring": _text,
    "mvcount": lambda one: len(_values(one)),
    "mvindex": _index,
    "mvdedup": lambda one: list(dict.fromkeys(one)) if isinstance(one, list) else one,
}
