"""The public functions, over the rooms of the house. Import them from :mod:`converter`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from converter.evaluate import Alert, Condition, StreamEvaluator, compile_expression
from converter.events.records import log_events, packs_of, source_reader
from converter.logsources import load_packs
from converter.logsources.pack import Pack
from converter.model.load import load_rules
from converter.model.rule import JsonObject, Rule
from converter.platforms.base import Artifact, Context, ReadContext, ReadRule, Source
from converter.platforms.registry import platform, reader, siem_names

if TYPE_CHECKING:
    from converter.check import Options, Report


def load(paths: str | Path | Iterable[str | Path]) -> list[Rule]:
    """The rules in YAML files and folders. Raises RuleError carrying every problem of every file."""
    return load_rules([paths] if isinstance(paths, str | Path) else paths)


def read(
    source: str | Path,
    platform_name: str,
    *,
    packs: Mapping[str, Pack] | None = None,
    beside: Iterable[str | Path] = (),
) -> list[ReadRule]:
    """A platform's own rules as canonical rules, each with how exact the reading is.

    ``source``: a path to a file or folder, or (a str that is empty, of several lines or an object in JSON)
    the text of rules itself. ``beside``: folders with what the rules lean on (Splunk macros and lookups,
    Panther helpers). Nothing is executed. A text or a file that cannot be read is a refused rule; RuleError
    is raised for an unknown platform and for a path where nothing is.
    """
    from converter.platforms.collection import read_source, rule_files, source_of  # with what runs processes

    reader(platform_name)
    context = ReadContext(
        packs=load_packs() if packs is None else packs, beside=tuple(Path(folder) for folder in beside)
    )
    if isinstance(source, str) and (not source or "\n" in source or source.startswith("{")):
        return read_source(platform_name, Source(file="<text>", text=source), context)
    found: list[ReadRule] = []
    for file in rule_files(platform_name, [Path(source)]):
        text = source_of(platform_name, file)
        found.extend([text] if isinstance(text, ReadRule) else read_source(platform_name, text, context))
    return found


def render(
    rule: Rule,
    platform_name: str,
    *,
    packs: Mapping[str, Pack] | None = None,
    settings: Mapping[str, Any] | None = None,
    keep_unmapped: bool = False,
) -> Artifact:
    """A rule as one platform has it: its files, fidelity, diagnostics and language.

    ``packs``: log sources by name (default: the built-in ones); ``settings``: a team's defaults for the
    platform; ``keep_unmapped``: keep the names of fields that the log source does not know. What cannot be
    said is refused in the artifact; RuleError is raised for an unknown platform or log source only.
    """
    return platform(platform_name).render(rule, context_for(packs, settings, keep_unmapped))


def context_for(
    packs: Mapping[str, Pack] | None = None,
    settings: Mapping[str, Any] | None = None,
    keep_unmapped: bool = False,
) -> Context:
    """What a writer needs beside the rule, with the defaults filled in."""
    return Context(
        packs=load_packs() if packs is None else packs, settings=settings or {}, keep_unmapped=keep_unmapped
    )


def matches(rule: Rule, event: JsonObject, *, packs: Mapping[str, Pack] | None = None) -> bool:
    """Whether one raw event of the rule's log source satisfies its condition (some step's, in a sequence).

    Thresholds, new terms and the order of steps are no matter of one event: see :func:`evaluate`.
    """
    packs = load_packs() if packs is None else packs
    for step, condition in zip(rule.steps, _conditions(rule), strict=True):
        for name in step.logsource:
            if name not in packs:
                packs_of(rule, packs)
            if not step.absent and condition(source_reader(packs[name]).event(event, 0).data):
                return True
    return False


def _conditions(rule: Rule) -> list[Condition]:
    return [_compiled(step.condition) for step in rule.steps]


_compiled = lru_cache(maxsize=512)(compile_expression)


def evaluate(
    rule: Rule, events: Iterable[JsonObject], *, packs: Mapping[str, Pack] | None = None, mixed: bool = False
) -> list[Alert]:
    """The alerts of a rule over raw events, in the order they become due. Event ids are positions from 0.

    ``mixed``: the events come from several log sources, and those of others than the rule's are left out;
    otherwise a rule with one log source takes every event as one of it.
    """
    known = load_packs() if packs is None else packs
    return StreamEvaluator(rule).alerts(log_events(events, packs_of(rule, known), trusted=not mixed))


def check(
    rules: Sequence[Rule],
    *,
    platforms: Iterable[str] | None = None,
    packs: Mapping[str, Pack] | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    logs: Iterable[JsonObject] = (),
    options: Options | None = None,
) -> Report:
    """Run every rendering of every rule and compare it with the reference evaluator.

    ``platforms``: names (default: all SIEMs installed); ``settings``: a team's defaults per platform;
    ``logs``: sample records to run over beside the rules' own tests.
    """
    from converter.check import check_rules  # most commands check nothing, and start without it

    names = list(platforms) if platforms is not None else list(siem_names())
    known = load_packs() if packs is None else packs
    chosen = [platform(name) for name in names]
    contexts = {name: context_for(known, (settings or {}).get(name)) for name in names}
    return check_rules(rules, chosen, contexts, logs, options)
