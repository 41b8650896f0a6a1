"""From a canonical rule to Sigma's documents: a rule, or a correlation and the rules that it names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from converter.logsources.localise import localise, localise_path
from converter.logsources.pack import Pack
from converter.model.describe import describe_tests
from converter.model.diagnostics import Fidelity
from converter.model.expressions import Expression
from converter.model.losses import Losses
from converter.model.paths import FieldPath
from converter.model.rule import MissingKeys, Rule, Step, Threshold, WindowStart
from converter.platforms.base import Artifact, Context, File
from converter.platforms.naming import slug
from converter.platforms.sigma.documents import NAME
from converter.platforms.sigma.items import field_name
from converter.platforms.sigma.rulefile import (
    arranged,
    described,
    log_source,
    part_id,
    text_of,
    timespan,
)
from converter.platforms.sigma.settings import Settings, read_settings
from converter.platforms.sigma.writer import Written, with_classes, write_rule

_MOST_STEPS = 100


def render(rule: Rule, context: Context) -> Artifact:
    """The rule as Sigma has it. What cannot be said is refused."""
    losses = Losses(NAME, rule.id)
    settings, wrong = read_settings(context.settings, rule.platforms.get(NAME, {}))
    if wrong is not None:
        losses.extend((msgspec.structs.replace(wrong, rule_id=rule.id),))
    documents = _Rendering(rule, context, settings, losses).documents() if wrong is None else []
    refused = losses.fidelity is Fidelity.REFUSED
    name = rule.steps[0].logsource[0]
    return Artifact(
        rule_id=rule.id,
        platform=NAME,
        files=() if refused else (File(f"{name}/{slug(rule)}.yml", text_of(documents)),),
        fidelity=losses.fidelity,
        diagnostics=losses.diagnostics,
        language=NAME,
    )


class _Rendering:
    def __init__(self, rule: Rule, context: Context, settings: Settings, losses: Losses) -> None:
        self._rule = rule
        self._context = context
        self._settings = settings
        self._losses = losses

    def documents(self) -> list[dict[str, Any]]:
        rule, losses = self._rule, self._losses
        if rule.new_terms is not None:
            losses.refuse("new-terms", "Sigma has no rules about values that were not seen before")
            return []
        if rule.alert.suppress_for is not None:
            losses.lose(
                "suppression", Fidelity.WIDER, "Sigma suppresses no alerts; more are shown than asked for"
            )
        names = dict.fromkeys(name for step in rule.steps for name in step.logsource)
        packs = self._packs(tuple(names))
        if len(packs) < len(names):
            return []
        about = described(rule, self._settings, self._output(packs), losses)
        if rule.sequence is not None:
            return self._sequence(about)
        logic = self._logic(rule.steps[0], own=True)
        if rule.threshold is None:
            return [arranged(about, logic)]
        return self._counted(about, logic, rule.threshold, packs)

    def _packs(self, names: Sequence[str]) -> list[Pack]:
        for name in names:
            if name not in self._context.packs:
                self._losses.refuse("unknown-logsource", f"there is no log source {name}")
        return [self._context.packs[name] for name in names if name in self._context.packs]

    # -- one event

    def _logic(self, step: Step, own: bool) -> dict[str, Any]:
        packs = self._packs(step.logsource)
        indicators = [self._localised(term, packs) for term in step.indicators]
        with self._losses.flipped():
            exclusions = [self._localised(term, packs, negated=True) for term in step.exclusions]
        written = write_rule(indicators, exclusions, self._losses)
        return {
            "logsource": log_source(packs, self._settings, self._losses, own),
            "detection": _detection(written),
        }

    def _localised(self, term: Expression, packs: Sequence[Pack], negated: bool = False) -> Expression:
        found = localise(term, packs, NAME, self._context.keep_unmapped)
        for diagnostic in found.diagnostics:
            effect = diagnostic.effect
            if negated and effect is not None:
                effect = _OPPOSITE.get(effect, effect)
            changed = msgspec.structs.replace(diagnostic, rule_id=self._rule.id, effect=effect)
            self._losses.extend((changed,))
        return with_classes(found.expression, {path for path, f in found.fields.items() if f.is_list})

    def _name(self, path: FieldPath, packs: Sequence[Pack]) -> str:
        found = localise_path(path, packs, NAME, self._context.keep_unmapped)
        for diagnostic in found.diagnostics:
            self._losses.extend((msgspec.structs.replace(diagnostic, rule_id=self._rule.id),))
        return field_name(found.path, self._losses) or ""

    def _output(self, packs: Sequence[Pack]) -> list[str]:
        """The names of the output fields. One that has none is left out."""
        names: list[str] = []
        for output in self._rule.output:
            found = localise_path(output.field, packs, NAME, keep_unmapped=True)
            if any(diagnostic.effect is Fidelity.REFUSED for diagnostic in found.diagnostics):
                self._losses.note("output-field", f"{output.field} has no name in Sigma and is left out")
                continue
            names.append(str(found.path.steps[0]))
        return list(dict.fromkeys(names))

    # -- several events

    def _part(self, number: int, label: str, logic: dict[str, Any]) -> dict[str, Any]:
        """One of the rules that the correlation names."""
        return {
            "title": f"{self._rule.title[:200].strip()} ({label})",
            "id": part_id(self._rule, number),
            "name": self._part_name(number),
            "status": str(self._rule.status),
            **logic,
        }

    def _part_name(self, number: int) -> str:
        return f"{slug(self._rule)}_{number}"

    def _counted(
        self, about: dict[str, Any], logic: dict[str, Any], threshold: Threshold, packs: Sequence[Pack]
    ) -> list[dict[str, Any]]:
        self._lose_parts(threshold)
        condition: dict[str, Any] = {"gte": threshold.count}
        if threshold.distinct is not None:
            condition["field"] = self._name(threshold.distinct, packs)
        correlation: dict[str, Any] = {
            "type": "event_count" if threshold.distinct is None else "value_count",
            "rules": [self._part_name(1)],
            "group-by": [self._name(path, packs) for path in threshold.by],
            "timespan": timespan(threshold.within, self._losses),
            "condition": condition,
        }
        if not correlation["group-by"]:
            del correlation["group-by"]
        return [self._part(1, "event", logic), arranged(about, {"correlation": correlation})]

    def _lose_parts(self, threshold: Threshold) -> None:
        """What a threshold may ask beside a count, and a correlation cannot."""
        lose = self._losses.lose
        if threshold.having:
            left = describe_tests(threshold.having)
            message = f"a correlation counts events or values and tests no more; left out: {left}"
            lose("having", Fidelity.WIDER, message)
        if threshold.every is not None:
            for effect in (Fidelity.WIDER, Fidelity.NARROWER):
                lose("window", effect, "a correlation's window slides and does not keep to the clock")
        if threshold.window is WindowStart.FIRST_MATCH:
            lose(
                "window", Fidelity.WIDER, "a correlation's window slides and does not begin at a first match"
            )
        if threshold.choices:
            self._losses.refuse("group-by", "a correlation groups by fields, not by a choice between some")
        if threshold.missing_keys is MissingKeys.GROUP and threshold.by:
            lose("group-by", Fidelity.NARROWER, "events without a value in a group field are not counted")

    def _sequence(self, about: dict[str, Any]) -> list[dict[str, Any]]:
        sequence, losses = self._rule.sequence, self._losses
        assert sequence is not None
        if sequence.within is None:
            losses.refuse("sequence", "a Sigma correlation needs a timespan", "give the sequence a `within`")
            return []
        if any(step.absent for step in sequence.steps):
            losses.refuse("sequence", "Sigma cannot ask for a step that does not occur")
            return []
        steps = [step for step in self._rule.steps for _ in range(min(step.repeat, _MOST_STEPS))]
        if len(steps) > _MOST_STEPS:
            losses.refuse("sequence", f"a sequence of {len(steps)} steps")
            return []
        parts = [
            self._part(number, step.name or f"step {number}", self._logic(step, own=False))
            for number, step in enumerate(steps, start=1)
        ]
        names = [self._part_name(number) for number in range(1, len(parts) + 1)]
        groups, aliases = self._groups(steps, names)
        correlation: dict[str, Any] = {"type": "temporal_ordered", "rules": names}
        if groups:
            correlation["group-by"] = groups
        correlation["timespan"] = timespan(sequence.within, losses)
        if aliases:
            correlation["aliases"] = aliases
        return [*parts, arranged(about, {"correlation": correlation})]

    def _groups(
        self, steps: Sequence[Step], names: Sequence[str]
    ) -> tuple[list[str], dict[str, dict[str, str]]]:
        """The join keys: one name where all steps have the same, else an alias."""
        groups: list[str] = []
        aliases: dict[str, dict[str, str]] = {}
        for number, paths in enumerate(zip(*(step.by for step in steps), strict=True), start=1):
            keys = [self._name(path, self._packs(s.logsource)) for path, s in zip(paths, steps, strict=True)]
            if len(set(keys)) == 1:
                groups.append(keys[0])
                continue
            alias = f"key_{number}"
            groups.append(alias)
            aliases[alias] = dict(zip(names, keys, strict=True))
        return groups, aliases


_OPPOSITE = {Fidelity.WIDER: Fidelity.NARROWER, Fidelity.NARROWER: Fidelity.WIDER}


def _detection(written: Written) -> dict[str, Any]:
    return {**written.detections, "condition": written.condition}
