"""Short cuts of the Panther tests: rules from YAML, and running what was written."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from converter.logsources import load_packs
from converter.model.load import load_text
from converter.model.rule import Rule
from converter.platforms.base import Artifact, Context
from converter.platforms.panther import PLATFORM
from tests.platforms.panther.stand_in import EventDict

CASES = Path(__file__).parent / "cases"
_HEAD = {
    "id": "8b0e4f0a-64c4-4d9e-9f1a-0f6f2b7c1d11",
    "title": "A rule",
    "severity": "low",
    "logsource": "kubernetes.audit",
}


@cache
def context(keep_unmapped: bool = True) -> Context:
    """The built-in log sources."""
    return Context(packs=load_packs(), keep_unmapped=keep_unmapped)


def rule(**parts: Any) -> Rule:
    """A canonical rule with these parts, the rest as it needs to be."""
    needs_condition = "sequence" not in parts and "indicators" not in parts
    condition = {"indicators": [{"field": "verb", "is": "list"}]} if needs_condition else {}
    (found,) = load_text(yaml.safe_dump({**_HEAD, **condition, **parts}, allow_unicode=True))
    return found


def render(**parts: Any) -> Artifact:
    """The artifact of :func:`rule`."""
    return PLATFORM.render(rule(**parts), context())


def text_of(artifact: Artifact, suffix: str, position: int = 0) -> str:
    """The text of a file by its suffix."""
    return [file.text for file in artifact.files if file.path.endswith(suffix)][position]


def specification(artifact: Artifact, position: int = 0) -> dict[str, Any]:
    """The YAML of an artifact, read."""
    found: dict[str, Any] = yaml.safe_load(text_of(artifact, ".yml", position))
    return found


def function(artifact: Artifact, name: str, position: int = 0) -> str:
    """The source of one function of the Python file."""
    source = text_of(artifact, ".py", position)
    node = next(n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef) and n.name == name)
    return "\n".join(source.splitlines()[node.lineno - 1 : node.end_lineno])


def run(source: str, event: dict[str, Any], name: str = "rule") -> Any:
    """What a function of a written file gives for an event."""
    namespace: dict[str, Any] = {}
    exec(compile(source, "detection.py", "exec"), namespace)
    return namespace[name](EventDict(event))


def codes(artifact: Artifact) -> dict[str, str]:
    """The findings that change something: code → effect."""
    return {found.code: str(found.effect) for found in artifact.diagnostics if found.effect is not None}
