"""An artifact's own text read back: what its search means, with the macros that go with it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import msgspec
import yaml

from converter.logsources.pack import Pack
from converter.model.diagnostics import Diagnostic, RuleError, Severity
from converter.model.rule import Rule
from converter.platforms.base import Artifact, Context
from converter.platforms.splunk.read_slices import read_slices
from converter.platforms.splunk.settings import Settings
from converter.platforms.splunk.sources import source_macro
from converter.platforms.splunk.spl.errors import SplError
from converter.platforms.splunk.spl.parse import parse_expanded
from converter.platforms.splunk.spl.pipeline import MacroText, expand, unexpanded
from converter.platforms.splunk.spl.read_rule import Reading, RuleReader

_MACRO_CALL = re.compile(r"`([A-Za-z0-9_]+)`")


def read_back(artifact: Artifact, context: Context) -> Rule:
    """The rule that an artifact's files say, over stored names. Raises RuleError if they do not parse."""
    detection, path = _detection(artifact)
    search = detection["search"]
    macros = {**pack_macros(context), **_own_macros(artifact)}
    reading = read_search(search, macros, path, artifact.rule_id)
    _check_schedule(detection, reading, path)
    sources = _sources(search, path, context)
    sequence = reading.sequence
    if sequence is not None:
        by_step = sources_of_steps(search, len(sequence.steps), sources, context)
        steps = tuple(
            msgspec.structs.replace(step, logsource=names)
            for step, names in zip(sequence.steps, by_step, strict=True)
        )
        sequence = msgspec.structs.replace(sequence, steps=steps)
    return Rule(
        id=artifact.rule_id,
        title=str(detection.get("name", "")),
        logsource=sources,
        indicators=() if sequence is not None else (reading.condition,),
        threshold=reading.threshold,
        sequence=sequence,
        new_terms=reading.new_terms,
    )


def read_search(search: str, macros: dict[str, MacroText], file: str, rule_id: str | None = None) -> Reading:
    """What a search means. Raises RuleError with the line and column in the search."""
    expanded = unexpanded(search)
    try:
        expanded = expand(search, macros)
        pipeline = parse_expanded(expanded)
        return read_slices(expanded, pipeline) or RuleReader().read(pipeline)
    except SplError as error:
        line, column = expanded.place(error.offset)
        diagnostic = Diagnostic(
            code=error.code,
            severity=Severity.ERROR,
            message=error.message,
            file=file,
            line=line,
            column=column,
            rule_id=rule_id,
            platform="splunk",
        )
        raise RuleError(str(diagnostic), (diagnostic,)) from error


def _check_schedule(detection: dict[str, Any], reading: Reading, path: str) -> None:
    """Whether a run that reports on what is new reads as far behind it as the rule looks back.

    Raises RuleError. What is new begins where the last run ended; the time range reads back from there. The
    far edge of a time window is open, so that one of distinct values is a second longer than what is asked.
    """
    back: timedelta | None = None
    if reading.threshold is not None:
        sliding = reading.threshold.every is None and reading.threshold.distinct is not None
        back = reading.threshold.within - timedelta(seconds=1 if sliding else 0)
    elif reading.sequence is not None:
        back = reading.sequence.within
    elif reading.new_terms is not None:
        back = reading.new_terms.history
    if reading.since is None or back is None:
        return
    scheduling = detection.get("deployment", {}).get("scheduling", {})
    if reading.until not in (None, scheduling.get("latest_time")):
        raise RuleError(f"{path}: a run reports on what is before {reading.until}, which is not its end")
    earliest = str(scheduling.get("earliest_time", ""))
    found = re.fullmatch(re.escape(reading.since) + r"-(\d+)s", earliest)
    if found is None or timedelta(seconds=int(found[1])) < back:
        raise RuleError(
            f"{path}: a run reports on what is since {reading.since} and looks {back} back from there, but "
            f"its time range begins at {earliest or 'no time of its own'}"
        )


def _detection(artifact: Artifact) -> tuple[dict[str, Any], str]:
    for file in artifact.files:
        if file.path.startswith("detections/"):
            data = _yaml(file.text, file.path)
            if isinstance(data.get("search"), str):
                return data, file.path
            raise RuleError(f"{file.path}: the detection has no search")
    raise RuleError("the artifact has no detection file")


def _yaml(text: str, path: str) -> dict[str, Any]:
    try:
        data = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - safe loaders
    except yaml.YAMLError as error:
        raise RuleError(f"{path}: {error}") from error
    if not isinstance(data, dict):
        raise RuleError(f"{path}: a mapping is expected")
    return data


def _own_macros(artifact: Artifact) -> dict[str, MacroText]:
    found: dict[str, MacroText] = {}
    for file in artifact.files:
        if file.path.startswith("macros/"):
            data = _yaml(file.text, file.path)
            arguments = tuple(str(name) for name in data.get("arguments") or ())
            found[str(data["name"])] = MacroText(str(data["definition"]), arguments)
    return found


def pack_macros(context: Context) -> dict[str, MacroText]:
    """The macros of all known log sources, and the team's own one in place of a log source's."""
    settings = Settings()
    found: dict[str, MacroText] = {}
    for pack in context.packs.values():
        macro = source_macro(pack, settings)
        found.setdefault(macro.name, MacroText(macro.definition))
    return found


def _sources(search: str, path: str, context: Context) -> tuple[str, ...]:
    """The log sources that the search's macros name; else the one that the file lies under."""
    folder = path.split("/")[1] if path.count("/") >= 2 else ""
    called = set(_MACRO_CALL.findall(search))
    named = [pack.name for pack in _packs(context) if source_macro(pack, Settings()).name in called]
    if folder in named:
        named.sort(key=lambda name: name != folder)
    return tuple(named) or ((folder,) if folder else ())


def _packs(context: Context) -> list[Pack]:
    return list(context.packs.values())


def sources_of_steps(
    search: str, count: int, sources: tuple[str, ...], context: Context
) -> list[tuple[str, ...]]:
    """The log sources of each step: of its own search if it has one, else of the whole."""
    branches = re.findall(r"^ {4}\[(.*)\]$", search, re.MULTILINE)
    if not search.startswith("| multisearch") or len(branches) < 1:
        return [sources] * count
    named = [_sources(branch, "", context) or sources for branch in branches]
    return named if len(named) == count else [sources] * count
