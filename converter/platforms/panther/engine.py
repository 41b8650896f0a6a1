"""The engine that Panther itself runs detections with, on the emitted files.

panther_core is licensed under the AGPL and stays optional: nothing imports it before it is asked for.
"""

from __future__ import annotations

import importlib.metadata
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from converter.model.diagnostics import MissingExtraError, RuleError
from converter.platforms.base import Artifact, Skip, StoredEvent

_QUOTED = re.compile(r'"([^"\\]+)"')
"""A text in the emitted Python, some of which are keys."""


class PantherCore:
    """Runs ``rule()`` of an emitted detection as panther_core does: on a PantherEvent, its result a bool.

    Raises MissingExtraError where panther_core is not installed.
    """

    name = "panther_core"

    def __init__(self) -> None:
        try:
            from panther_core.enriched_event import PantherEvent
            from panther_core.rule import Rule
        except ImportError as error:
            raise MissingExtraError("panther_core is not installed; install the extra `engines`") from error
        self.version = importlib.metadata.version("panther_core")
        self._event: Callable[..., Any] = PantherEvent
        self._rule: Callable[..., Any] = Rule
        self._loaded: dict[str, Any] = {}

    def verdicts(self, artifact: Artifact, events: Iterable[StoredEvent], step: int = 0) -> list[bool | Skip]:
        """One verdict per event, but for those that have a key of the rule's in another case: Panther reads
        that. Raises RuleError when the file does not load, or ``rule()`` raises.
        """
        named = frozenset(_QUOTED.findall(_source(artifact, step)))
        lowered = frozenset(map(str.lower, named))
        return [
            Skip("a key in another case: Panther reads it")
            if any(key not in named and key.lower() in lowered for key in _keys(event))
            else bool(self.result(artifact, event, step).detection_output)
            for event in events
        ]

    def result(self, artifact: Artifact, event: StoredEvent, step: int = 0) -> Any:
        """panther_core's DetectionResult for one event. Raises RuleError when ``rule()`` raises."""
        source = _source(artifact, step)
        rule = self._loaded.get(source)
        if rule is None:
            rule = self._loaded[source] = self._load(artifact.rule_id, source)
        result = rule.run(self._event(event), {}, {}, batch_mode=True)
        if result.detection_exception is not None:
            raise RuleError(f"rule {artifact.rule_id}: rule() raised {result.detection_exception!r}")
        return result

    def _load(self, rule_id: str, source: str) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "detection.py"
            path.write_text(source, encoding="utf-8")
            rule = self._rule({"id": rule_id, "versionId": "", "path": str(path)})
        if rule.setup_exception is not None:
            raise RuleError(f"rule {rule_id}: the Python does not load: {rule.setup_exception!r}")
        return rule


def _source(artifact: Artifact, step: int) -> str:
    """The Python of a step."""
    return [file.text for file in artifact.files if file.path.endswith(".py")][step]


def _keys(node: Any) -> Iterator[str]:
    """Every key of an event, however deep."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield key
            yield from _keys(value)
    elif isinstance(node, list):
        for value in node:
            yield from _keys(value)
