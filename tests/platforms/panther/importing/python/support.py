"""Detections as cases: what is read of each, and what Panther's own engine says of the original."""

from __future__ import annotations

import copy
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from converter.check.vectors import deciding_events, put
from converter.logsources.pack import Field, FieldType
from converter.model.diagnostics import RuleError
from converter.model.expressions import Expression, Operator, absolute_fields, predicates
from converter.model.paths import ANY, FieldPath, parse_path
from converter.platforms.base import Artifact, File
from converter.platforms.panther.engine import PantherCore
from converter.platforms.panther.importing.python import (
    DataModel,
    Detection,
    PythonSource,
    Shapes,
    read_detection,
)

CASES = Path(__file__).parent / "cases"
LOG_TYPE = "Custom.Log"
_SAMPLES: Mapping[str, Any] = {"text": "x", "integer": 1, "boolean": True, "list": ["x"], "ip": "1.2.3.4"}
_TYPES = {"integer": FieldType.INTEGER, "boolean": FieldType.BOOLEAN, "ip": FieldType.IP}


class Beside:
    """Modules and a data model given in a case."""

    def __init__(
        self, modules: Mapping[str, str], model: Mapping[str, Any] | None = None, *, models: bool = True
    ) -> None:
        self._modules = modules
        self._model = model
        self._models = models

    def find(self, module: str, importer: PythonSource) -> PythonSource | None:
        """The module's text, if the case has it."""
        text = self._modules.get(module)
        return None if text is None else PythonSource(file=f"{module}.py", text=text)

    def data_model(self, log_types: Sequence[str]) -> DataModel | None:
        """The case's data model."""
        if self._model is None or LOG_TYPE not in log_types:
            return None
        text = self._model.get("text")
        return DataModel(
            paths=self._model.get("paths", {}),
            methods=self._model.get("methods", {}),
            source=None if text is None else PythonSource(file="model.py", text=text),
        )

    def has_data_models(self) -> bool:
        """Whether there are data models at all, if only of other log types."""
        return self._models


@cache
def cases() -> dict[str, dict[str, Any]]:
    """Every case by the name of its file and its own."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(CASES.glob("*.yaml")):
        for case in yaml.safe_load(path.read_text(encoding="utf-8")):
            found[f"{path.stem}: {case['name']}"] = case
    return found


def python_of(case: Mapping[str, Any]) -> str:
    """The case's Python: given in whole, as the body of ``rule()``, or as the expression it returns."""
    if "python" in case:
        return str(case["python"])
    body = case["body"] if "body" in case else f"return {case['expr']}"
    return "def rule(event):\n" + textwrap.indent(str(body), "    ")


def read(case: Mapping[str, Any], text: str | None = None) -> Detection:
    """What is read of a case, or of another text in its place."""
    source = PythonSource(file="rule.py", text=text or python_of(case), class_name=case.get("class"))
    beside = Beside(case.get("modules", {}), case.get("model"), models=case.get("models", True))
    samples = [case["sample"]] if "sample" in case else []
    return read_detection(source, beside, [LOG_TYPE], Shapes(samples=[*samples, sample_of(case)]))


def sample_of(case: Mapping[str, Any]) -> dict[str, Any]:
    """An event that shows the types which a case gives its fields."""
    event: dict[str, Any] = {}
    for path, kind in case.get("types", {}).items():
        if kind in _SAMPLES:
            put(event, parse_path(path), copy.deepcopy(_SAMPLES[kind]), None)
    return event


def events(case: Mapping[str, Any], condition: Expression) -> Iterator[dict[str, Any]]:
    """Well-formed events that decide the condition, and each with every one of its fields missing or null."""
    types: Mapping[str, str] = case.get("types", {})
    numbers = {
        str(p.subject) for p in predicates(condition) if not p.functions and _is_numeric(p.values, p.operator)
    }
    bools = {str(p.subject) for p in predicates(condition) if any(isinstance(v, bool) for v in p.values)}

    def lookup(path: FieldPath) -> Field:
        name = str(path)
        kind = (
            FieldType.BOOLEAN
            if name in bools
            else FieldType.INTEGER
            if name in numbers
            else FieldType.KEYWORD
        )
        return Field(path=path, type=_TYPES.get(types.get(name, ""), kind), is_list=types.get(name) == "list")

    listed = [parse_path(path).steps[0] for path, kind in types.items() if kind in ("list", "objects")]
    objects = {parse_path(path).steps[0] for path, kind in types.items() if kind == "objects"}
    made = [
        event
        for event in deciding_events(condition, [], lookup)
        if all(_is_list_of(event.get(str(key), []), dict if key in objects else str) for key in listed)
    ]
    for event in made:
        yield event
        for path in dict.fromkeys(absolute_fields(condition)):
            if ANY in path.steps or any(isinstance(step, int) for step in path.steps):
                continue
            without = copy.deepcopy(event)
            put(without, path, None, None)
            yield without
    yield {}


def _is_list_of(value: Any, kind: type) -> bool:
    return isinstance(value, list) and all(isinstance(each, kind) for each in value)


def _is_numeric(values: Sequence[Any], operator: Operator) -> bool:
    """Whether a predicate asks for a number; the length of a text is none."""
    return operator is not Operator.EXISTS and any(
        isinstance(value, (int, float)) and not isinstance(value, bool) for value in values
    )


class Original:
    """The original Python of a case, run by Panther's engine."""

    def __init__(self, case: Mapping[str, Any]) -> None:
        modules = "".join(
            f"sys.modules[{name!r}] = types.ModuleType({name!r})\n"
            f"exec({text!r}, sys.modules[{name!r}].__dict__)\n"
            for name, text in case.get("modules", {}).items()
        )
        head = f"import sys, types\n{modules}" if modules else ""
        self._engine = PantherCore()
        self._artifact = Artifact(
            rule_id="case", platform="panther", files=(File("rule.py", head + python_of(case)),)
        )

    def outcome(self, event: Mapping[str, Any]) -> bool | None:
        """Whether ``rule()`` alerts; None: it raises, or gives no bool."""
        try:
            return bool(self._engine.result(self._artifact, dict(event)).detection_output)
        except RuleError:
            return None
