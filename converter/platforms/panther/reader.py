"""From Panther's files back to a canonical rule, with the meaning that Panther gives them."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import yaml

from converter.logsources.pack import Pack
from converter.model.diagnostics import Diagnostic, RuleError, Severity
from converter.model.expressions import Concat, Expression
from converter.model.paths import FieldPath
from converter.model.rule import (
    AlertSettings,
    Alternative,
    Choice,
    Level,
    MissingKeys,
    Rule,
    Step,
    Threshold,
    WindowStart,
)
from converter.model.rule import Sequence as RuleSequence
from converter.platforms.base import Artifact, Context
from converter.platforms.panther import abstract as a
from converter.platforms.panther.abstract import UnreadableError
from converter.platforms.panther.alerting import SEQUENCE_KEY
from converter.platforms.panther.fields import Fields
from converter.platforms.panther.interpreter import Interpreter
from converter.platforms.panther.metadata import SEVERITIES

try:
    from yaml import CSafeLoader as _YamlLoader
except ImportError:  # PyYAML without libyaml
    from yaml import SafeLoader as _YamlLoader  # type: ignore[assignment]

_DEFAULT_PERIOD = 60
"""Panther documentation, Rules: the deduplication period where none is given, in minutes."""


def read_artifact(artifact: Artifact, context: Context) -> Rule:
    """The rule that an artifact's files are. Raises RuleError with file and line of what does not parse."""
    texts = {file.path: file.text for file in artifact.files}
    specifications = {
        path: _specification(path, text) for path, text in texts.items() if path.endswith(".yml")
    }
    for path, found in specifications.items():
        if found.get("AnalysisType") == "correlation_rule":
            return _Reader(artifact, texts, specifications, context).sequence(path)
    if len(specifications) != 1:
        raise RuleError(f"rule {artifact.rule_id}: expected one specification, found {len(specifications)}")
    return _Reader(artifact, texts, specifications, context).rule(next(iter(specifications)))


class _Reader:
    def __init__(
        self,
        artifact: Artifact,
        texts: dict[str, str],
        specifications: dict[str, dict[str, Any]],
        context: Context,
    ) -> None:
        self._artifact = artifact
        self._texts = texts
        self._specifications = specifications
        self._packs = context.packs

    def rule(self, path: str) -> Rule:
        """A rule of single events."""
        found = self._specifications[path]
        logsource = self._logsource(path, found)
        file, module = self._python(path, logsource)
        try:
            condition = module.condition("rule")
            threshold = self._threshold(found, module)
            alert = AlertSettings() if threshold is not None else self._alert(found, module)
        except (UnreadableError, KeyError, TypeError, RecursionError) as error:
            raise self._error(file, error) from error
        return self._made(found, logsource, indicators=(condition,), threshold=threshold, alert=alert)

    def sequence(self, path: str) -> Rule:
        """A correlation rule over the rules of its steps."""
        found = self._specifications[path]
        by_id = {
            str(each.get("RuleID")): other for other, each in self._specifications.items() if other != path
        }
        try:
            detection = found["Detection"][0]
            transitions = detection.get("Transitions", [])
            enabled = found.get("Enabled") is True
            steps = tuple(self._step(each, by_id, transitions, enabled) for each in detection["Sequence"])
            within = _span(transitions)
            _check_order(detection["Sequence"], transitions)
            _check_schedule(detection, within)
        except (UnreadableError, KeyError, TypeError, IndexError, RecursionError) as error:
            raise self._error(path, error) from error
        folder = path.rpartition("/")[0]
        return self._made(found, (folder,), sequence=RuleSequence(steps=steps, within=within))

    def _step(
        self, entry: dict[str, Any], by_id: dict[str, str], transitions: list[Any], enabled: bool
    ) -> Step:
        path = by_id[str(entry["RuleID"])]
        found = self._specifications[path]
        if enabled and found.get("Enabled") is not True:
            raise UnreadableError(f"the rule {found.get('RuleID')} of a step is not enabled")
        logsource = self._logsource(path, found)
        file, module = self._python(path, logsource)
        try:
            condition = module.condition("rule")
            matched = [match.get("On") for each in transitions for match in each.get("Match", [])]
            by = _sequence_key(module) if matched else ()
        except UnreadableError as error:
            raise self._error(file, error) from error
        if any(on != f"p_alert_context.{SEQUENCE_KEY}" for on in matched):
            raise UnreadableError(f"a match on {matched}")
        if matched and len(matched) != len(transitions):
            raise UnreadableError("transitions of which only some match on a key")
        return Step(
            name=str(entry.get("ID", entry["RuleID"])),
            logsource=logsource,
            indicators=(condition,),
            by=by,
            absent=bool(entry.get("Absence", False)),
            repeat=int(entry.get("MinMatchCount", 1)),
        )

    def _threshold(self, found: dict[str, Any], module: Interpreter) -> Threshold | None:
        """A match without a key is a group of its own, by its row: one match is enough for a count of one."""
        if "Threshold" not in found and not module.function("unique"):
            return None
        by: tuple[FieldPath, ...] = ()
        counted: FieldPath | None = None
        missing = MissingKeys.SKIP
        choices: tuple[Choice, ...] = ()
        if module.function("dedup"):
            by, choices, counted, missing = _counting_group(module)
        distinct = _single(module.returned("unique")) if module.function("unique") else None
        if counted != distinct:
            raise UnreadableError(f"dedup() sets {counted} apart, unique() counts {distinct}")
        minutes = int(found.get("DedupPeriodMinutes", _DEFAULT_PERIOD))
        count = int(found.get("Threshold", 1))
        return Threshold(
            count=count,
            within=timedelta(minutes=minutes),
            by=by,
            distinct=distinct,
            window=WindowStart.FIRST_MATCH if count > 1 else WindowStart.SLIDING,
            missing_keys=MissingKeys.GROUP if (by or choices) and count == 1 else missing,
            choices=choices,
        )

    def _alert(self, found: dict[str, Any], module: Interpreter) -> AlertSettings:
        group: tuple[FieldPath, ...] = ()
        if module.function("dedup"):
            value = module.returned("dedup")
            if isinstance(value, a.GroupKey):
                group = value.paths
            elif not isinstance(value, a.Constant):
                raise UnreadableError("dedup() of another form")
        minutes = found.get("DedupPeriodMinutes")
        return AlertSettings(
            group_by=group, suppress_for=None if minutes is None else timedelta(minutes=int(minutes))
        )

    def _python(self, path: str, logsource: tuple[str, ...]) -> tuple[str, Interpreter]:
        name = str(self._specifications[path].get("Filename", ""))
        folder = path.rpartition("/")[0]
        file = f"{folder}/{name}" if folder else name
        text = self._texts.get(file)
        if text is None:
            raise RuleError(f"rule {self._artifact.rule_id}: {path} names {name}, which is not there")
        packs: Sequence[Pack] = [self._packs[each] for each in logsource if each in self._packs]
        try:
            return file, Interpreter(text, Fields(packs))
        except UnreadableError as error:
            raise self._error(file, error) from error

    def _logsource(self, path: str, found: dict[str, Any]) -> tuple[str, ...]:
        """The log sources whose Panther log types the specification names; its folder's comes first."""
        types = set(found.get("LogTypes") or ())
        folder = path.split("/", maxsplit=1)[0]
        named = [
            name
            for name in self._packs
            if types & set(self._packs[name].platforms.get("panther", {}).get("log_types", ()))
        ]
        if folder in self._packs:
            known = set(self._packs[folder].platforms.get("panther", {}).get("log_types", ()))
            others = [
                name
                for name in named
                if name != folder and not known & set(self._packs[name].platforms["panther"]["log_types"])
            ]
            return (folder, *others)
        return tuple(named) or (folder,)

    def _made(self, found: dict[str, Any], logsource: tuple[str, ...], **parts: Any) -> Rule:
        severity = {name: level for level, name in SEVERITIES.items()}.get(found.get("Severity", ""))
        return Rule(
            id=self._artifact.rule_id,
            title=str(found.get("DisplayName") or found.get("RuleID")),
            description=str(found.get("Description") or ""),
            severity=severity or Level.MEDIUM,
            logsource=logsource,
            **parts,
        )

    def _error(self, file: str, error: Exception) -> RuleError:
        line = error.line if isinstance(error, UnreadableError) else None
        found = Diagnostic(
            code="unreadable",
            severity=Severity.ERROR,
            message=str(error),
            file=file,
            line=line,
            rule_id=self._artifact.rule_id,
            platform="panther",
        )
        return RuleError(str(found), [found])


def _specification(path: str, text: str) -> dict[str, Any]:
    try:
        found = yaml.load(text, _YamlLoader)
    except yaml.YAMLError as error:
        raise RuleError(f"{path}: not YAML: {error}") from error
    if not isinstance(found, dict):
        raise RuleError(f"{path}: not a mapping")
    return found


_KEYS: Final = {"group_key": MissingKeys.SKIP, "open_group_key": MissingKeys.GROUP}
"""The library's keys of a threshold's group, and what becomes of the events without a value."""


_JOINT: Final = {"joint_key": MissingKeys.SKIP, "open_joint_key": MissingKeys.GROUP}
"""The same of the keys that are not all fields."""


def _counting_group(
    module: Interpreter,
) -> tuple[tuple[FieldPath, ...], tuple[Choice, ...], FieldPath | None, MissingKeys]:
    """The group of a threshold's dedup(), fields and choices, the field without which an event is set apart,
    and whether those without a value in the group's own fields are.
    """
    statements = module.statements("dedup")
    counted: FieldPath | None = None
    if len(statements) > 1 and isinstance(statements[0], ast.If) and _leaves(statements[0]):
        test = statements[0].test
        if not isinstance(test, ast.UnaryOp) or not isinstance(test.op, ast.Not):
            raise UnreadableError("dedup() of another form", test)
        source = module.evaluate_in("dedup", test.operand)
        if not isinstance(source, a.Gathered) or not isinstance(source.subject, FieldPath):
            raise UnreadableError("dedup() of another form", test)
        counted = source.subject
        statements = statements[1:]
    *before, last = statements
    if not isinstance(last, ast.Return) or last.value is None:
        raise UnreadableError("dedup() of another form", last)
    if before:
        return _joint(module, before, last.value, counted)
    value = module.evaluate_in("dedup", last.value)
    if isinstance(value, a.Constant):
        return (), (), counted, MissingKeys.SKIP
    if isinstance(value, a.GroupKey) and value.name in _KEYS:
        return value.paths, (), counted, _KEYS[value.name]
    raise UnreadableError("dedup() of another form", last)


def _leaves(statement: ast.If) -> bool:
    return len(statement.body) == 1 and isinstance(statement.body[0], ast.Return)


def _joint(
    module: Interpreter, before: list[ast.stmt], key: ast.expr, counted: FieldPath | None
) -> tuple[tuple[FieldPath, ...], tuple[Choice, ...], FieldPath | None, MissingKeys]:
    """A group of keys some of which are chosen by statements before."""
    chosen = dict(_chosen(module, statement) for statement in before)
    match key:
        case ast.Call(func=ast.Name(id=name), args=[*_, ast.List(elts=items)], keywords=[]) if name in _JOINT:
            pass
        case _:
            raise UnreadableError("dedup() of another form", key)
    by: list[FieldPath] = []
    choices: list[Choice] = []
    for item in items:
        if isinstance(item, ast.Name) and item.id in chosen:
            choices.append(chosen[item.id])
            continue
        found = module.evaluate_in("dedup", item)
        if not isinstance(found, a.Gathered) or not isinstance(found.subject, FieldPath) or found.functions:
            raise UnreadableError("dedup() of another form", item)
        by.append(found.subject)
    return tuple(by), tuple(choices), counted, _JOINT[name]


def _chosen(module: Interpreter, statement: ast.stmt) -> tuple[str, Choice]:
    """The name that a statement gives the texts of a choice, and the choice."""
    alternatives: list[Alternative] = []
    when: tuple[Expression, ...] = ()
    while True:
        rest: list[ast.stmt] = []
        match statement:
            case ast.If(test=test, body=[ast.Assign() as assigned], orelse=rest):
                condition = module.truth(module.evaluate_in("dedup", test), test)
                if condition.open or condition.scopes - {0}:
                    raise UnreadableError("dedup() of another form", test)
                when = (condition.expression,)
            case ast.Assign() as assigned:
                when = ()
            case _:
                raise UnreadableError("dedup() of another form", statement)
        match assigned:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                alternatives += _alternative(module, value, when)
            case _:
                raise UnreadableError("dedup() of another form", assigned)
        if not rest:
            return name, Choice(tuple(alternatives))
        if len(rest) > 1:
            raise UnreadableError("dedup() of another form", statement)
        statement = rest[0]


def _alternative(module: Interpreter, value: ast.expr, when: tuple[Expression, ...]) -> list[Alternative]:
    match module.evaluate_in("dedup", value):
        case a.Gathered(0, subject, _, functions):
            return [Alternative(subject=subject, functions=functions, when=when)]
        case a.Several((a.Constant(value=str() as text),)):
            return [Alternative(subject=Concat((text,)), when=when)]
        case a.Several(()) if not when:
            return []
        case _:
            raise UnreadableError("dedup() of another form", value)


def _single(value: a.Value) -> FieldPath:
    if isinstance(value, a.GroupKey) and value.name == "group_key" and len(value.paths) == 1:
        return value.paths[0]
    raise UnreadableError("unique() of another form")


def _sequence_key(module: Interpreter) -> tuple[FieldPath, ...]:
    """The join key in a step's alert context."""
    (statement,) = module.statements("alert_context")
    if isinstance(statement, ast.Return) and isinstance(statement.value, ast.Dict):
        for key, value in zip(statement.value.keys, statement.value.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == SEQUENCE_KEY:
                found = module.evaluate_in("alert_context", value)
                if isinstance(found, a.GroupKey) and found.name == "group_keys":
                    return found.paths
    raise UnreadableError(f"alert_context() has no {SEQUENCE_KEY}")


def _span(transitions: list[dict[str, Any]]) -> timedelta | None:
    """The time that every transition allows; the writer gives each the whole span."""
    spans = {each.get("WithinTimeFrameMinutes") for each in transitions}
    if len(spans) > 1:
        raise UnreadableError(f"transitions of different spans: {sorted(map(str, spans))}")
    minutes = spans.pop() if spans else None
    return None if minutes is None else timedelta(minutes=int(minutes))


def _check_schedule(detection: dict[str, Any], within: timedelta | None) -> None:
    """Whether some run sees the whole of a sequence, wherever between two runs it begins."""
    minutes = timedelta(minutes=1)
    rate, sees = detection["Schedule"]["RateMinutes"] * minutes, detection["LookbackWindowMinutes"] * minutes
    if sees < rate + (within or timedelta()):
        raise UnreadableError(f"runs every {rate} over {sees} do not see {within} together")


def _check_order(entries: list[dict[str, Any]], transitions: list[dict[str, Any]]) -> None:
    names = [entry["ID"] for entry in entries]
    pairs = [(each["From"], each["To"]) for each in transitions]
    if pairs != list(itertools.pairwise(names)):
        raise UnreadableError("transitions in another order than the sequence")
