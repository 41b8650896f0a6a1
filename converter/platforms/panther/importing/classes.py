"""Detections as classes, the form of pypanther, in the shape of specifications."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from converter.logsources import PackLibrary
from converter.logsources.pack import Pack
from converter.logsources.remembered import Remembered
from converter.model.diagnostics import Diagnostic, Fidelity
from converter.platforms.base import ReadContext
from converter.platforms.panther.importing.beside import Surroundings
from converter.platforms.panther.importing.documents import Document
from converter.platforms.panther.importing.metadata import ATTRIBUTES
from converter.platforms.panther.importing.python import (
    Attribute,
    Made,
    PythonSource,
    class_attributes,
    rule_classes,
)

_TEST_KEYS: Final = {"name": "Name", "expected_result": "ExpectedResult", "log": "Log", "mocks": "Mocks"}
_FILTERS: Final = ("include_filters", "exclude_filters")
_NOT_WORD: Final = re.compile(r"[^a-z0-9]+")


def class_documents(
    source: PythonSource, surroundings: Surroundings, context: ReadContext
) -> Iterator[tuple[Document, PythonSource, tuple[Diagnostic, ...]]]:
    """Each class of a text that is a rule: as a specification, as Python, and what its attributes lack."""
    for name in rule_classes(source, surroundings):
        own = msgspec.structs.replace(source, class_name=name)
        attributes = class_attributes(own, surroundings)
        yield _document(own, attributes, context.packs), own, tuple(_problems(attributes))


def _problems(attributes: Mapping[str, Attribute]) -> Iterator[Diagnostic]:
    """What cannot be read of the attributes that describe the rule; a lost threshold alerts on each match."""
    for name, attribute in attributes.items():
        if attribute.problem is not None and name in ATTRIBUTES:
            effect = Fidelity.WIDER if name == "threshold" else None
            yield msgspec.structs.replace(attribute.problem, effect=effect)


def _document(
    source: PythonSource, attributes: Mapping[str, Attribute], packs: Mapping[str, Pack]
) -> Document:
    data: dict[str, Any] = {"AnalysisType": "rule"}
    places = {"": min((one.line for one in attributes.values()), default=1)}
    for name, attribute in attributes.items():
        key = ATTRIBUTES.get(name, name if name in _FILTERS else None)
        if key is None or (attribute.problem is not None and name not in _FILTERS):
            continue
        data[key] = _plain(attribute.value) if attribute.problem is None else name
        places[key] = attribute.line
    data.setdefault("RuleID", source.class_name)
    if isinstance(data.get("Tests"), list):
        data["Tests"] = [_test(one) for one in data["Tests"] if isinstance(one, Mapping)]
    known = _LOG_TYPES(packs, "panther")
    if isinstance(data.get("LogTypes"), list):
        data["LogTypes"] = [known.get(_folded(str(one)), str(one)) for one in data["LogTypes"]]
    return Document(source.file, source.text, data, places=places)


def _plain(value: Any) -> Any:
    """A value as YAML would have it: calls as mappings of their arguments."""
    match value:
        case Made(named=named):
            return {str(key): _plain(one) for key, one in named.items()}
        case Mapping():
            return {str(key): _plain(one) for key, one in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(one) for one in value]
        case _:
            return value


def _test(given: Mapping[str, Any]) -> dict[str, Any]:
    return {_TEST_KEYS.get(key, key): value for key, value in given.items()}


def _log_types(packs: Mapping[str, Pack], platform: str) -> dict[str, str]:
    """Every known log type by its letters and digits, all that ``LogType.AWS_CLOUDTRAIL`` has."""
    found: dict[str, str] = {}
    for pack in packs:
        if isinstance(packs, PackLibrary):
            told = packs.names_on(pack, platform)
        else:
            told = packs[pack].platforms.get(platform, {})
        for name in told.get("log_types", ()):
            found.setdefault(_folded(str(name)), str(name))
    return found


_LOG_TYPES: Final = Remembered[Mapping[str, Pack], dict[str, str]](_log_types)


def _folded(name: str) -> str:
    return _NOT_WORD.sub("", name.rpartition("LogType.")[2].lower())
