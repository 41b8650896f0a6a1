"""Sequences as SPL: every event gets the start of the sequence that it completes the steps so far of.

The state machine is EQL's (SEMANTICS, Elastic 9): a step takes the latest match in flight of its key and
drops it and older ones. In SPL: a row completes step k when, among the rows of its key that completed step
k-1 or match step k, the one before it completed step k-1. ``streamstats current=f last(x)`` gives that row's
value, since statistical functions skip nulls.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from converter.logsources import localise_path
from converter.logsources.localise import LocalisedPath
from converter.logsources.pack import Pack
from converter.model.expressions import any_of
from converter.model.losses import Losses
from converter.model.paths import FieldPath
from converter.model.rule import Step
from converter.platforms.splunk.columns import Columns, assignments
from converter.platforms.splunk.query import Builder, Query, by_clause, finish
from converter.platforms.splunk.sources import SourceMacro, address_macro
from converter.platforms.splunk.spl.condition import ConditionPrinter
from converter.platforms.splunk.window import seconds_text, slice_of

MOST_STAGES = 20
"""More steps (repeats counted) make a search nobody can run."""


def render_sequence(builder: Builder) -> Query:
    """The search of a sequence rule."""
    rule, losses = builder.rule, builder.losses
    assert rule.sequence is not None
    steps = rule.steps
    window = slice_of(builder.settings, rule.sequence.within)
    packs = [builder.packs(step.logsource) for step in steps]
    columns = Columns(lambda path: _locate(builder, path, packs), losses)
    _check(builder, steps)
    stages: list[str] = []
    if _share_rows(steps):
        keys, macros = _in_one_search(builder, steps, packs[0], stages)
    else:
        keys, macros = _in_several_searches(builder, steps, packs, stages)
    stages += _chain(steps, keys)
    last = sum(step.repeat for step in steps if not step.absent)
    within = rule.sequence.within
    limit = "" if within is None else f" AND (_time-start_{last})<={seconds_text(within)}"
    stages.append(f"where isnum(start_{last}){limit}")
    stages.append(f'where _time>=relative_time(now(), "{window.start}")')
    losses.note("time-ties", "events of the same instant are taken in no documented order")
    if within is None:
        losses.note("sequence", "a sequence without a time limit is looked for within one run's time range")
    shown = ["_time", f"start_{last}", *keys]
    grouped = [columns.name(path) for path in rule.alert.group_by]
    finish(builder, columns, stages, shown, grouped)
    return Query(
        stages=tuple(stages),
        macros=macros,
        window=window,
        columns=columns,
        shown=tuple(shown),
        group=tuple(keys),
    )


def _locate(builder: Builder, path: FieldPath, packs: Sequence[tuple[Pack, ...]]) -> LocalisedPath:
    """A field of the results: of the last step's events if they have it, else of an earlier step's."""
    for of_step in reversed(packs):
        found = localise_path(path, of_step, "splunk", keep_unmapped=True)
        if not found.diagnostics:
            return found
    return builder.locate(path, packs[-1])


def _check(builder: Builder, steps: Sequence[Step]) -> None:
    present = [step for step in steps if not step.absent]
    if sum(step.repeat for step in present) > MOST_STAGES:
        builder.losses.refuse("sequence", f"more than {MOST_STAGES} steps, repeats counted")
    if len(present) < 1 or (len(present) == 1 and present[0].repeat < 2):
        builder.losses.refuse("sequence", "fewer than two steps that must occur")
    positions = [index for index, step in enumerate(steps) if step.absent]
    for index in positions:
        after = [step for step in steps[index + 1 :] if not step.absent]
        if index == 0 or len(after) != 1 or after[0].repeat != 1:
            builder.losses.refuse(
                "sequence",
                "an absent step can only be said right before the last step",
                "a sequence with an absence elsewhere needs Elastic's EQL",
            )


def _share_rows(steps: Sequence[Step]) -> bool:
    """Whether one search can read all steps: the same log sources and the same keys throughout."""
    return len({(step.logsource, step.by) for step in steps}) == 1


def _in_one_search(
    builder: Builder, steps: Sequence[Step], packs: Sequence[Pack], stages: list[str]
) -> tuple[list[str], tuple[SourceMacro, ...]]:
    """All steps in one base search; each row says which steps it matches."""
    columns = Columns(lambda path: builder.locate(path, packs), builder.losses)
    whole = builder.localised(any_of(*(step.condition for step in steps)), packs)
    source, macros = builder.source(packs)
    terms = ConditionPrinter(whole.fields, _silent(builder)).printed(whole.expression)
    stages.append(terms.search(source))
    flags: dict[str, str] = {}
    for number, step in enumerate(steps, 1):
        localised = builder.localised(step.condition, packs)
        printer = ConditionPrinter(localised.fields, builder.losses)
        condition = printer.whole(localised.expression)
        flags.update(printer.elements)
        macros += tuple(map(address_macro, printer.address_classes))
        flags[f"step_{number}"] = f"if({condition}, 1, 0)"
    stages.append("eval " + ",\n    ".join(f"{name}={text}" for name, text in flags.items()))
    stages.append("where " + " OR ".join(f"step_{number}==1" for number in range(1, len(steps) + 1)))
    keys = _key_fields(steps[0].by, columns)
    if keys:
        stages.append("eval " + assignments(keys))
        stages.extend(f"mvexpand {name}" for name, text in keys.items() if text.startswith("mvdedup("))
    stages.append("sort 0 _time")
    return list(keys), macros


def _in_several_searches(
    builder: Builder, steps: Sequence[Step], packs: Sequence[tuple[Pack, ...]], stages: list[str]
) -> tuple[list[str], tuple[SourceMacro, ...]]:
    """A search per step, merged by multisearch; each row matches one step."""
    branches: list[str] = []
    macros: list[SourceMacro] = []
    names: list[str] = []
    lists: set[str] = set()
    for number, (step, of_step) in enumerate(zip(steps, packs, strict=True), 1):
        columns = Columns(partial(builder.locate, packs=of_step), builder.losses)
        localised = builder.localised(step.condition, of_step)
        printer = ConditionPrinter(localised.fields, builder.losses)
        printed = printer.printed(localised.expression)
        source, used = builder.source(of_step)
        macros += (*used, *map(address_macro, printer.address_classes))
        keys = _key_fields(step.by, columns)
        names = list(keys)
        lists.update(name for name, text in keys.items() if text.startswith("mvdedup("))
        parts = [f"search {printed.search(source)}"]
        if printer.elements:
            parts.append("eval " + assignments(printer.elements))
        if printed.where:
            parts.append("where " + " AND ".join(printed.where))
        parts.append("eval " + assignments({f"step_{number}": "1", "sequence_step": str(number), **keys}))
        branches.append("    [" + " | ".join(parts) + "]")
    stages.append("| multisearch\n" + "\n".join(branches))
    stages.extend(f"mvexpand {name}" for name in names if name in lists)
    sources = [name for step in steps for name in step.logsource]
    used_twice = len(set(sources)) < len(sources)
    # A row of a later step first, where one event may be a row of two steps: no event follows itself.
    stages.append("sort 0 _time -sequence_step" if used_twice else "sort 0 _time sequence_step")
    return names, tuple(macros)


def _key_fields(paths: Sequence[FieldPath], columns: Columns) -> dict[str, str]:
    """The join keys as fields ``key_1`` …, each with its values once."""
    keys: dict[str, str] = {}
    for number, path in enumerate(paths, 1):
        name = columns.name(path)
        source = columns.derived.get(name, f"'{name}'")
        keys[f"key_{number}"] = f"mvdedup({source})" if columns.is_list(name) else source
    return keys


def _chain(steps: Sequence[Step], keys: Sequence[str]) -> list[str]:
    """From the steps' flags to ``start_n``: when the sequence that a row completes began."""
    by = by_clause(keys)
    flags: list[str] = []
    absent: list[str] = []
    for number, step in enumerate(steps, 1):
        if step.absent:
            absent.append(f"step_{number}")
        else:
            flags += [f"step_{number}"] * step.repeat
    stages = [f"eval start_1=if({flags[0]}==1, _time, null())"]
    for stage in range(2, len(flags) + 1):
        ends = [flags[stage - 1]] + (absent if stage == len(flags) else [])
        ended = " OR ".join(f"{flag}==1" for flag in ends)
        stages += [
            f'eval flight_{stage}=case(isnotnull(start_{stage - 1}), start_{stage - 1}, {ended}, "none")',
            f"streamstats current=f last(flight_{stage}) AS before_{stage}{by}",
            f"eval start_{stage}=if({flags[stage - 1]}==1 AND isnum(before_{stage}), before_{stage}, null())",
        ]
    return stages


def _silent(builder: Builder) -> Losses:
    """Losses of a pre-filter alone, which the exact conditions behind it record themselves."""
    return Losses("splunk", builder.rule.id)
