"""The files of a rendering with one thing changed: in the query, or in a setting that counts or looks back.

A mutant's files are written when they are asked for: a rendering has many hundred mutants, few of which run.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import msgspec
import tomlkit
import yaml
from msgspec.structs import replace

from converter.platforms.base import Artifact, File
from tests.check.text_mutants import Change, Kind, changed_query


class Mutant(msgspec.Struct, frozen=True):
    """An artifact with one change; ``made`` writes it."""

    change: Change
    made: Callable[[], Artifact]


Changed: TypeAlias = tuple[Change, Callable[[], str]]
"""A change, and who writes the file that has it."""


def text_mutants(artifact: Artifact) -> Iterator[Mutant]:
    """Every mutant of an artifact: of its query, its counts, its windows, its keys."""
    for index, file in enumerate(artifact.files):
        for change, write in _of_file(file, artifact.language):
            yield Mutant(change, _with_file(artifact, index, write))


def _with_file(artifact: Artifact, index: int, write: Callable[[], str]) -> Callable[[], Artifact]:
    def made() -> Artifact:
        file = File(artifact.files[index].path, write())
        return replace(artifact, files=(*artifact.files[:index], file, *artifact.files[index + 1 :]))

    return made


def _of_file(file: File, language: str) -> Iterator[Changed]:
    if language == "python" and file.path.endswith(".py"):
        yield from _of_python(file.text)
    elif language == "python":
        yield from _of_panther_settings(_loaded(file.text))
    elif file.path.endswith(".toml"):
        data = tomllib.loads(file.text)
        for change, changed in changed_query(data["rule"]["query"], language):
            yield change, _toml(data, query=changed)
        yield from _of_elastic_settings(data)
    elif file.path.startswith("detections/"):
        data = _loaded(file.text)
        for change, changed in changed_query(data["search"], language):
            yield change, _yaml({**data, "search": changed})
        yield from _of_splunk_schedule(data)


def _loaded(text: str) -> dict[str, Any]:
    data: dict[str, Any] = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return data


def _yaml(data: Mapping[str, Any]) -> Callable[[], str]:
    return lambda: str(yaml.dump(data, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper)))


def _toml(data: Mapping[str, Any], **changes: Any) -> Callable[[], str]:
    """The rule file with other settings."""
    return lambda: tomlkit.dumps({**data, "rule": {**data["rule"], **changes}})


def _setting(kind: Kind, name: str, old: object, new: object) -> Change:
    return Change(kind, 0, "", f"{name} {old}", f"{name} {new}")


# -- Panther


def _of_python(source: str) -> Iterator[Changed]:
    """The condition and its constants, the group, what is counted, and the join key of a step."""
    for kind, start, end in _parts(source):
        for change, changed in changed_query(source[start:end], "python", kind):
            yield change, _put(source, start, end, changed)
        if kind is Kind.KEY:
            for found in re.finditer(r', \("[^()]*\)', source[start:end]):
                at = slice(start + found.start(), start + found.end())
                change = Change(Kind.KEY, 1, source[start:end], found[0], "")
                yield change, _put(source, at.start, at.stop, "")


def _put(source: str, start: int, end: int, text: str) -> Callable[[], str]:
    return lambda: source[:start] + text + source[end:]


def _parts(source: str) -> Iterator[tuple[Kind | None, int, int]]:
    """Where that stands in a module, by ``(kind, start, end)``."""
    offsets = [0]
    for line in source.splitlines(keepends=True):
        offsets.append(offsets[-1] + len(line.encode()))
    encoded = source.encode()

    def span(first: ast.stmt | ast.expr, last: ast.stmt | ast.expr) -> tuple[int, int]:
        start = offsets[first.lineno - 1] + first.col_offset
        end = offsets[(last.end_lineno or 1) - 1] + (last.end_col_offset or 0)
        return len(encoded[:start].decode()), len(encoded[:end].decode())

    for node in ast.parse(source).body:
        match node:
            case ast.FunctionDef(name="rule", body=body):
                yield None, *span(body[0], body[-1])
            case ast.FunctionDef(name="dedup" | "unique", body=body):
                yield Kind.KEY, *span(body[0], body[-1])
            case ast.FunctionDef(name="alert_context", body=[ast.Return(value=ast.Dict(keys, values))]):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == "sequence_key":
                        yield Kind.KEY, *span(value, value)
            case ast.Assign(value=ast.Tuple() | ast.Set() | ast.List() as value):
                yield None, *span(value, value)


def _of_panther_settings(data: dict[str, Any]) -> Iterator[Changed]:
    if "Threshold" in data:  # else the period is that of one alert, and says nothing of matches
        for kind, key in ((Kind.COUNT, "Threshold"), (Kind.WINDOW, "DedupPeriodMinutes")):
            for by in (1, -1):
                yield _setting(kind, key, data[key], data[key] + by), _yaml({**data, key: data[key] + by})
    for detection in data.get("Detection", ())[:1]:
        for change, changed in _of_correlation(detection):
            yield change, _yaml({**data, "Detection": [changed]})


def _of_correlation(detection: dict[str, Any]) -> Iterator[tuple[Change, dict[str, Any]]]:
    """A correlation with another count, another window, no key, or steps that are absent by turns."""
    for number, step in enumerate(detection["Sequence"]):

        def with_step(changed: dict[str, Any], at: int = number) -> dict[str, Any]:
            steps = detection["Sequence"]
            return {**detection, "Sequence": [*steps[:at], changed, *steps[at + 1 :]]}

        count = step.get("MinMatchCount", 1)
        yield (
            _setting(Kind.COUNT, "MinMatchCount", count, count + 1),
            with_step({**step, "MinMatchCount": count + 1}),
        )
        absent = step.get("Absence", False)
        yield (
            _setting(Kind.NEGATION, "Absence", absent, not absent),
            with_step({**step, "Absence": not absent}),
        )
    transitions = detection.get("Transitions", [])
    bare = [{key: each[key] for key in each if key != "Match"} for each in transitions]
    if bare != transitions:
        yield _setting(Kind.KEY, "Match", "on a key", "none"), {**detection, "Transitions": bare}
    if all("WithinTimeFrameMinutes" in each for each in transitions):
        minutes = transitions[0]["WithinTimeFrameMinutes"]
        for by in (1, -1):
            other = [{**each, "WithinTimeFrameMinutes": minutes + by} for each in transitions]
            yield (
                _setting(Kind.WINDOW, "WithinTimeFrameMinutes", minutes, minutes + by),
                {**detection, "Transitions": other},
            )
        rate = detection["Schedule"]["RateMinutes"]
        old, short = detection["LookbackWindowMinutes"], rate + minutes - 1
        yield (
            _setting(Kind.WINDOW, "LookbackWindowMinutes", old, short),
            {**detection, "LookbackWindowMinutes": short},
        )


# -- Elastic


def _of_elastic_settings(data: dict[str, Any]) -> Iterator[Changed]:
    rule = data["rule"]
    if "threshold" in rule:
        yield from _of_threshold(data, rule["threshold"])
        for by in (1, -1):
            yield from _of_text(data, "from", by)
    elif rule["language"] in ("eql", "esql") and ("maxspan" in rule["query"] or "NOW()" in rule["query"]):
        yield from _of_text(data, "from", -(int(re.findall(r"\d+", rule["from"])[0]) // 2))
    if "new_terms" in rule:
        block = rule["new_terms"]
        (start,) = block["history_window_start"]
        others = [(Kind.KEY, {**block, "value": ["event.module"]})]
        for by in (1, -1):
            moved = {**start, "value": _moved(start["value"], by)}
            others.append((Kind.WINDOW, {**block, "history_window_start": [moved]}))
        for kind, other in others:
            yield _setting(kind, "new_terms", dict(block), other), _toml(data, new_terms=other)


def _of_threshold(data: dict[str, Any], threshold: dict[str, Any]) -> Iterator[Changed]:
    """Another count, without one of the groups, or another field that is counted."""

    def changed(kind: Kind, key: str, new: object) -> Changed:
        return _setting(kind, key, threshold[key], new), _toml(data, threshold={**threshold, key: new})

    for by in (1, -1):
        yield changed(Kind.COUNT, "value", threshold["value"] + by)
    fields = threshold["field"]
    for position in range(len(fields)):
        yield changed(Kind.KEY, "field", [*fields[:position], *fields[position + 1 :]])
    for cell in threshold.get("cardinality", ())[:1]:
        for by in (1, -1):
            yield changed(Kind.COUNT, "cardinality", [{**cell, "value": cell["value"] + by}])
        yield changed(Kind.KEY, "cardinality", [{**cell, "field": "event.module"}])


def _of_text(data: dict[str, Any], key: str, by: int) -> Iterator[Changed]:
    old = data["rule"][key]
    new = _moved(old, by)
    yield _setting(Kind.WINDOW, key, old, new), _toml(data, **{key: new})


def _moved(text: str, by: int) -> str:
    """A text like ``now-6m`` with another number."""
    return re.sub(r"\d+", lambda found: str(int(found[0]) + by), text, count=1)


# -- Splunk


def _of_splunk_schedule(data: dict[str, Any]) -> Iterator[Changed]:
    """A search that looks back: half as far."""
    scheduling = data.get("deployment", {}).get("scheduling", {})
    old = str(scheduling.get("earliest_time", ""))
    found = re.fullmatch(r"(.*-)(\d+)(s)", old)
    if found is None or "@" not in found[1]:
        return
    new = f"{found[1]}{int(found[2]) // 2}{found[3]}"
    changed = {**data["deployment"], "scheduling": {**scheduling, "earliest_time": new}}
    yield _setting(Kind.WINDOW, "earliest_time", old, new), _yaml({**data, "deployment": changed})
