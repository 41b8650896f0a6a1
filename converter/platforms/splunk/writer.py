"""From a rule to its files: the detection, the macros that it uses, and a stanza of savedsearches.conf."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import jinja2

from converter.logsources.guard import guarded
from converter.model.diagnostics import Fidelity, RuleError
from converter.model.losses import Losses
from converter.model.rule import Level, Rule
from converter.platforms.base import Artifact, Context, File
from converter.platforms.splunk.detection import Detection, detection_of
from converter.platforms.splunk.names import Names, names_of
from converter.platforms.splunk.query import Builder, Query, render_query
from converter.platforms.splunk.scalars import conf_line, conf_value, stanza_name, yaml_block, yaml_text
from converter.platforms.splunk.sequence import render_sequence
from converter.platforms.splunk.settings import Settings, settings_of
from converter.platforms.splunk.sources import SourceMacro
from converter.platforms.templating import environment

_ALERT_SEVERITY: Final = {Level.INFO: 2, Level.LOW: 3, Level.MEDIUM: 4, Level.HIGH: 5, Level.CRITICAL: 6}
"""savedsearches.conf, alert.severity: 1 debug, 2 info, 3 warn, 4 error, 5 severe, 6 fatal."""

NAME: Final = "splunk"


def render(rule: Rule, context: Context) -> Artifact:
    """Splunk's form of a rule. Never raises for a valid rule: what cannot be said is refused."""
    losses = Losses(NAME, rule.id)
    try:
        settings = settings_of(rule.platforms.get(NAME), context.settings)
    except RuleError as error:
        losses.refuse("settings", str(error))
        return _artifact(rule, losses)
    return _rendered(rule, context, settings, losses)


def _rendered(rule: Rule, context: Context, settings: Settings, losses: Losses) -> Artifact:
    rule, found = guarded(rule, context.packs, NAME)
    losses.extend(found)
    builder = Builder(rule, context, settings, losses)
    names = names_of(rule)
    query = render_query(builder) if rule.sequence is None else render_sequence(builder)
    if losses.fidelity is Fidelity.REFUSED:
        return _artifact(rule, losses)
    if names.shortened:
        losses.note(
            "name-shortened", f"the title has more than 67 characters; the detection is {names.name!r}"
        )
    packs = builder.packs(list(dict.fromkeys(name for step in rule.steps for name in step.logsource)))
    detection = detection_of(rule, names, query, packs, settings, losses)
    folder = rule.logsource[0] if rule.logsource else rule.steps[0].logsource[0]
    files = (
        File(f"detections/{folder}/{names.stem}.yml", _detection_file(detection, query, settings)),
        *_macro_files(names, query),
        File(f"savedsearches/{names.stem}.conf", _savedsearch_file(rule, detection, query, settings)),
    )
    return _artifact(rule, losses, files=files, query=detection.search)


def _artifact(rule: Rule, losses: Losses, files: tuple[File, ...] = (), query: str = "") -> Artifact:
    return Artifact(
        rule_id=rule.id,
        platform=NAME,
        files=files,
        fidelity=losses.fidelity,
        diagnostics=losses.diagnostics,
        language="spl",
        reason="SPL is Splunk's search language",
        query=query,
    )


def _detection_file(detection: Detection, query: Query, settings: Settings) -> str:
    return _template("detection.yml.j2").render(d=detection, settings=settings, window=query.window)


def _savedsearch_file(rule: Rule, detection: Detection, query: Query, settings: Settings) -> str:
    return _template("savedsearches.conf.j2").render(
        d=detection,
        settings=settings,
        window=query.window,
        alert_severity=_ALERT_SEVERITY[rule.severity],
        macros=[macro for macro in dict.fromkeys(query.macros) if not macro.own],
    )


def _macro_files(names: Names, query: Query) -> list[File]:
    """The filter macro, and the macro of each log source that is not the team's own."""
    written: dict[str, SourceMacro] = {macro.name: macro for macro in query.macros if not macro.own}
    written[names.filter_macro] = SourceMacro(
        names.filter_macro, "search *", f"Exclude false positives of {names.name} here."
    )
    return [File(f"macros/{macro.name}.yml", _macro_file(macro)) for macro in written.values()]


@cache
def _macro_file(macro: SourceMacro) -> str:
    return _template("macro.yml.j2").render(macro=macro)


@cache
def _template(name: str) -> jinja2.Template:
    filters: dict[str, Callable[..., Any]] = {
        "yaml": yaml_text,
        "yaml_block": yaml_block,
        "yaml_list": _yaml_list,
        "conf": conf_value,
        "conf_line": conf_line,
        "stanza": stanza_name,
    }
    return environment(NAME, filters).get_template(name)


def _yaml_list(values: tuple[str, ...], indent: str = "  ") -> str:
    """The items of a block sequence, or ``[]``, to stand right behind the key's colon."""
    if not values:
        return " []"
    return "".join(f"\n{indent}- {yaml_text(value)}" for value in values)
