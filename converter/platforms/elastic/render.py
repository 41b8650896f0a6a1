"""From a canonical rule to Elastic's rule file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

import msgspec

from converter.logsources.localise import Localised, localise, localise_path
from converter.logsources.localise_group import LocalisedTests, localise_tests
from converter.logsources.pack import FieldType, Pack
from converter.model.diagnostics import Diagnostic, Fidelity, fidelity_of
from converter.model.expressions import Expression
from converter.model.losses import Losses
from converter.model.measures import only_grows
from converter.model.paths import FieldPath
from converter.model.rule import Rule, Step, Threshold
from converter.platforms.base import Artifact, Context, File
from converter.platforms.elastic.choose import Candidate, Choice, choose
from converter.platforms.elastic.describe import stored_name, subject_name
from converter.platforms.elastic.eql import literals as eql_literals
from converter.platforms.elastic.eql import writer as eql_writer
from converter.platforms.elastic.eql.sequences import WrittenStep, write_sequence
from converter.platforms.elastic.fields import PLATFORM
from converter.platforms.elastic.group_keys import of_fields, stored_choices
from converter.platforms.elastic.kql import writer as kql_writer
from converter.platforms.elastic.rulefile import (
    NewTermsBlock,
    RuleFile,
    Suppression,
    ThresholdBlock,
    rule_file,
)
from converter.platforms.elastic.schedule import look_back, parse_since, readable, since, whole_minutes
from converter.platforms.elastic.selection import category, listed, selection, with_selection
from converter.platforms.elastic.settings import Settings, interval_of, read_settings
from converter.platforms.naming import slug

MOST_GROUP_FIELDS: Final = 5
"""Fields of a threshold's group (Elastic 9.2; detection-rules, ThresholdQueryRuleData)."""
MOST_GROUP_FIELDS_BEFORE: Final = 3
"""The same before Elastic 9.2."""
MOST_SUPPRESSION_FIELDS: Final = 3
MOST_NEW_TERMS_FIELDS: Final = 3


def render(rule: Rule, context: Context) -> Artifact:
    """The rule as Elastic has it. What cannot be said is refused."""
    settings, wrong = read_settings(context.settings, rule.platforms.get(PLATFORM, {}))
    losses = Losses(PLATFORM, rule.id)
    if wrong is not None:
        losses.extend((msgspec.structs.replace(wrong, rule_id=rule.id),))
        return _refused(rule, losses)
    return _Rendering(rule, context, settings, losses).artifact()


def _refused(rule: Rule, losses: Losses) -> Artifact:
    return Artifact(
        rule_id=rule.id,
        platform=PLATFORM,
        fidelity=Fidelity.REFUSED,
        diagnostics=losses.diagnostics,
    )


class _Rendering:
    def __init__(self, rule: Rule, context: Context, settings: Settings, losses: Losses) -> None:
        self._rule = rule
        self._context = context
        self._losses = losses
        self._settings = self._on_the_clock(settings)
        self._interval = interval_of(self._settings.interval)

    def _on_the_clock(self, settings: Settings) -> Settings:
        """With a window longer or shorter than the clock's step, the rule runs once every step."""
        threshold = self._rule.threshold
        if threshold is None or threshold.every in (None, threshold.within):
            return settings
        assert threshold.every is not None
        if threshold.every % timedelta(seconds=1):
            self._losses.refuse("having", "Elastic runs rules every so many seconds, not parts of a second")
            return settings
        return msgspec.structs.replace(settings, interval=readable(threshold.every))

    def artifact(self) -> Artifact:
        rule, losses = self._rule, self._losses
        packs = self._packs(tuple(dict.fromkeys(n for step in rule.steps for n in step.logsource)))
        if packs is None:
            return _refused(rule, losses)
        choice = self._sequence() if rule.sequence is not None else self._query(packs)
        losses.extend(choice.candidate.diagnostics)
        file = self._file(choice.candidate, packs)
        if losses.fidelity is Fidelity.REFUSED:
            return _refused(rule, losses)
        text = rule_file(rule, file, self._settings, losses)
        return Artifact(
            rule_id=rule.id,
            platform=PLATFORM,
            files=(File(f"{rule.steps[0].logsource[0]}/{slug(rule)}.toml", text),),
            fidelity=losses.fidelity,
            diagnostics=losses.diagnostics,
            language=choice.candidate.language,
            reason=choice.reason,
            query=choice.candidate.query,
        )

    def _packs(self, names: Sequence[str]) -> list[Pack] | None:
        missing = [name for name in names if name not in self._context.packs]
        for name in missing:
            self._losses.refuse("unknown-logsource", f"there is no log source {name}")
        return None if missing else [self._context.packs[name] for name in names]

    def _localised(self, condition: Expression, packs: Sequence[Pack]) -> Localised:
        localised = localise(condition, packs, PLATFORM, self._context.keep_unmapped)
        self._take(localised.diagnostics)
        for path in localised.fields:
            self._check_name(stored_name(path))
        return localised

    def _check_name(self, name: str) -> None:
        """Elasticsearch takes no field with an empty name, or an empty part between dots."""
        if not all(name.split(".")):
            self._losses.refuse("not-stored", f"{name!r} cannot be the name of a field in Elasticsearch")

    # -- one condition

    def _query(self, packs: Sequence[Pack]) -> Choice:
        rule = self._rule
        localised = self._localised(rule.condition, packs)
        threshold = self._threshold(packs)
        makers: dict[str, Callable[[], Candidate]] = {
            "kuery": lambda: self._kuery(localised, packs, threshold)
        }
        if rule.threshold is None and rule.new_terms is None:
            makers["eql"] = lambda: self._eql(localised, packs)
        if rule.new_terms is None:
            makers["esql"] = lambda: self._esql(localised, packs, threshold)
        return choose(self._wanted(makers))

    def _wanted(self, makers: dict[str, Callable[[], Candidate]]) -> list[Callable[[], Candidate]]:
        language = self._settings.language
        if language is None:
            return list(makers.values())
        if language not in makers:
            self._losses.refuse(
                "language", f"the rule asks for {language}, in which Elastic has no rule of this kind"
            )
            return list(makers.values())[:1]
        return [makers[language]]

    def _kuery(self, localised: Localised, packs: Sequence[Pack], threshold: Threshold | None) -> Candidate:
        losses = Losses(PLATFORM, self._rule.id)
        kind = "query"
        if threshold is not None:
            kind = "threshold"
            self._check_groups(threshold, losses)
            threshold = of_fields(threshold, losses)
            if not threshold.is_plain:
                losses.refuse("having", "a threshold rule counts over its groups and tests no more")
            if threshold.distinct is not None:
                losses.note(
                    "distinct",
                    "Elastic estimates distinct values (HyperLogLog++), close to exact up to 3,000",
                )
        elif self._rule.new_terms is not None:
            kind = "new_terms"
        condition = with_selection(selection(packs), localised.expression)
        text = kql_writer.write_query(condition, localised.fields, losses)
        return Candidate("kuery", kind, text, losses.diagnostics)

    def _check_groups(self, threshold: Threshold, losses: Losses) -> None:
        most = (
            MOST_GROUP_FIELDS_BEFORE if _before_9_2(self._settings.min_stack_version) else MOST_GROUP_FIELDS
        )
        if len(threshold.by) > most:
            losses.refuse("group-by", f"Elastic groups a threshold by at most {most} fields")

    def _eql(self, localised: Localised, packs: Sequence[Pack]) -> Candidate:
        losses = Losses(PLATFORM, self._rule.id)
        text = _event(localised, packs, losses)
        return Candidate("eql", "eql", text, losses.diagnostics)

    def _esql(self, localised: Localised, packs: Sequence[Pack], threshold: Threshold | None) -> Candidate:
        losses = Losses(PLATFORM, self._rule.id)
        flattened = [f.name for f in localised.fields.values() if f.type is FieldType.FLATTENED]
        if flattened:
            losses.refuse("flattened", f"ES|QL cannot search inside flattened fields: {', '.join(flattened)}")
            return Candidate("esql", "esql", "", losses.diagnostics)
        from converter.platforms.elastic import esql

        chosen = with_selection(selection(packs), localised.expression)
        fields = localised.fields
        if threshold is not None:
            threshold, chosen_from = stored_choices(threshold, packs, self._context.keep_unmapped, losses)
            tests = self._tests(packs)
            threshold = msgspec.structs.replace(threshold, having=tests.tests)
            fields = {**chosen_from, **tests.fields, **fields}
            for found in tests.diagnostics:
                if found.effect is not None:
                    losses.refuse("having", f"a test of the group: {found.message}")
        text = esql.query(
            msgspec.structs.replace(localised, expression=chosen, fields=fields),
            self._index(packs),
            losses,
            threshold=threshold,
            keep=[FieldPath((name,)) for name in self._output(packs)],
            interval=self._interval,
        )
        return Candidate("esql", "esql", text, losses.diagnostics)

    # -- sequences

    def _sequence(self) -> Choice:
        sequence = self._rule.sequence
        assert sequence is not None
        losses = Losses(PLATFORM, self._rule.id)
        if self._settings.language not in (None, "eql"):
            losses.refuse("language", "Elastic has sequences in EQL alone")
        written = []
        for step in self._rule.steps:
            packs = self._packs(step.logsource) or []
            localised = self._localised(step.condition, packs)
            written.append(
                WrittenStep(
                    event=_event(localised, packs, losses, is_step=True),
                    keys=tuple(self._stored(path, packs, "a join key") for path in step.by),
                    absent=step.absent,
                    repeat=step.repeat,
                )
            )
        text = write_sequence(written, sequence.within, losses)
        return Choice(
            Candidate("eql", "eql", text, losses.diagnostics), "EQL is the language that has sequences"
        )

    # -- fields

    def _threshold(self, packs: Sequence[Pack]) -> Threshold | None:
        """The rule's threshold over stored fields."""
        threshold = self._rule.threshold
        if threshold is None:
            return None
        distinct = threshold.distinct
        return msgspec.structs.replace(
            threshold,
            by=tuple(FieldPath((self._stored(path, packs, "a group field"),)) for path in threshold.by),
            distinct=None if distinct is None else FieldPath((self._stored(distinct, packs, "distinct"),)),
        )

    def _tests(self, packs: Sequence[Pack]) -> LocalisedTests:
        """The further tests of the rule's threshold over stored fields."""
        having = self._rule.threshold.having if self._rule.threshold is not None else ()
        return localise_tests(having, packs, PLATFORM, self._context.keep_unmapped)

    def _stored(self, path: FieldPath, packs: Sequence[Pack], role: str) -> str:
        found = localise_path(path, packs, PLATFORM, self._context.keep_unmapped)
        self._take(found.diagnostics)
        self._check_name(stored_name(found.path))
        if found.field.type is FieldType.FLATTENED and self._rule.sequence is not None:
            self._losses.refuse("flattened", f"EQL cannot join by the flattened field {found.field.name}")
        if len(found.path.steps) > 1:
            self._losses.lose(
                "array-index",
                Fidelity.WIDER,
                f"{subject_name(found.path)} as {role}: Elastic takes every element of the list",
            )
        return stored_name(found.path)

    def _output(self, packs: Sequence[Pack]) -> tuple[str, ...]:
        """The stored names of the output fields. One that Elastic does not store is left out."""
        names: list[str] = []
        for output in self._rule.output:
            found = localise_path(output.field, packs, PLATFORM, keep_unmapped=True)
            if fidelity_of(found.diagnostics) is Fidelity.REFUSED or not all(
                stored_name(found.path).split(".")
            ):
                self._losses.note("output-field", f"{output.field} is not stored under one name and left out")
                continue
            names.append(stored_name(found.path))
        return tuple(dict.fromkeys(names))

    def _index(self, packs: Sequence[Pack]) -> tuple[str, ...]:
        if self._settings.index:
            return self._settings.index
        return tuple(dict.fromkeys(name for pack in packs for name in listed(pack, "index")))

    def _take(self, diagnostics: Sequence[Diagnostic]) -> None:
        self._losses.extend(tuple(msgspec.structs.replace(d, rule_id=self._rule.id) for d in diagnostics))

    # -- the file

    def _file(self, candidate: Candidate, packs: Sequence[Pack]) -> RuleFile:
        asked = parse_since(self._settings.from_) if self._settings.from_ else None
        overlap = self._rule.threshold is None
        span = look_back(self._interval, self._window(), asked, overlap=overlap)
        threshold, new_terms = None, None
        if candidate.type == "threshold":
            threshold = self._threshold_block(packs)
        if self._rule.threshold is not None and self._rule.threshold.every is None:
            self._report_window(self._rule.threshold, span)
        if self._rule.new_terms is not None:
            new_terms = self._new_terms_block(packs, span)
        return RuleFile(
            language=candidate.language,
            type=candidate.type,
            query=candidate.query,
            index=self._index(packs),
            integration=self._settings.integration
            or tuple(dict.fromkeys(name for pack in packs for name in listed(pack, "integration"))),
            look_back=span,
            investigation_fields=self._output(packs),
            suppression=self._suppression(candidate, packs),
            threshold=threshold,
            new_terms=new_terms,
            timestamp_override=None if self._rule.sequence is not None else self._settings.timestamp_override,
        )

    def _window(self) -> timedelta:
        if self._rule.threshold is not None:
            return self._rule.threshold.within
        if self._rule.sequence is None:
            return timedelta()
        if self._rule.sequence.within is None:
            self._losses.lose(
                "window",
                Fidelity.NARROWER,
                "the sequence has no time limit, but each run of the rule sees only the events since `from`",
                "give the sequence a `within`, or platforms.elastic a longer `from`",
            )
            return timedelta()
        self._report_absences(self._rule.sequence.steps)
        return self._rule.sequence.within

    def _report_absences(self, steps: Sequence[Step]) -> None:
        """What only later or only earlier runs see of an event that must not be there."""
        unseen = "a forbidden event {} is not seen by every run, and one that does not see it alerts"
        if steps[0].absent:
            self._losses.lose("window", Fidelity.WIDER, unseen.format("before the first step"))
        if steps[-1].absent:
            self._losses.lose("window", Fidelity.WIDER, unseen.format("that comes after the last step"))

    def _report_window(self, threshold: Threshold, span: timedelta) -> None:
        within = readable(threshold.within)
        self._losses.lose(
            "window",
            Fidelity.WIDER,
            f"Elastic counts per run over the last {readable(span)} (every {self._settings.interval}), "
            f"not within {within}: matches up to {readable(span)} apart are counted together",
        )
        if not all(map(only_grows, threshold.having)):
            self._losses.lose(
                "window",
                Fidelity.NARROWER,
                f"Elastic tests all that a run sees, not each {within} of it: what a shorter time passes, "
                "the whole may fail",
                "look at windows of the clock instead (threshold.every)",
            )

    def _threshold_block(self, packs: Sequence[Pack]) -> ThresholdBlock:
        threshold = self._threshold(packs)
        assert threshold is not None
        fields = tuple(stored_name(path) for path in threshold.by)
        if threshold.distinct is None:
            return ThresholdBlock(fields, threshold.count)
        return ThresholdBlock(fields, 1, stored_name(threshold.distinct), threshold.count)

    def _new_terms_block(self, packs: Sequence[Pack], span: timedelta) -> NewTermsBlock:
        new_terms = self._rule.new_terms
        assert new_terms is not None
        if len(new_terms.fields) > MOST_NEW_TERMS_FIELDS:
            self._losses.refuse("new-terms", f"Elastic compares at most {MOST_NEW_TERMS_FIELDS} fields")
        history = max(whole_minutes(new_terms.history), span + timedelta(minutes=1))
        if history > whole_minutes(new_terms.history):
            self._losses.refuse(
                "new-terms", f"a history shorter than a run's {readable(span)} cannot be kept"
            )
        self._losses.lose(
            "window",
            Fidelity.WIDER,
            f"Elastic remembers the values of the {readable(history)} before each run, without the last "
            f"{readable(span)}: a value last seen just within {readable(new_terms.history)} before the event "
            "counts as new",
        )
        return NewTermsBlock(
            tuple(self._stored(path, packs, "a new-terms field") for path in new_terms.fields), since(history)
        )

    def _suppression(self, candidate: Candidate, packs: Sequence[Pack]) -> Suppression | None:
        alert = self._rule.alert
        if alert.suppress_for is None:
            return None
        value, unit = _suppression_span(alert.suppress_for)
        names = tuple(stored_name(self._group_path(path, packs)) for path in alert.group_by)
        if candidate.type == "threshold":
            by = self._rule.threshold.by if self._rule.threshold is not None else ()
            if set(by) != set(alert.group_by):
                self._lose_suppression("a threshold rule suppresses by its own group fields")
            return Suppression((), value, unit)
        if not names:
            names = self._whole_rule(packs)
        if not names or len(names) > MOST_SUPPRESSION_FIELDS:
            self._lose_suppression(
                f"Elastic suppresses by one to {MOST_SUPPRESSION_FIELDS} fields, "
                f"the rule groups by {len(names) or 'none'}"
            )
            return None
        return Suppression(tuple(dict.fromkeys(names)), value, unit)

    def _group_path(self, path: FieldPath, packs: Sequence[Pack]) -> FieldPath:
        found = localise_path(path, packs, PLATFORM, self._context.keep_unmapped)
        self._take(found.diagnostics)
        return found.path

    def _whole_rule(self, packs: Sequence[Pack]) -> tuple[str, ...]:
        """A field with one value for all of the rule's events, by which all of them are one group."""
        clause = selection(packs)
        datasets = {pack.constants.get(PLATFORM, {}).get("event.dataset") for pack in packs}
        return ("event.dataset",) if len(datasets) == 1 and None not in datasets and clause else ()

    def _lose_suppression(self, why: str) -> None:
        self._losses.lose("suppression", Fidelity.WIDER, f"{why}; more alerts are shown than asked for")


def _event(localised: Localised, packs: Sequence[Pack], losses: Losses, *, is_step: bool = False) -> str:
    """``process where …``, by itself or as a step of a sequence."""
    word = category(packs)
    condition = with_selection(selection(packs, category_said=word != "any"), localised.expression)
    indent = "    " if is_step else "  "
    text = eql_writer.write_condition(condition, localised.fields, losses, indent, is_step=is_step)
    return f"{eql_literals.category(word) if word != 'any' else word} where {text}"


def _suppression_span(span: timedelta) -> tuple[int, str]:
    """A span in the units of alert suppression (s, m, h), rounded up to seconds."""
    seconds = max(1, -(-span // timedelta(seconds=1)))
    for size, unit in ((3600, "h"), (60, "m")):
        if seconds % size == 0:
            return seconds // size, unit
    return seconds, "s"


def _before_9_2(version: str | None) -> bool:
    if version is None:
        return False
    parts = [int(part) for part in version.split(".")[:2] if part.isdigit()]
    return tuple(parts) < (9, 2)
