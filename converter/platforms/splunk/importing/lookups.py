"""Lookup tables given with a rule: CSV files in ``lookups`` folders, with contentctl's definitions if any.

A lookup then is a choice among constants (Search Reference, "lookup"; Knowledge Manager Manual, "Define a CSV
lookup in Splunk Web": values match with case unless ``case_sensitive_match`` is false, and wildcards where
``match_type`` says so).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from converter.model.wildcards import wildcard_regex
from converter.platforms.splunk.importing.documents import yaml_mapping
from converter.platforms.splunk.spl import syntax as s

_MOST_ROWS: Final = 500
_LARGEST_FILE: Final = 2_000_000


class Table(msgspec.Struct, frozen=True):
    """One call of a lookup: pairs of column and field to match, and of column and field to fill.

    ``lines`` are the table's rows if it is at hand; ``wild``: columns that hold wildcards.
    """

    name: str
    inputs: tuple[tuple[str, str], ...]
    filled: tuple[tuple[str, str], ...] = ()
    lines: tuple[Mapping[str, str], ...] = ()
    wild: frozenset[str] = frozenset()
    ignore_case: bool = False
    otherwise: str | None = None

    @property
    def outputs(self) -> tuple[str, ...]:
        """The fields that the lookup fills."""
        return tuple(field for _, field in self.filled)

    def rows(self, keys: Sequence[s.EvalNode]) -> dict[str, s.EvalNode]:
        """What each output field is, as a choice by the keys' values; empty when the table is not at hand."""
        if not self.lines or not keys or len(keys) != len(self.inputs) or self._several():
            return {}
        found: dict[str, s.EvalNode] = {}
        for column, field in self.filled:
            arguments: list[s.EvalNode] = []
            for line in self.lines:
                if column not in line or any(name not in line for name, _ in self.inputs):
                    return {}
                arguments += [self._meets(line, keys), s.Literal(line[column])]
            if self.otherwise is not None:
                arguments += [s.Call("true", ()), s.Literal(self.otherwise)]
            found[field] = s.Call("case", tuple(arguments))
        return found

    def _several(self) -> bool:
        """Whether one value may meet several lines with different outputs: the field would hold them all."""
        columns = [column for column, _ in self.inputs]
        for place, line in enumerate(self.lines):
            for other in self.lines[:place]:
                if all(_overlap(line.get(c, ""), other.get(c, ""), c in self.wild) for c in columns) and any(
                    line.get(c) != other.get(c) for c, _ in self.filled
                ):
                    return True
        return False

    def _meets(self, line: Mapping[str, str], keys: Sequence[s.EvalNode]) -> s.EvalNode:
        whole: s.EvalNode | None = None
        for (column, _), key in zip(self.inputs, keys, strict=True):
            value = line[column].lower() if self.ignore_case else line[column]
            left: s.EvalNode = s.Call("lower", (key,)) if self.ignore_case else key
            one: s.EvalNode = s.Operation("==", left, s.Literal(value))
            if column in self.wild and "*" in value:
                one = s.Call("like", (left, s.Literal(value.replace("*", "%"))))
            whole = one if whole is None else s.Operation("and", whole, one)
        assert whole is not None
        return whole


class Lookups:
    """The lookup tables in some folders, read when they are asked for."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self._files: dict[str, Path] | None = None

    def called(self, words: Sequence[str]) -> Table:
        """The call that a lookup command's words make."""
        lowered = [word.lower() for word in words]
        cut = next((i for i, word in enumerate(lowered) if word in ("output", "outputnew")), len(words))
        name = words[0] if words else ""
        inputs, filled = _pairs(words[1:cut]), _pairs(words[cut + 1 :])
        definition, lines = self._table(name)
        kinds = definition.get("match_type")
        wild = str(kinds) if isinstance(kinds, str) else " ".join(map(str, kinds or ()))
        columns = frozenset(column for column, _ in inputs if f"WILDCARD({column})" in wild)
        blocked = "CIDR(" in wild or any(
            "_" in line.get(c, "") or "%" in line.get(c, "") for c in columns for line in lines
        )
        if lines and not filled:
            matched = {column for column, _ in inputs}
            filled = tuple((column, column) for column in lines[0] if column not in matched)
        otherwise = definition.get("default_match")
        return Table(
            name=name,
            inputs=inputs,
            filled=filled,
            lines=() if blocked else lines,
            wild=columns,
            ignore_case=str(definition.get("case_sensitive_match", "true")).lower() in ("false", "0"),
            otherwise=str(otherwise)
            if otherwise and str(definition.get("min_matches", "0")) not in ("0", "None")
            else None,
        )

    def _table(self, name: str) -> tuple[Mapping[str, Any], tuple[Mapping[str, str], ...]]:
        files = self._known()
        told = files.get(f"{name.lower()}.yml")
        definition: Mapping[str, Any] = {} if told is None else yaml_mapping(told)
        stem = str(definition.get("filename") or f"{name.removesuffix('.csv')}.csv")
        path = files.get(stem.lower())
        if path is None:
            return definition, ()
        try:
            if path.stat().st_size > _LARGEST_FILE:
                return definition, ()
            lines = tuple(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"))))
        except (OSError, ValueError, csv.Error):
            return definition, ()
        if len(lines) > _MOST_ROWS:
            return definition, ()
        return definition, tuple(
            {str(key): value for key, value in line.items() if isinstance(value, str)} for line in lines
        )

    def _known(self) -> dict[str, Path]:
        if self._files is None:
            self._files = {}
            for folder in self._folders:
                try:
                    for path in sorted(folder.iterdir()):
                        if path.suffix in (".csv", ".yml"):
                            self._files.setdefault(path.name.lower(), path)
                except OSError:
                    continue
        return self._files


def _overlap(one: str, other: str, wild: bool) -> bool:
    one, other = one.lower(), other.lower()
    if not wild or ("*" not in one and "*" not in other):
        return one == other
    if "*" in one and "*" in other:
        return True
    pattern, text = (one, other) if "*" in one else (other, one)
    return re.fullmatch(wildcard_regex(pattern), text, re.DOTALL) is not None


def _pairs(words: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """``column AS field`` and plain names, as pairs of column and field."""
    pairs: list[tuple[str, str]] = []
    position = 0
    while position < len(words):
        if position + 2 < len(words) and words[position + 1].lower() == "as":
            pairs.append((words[position], words[position + 2]))
            position += 3
        else:
            pairs.append((words[position], words[position]))
            position += 1
    return tuple(pairs)
