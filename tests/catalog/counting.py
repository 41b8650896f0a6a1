"""The counts by their definition, slowly: every rule against every other, from the plain data of their YAML.

This is docs/catalog.md once more, in other words than converter/catalog, with which it shares no code.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from converter.model.dump import expression_to_data
from converter.model.rule import Rule, Step

OPERATORS = "is starts_with ends_with contains like regex gt gte lt lte exists cidr ip same_as".split()
CASE_STAYS = {"regex", "same_as", "exists"}
NUMERIC = {"is", "gt", "gte", "lt", "lte"}


class Seen(NamedTuple):
    """A value that a rule names: the fields it is asked of, its key, and how."""

    fields: tuple[str, ...]
    key: tuple[str, str, str]
    excluded: bool
    caseless: bool


def plain_name(path: str) -> str:
    """A path without its list steps; what stands in quotes is left alone."""
    return "".join(
        part if part.startswith('"') else re.sub(r"\[-?\d*\]", "", part)
        for part in re.split(r'("(?:[^"\\]|\\.)*")', path)
    )


def seen_in(rule: Rule) -> set[Seen]:
    """Every indicator and every exclusion of a rule."""
    found: set[Seen] = set()
    for step in rule.steps:
        found.update(_step(step))
    return found


def _step(step: Step) -> Iterator[Seen]:
    if step.absent:
        yield from _positive(expression_to_data(step.condition), "", excluded=True)
        return
    conditions = [expression_to_data(term) for term in step.indicators]
    conditions += [{"not": expression_to_data(term)} for term in step.exclusions]
    while conditions:
        condition = conditions.pop()
        if "all" in condition:
            conditions += condition["all"]
        elif condition.get("any") and all("not" in c or c.get("exists") is False for c in condition["any"]):
            for part in condition["any"]:
                yield from _positive({"not": part}, "", excluded=True)
        elif condition.get("exists") is False:
            yield from _positive({**condition, "exists": True}, "", excluded=True)
        elif "not" in condition:
            yield from _negated(condition["not"])
        else:
            yield from _positive(condition, "", excluded=False)


def _negated(inner: Any) -> Iterator[Seen]:
    """A top-level negation: of alternatives, each by itself."""
    if isinstance(inner, list):
        inner = {"all": inner}
    yield from _positive(inner, "", excluded=True)


def _positive(data: dict[str, Any], base: str, excluded: bool, sign: bool = True) -> Iterator[Seen]:
    """What stands under an even number of negations."""
    if "not" in data:
        inner = data["not"] if isinstance(data["not"], list) else [data["not"]]
        for part in inner:
            yield from _positive(part, base, excluded, not sign)
    elif "all" in data or "any" in data:
        for part in data["all"] if "all" in data else data["any"]:
            yield from _positive(part, base, excluded, sign)
    elif "for_some" in data:
        for part in data["where"]:
            yield from _positive(part, _below(base, plain_name(data["for_some"])), excluded, sign)
    elif (data.get("exists") is not False) is sign:
        yield from _values(data, base, excluded)


def _below(base: str, name: str) -> str:
    return f"{base}.{name}" if base else name


def _values(data: dict[str, Any], base: str, excluded: bool) -> Iterator[Seen]:
    functions = [f if isinstance(f, str) else "split" for f in data.get("apply", ())]
    caseless = bool(data.get("ignore_case")) or "lower" in functions or "upper" in functions
    fields, subject, data = _subject(data, base)
    (operator,) = (name for name in OPERATORS if name in data)
    operands = data[operator] if isinstance(data[operator], list) else [data[operator]]
    bare = not functions and "(" not in subject and " + " not in subject
    for operand in operands:
        kind, text = operator, "" if operator == "exists" else _text(operand)
        if kind == "same_as":
            text = _below(base, plain_name(text))
        if kind == "like":
            kind, text = _simpler(text)
        name = subject
        if kind == "ends_with" and bare and re.fullmatch(r"(?s)[\\/][^\\/]+", text):
            name, kind, text = f"basename({subject})", "is", text[1:]
        if kind in NUMERIC and re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", text, re.ASCII):
            text = _number(text)
        if kind == "cidr":
            text = str(ipaddress.ip_network(text, strict=False))
        yield Seen(fields, (name, kind, text), excluded, caseless)


def _text(operand: Any) -> str:
    if isinstance(operand, float):
        return _number(repr(operand))
    return str(operand).lower() if isinstance(operand, bool) else str(operand)


def _number(text: str) -> str:
    if len(text) > 64 or re.fullmatch(r"-?\d+", text):
        return str(int(text)) if len(text) <= 64 else text
    number = float(text)
    if number in (float("inf"), float("-inf")):
        return text
    return str(int(number)) if number.is_integer() and abs(number) <= 2**53 else str(number)


def _simpler(pattern: str) -> tuple[str, str]:
    """``like`` as a simpler kind, by its outermost stars alone."""
    literal = re.sub(r"\\([*?\\])", lambda m: chr(0xE000 + ord(m[1])), pattern)
    literal = re.sub(r"\*+", "*", literal)
    inner = (
        literal[literal.startswith("*") : len(literal) - literal.endswith("*")]
        if len(literal) > 1
        else literal
    )
    restored = re.sub("[\ue02a\ue03f\ue05c]", lambda m: chr(ord(m[0]) - 0xE000), inner)
    if not inner or "*" in inner or "?" in inner:
        kept = re.sub("[\ue02a\ue03f\ue05c]", lambda m: "\\" + chr(ord(m[0]) - 0xE000), literal)
        return "like", re.sub(r"(?<!\\)((?:\\\\)*)\\(?![*?\\])", r"\1\\\\", kept) if "\\" in kept else kept
    kinds = {(0, 0): "is", (0, 1): "starts_with", (1, 0): "ends_with", (1, 1): "contains"}
    return kinds[literal.startswith("*"), literal.endswith("*")], restored


def _subject(data: dict[str, Any], base: str) -> tuple[tuple[str, ...], str, dict[str, Any]]:
    if "concat" in data:
        parts = [
            _below(base, plain_name(part["field"])) if isinstance(part, dict) else part
            for part in data["concat"]
        ]
        marks = [isinstance(part, dict) for part in data["concat"]]
        fields = tuple(dict.fromkeys(part for part, is_field in zip(parts, marks, strict=True) if is_field))
        subject = " + ".join(
            p if m else json.dumps(p, ensure_ascii=False) for p, m in zip(parts, marks, strict=True)
        )
    else:
        subject = _below(base, plain_name(data["field"]))
        fields = (subject,)
    for function in data.get("apply", ()):
        if isinstance(function, dict):
            split = function["split"]
            separator, index = (split, function["index"]) if isinstance(split, str) else (split[0], split[1])
            subject = f"split({subject}, {json.dumps(separator, ensure_ascii=False)}, {index})"
        elif function not in ("lower", "upper"):
            subject = f"{function}({subject})"
    if "length" in data:
        subject = f"length({subject})"
        bound = data["length"]
        data = bound if isinstance(bound, dict) else {"is": bound}
    return fields, subject, data


class ByHand:
    """Counts over a list of rules whose ids differ."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._seen = {rule.id: seen_in(rule) for rule in rules}
        self._caseless = {
            name for found in self._seen.values() for one in found if one.caseless for name in one.fields
        } | {name for rule in rules for name in _asked_caselessly(rule)}

    def others(self, rule_id: str, excluded: bool, fields: tuple[str, ...], key: tuple[str, str, str]) -> int:
        """How many rules other than the named one have the key."""
        wanted = self._spelled(fields, key)
        return sum(
            any(one.excluded is excluded and self._spelled(one.fields, one.key) == wanted for one in found)
            for name, found in self._seen.items()
            if name != rule_id
        )

    def _spelled(self, fields: tuple[str, ...], key: tuple[str, str, str]) -> tuple[str, str, str]:
        subject, kind, text = key
        folds = kind not in CASE_STAYS and bool(self._caseless.intersection(fields))
        return (subject, kind, text.lower() if folds else text)


def _asked_caselessly(rule: Rule) -> Iterator[str]:
    """The fields asked in any case anywhere, under whatever negations."""
    for step in rule.steps:
        for sign in (True, False):
            for one in _positive(expression_to_data(step.condition), "", excluded=False, sign=sign):
                if one.caseless:
                    yield from one.fields
