"""The search of a rule: its stages, one function per rule part."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import msgspec

from converter.logsources import localise, localise_path
from converter.logsources.localise import Localised, LocalisedPath
from converter.logsources.localise_group import localise_tests
from converter.logsources.pack import Pack
from converter.model.diagnostics import Fidelity
from converter.model.expressions import Expression
from converter.model.losses import Losses
from converter.model.measures import MeasureKind, measures
from converter.model.paths import FieldPath
from converter.model.rule import MissingKeys, NewTerms, Rule, Threshold, WindowStart
from converter.platforms.base import Context
from converter.platforms.splunk.choices import ChoiceWriter
from converter.platforms.splunk.columns import Columns, assignments, rename_stage, table_stage
from converter.platforms.splunk.settings import Settings
from converter.platforms.splunk.slices import (
    WINDOW_END,
    SliceTests,
    filled_keys,
    whole_slices,
    window_ends,
)
from converter.platforms.splunk.sources import SourceMacro, address_macro, source_macro, source_text
from converter.platforms.splunk.spl.condition import ConditionPrinter
from converter.platforms.splunk.spl.text import eval_name, is_nameable, search_name
from converter.platforms.splunk.window import Slice, seconds_text, slice_of, whole_seconds

LARGEST_WINDOW = 10_000
"""limits.conf, [streamstats] max_stream_window: the most events that a window holds by default."""


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """A rendered search.

    ``stages``: the base search and the commands after it, without pipes. ``macros``: the log sources'.
    ``shown``: the fields of the results (empty: all of the event's). ``columns``: result field per canonical
    path that the alert's title, grouping or a risk object may name. ``group``: the result fields that name
    the group of a threshold, sequence or new terms.
    """

    stages: tuple[str, ...]
    macros: tuple[SourceMacro, ...]
    window: Slice
    columns: Columns
    shown: tuple[str, ...] = ()
    group: tuple[str, ...] = ()

    def text(self, filter_macro: str) -> str:
        """The whole search, ending in the filter macro."""
        return "\n| ".join((*self.stages, f"`{filter_macro}`"))


class Builder:
    """What the parts of one rendering share."""

    def __init__(self, rule: Rule, context: Context, settings: Settings, losses: Losses) -> None:
        self.rule = rule
        self.context = context
        self.settings = settings
        self.losses = losses

    def packs(self, names: Sequence[str]) -> tuple[Pack, ...]:
        """The packs of log sources; an unknown one is recorded as refused."""
        found = []
        for name in names:
            pack = self.context.packs.get(name)
            if pack is None:
                self.losses.refuse("unknown-logsource", f"no pack describes the log source {name}")
            else:
                found.append(pack)
        return tuple(found)

    def source(self, packs: Sequence[Pack]) -> tuple[str, tuple[SourceMacro, ...]]:
        """The start of a base search over these packs' events, and the macros in it."""
        macros = tuple(source_macro(pack, self.settings) for pack in packs)
        return (source_text(macros, self.settings) if macros else "*"), macros

    def localised(self, expression: Expression, packs: Sequence[Pack]) -> Localised:
        """A condition in Splunk's names. Unspeakable field names are recorded as refused."""
        found = localise(expression, packs, "splunk", self.context.keep_unmapped)
        self.losses.extend(found.diagnostics)
        for path in found.fields:
            if not is_nameable(str(path.steps[0])):
                self.losses.refuse("field-name", f"the field name {path.steps[0]!r} cannot be written in SPL")
        return found

    def locate(self, path: FieldPath, packs: Sequence[Pack]) -> LocalisedPath:
        """One field in Splunk's names."""
        return localise_path(path, packs, "splunk", self.context.keep_unmapped)


def render_query(builder: Builder) -> Query:
    """The search of a rule without a sequence."""
    rule, losses = builder.rule, builder.losses
    packs = builder.packs(rule.logsource)
    localised = builder.localised(rule.condition, packs)
    printer = ConditionPrinter(localised.fields, losses)
    printed = printer.printed(localised.expression)
    source, macros = builder.source(packs)
    macros += tuple(map(address_macro, printer.address_classes))
    columns = Columns(lambda path: builder.locate(path, packs), losses)
    stages = [printed.search(source)]
    if printer.elements:
        columns.already_made(printer.elements)
        stages.append("eval " + assignments(printer.elements))
    if printed.where:
        stages.append("where " + "\n    AND ".join(printed.where))
    shown: list[str] = []
    lookback = None
    if rule.threshold is not None:
        lookback = rule.threshold.within
    elif rule.new_terms is not None:
        lookback = rule.new_terms.history
    window = slice_of(builder.settings, lookback)
    group_by = [columns.name(path) for path in rule.alert.group_by]
    if rule.threshold is not None:
        shown += _threshold(rule.threshold, columns, builder, stages, window)
    elif rule.new_terms is not None:
        shown += _new_terms(rule.new_terms, columns, stages, window)
    elif rule.output:
        shown.append("_time")
    finish(builder, columns, stages, shown, group_by)
    return Query(
        stages=tuple(stages),
        macros=macros,
        window=window,
        columns=columns,
        shown=tuple(shown),
        group=tuple(columns.final(columns.name(path)) for path in _group(rule)),
    )


def _group(rule: Rule) -> tuple[FieldPath, ...]:
    """The fields whose values make the groups of a threshold or of new terms."""
    if rule.threshold is not None:
        return rule.threshold.by
    return () if rule.new_terms is None else rule.new_terms.fields


def finish(
    builder: Builder, columns: Columns, stages: list[str], shown: list[str], group_by: Sequence[str]
) -> None:
    """Add the last stages: derived fields, aliases, and the table of the output fields.

    Fields that the alert names (its title, grouping and risk objects) are shown too; without any output
    fields all of the event's stay, and those are named beside them, as contentctl demands.
    """
    outputs = [columns.shown(output.field, output.alias) for output in builder.rule.output]
    titled = [columns.name(part) for part in builder.rule.alert.title if isinstance(part, FieldPath)]
    _make(columns, stages)
    if columns.renamed:
        stages.append(rename_stage(columns.renamed))
    named = [columns.final(name) for name in [*group_by, *titled]]
    named += [entry.field for entry in builder.settings.risk_objects]
    named += [entry.field for entry in builder.settings.threat_objects]
    if shown or outputs:
        shown[:] = dict.fromkeys([*(columns.final(name) for name in shown), *outputs, *named])
        stages.append(table_stage(shown))
    elif named:
        stages.append("fields " + " ".join(map(search_name, dict.fromkeys(named))) + " *")


def _keys(
    paths: Sequence[FieldPath], columns: Columns, stages: list[str], *, filled: bool = False
) -> list[str]:
    """The result fields of group keys, with one row per combination of their values. ``filled``: a sign
    stands for those that are missing.
    """
    names = [columns.name(path) for path in paths]
    lists = [name for name in dict.fromkeys(names) if columns.is_list(name)]
    made = columns.to_make()
    keys = filled_keys(names) if filled else {name: eval_name(name) for name in lists}
    if made and filled:
        stages.append("eval " + assignments(made))
        made = {}
    made.update({name: f"mvdedup({text})" if name in lists else text for name, text in keys.items()})
    if made:
        stages.append("eval " + assignments(made))
    stages.extend(f"mvexpand {search_name(name)}" for name in lists)
    return names


def _make(columns: Columns, stages: list[str]) -> None:
    """Add the eval that makes the derived fields not made yet."""
    pending = columns.to_make()
    if pending:
        stages.append("eval " + assignments(pending))


def by_clause(names: Sequence[str]) -> str:
    """`` by a b``, or nothing."""
    return " by " + " ".join(search_name(name) for name in dict.fromkeys(names)) if names else ""


def _threshold(
    threshold: Threshold, columns: Columns, builder: Builder, stages: list[str], window: Slice
) -> list[str]:
    """Count the matches of each group. Returns the fields that the results show because of it."""
    if threshold.having or threshold.every is not None:
        if threshold.choices:
            builder.losses.refuse("group-by", "windows of the clock are grouped by fields, not by a choice")
        return _sliced(threshold, columns, builder, stages, window)
    if threshold.window is WindowStart.FIRST_MATCH:
        builder.losses.lose(
            "window",
            Fidelity.WIDER,
            f"any {whole_seconds(threshold.within)} s are a window, not only those that a first match begins",
        )
    keys = _keys(threshold.by, columns, stages, filled=threshold.missing_keys is MissingKeys.GROUP)
    keys += _chosen(threshold, builder, stages)
    if builder.settings.window == "tumbling":
        return _tumbling(threshold, keys, columns, builder, stages)
    seconds = whole_seconds(threshold.within)
    by = by_clause(keys)
    field = "" if threshold.distinct is None else columns.name(threshold.distinct)
    _make(columns, stages)
    stages.append("sort 0 _time")
    if field:
        stages.append(
            f"streamstats time_window={seconds + 1}s dc({search_name(field)}) AS distinct_count{by}"
        )
        stages.append(f"where distinct_count>={threshold.count}")
        builder.losses.lose(
            "window",
            Fidelity.WIDER,
            f"distinct values are counted over {seconds + 1} s, not {seconds} s: the far edge of a time "
            "window is open, and both ends of the rule's belong to it",
        )
        counted = ["distinct_count"]
    elif threshold.count > LARGEST_WINDOW:
        builder.losses.refuse(
            "threshold-count", f"streamstats keeps at most {LARGEST_WINDOW} events of a window by default"
        )
        return []
    else:
        stages.append(
            f"streamstats time_window={seconds + 1}s window={threshold.count} global=f"
            f" count AS match_count, min(_time) AS first_match{by}"
        )
        stages.append(
            f"where match_count>={threshold.count} AND (_time-first_match)<={seconds_text(threshold.within)}"
        )
        counted = ["match_count"]
    stages.append(f'where _time>=relative_time(now(), "{window.start}")')
    builder.losses.lose(
        "repeated-results",
        Fidelity.WIDER,
        "while a window stays full each further match is a result too, where the rule counts anew",
        "throttle the alert by its group for the length of the window, as the saved search does",
    )
    return ["_time", *keys, *counted]


def _chosen(threshold: Threshold, builder: Builder, stages: list[str]) -> list[str]:
    """Make the group keys that are a choice between fields; their names."""
    packs = builder.packs(builder.rule.logsource)
    writer = ChoiceWriter(packs, builder.context.keep_unmapped, builder.losses)
    keys = writer.keys(threshold.choices)
    if keys:
        stages.append("eval " + assignments(keys))
    if keys and threshold.missing_keys is MissingKeys.GROUP:
        stages.append("eval " + assignments(filled_keys(list(keys))))
    return list(keys)


def _tumbling(
    threshold: Threshold, keys: list[str], columns: Columns, builder: Builder, stages: list[str]
) -> list[str]:
    """Fixed windows, aligned to the epoch: cheaper, and blind to a burst that a boundary splits."""
    seconds = whole_seconds(threshold.within)
    counted = "match_count" if threshold.distinct is None else "distinct_count"
    what = "count"
    if threshold.distinct is not None:
        field = columns.name(threshold.distinct)
        what = f"dc({search_name(field)})"
    outputs = [columns.name(output.field) for output in builder.rule.output]
    grouped = [columns.name(path) for path in builder.rule.alert.group_by]
    _make(columns, stages)
    kept = [name for name in dict.fromkeys((*outputs, *grouped)) if name not in (*keys, "_time")]
    values = "".join(f", values({search_name(name)}) AS {search_name(name)}" for name in kept)
    stages.append(f"bin _time span={seconds}s")
    stages.append(f"stats {what} AS {counted}{values}{by_clause(['_time', *keys])}")
    stages.append(f"where {counted}>={threshold.count}")
    builder.losses.lose(
        "window",
        Fidelity.NARROWER,
        f"matches are counted in fixed windows of {seconds} s, so a burst across a boundary is split",
        "leave out platforms.splunk.window for a sliding window",
    )
    return ["_time", *keys, counted]


def _sliced(
    threshold: Threshold, columns: Columns, builder: Builder, stages: list[str], window: Slice
) -> list[str]:
    """Windows of the clock, each judged whole by one run, with tests of the group."""
    every, second = threshold.every, timedelta(seconds=1)
    if every is None or every > threshold.within or threshold.within % second or every % second:
        builder.losses.refuse(
            "having",
            "further tests of a group are written for windows of the clock alone, of whole seconds and with "
            "no time between them",
            "give the threshold an `every` no longer than its `within`",
        )
        return []
    packs = builder.packs(builder.rule.logsource)
    tests = localise_tests(threshold.having, packs, "splunk", builder.context.keep_unmapped)
    writer = SliceTests(tests, builder.losses)
    conditions = writer.conditions(tests.tests)
    timed = any(measure.kind is MeasureKind.SPAN for measure in measures(threshold.having))
    apart = every == threshold.within and not timed  # bin leaves no time of each match
    stages += (
        [f"where {whole_slices(window, every)}"] if apart else window_ends(window, threshold.within, every)
    )
    keys = _keys(threshold.by, columns, stages, filled=threshold.missing_keys is MissingKeys.GROUP)
    if threshold.distinct is not None:
        field = columns.name(threshold.distinct)
        counted = writer.named("distinct_count", f"dc({search_name(field)})")
        conditions.insert(0, f"{counted}>={threshold.count}")
    elif threshold.count > 1 or not conditions:
        conditions.insert(0, f"{writer.named('match_count', 'count')}>={threshold.count}")
    outputs = [columns.name(output.field) for output in builder.rule.output]
    _make(columns, stages)
    if writer.printer.elements:
        stages.append("eval " + assignments(writer.printer.elements))
    kept = [name for name in dict.fromkeys(outputs) if name not in (*keys, "_time")]
    aggregates = [f"{text} AS {name}" for text, name in writer.aggregates.items()]
    aggregates += [f"values({search_name(name)}) AS {search_name(name)}" for name in kept]
    if apart:
        stages.append(f"bin _time span={whole_seconds(every)}s")
    time = "_time" if apart else WINDOW_END
    stages.append(f"stats {', '.join(aggregates)}{by_clause([time, *keys])}")
    stages.append("where " + "\n    AND ".join(conditions))
    return [time, *keys, *writer.aggregates.values()]


def _new_terms(new_terms: NewTerms, columns: Columns, stages: list[str], window: Slice) -> list[str]:
    """Keep the first match of each combination of values that no match had in the history before it."""
    keys = _keys(new_terms.fields, columns, stages)
    present = " AND ".join(f"isnotnull({eval_name(name)})" for name in dict.fromkeys(keys))
    stages.append("sort 0 _time")
    stages.append(f"streamstats current=f last(_time) AS last_seen{by_clause(keys)}")
    stages.append(
        f"where {present} AND (isnull(last_seen) OR (_time-last_seen)>{seconds_text(new_terms.history)})"
    )
    stages.append(f'where _time>=relative_time(now(), "{window.start}")')
    return ["_time", *keys]
