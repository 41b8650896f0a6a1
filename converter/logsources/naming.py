"""Under which name a platform stores a path of the raw event.

Panther keeps the JSON object as it is. Elastic and Splunk are flat: a document is a mapping from field
name to one value or several. Sources: Elasticsearch Guide, "Arrays" and "Object field type" (keys joined by
dots, an array has no name of its own); Splunk Search Reference, "spath" (keys joined by dots, ``{}`` behind
a key whose value is an array).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from converter.model.paths import PathStep

NESTED: Final = frozenset({"panther"})
"""The platforms that keep the raw event's nesting; every other one is flat."""

_LIST_MARKS: Final = {"splunk": "{}"}


def is_flat(platform: str) -> bool:
    """Whether the platform stores an event as flat fields."""
    return platform not in NESTED


def flat_name(steps: Iterable[PathStep], platform: str) -> str:
    """The name that a flat platform derives from a path; list steps and indexes become its list mark."""
    mark = _LIST_MARKS.get(platform, "")
    name = ""
    for step in steps:
        if isinstance(step, str):
            name += f".{step}" if name else step
        else:
            name += mark
    return name


def joined_name(prefix: str, steps: Iterable[PathStep], platform: str) -> str:
    """``prefix`` (a stored name) with the name of ``steps`` behind it; list marks need no dot between."""
    steps = tuple(steps)
    marks = 0
    while marks < len(steps) and not isinstance(steps[marks], str):
        marks += 1
    head = prefix + _LIST_MARKS.get(platform, "") * marks
    if marks == len(steps):
        return head
    rest = flat_name(steps[marks:], platform)
    return f"{head}.{rest}" if head else rest


SIGMA_KEYS: Final = ("category", "product", "service")
"""What a Sigma log source is told by (Sigma specification, "Log source")."""


def sigma_source(name: str, declared: Mapping[str, Any]) -> tuple[dict[str, str], bool]:
    """What Sigma calls a log source, and whether its taxonomy does: without an entry, after its own name.

    ``raw`` is no log source and has no name. ``declared``: what the pack ``name`` says of Sigma.
    """
    entry = {key: str(declared[key]) for key in SIGMA_KEYS if declared.get(key)}
    if entry or name == "raw" or declared.get("also"):
        return entry, True
    product, _, service = name.partition(".")
    return {"product": product, **({"service": service} if service else {})}, False
