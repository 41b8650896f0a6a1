"""From Splunk's detections and saved searches to canonical rules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from converter.logsources.canonicalise import canonicalise
from converter.logsources.pack import Pack
from converter.logsources.recognise import find_packs
from converter.logsources.remembered import Remembered
from converter.logsources.stored_names import STORED_NAMES
from converter.model.diagnostics import Diagnostic, Fidelity, Severity, fidelity_of
from converter.model.expressions import All, AnyOf, Expression, Operator, Predicate, all_of, predicates
from converter.model.paths import FieldPath
from converter.model.rule import Rule
from converter.platforms.base import Context, ReadContext, ReadRule, Source, without_logic
from converter.platforms.splunk.importing import metadata
from converter.platforms.splunk.importing.beside import folders_of, lookups_in, macros_in
from converter.platforms.splunk.importing.documents import Broken, Document, documents
from converter.platforms.splunk.importing.pipeline import PipelineReader
from converter.platforms.splunk.importing.presence import without_implied
from converter.platforms.splunk.importing.rows import Meaning
from converter.platforms.splunk.importing.schedule import Runs, runs_of
from converter.platforms.splunk.importing.scope import Declares
from converter.platforms.splunk.importing.triggers import trigger_of
from converter.platforms.splunk.read_back import sources_of_steps
from converter.platforms.splunk.settings import Settings
from converter.platforms.splunk.sources import source_macro
from converter.platforms.splunk.spl import syntax as s
from converter.platforms.splunk.spl.errors import SplError
from converter.platforms.splunk.spl.parse import parse_expanded
from converter.platforms.splunk.spl.pipeline import MacroText, expand, unexpanded
from converter.platforms.splunk.spl.read_rule import Reading, RuleReader

NAME: Final = "splunk"
_LONGEST: Final = 200_000
_CALL: Final = re.compile(r"`([^`(\s]+)(?:\([^`]*\))?`")


def read(source: Source, context: ReadContext) -> list[ReadRule]:
    """Every rule of a text; a text that cannot be parsed is one refused rule. Never raises; runs nothing."""
    try:
        found = documents(source.file, source.text)
    except Broken as error:
        problem = Diagnostic(
            code=error.code,
            severity=Severity.ERROR,
            message=str(error),
            file=source.file,
            line=error.line,
            column=error.column,
            platform=NAME,
            effect=Fidelity.REFUSED,
        )
        return [
            ReadRule(
                source=source.file,
                platform=NAME,
                id="",
                title=Path(source.file).stem,
                fidelity=Fidelity.REFUSED,
                diagnostics=(problem,),
            )
        ]
    return [_Reading(source.file, document, context).rule() for document in found]


def _pack_macros(packs: Mapping[str, Pack], platform: str) -> dict[str, MacroText]:
    settings = Settings()
    found: dict[str, MacroText] = {}
    for pack in packs.values():
        macro = source_macro(pack, settings)
        found.setdefault(macro.name, MacroText(macro.definition))
    return found


_PACK_MACROS: Final = Remembered[Mapping[str, Pack], dict[str, MacroText]](_pack_macros)


class _Reading:
    """Reads one document."""

    def __init__(self, file: str, document: Document, context: ReadContext) -> None:
        self._file = file
        self._document = document
        self._context = context
        self._id, self._own = metadata.identity(document.data, file)
        self._found: list[Diagnostic] = []
        self._expanded = unexpanded(document.search or "")
        self._macros: Mapping[str, MacroText] = {}
        self._lookups = lookups_in(folders_of(file, context.beside, "lookups"))

    def rule(self) -> ReadRule:
        """The document as a rule: read, or refused with the reason."""
        rule: Rule | None = None
        meaning: Meaning | None = None
        search = self._document.search
        try:
            if search is None:
                self._add("no-search", "the detection has no search", None, Severity.ERROR, Fidelity.REFUSED)
            elif len(search) > _LONGEST:
                self._add("spl-size", "the search is too long", None, Severity.ERROR, Fidelity.REFUSED)
            else:
                meaning = self._meaning(self._with_trigger(search))
                rule = self._canonical(search, meaning)
        except SplError as error:
            self._add(error.code, error.message, error.offset, Severity.ERROR, Fidelity.REFUSED)
        except RecursionError:
            self._add("spl-size", "the search is nested too deeply", 0, Severity.ERROR, Fidelity.REFUSED)
        fidelity = fidelity_of(self._found)
        if rule is None and fidelity is not Fidelity.REFUSED:
            fidelity = Fidelity.REFUSED
        if fidelity is Fidelity.REFUSED:
            rule = None
        return ReadRule(
            source=self._file,
            platform=NAME,
            id=self._own,
            title=metadata.title(self._document.data, self._file),
            kind=metadata.kind(self._document.data, self._document.form),
            rule=rule,
            described=self._described() if rule is None else None,
            query=search or "",
            language="spl",
            fidelity=fidelity,
            residue=tuple(meaning.residue) if meaning is not None and rule is not None else (),
            diagnostics=tuple(self._found),
        )

    def _described(self) -> Rule:
        """What the detection says of itself."""
        data = self._document.data
        packs = self._packs(self._document.search or "", Meaning())
        told = metadata.fields(data, self._document.form, (), lambda code, message: None)
        title = metadata.title(data, self._file)
        return without_logic(
            Rule(id=self._id, title=title, logsource=tuple(pack.name for pack in packs) or ("raw",), **told)
        )

    def _add(
        self,
        code: str,
        message: str,
        offset: int | None,
        severity: Severity = Severity.NOTE,
        effect: Fidelity | None = None,
    ) -> None:
        line, column = self._document.line, 1
        if offset is not None:
            at = self._expanded.origin(offset)
            line, column = self._document.place(at)
        self._found.append(
            Diagnostic(
                code=code,
                severity=severity,
                message=message,
                file=self._file,
                line=line,
                column=column,
                rule_id=self._id,
                platform=NAME,
                effect=effect,
            )
        )

    # -- the search

    def _with_trigger(self, search: str) -> str:
        """The search, and behind it what its results must pass for an alert."""
        if self._document.form != "conf":
            return search
        if metadata.line(self._document.data.get("disabled")).lower() in ("1", "true"):
            self._add("disabled", "the saved search is disabled: it does not run as it is", None)
        trigger = trigger_of(self._document.data)
        if trigger.untold:
            message = f"alerts when there are so many results as this says, on any here: {trigger.untold}"
            self._add("trigger", message, None, Severity.WARNING, Fidelity.WIDER)
            if "greater" not in trigger.untold:
                message = f"alerts without any result too: {trigger.untold}"
                self._add("trigger", message, None, Severity.WARNING, Fidelity.NARROWER)
        return search + trigger.commands

    def _meaning(self, search: str) -> Meaning:
        folders = folders_of(self._file, self._context.beside, "macros")
        macros = macros_in(folders, self._context.beside)
        self._expanded = expand(search, macros)
        if any(not name.endswith("_filter") for name in self._expanded.unknown):
            macros = {**_PACK_MACROS(self._context.packs, NAME), **macros}
            self._expanded = expand(search, macros)
        self._macros = macros
        pipeline = parse_expanded(self._expanded)
        written = self._as_written(pipeline)
        if written is not None:
            return written
        runs = runs_of(self._document.data, self._document.form)
        meaning = PipelineReader(self._expanded, runs, self._lookups, self._declares(search)).read(pipeline)
        for one in meaning.said:
            severity = Severity.NOTE if one.effect is None else Severity.WARNING
            self._add(one.code, one.message, one.at, severity, one.effect)
        if not runs.told and meaning.threshold is not None:
            message = (
                "the file names no time range of runs; contentctl's default, each hour over an hour, is taken"
            )
            self._add("schedule", message, None)
        return meaning

    def _declares(self, search: str) -> Declares:
        """Which stored names the log sources have, as far as they are known before the search is read."""
        names = [STORED_NAMES(pack, NAME) for pack in self._packs(search, Meaning())]
        return lambda name: any(one.declares(FieldPath((name,))) for one in names)

    def _as_written(self, pipeline: s.Pipeline) -> Meaning | None:
        """The meaning of windows, sequences and new terms in the form that this project writes them in."""
        commands = pipeline.commands
        if not any(isinstance(c.body, s.Stats) and c.body.kind == "streamstats" for c in commands):
            return None
        kept = tuple(
            c for c in commands if not (isinstance(c.body, s.Macro) and c.body.name.endswith("_filter"))
        )
        try:
            reading: Reading = RuleReader().read(s.Pipeline(kept))
        except SplError:
            return None
        for note in reading.notes:
            self._add("reading", note, None)
        return Meaning(
            conditions=[reading.condition],
            threshold=reading.threshold,
            sequence=reading.sequence,
            new_terms=reading.new_terms,
            output=[(FieldPath((name,)), name) for name in reading.shown if name not in _made(kept)],
        )

    # -- the rule

    def _canonical(self, search: str, meaning: Meaning) -> Rule | None:
        conditions = tuple(one for one in meaning.conditions if one != all_of())
        if any(isinstance(one, AnyOf) and not one.terms for one in conditions):
            self._add("never-matches", "the search finds nothing", 0, Severity.ERROR, Fidelity.REFUSED)
            return None
        packs = self._packs(search, meaning)
        self._without_macro(search, meaning)
        conditions = tuple(one for one in meaning.conditions if one != all_of())
        source_only = all(_is_source(one) for one in conditions) and meaning.sequence is None
        if meaning.residue and source_only and meaning.threshold is None:
            self._add(
                "nothing-left", "nothing but the log source can be read", 0, Severity.ERROR, Fidelity.REFUSED
            )
            return None
        described = metadata.fields(self._document.data, self._document.form, meaning.output, self._note)
        rule = Rule(
            id=self._id,
            title=metadata.title(self._document.data, self._file),
            logsource=tuple(pack.name for pack in packs) or ("raw",),
            indicators=() if meaning.sequence is not None else (conditions or (all_of(),)),
            threshold=meaning.threshold,
            sequence=meaning.sequence,
            new_terms=meaning.new_terms,
            **described,
        )
        rule = self._with_steps(rule, search)
        rule, found = canonicalise(rule, packs or [self._context.packs["raw"]], NAME)
        rule = msgspec.structs.replace(
            rule, output=metadata.once_each(rule.output), indicators=without_implied(rule.indicators)
        )
        if rule.sequence is None and all_of(*rule.indicators) == all_of():
            if rule.threshold is None or not rule.threshold.by:
                self._add("nothing-left", "no condition is left", 0, Severity.ERROR, Fidelity.REFUSED)
                return None
            counted = Predicate(rule.threshold.by[0], Operator.EXISTS)
            rule = msgspec.structs.replace(rule, indicators=(counted,))
        for one in found:
            self._found.append(
                msgspec.structs.replace(
                    one, file=self._file, line=self._document.line, rule_id=self._id, platform=NAME
                )
            )
        return rule

    def _with_steps(self, rule: Rule, search: str) -> Rule:
        """A sequence's steps with their own log sources, where each has a search of its own."""
        if rule.sequence is None or not search.lstrip().startswith("| multisearch"):
            return rule
        steps = rule.sequence.steps
        context = Context(packs=self._context.packs)
        named = sources_of_steps(search, len(steps), rule.logsource, context)
        changed = tuple(
            msgspec.structs.replace(step, logsource=names) for step, names in zip(steps, named, strict=True)
        )
        return msgspec.structs.replace(rule, sequence=msgspec.structs.replace(rule.sequence, steps=changed))

    def _without_macro(self, search: str, meaning: Meaning) -> None:
        """Conditions that a log source's macro consists of go: the rule's log source says them."""
        said: set[Expression] = set()
        for name in _CALL.findall(search):
            macro = self._macros.get(name)
            if (
                macro is None
                or macro.arguments
                or not find_packs(NAME, {"macro": [name]}, self._context.packs)
            ):
                continue
            try:
                pipeline = parse_expanded(expand(macro.definition, self._macros))
                if len(pipeline.commands) == 1:
                    found = PipelineReader(unexpanded(macro.definition), Runs(), self._lookups)
                    said.update(found.read(pipeline).conditions)
            except SplError:
                continue
        said = {one for one in said if _is_source(one)}
        meaning.conditions = _without(meaning.conditions, said)
        if meaning.sequence is not None:
            steps = tuple(
                msgspec.structs.replace(
                    step, indicators=tuple(_without(step.indicators, said)) or (all_of(),)
                )
                for step in meaning.sequence.steps
            )
            meaning.sequence = msgspec.structs.replace(meaning.sequence, steps=steps)

    def _note(self, code: str, message: str) -> None:
        self._add(code, message, None)

    def _packs(self, search: str, meaning: Meaning) -> list[Pack]:
        facts: dict[str, Any] = {
            "macro": _CALL.findall(search),
            "datamodel": meaning.datamodels,
            "data_source": list(metadata.lines(self._document.data.get("data_source"))),
        }
        for expression in meaning.conditions:
            for name, values in _told(expression):
                facts.setdefault(name, []).extend(values)
        return self._at_home(find_packs(NAME, facts, self._context.packs))

    def _at_home(self, packs: list[Pack]) -> list[Pack]:
        """Of log sources that share a macro, the one that the detection's folder is named for."""
        home = next((pack for pack in packs if pack.name == Path(self._file).parent.name), None)
        if home is None:
            return packs
        shared = source_macro(home, Settings()).name
        return [home, *(pack for pack in packs if source_macro(pack, Settings()).name != shared)]


def _made(commands: Iterable[s.Command]) -> set[str]:
    """The fields that a pipeline computes, and time."""
    found = {"_time"}
    for command in commands:
        if isinstance(command.body, s.Stats):
            found.update(aggregate.name for aggregate in command.body.aggregates)
        elif isinstance(command.body, s.Eval):
            found.update(name for name, _ in command.body.assignments)
    return found


def _without(conditions: Iterable[Expression], said: set[Expression]) -> list[Expression]:
    """The conditions, taken apart where all of several must hold, without those that are said already."""
    flat = [term for one in conditions for term in (one.terms if isinstance(one, All) else (one,))]
    return [one for one in flat if one not in said]


def _is_source(expression: Expression) -> bool:
    names = {"sourcetype", "source", "index", "eventtype", "host", "tag", "Channel"}
    return all(
        isinstance(one.subject, FieldPath) and str(one.subject.steps[0]) in names
        for one in predicates(expression)
    )


def _told(expression: Expression) -> Iterator[tuple[str, list[str]]]:
    """What a condition says of the log source: sourcetype, source, eventtype and event ids."""
    for one in predicates(expression):
        if isinstance(one, Predicate) and one.operator is Operator.IS and isinstance(one.subject, FieldPath):
            name = str(one.subject.steps[0])
            key = "eventcode" if name in ("EventCode", "EventID", "event_id") else name
            if key in ("sourcetype", "source", "eventtype", "eventcode"):
                yield key, [str(value) for value in one.values]
