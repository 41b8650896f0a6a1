"""The analysis items in a text: YAML specifications, and Python classes of pypanther's.

A specification's kind is its ``AnalysisType`` (Panther documentation, "Rules and Scheduled Rules" and the
schema of panther_analysis_tool). Its scalars are read as YAML 1.2 has them: ``off`` and ``On`` are texts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from converter.model.files import text_beside
from converter.model.tables import MAX_FILE_BYTES
from converter.model.yaml_in import Locator, YamlProblem, plain_value, read_yaml, top_keys

Steps: TypeAlias = tuple[str | int, ...]

DETECTIONS: Final = frozenset({"rule", "scheduled_rule", "correlation_rule", "policy"})
"""The kinds of analysis items that detect something. A policy, which looks at a resource, is refused."""

OTHER_KINDS: Final = frozenset(
    {"datamodel", "global", "lookup_table", "pack", "saved_query", "scheduled_prompt", "scheduled_query"}
)

FILENAME: Final = re.compile(r"""^Filename\s*:\s*["']?([^"'#\n]+?)["']?\s*(?:#.*)?$""", re.MULTILINE)
"""The Python that a specification names."""

_YAML: Final = (".yml", ".yaml")
_KIND: Final = re.compile(r"""^["']?AnalysisType["']?\s*:\s*["']?(\w+)""", re.MULTILINE)
_OWN_KEYS: Final = frozenset({"analysistype", "ruleid", "policyid", "basedetection", "detection", "logtypes"})
_RULE_CLASS: Final = re.compile(r"^class\s+\w+\s*\([^)\n]*\w", re.MULTILINE)
_CLASS_FORM: Final = re.compile(r"^\s*(?:from|import)\s+pypanther\b", re.MULTILINE)
_NO_RULES: Final = frozenset(
    {"helpers", "global_helpers", "data_models", "lookup_tables", "queries", "packs"}
)


def scalar(text: str) -> object:
    """What an unquoted scalar means; a number that JSON cannot hold stays text."""
    try:
        return plain_value(text)
    except ValueError:
        return text


class Document:
    """One analysis item: its data, and where in the text its parts stand.

    ``places`` gives the lines of a class's attributes, which have no YAML.
    """

    def __init__(
        self,
        file: str,
        text: str,
        data: Mapping[str, Any],
        index: int = 0,
        places: Mapping[str, int] | None = None,
    ) -> None:
        self.file = file
        self.data = data
        self._text = text
        self._index = index
        self._places = places
        self._locator: Locator | None = None

    @property
    def kind(self) -> str:
        """Its ``AnalysisType`` in lower case; ``rule`` for a class."""
        found = self.data.get("AnalysisType")
        return found.lower() if isinstance(found, str) else ""

    def over(self, base: Document) -> Document:
        """This document with what it does not say itself from another, the one it is derived from."""
        data = {**base.data, **self.data}
        if "Detection" in self.data:
            data.pop("Filename", None)
        return Document(base.file, self._text, data, self._index, self._places)

    def position(self, at: Steps) -> tuple[int, int]:
        """Line and column (from 1) of a value, else of the nearest thing around it."""
        if self._places is not None:
            return self._places.get(str(at[0]) if at else "", self._places.get("", 1)), 1
        if self._locator is None:
            self._locator = Locator(self._text)
        return self._locator.position(self._index, at, on_key=False)


def specifications(file: str, text: str) -> tuple[list[Document], tuple[YamlProblem, ...]]:
    """The YAML documents of a text that are mappings, and what is wrong with the others. Never raises."""
    if len(text) > MAX_FILE_BYTES:
        return [], (YamlProblem("too-large", f"a file of over {MAX_FILE_BYTES} characters", 1, 1),)
    found, problems = read_yaml(text.removeprefix("\ufeff"), scalar)
    documents, wrong = [], list(problems)
    for one in found:
        if isinstance(one.data, dict):
            documents.append(Document(file, text, one.data, one.index))
        elif one.data is not None:
            wrong.append(YamlProblem("not-a-rule", "a mapping with an AnalysisType is expected", one.line, 1))
    if not documents and not wrong:
        wrong.append(YamlProblem("empty", "no rule in this text", 1, 1))
    return documents, tuple(wrong)


def is_yaml(file: str) -> bool:
    """Whether a file is a specification, by its name."""
    return Path(file).suffix.lower() in _YAML


def is_rule_file(path: Path) -> bool:
    """Whether a file may hold detections: a specification of one, or a text with classes of pypanther's.

    The Python beside a specification is read with it; helpers, data models, tables and queries are no rules.
    """
    if path.name.startswith("."):
        return False
    if is_yaml(path.name):
        return _is_specification(file_text(path))
    if path.suffix.lower() != ".py" or _NO_RULES.intersection(path.parts[:-1]):
        return False
    text = file_text(path)
    if text is None or "\0" in text:  # what it holds nobody knows; beside a specification it is read with it
        return not any(path.with_suffix(suffix).exists() for suffix in _YAML)
    return is_class_form(text)


def _is_specification(text: str | None) -> bool:
    """Whether a YAML text may be a detection: not if it is of another kind, or has none of a rule's keys."""
    kind = None if text is None else _KIND.search(text)
    if kind is not None:
        return kind[1].lower() not in OTHER_KINDS
    keys = set() if text is None else top_keys(text)
    return not keys or not keys.isdisjoint(_OWN_KEYS)


def is_class_form(text: str) -> bool:
    """Whether a Python text may hold rules as classes."""
    return bool(_CLASS_FORM.search(text)) and bool(_RULE_CLASS.search(text))


def file_text(path: Path) -> str | None:
    """The text of a file; None where it cannot be read or is too large."""
    return text_beside(path, MAX_FILE_BYTES)
