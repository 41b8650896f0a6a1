"""From Elastic's rule file to a canonical rule over stored names, by the text alone."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from converter.logsources import find_packs
from converter.logsources.pack import Pack
from converter.logsources.recognise import recognised_names
from converter.model.diagnostics import Diagnostic, Fidelity, RuleError, Severity
from converter.model.expressions import Expression
from converter.model.paths import FieldPath
from converter.model.rule import NewTerms, Rule, Sequence, Threshold
from converter.platforms.base import Artifact, Context
from converter.platforms.elastic.fields import PLATFORM, StoredFields
from converter.platforms.elastic.schedule import DEFAULT_INTERVAL, parse_since
from converter.platforms.elastic.selection import listed

_DEFAULT_FROM = "now-6m"


def read_back(artifact: Artifact, context: Context) -> Rule:
    """What the artifact's TOML says. Raises RuleError where it is not a rule that can be read."""
    file = artifact.files[0]
    try:
        data = tomllib.loads(file.text)["rule"]
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise _error(artifact, f"not a rule file: {error}") from error
    packs = _packs(data, file.path, context)
    try:
        condition, sequence, threshold = _query(data, StoredFields(packs), artifact)
        _check_schedule(data, (sequence and sequence.within) or timedelta())
        return Rule(
            id=data["rule_id"],
            title=data["name"],
            logsource=tuple(pack.name for pack in packs),
            indicators=() if condition is None else (condition,),
            sequence=sequence,
            threshold=threshold or _threshold(data),
            new_terms=_new_terms(data),
        )
    except RuleError:
        raise
    except (KeyError, ValueError) as error:
        raise _error(artifact, f"{error}") from error


def _query(
    data: dict[str, Any], fields: StoredFields, artifact: Artifact
) -> tuple[Expression | None, Sequence | None, Threshold | None]:
    language, query = data["language"], data["query"]
    if language == "kuery":
        from converter.platforms.elastic.kql import reader as kql_reader

        return kql_reader.read(query, fields), None, None
    if language == "eql":
        from converter.platforms.elastic.eql import reader as eql_reader

        read = eql_reader.read(query, fields)
        return read.condition, read.sequence, None
    if language == "esql":
        return _esql(data, fields)
    raise _error(artifact, f"no rule language: {language}")


def _esql(
    data: dict[str, Any], fields: StoredFields
) -> tuple[Expression | None, Sequence | None, Threshold | None]:
    from converter.platforms.elastic import esql
    from converter.platforms.elastic.kql import reader as kql_reader

    reading = esql.read_query(data["query"], fields.by_name, lambda text: kql_reader.read(text, fields))
    look_back, interval = _look_back(data), _interval(data)
    lost = [*reading.window_findings(look_back), *reading.window.schedule_findings(interval)]
    if lost:
        raise RuleError(f"ES|QL: {lost[0].message}", lost)
    _check_schedule(data, (reading.window.ticks or (interval, timedelta()))[1])
    return reading.condition, None, reading.threshold(look_back, interval)


def _check_schedule(data: dict[str, Any], window: timedelta) -> None:
    """Whether some run sees a window whole, wherever between two runs it begins. Raises ValueError."""
    if _look_back(data) < _interval(data) + window:
        raise ValueError(f"runs every {_interval(data)} over {_look_back(data)} do not see {window} together")


def _threshold(data: dict[str, Any]) -> Threshold | None:
    block = data.get("threshold")
    if block is None:
        return None
    cardinality = (block.get("cardinality") or [None])[0]
    if block["value"] < 1:
        raise ValueError("a threshold's value is one at least")
    if cardinality is not None and block["value"] > 1:
        raise ValueError("a threshold on both the matches and the distinct values")
    return Threshold(
        count=block["value"] if cardinality is None else cardinality["value"],
        within=_look_back(data),
        by=tuple(FieldPath((name,)) for name in block["field"]),
        distinct=None if cardinality is None else FieldPath((cardinality["field"],)),
    )


def _new_terms(data: dict[str, Any]) -> NewTerms | None:
    block = data.get("new_terms")
    if block is None:
        return None
    return NewTerms(
        fields=tuple(FieldPath((name,)) for name in block["value"]),
        history=parse_since(block["history_window_start"][0]["value"]),
    )


def _interval(data: dict[str, Any]) -> timedelta:
    return parse_since(f"now-{data.get('interval', DEFAULT_INTERVAL)}")


def _look_back(data: dict[str, Any]) -> timedelta:
    return parse_since(data.get("from", _DEFAULT_FROM))


def _packs(data: dict[str, Any], path: str, context: Context) -> list[Pack]:
    """The log sources that the file's index patterns are of: the one whose folder it is in, and others of
    its operating system for the patterns that are not its own.
    """
    folder = path.partition("/")[0]
    left = set(data.get("index", ()))
    found: list[Pack] = []
    systems: list[str] = []
    if folder in context.packs:
        found.append(context.packs[folder])
        left -= set(listed(context.packs[folder], "index"))
        systems = sorted(recognised_names(context.packs[folder], PLATFORM).get("os", ()))

    def others() -> Iterator[Pack]:
        """The log sources of each pattern that is left."""
        for pattern in sorted(left):
            yield from find_packs(PLATFORM, {"index": pattern, "os": systems}, context.packs)

    for pack in list(others()):
        patterns = set(listed(pack, "index"))
        if patterns & left and pack not in found:
            found.append(pack)
            left -= patterns
    # Patterns that a rule has of its own are in no pack as they stand.
    for pack in others():
        if pack not in found:
            found.append(pack)
    return found


def _error(artifact: Artifact, message: str) -> RuleError:
    diagnostic = Diagnostic(
        code="elastic-rule",
        severity=Severity.ERROR,
        message=message,
        file=artifact.files[0].path,
        rule_id=artifact.rule_id,
        platform=PLATFORM,
        effect=Fidelity.REFUSED,
    )
    return RuleError(message, (diagnostic,))
