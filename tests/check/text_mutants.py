"""Rendered queries with one thing changed in their text, as a slip of the pen or a broken printer changes it.

The changes know words, signs and strings of a language, and nothing of rules or trees: operators, values,
case, negation, AND and OR, wildcards, counts, windows and keys.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import tomlkit
import yaml
from msgspec.structs import replace

from converter.platforms.base import Artifact, File


class Change(msgspec.Struct, frozen=True):
    """What was done to a text: at which line, in what text it stood, what was there, and what is there now.
    ``around``: the line of the query; empty for a setting beside it, which ``old`` names.
    """

    line: int
    around: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.old!r} became {self.new!r} in {self.around.strip()[:160]!r}"


class Mutant(msgspec.Struct, frozen=True):
    """An artifact with one change."""

    change: Change
    artifact: Artifact


_STRING: Final = re.compile(r'"(?:\\.|[^"\\])*"')
_JOINS: Final = (
    (r"\band\b", "or"),
    (r"\bor\b", "and"),
    (r"\bnot (?!in\b)", ""),
    (r"\(", "(not "),
)
_ORDERS: Final = ((r">=", ">"), (r"<=", "<"), (r"(?<![<>=!-])>(?!=)", ">="), (r"(?<![<>=!])<(?!=)", "<="))
_EQUALS: Final = ((r"==", "!="), (r"!=", "=="))
_UPPER_JOINS: Final = ((r"\bAND\b", "OR"), (r"\bOR\b", "AND"), (r"\bNOT ", ""), (r"(?<=AND )\(", "NOT ("))

SWAPS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "kuery": (
        *_JOINS[:3],
        *_ORDERS,
        (r"(?<![\w.@:-])([\w.@-]+:)", r"not \1"),
        (r"(?<!\\)\*", ""),
        (r"(?<=:)([a-z])", "X"),
    ),
    "eql": (
        *_JOINS,
        *_ORDERS,
        *_EQUALS,
        (r" : ", " == "),
        (r"~", ""),
        (r"\bstartsWith\b", "endsWith"),
        (r"\bendsWith\b", "startsWith"),
        (r"\bstringContains\b", "startsWith"),
        (r"!\[", "["),
        (r"\bby [\w.@`]+(, )?", ""),
    ),
    "esql": (
        *_UPPER_JOINS,
        *_ORDERS,
        *_EQUALS,
        (r"\bTO_LOWER\(", "("),
        (r"\bSTARTS_WITH\b", "ENDS_WITH"),
        (r"\bENDS_WITH\b", "STARTS_WITH"),
        (r"IS NOT NULL", "IS NULL"),
        (r"IS NULL", "IS NOT NULL"),
        (r"\bCOUNT_DISTINCT\(", "COUNT("),
    ),
    "spl": (
        *_UPPER_JOINS,
        *_ORDERS,
        *_EQUALS,
        (r"\bisnotnull\(", "isnull("),
        (r"\bisnull\(", "isnotnull("),
        (r"\blower\(", "("),
        (r"\bdc\(", "count("),
        (r"\blike\(", "match("),
    ),
    "python": (
        *_JOINS,
        *_ORDERS,
        *_EQUALS,
        (r"\.startswith\(", ".endswith("),
        (r"\.endswith\(", ".startswith("),
        (r"\.lower\(\)", ""),
        (r" not in ", " in "),
        (r" (?<!not )in ", " not in "),
        (r"\bany\(", "all("),
        (r"\ball\(", "any("),
        (r"is not None", "is None"),
        (r"\bTrue\b", "False"),
        (r"\bFalse\b", "True"),
    ),
}
"""Per language: what stands outside strings, and what it becomes."""

_NUMBER: Final = re.compile(r"(?<![\w.\"'\[])(\d+)(?=[smhd]?\b)(?![\w]*[.\"'\]])")


def text_mutants(artifact: Artifact) -> Iterator[Mutant]:
    """Every mutant of an artifact's query, the numbers of its thresholds and windows included."""
    language = artifact.language
    for index, file in enumerate(artifact.files):
        for change, text in _of_file(file, language):
            files = (*artifact.files[:index], File(file.path, text), *artifact.files[index + 1 :])
            yield Mutant(change, replace(artifact, files=files))


def _of_file(file: File, language: str) -> Iterator[tuple[Change, str]]:
    """The file with one change of its query."""
    if language == "python" and file.path.endswith(".py"):
        start, end = _rule_function(file.text)
        for change, changed in changed_query(file.text[start:end], language):
            yield change, file.text[:start] + changed + file.text[end:]
    elif language == "python":
        data = yaml.safe_load(file.text)
        if "Threshold" in data:  # else the period is that of one alert, and says nothing of matches
            yield from _of_numbers(data, ("DedupPeriodMinutes", "Threshold"))
    elif file.path.endswith(".toml"):
        data = tomllib.loads(file.text)
        for change, changed in changed_query(data["rule"]["query"], language):
            yield change, tomlkit.dumps({**data, "rule": {**data["rule"], "query": changed}})
        yield from _of_elastic_settings(data)
    elif file.path.startswith("detections/"):
        data = yaml.safe_load(file.text)
        for change, changed in changed_query(data["search"], language):
            yield change, yaml.safe_dump({**data, "search": changed})


def _of_numbers(data: dict[str, Any], keys: tuple[str, ...]) -> Iterator[tuple[Change, str]]:
    """Settings that are numbers, one more and one less."""
    for key in keys:
        if isinstance(data.get(key), int):
            for by in (1, -1):
                yield _setting(key, data[key], data[key] + by), yaml.safe_dump({**data, key: data[key] + by})


def _setting(name: str, old: object, new: object) -> Change:
    return Change(0, "", f"{name} {old}", f"{name} {new}")


def _of_elastic_settings(data: dict[str, Any]) -> Iterator[tuple[Change, str]]:
    """The rule with another count, another field, or another history."""
    rule = data["rule"]
    threshold = rule.get("threshold")
    if threshold is not None:
        for by in (1, -1):
            changed = {**threshold, "value": threshold["value"] + by}
            put = tomlkit.dumps({**data, "rule": {**rule, "threshold": changed}})
            yield _setting("value", threshold["value"], changed["value"]), put
        for position in range(len(threshold.get("field", ()))):
            fields = [*threshold["field"][:position], *threshold["field"][position + 1 :]]
            changed = {**threshold, "field": fields}
            yield (
                _setting("field", threshold["field"], fields),
                tomlkit.dumps({**data, "rule": {**rule, "threshold": changed}}),
            )
        for changed in _other_windows(rule, "from"):
            yield _setting("from", rule["from"], changed["from"]), tomlkit.dumps({**data, "rule": changed})
        for cell in threshold.get("cardinality", ())[:1]:
            changed = {**threshold, "cardinality": [{**cell, "value": cell["value"] + 1}]}
            put = tomlkit.dumps({**data, "rule": {**rule, "threshold": changed}})
            yield _setting("cardinality", cell["value"], cell["value"] + 1), put
    if "new_terms" in rule:
        yield from _of_new_terms(data, rule)


def _of_new_terms(data: dict[str, Any], rule: dict[str, Any]) -> Iterator[tuple[Change, str]]:
    """The rule with other new terms, and with another history of them."""
    block = rule["new_terms"]
    (start,) = block["history_window_start"]
    others = [{**block, "value": ["event.module"]}]
    others += [{**block, "history_window_start": [one]} for one in _other_windows(start, "value")]
    for other in others:
        put = tomlkit.dumps({**data, "rule": {**rule, "new_terms": other}})
        yield _setting("new_terms", dict(block), dict(other)), put


def _other_windows(holder: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """What holds a text like ``now-6m``, with a look-back of one more."""
    found = re.search(r"\d+", holder.get(key, ""))
    if found is None:
        return []
    text = found.string[: found.start()] + str(int(found[0]) + 1) + found.string[found.end() :]
    return [{**holder, key: text}]


def _rule_function(source: str) -> tuple[int, int]:
    """Where the body of ``rule`` begins and ends in the source."""
    (function,) = (
        node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == "rule"
    )
    lines = source.splitlines(keepends=True)
    first, last = function.body[0].lineno - 1, function.end_lineno or 0
    return sum(map(len, lines[:first])), sum(map(len, lines[:last]))


def changed_query(query: str, language: str) -> Iterator[tuple[Change, str]]:
    """The query with one change: what was done, and the text."""
    strings = [match.span() for match in _STRING.finditer(query)]
    for pattern, replacement in SWAPS[language]:
        for match in re.finditer(pattern, query):
            if not any(start < match.start() < end for start, end in strings):
                put = match.expand(replacement)
                yield _changed(query, match.start(), match.end(), put)
    for match in _NUMBER.finditer(query):
        if not any(start < match.start() < end for start, end in strings):
            yield _changed(query, match.start(), match.end(), str(int(match.group()) + 1))
    for start, end in strings:
        for put in _other_strings(query[start + 1 : end - 1]):
            yield _changed(query, start + 1, end - 1, put)


def _other_strings(text: str) -> Iterator[str]:
    """The text of a string with one letter changed, one taken away, in the other case, without wildcard."""
    letters = [index for index, char in enumerate(text) if char.isalnum() and text[index - 1 : index] != "\\"]
    if not letters:
        return
    middle = letters[len(letters) // 2]
    yield text[:middle] + ("y" if text[middle] == "x" else "x") + text[middle + 1 :]
    yield text[: letters[-1]] + text[letters[-1] + 1 :]
    cased = [index for index in letters if text[index].swapcase() != text[index]]
    if cased:
        yield text[: cased[0]] + text[cased[0]].swapcase() + text[cased[0] + 1 :]
    for wildcard in "*%":
        if text.startswith(wildcard) and len(text) > 1:
            yield text[1:]
        if text.endswith(wildcard) and len(text) > 1 and text[-2] != "\\":
            yield text[:-1]


def _changed(query: str, start: int, end: int, put: str) -> tuple[Change, str]:
    line = query.count("\n", 0, start)
    change = Change(line + 1, query.splitlines()[line], query[start:end], put)
    return change, query[:start] + put + query[end:]
