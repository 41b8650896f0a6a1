"""From a canonical rule to Panther's pair of files: the YAML specification and the Python detection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import jinja2
import msgspec

from converter.logsources import localise, localise_path
from converter.logsources.pack import Pack
from converter.model.diagnostics import Fidelity
from converter.model.expressions import Expression, fields_of
from converter.model.losses import Losses
from converter.model.paths import FieldPath
from converter.model.rule import MissingKeys, OutputField, Rule, renamed_choice
from converter.platforms.base import Artifact, Context, File
from converter.platforms.naming import slug
from converter.platforms.panther import layout
from converter.platforms.panther.alerting import AlertWriter
from converter.platforms.panther.conditions import ConditionWriter
from converter.platforms.panther.fields import Fields, Kind
from converter.platforms.panther.literals import yaml_json, yaml_scalar, yaml_text
from converter.platforms.panther.metadata import log_types, metadata, tests
from converter.platforms.panther.module import Module
from converter.platforms.panther.settings import Settings, allowed_name, read_settings
from converter.platforms.panther.windows import window
from converter.platforms.templating import environment

PLATFORM_NAME = "panther"
REASON = "Panther detections are Python functions of one event"


@cache
def templates() -> jinja2.Environment:
    """The templates of this platform, with its printers as filters."""
    return environment(PLATFORM_NAME, {"yaml": yaml_scalar, "yaml_text": yaml_text, "json": yaml_json})


class PantherWriter:
    """Writes one rule. ``losses`` collects what is not exact."""

    def __init__(self, rule: Rule, context: Context) -> None:
        self.rule = rule
        self.context = context
        self.losses = Losses(PLATFORM_NAME, rule.id)
        self.settings: Settings = read_settings(rule, context.settings, self.losses)

    def artifact(self, files: Sequence[File]) -> Artifact:
        """The result; a refused rule has no files."""
        fidelity = self.losses.fidelity
        return Artifact(
            rule_id=self.rule.id,
            platform=PLATFORM_NAME,
            files=() if fidelity is Fidelity.REFUSED else tuple(files),
            fidelity=fidelity,
            diagnostics=self.losses.diagnostics,
            language="python",
            reason=REASON,
        )

    def packs(self, names: Sequence[str]) -> list[Pack]:
        """The log sources of these names; an unknown one is refused."""
        found = []
        for name in names:
            pack = self.context.packs.get(name)
            if pack is None:
                self.losses.refuse("unknown-logsource", f"no log source is called {name}")
            else:
                found.append(pack)
        return found

    def write(self) -> Artifact:
        """A rule of single events, with or without a threshold."""
        rule = self.rule
        packs = self.packs(rule.logsource)
        if not packs:
            return self.artifact(())
        types = self.log_types(packs)
        if rule.new_terms is not None:
            self._new_terms()
        counting = window(rule, self.settings, self.losses)
        body = Detection(self, packs)
        sections = [body.rule_function(rule.condition), *self._functions(body)]
        if allowed_name(rule.title) != rule.title:
            self.losses.note(
                "display-name", 'Panther allows no <, >, &, " or % in a name; the title is changed'
            )
        name = slug(rule)
        values: dict[str, Any] = {
            **metadata(rule, self.settings, [body.path(path) for path in _grouped_by(rule)]),
            "filename": f"{name}.py",
            "log_types": types,
            "dedup_minutes": counting.dedup_minutes,
            "threshold": counting.threshold,
            "tests": tests(rule, packs[0]),
        }
        folder = rule.logsource[0]
        return self.artifact(
            (
                File(f"{folder}/{name}.yml", fill("rule.yml.j2", values)),
                File(f"{folder}/{name}.py", body.file(sections)),
            )
        )

    def log_types(self, packs: Sequence[Pack]) -> list[str]:
        """The log types that a rule runs on; none: refused."""
        types = log_types(self.rule, packs, self.settings)
        if not types:
            names = " and ".join(pack.name for pack in packs)
            self.losses.refuse(
                "log-types",
                f"the log source {names} has no Panther log type",
                "set platforms.panther.log_types",
            )
        return types

    def _functions(self, body: Detection) -> list[str]:
        """title, dedup, unique and alert_context, each where the rule needs it."""
        rule, alerts, found = self.rule, body.alerts, []
        title = [part if isinstance(part, str) else body.path(part) for part in rule.alert.title]
        has_fields = any(isinstance(part, FieldPath) for part in title)
        if title:
            found.append(alerts.title(title))
        group = self.settings.rule_id or rule.id
        if rule.threshold is not None:
            by = [body.path(path) for path in rule.threshold.by]
            choices = [renamed_choice(choice, body.path, body.localised) for choice in rule.threshold.choices]
            distinct = None if rule.threshold.distinct is None else body.path(rule.threshold.distinct)
            subjects = (each.subject for choice in choices for each in choice.alternatives)
            chosen = [path for subject in subjects for path in fields_of(subject)]
            self._check_single(body, [*by, *chosen], distinct)
            if by or choices or distinct is not None or has_fields:
                missing = rule.threshold.missing_keys
                found.append(alerts.counting_dedup(by, distinct, group, missing, choices))
            if distinct is not None:
                found.append(alerts.unique(distinct))
        elif rule.new_terms is not None:
            terms = [body.path(path) for path in rule.new_terms.fields]
            found.append(alerts.counting_dedup(terms, None, group, MissingKeys.SKIP))
        elif rule.alert.group_by or (rule.alert.suppress_for is not None and has_fields):
            found.append(alerts.dedup([body.path(path) for path in rule.alert.group_by], group))
        output = [OutputField(body.path(field.field), field.name) for field in rule.output]
        if output:
            found.append(alerts.context(output))
        return found

    def _check_single(self, body: Detection, by: Sequence[FieldPath], distinct: FieldPath | None) -> None:
        """A field that may hold several values makes one group per value; Panther has one per event.

        A threshold of one is met by an event that lacks a field too, although it is a group of its own.
        """
        threshold = self.rule.threshold
        skips = threshold is not None and threshold.missing_keys is MissingKeys.SKIP and bool(by)
        if threshold is not None and threshold.count == 1 and (skips or distinct is not None):
            self.losses.lose(
                "group-by",
                Fidelity.WIDER,
                "a match that lacks a field of the threshold is not counted; with a count of 1 it alerts",
            )
        for path in by:
            if body.may_be_several(path):
                self.losses.lose(
                    "group-by",
                    Fidelity.NARROWER,
                    f"{path} may hold several values, each a group of its own; Panther has one group per "
                    "event, here that of all its values together",
                    f"name one element: {path.without_indexes()}[0]",
                )
        if distinct is not None and body.may_be_several(distinct):
            self.losses.lose(
                "distinct",
                Fidelity.NARROWER,
                f"{distinct} may hold several values, each to be counted; unique() gives one per event, "
                "here all of them together",
            )

    def _new_terms(self) -> None:
        fields = ", ".join(str(path) for path in self.rule.new_terms.fields) if self.rule.new_terms else ""
        self.losses.lose(
            "new-terms",
            Fidelity.WIDER,
            f"a Panther rule does not remember which values of {fields} it has seen; this one matches on "
            "every event that meets the condition, and keeps one alert open per combination of those values",
            "a scheduled query over the history can compare them",
        )


def _grouped_by(rule: Rule) -> tuple[FieldPath, ...]:
    """What Panther's alerts of a rule are grouped by."""
    if rule.threshold is not None:
        return rule.threshold.by
    return rule.new_terms.fields if rule.new_terms is not None else rule.alert.group_by


class Detection:
    """The Python file of one condition on some log sources."""

    def __init__(self, writer: PantherWriter, packs: Sequence[Pack]) -> None:
        self._writer = writer
        self._packs = packs
        self._fields = Fields(packs)
        self._module = Module()
        self._conditions = ConditionWriter(self._module, self._fields, writer.losses)
        self.alerts = AlertWriter(self._module, self._conditions)

    def rule_function(self, expression: Expression) -> str:
        """``rule``: the condition."""
        return f"def rule(event):\n{layout.returned(self._conditions.condition(self.localised(expression)))}"

    def localised(self, expression: Expression) -> Expression:
        """A condition over stored names."""
        context = self._writer.context
        local = localise(expression, self._packs, PLATFORM_NAME, context.keep_unmapped)
        self._writer.losses.extend(_named(local.diagnostics, self._writer.rule.id))
        return local.expression

    def path(self, path: FieldPath) -> FieldPath:
        """The stored path of a canonical one."""
        local = localise_path(path, self._packs, PLATFORM_NAME, self._writer.context.keep_unmapped)
        self._writer.losses.extend(_named(local.diagnostics, self._writer.rule.id))
        return local.path

    def may_be_several(self, path: FieldPath) -> bool:
        """Whether an event may have several values there."""
        if None in path.steps:
            return True
        if isinstance(path.steps[-1], int):
            return False
        return self._fields.kind(path.steps) is Kind.UNKNOWN

    def file(self, functions: Sequence[str]) -> str:
        """The whole text of the file."""
        return fill("rule.py.j2", {"sections": self._module.around(functions)})


def fill(template: str, values: Mapping[str, Any]) -> str:
    """A template with its values."""
    return _template(template).render(values)


@cache
def _template(name: str) -> jinja2.Template:
    return templates().get_template(name)


def _named(diagnostics: Sequence[Any], rule_id: str) -> tuple[Any, ...]:
    return tuple(msgspec.structs.replace(found, rule_id=rule_id) for found in diagnostics)
