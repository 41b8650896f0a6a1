"""What Kibana exports, as rules and the items of exception lists.

Sources: Kibana, "Export detection rules" (NDJSON: rules, exception lists and their items, action connectors,
and a line that counts them), "Export timelines", "Export saved objects" (``attributes`` with camel-case
``params``), "List all detection rules" (one JSON object with ``data``); Elastic Security, "Export exception
lists".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

_CAMEL: Final = re.compile(r"(?<=[a-z0-9])([A-Z])")
_LISTS: Final = ("data", "rules", "saved_objects")
"""Under which key an answer of Kibana's interfaces keeps its objects; of one line or of many."""
_COUNTS: Final = frozenset({"exported_count", "exported_rules_count", "exportedCount"})
_TIMELINE: Final = frozenset({"savedObjectId", "kqlQuery", "templateTimelineId", "eventIdToNoteIds"})
_AROUND: Final = frozenset(
    {"action", "siem-ui-timeline", "tag", "search", "index-pattern", "query", "dashboard", "visualization"}
)
"""Types of saved objects that come with rules and say nothing of them."""


class Problem(msgspec.Struct, frozen=True):
    """Why a text, or a line of it, holds no rule; line and column count from 1."""

    message: str
    line: int = 1
    column: int = 1


class Export(msgspec.Struct):
    """The rules of a text, each with where its object begins and ends in it; the items of exception lists by
    the list's id; and what could not be read.
    """

    rules: list[tuple[int, int, Mapping[str, Any]]] = msgspec.field(default_factory=list)
    items: dict[str, list[Mapping[str, Any]]] = msgspec.field(default_factory=dict)
    problems: list[Problem] = msgspec.field(default_factory=list)

    @property
    def exceptions(self) -> dict[str, tuple[Mapping[str, Any], ...]]:
        """The items by list."""
        return {name: tuple(found) for name, found in self.items.items()}


def read_export(text: str) -> Export:
    """The objects of NDJSON, of a JSON list, or of one JSON object over several lines. Never raises."""
    export = Export()
    counted: tuple[int, int] | None = None
    for start, end, data in _objects(text, export.problems):
        if not isinstance(data, dict):
            export.problems.append(_problem(text, start, "no rule: a JSON object is expected"))
        elif _has_half_pairs(text[start:end], data):
            export.problems.append(_problem(text, start, "half of a surrogate pair is no character"))
        elif _COUNTS & data.keys():
            count = data.get("exported_rules_count")
            counted = (start, count) if isinstance(count, int) else None
        else:
            _sort(export, text, start, end, data)
    if counted is not None and len(export.rules) < counted[1] and not export.problems:
        message = f"the export counts {counted[1]} rules and holds {len(export.rules)}: it is cut short"
        export.problems.append(_problem(text, counted[0], message))
    return export


def _sort(export: Export, text: str, start: int, end: int, data: dict[str, Any]) -> None:
    """Put an object where it belongs."""
    attributes = data.get("attributes")
    kind = str(data.get("type"))
    if isinstance(attributes, dict):
        if kind.startswith("exception-list"):
            data = attributes
        elif kind == "alert" and isinstance(attributes.get("params"), dict):
            export.rules.append((start, end, _saved(attributes)))
            return
        elif kind in _AROUND:
            return
    if "list_id" in data and "rule_id" not in data:
        items = export.items.setdefault(str(data["list_id"]), [])
        if isinstance(data.get("entries"), list):
            items.append(data)
    elif "rule_id" in data or ("query" in data and "type" in data):
        export.rules.append((start, end, data))
    elif not _TIMELINE & data.keys():
        keys = ", ".join(sorted(map(str, data))[:5]) or "nothing"
        export.problems.append(
            _problem(text, start, f"no rule, exception, connector or timeline: an object with {keys[:80]}")
        )


def _saved(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """A rule as a saved object holds it, in the names that exports give its parts."""
    rule = {_snake(key): value for key, value in attributes["params"].items()}
    listed = rule.get("exceptions_list")
    if isinstance(listed, list):
        rule["exceptions_list"] = [
            {_snake(key): value for key, value in one.items()} for one in listed if isinstance(one, dict)
        ]
    return {**{key: attributes[key] for key in ("name", "tags", "enabled") if key in attributes}, **rule}


def _has_half_pairs(source: str, data: Any) -> bool:
    """Whether an escape stands for half a character, which no text can hold."""
    if "\\ud" not in source.lower():
        return False
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _snake(name: str) -> str:
    return _CAMEL.sub(lambda match: f"_{match[1].lower()}", name)


# -- objects and where they stand


def _objects(text: str, problems: list[Problem]) -> Iterator[tuple[int, int, Any]]:
    """Each object with its first and last place: one a line, or those of one larger text."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    begun = _parsed(first)
    is_page = isinstance(begun, dict) and any(isinstance(begun.get(key), list) for key in _LISTS)
    whole = begun if is_page or isinstance(begun, list) else _parsed(text) if begun is None else None
    if isinstance(whole, list):
        yield from _elements(text, text.index("["))
    elif isinstance(whole, dict):
        key = next((key for key in _LISTS if isinstance(whole.get(key), list)), None)
        found = re.search(rf'"{key}"\s*:\s*\[', text)
        if found is None:
            yield len(text) - len(text.lstrip()), len(text), whole
        else:
            yield from _elements(text, found.end() - 1)
    else:
        yield from _lines(text, problems)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (RecursionError, ValueError):
        return None


def _elements(text: str, opening: int) -> Iterator[tuple[int, int, Any]]:
    """The elements of the JSON list that begins at a place."""
    decoder, position = json.JSONDecoder(), opening + 1
    while True:
        while position < len(text) and text[position] in " \t\r\n,":
            position += 1
        if position >= len(text) or text[position] == "]":
            return
        data, end = decoder.raw_decode(text, position)
        yield position, end, data
        position = end


def _lines(text: str, problems: list[Problem]) -> Iterator[tuple[int, int, Any]]:
    start = 0
    for number, line in enumerate(text.split("\n"), 1):
        begin, start = start, start + len(line) + 1
        if not line.strip():
            continue
        try:
            yield begin, begin + len(line), json.loads(line)
        except json.JSONDecodeError as error:
            problems.append(Problem(f"no JSON: {error.msg}", number, error.colno))
        except (RecursionError, ValueError) as error:
            problems.append(Problem(f"no JSON: {type(error).__name__}", number, 1))


def _problem(text: str, start: int, message: str) -> Problem:
    return Problem(message, text.count("\n", 0, start) + 1, start - (text.rfind("\n", 0, start) + 1) + 1)
