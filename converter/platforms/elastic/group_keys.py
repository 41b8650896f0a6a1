"""Which of a threshold's group keys a rule of Elastic has: what is left out of those that are a choice.

Source: Elastic Security documentation, "Create a detection rule", threshold rules (fields to group by).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from converter.logsources.localise_group import localise_alternative
from converter.logsources.pack import Pack, PlatformField
from converter.model.diagnostics import Diagnostic, Fidelity
from converter.model.losses import Losses
from converter.model.measures import only_grows
from converter.model.paths import FieldPath
from converter.model.rule import Choice, MissingKeys, Threshold
from converter.platforms.elastic.fields import PLATFORM


def leave_out(threshold: Threshold, losses: Losses, why: str) -> None:
    """A choice is no group key: what it keeps apart is counted together, which reaches a count sooner.

    A test that asks for few may fail for that; such a rule is refused.
    """
    if all(map(only_grows, threshold.having)):
        message = f"a choice between group keys is left out, and its groups are counted together: {why}"
        losses.lose("group-by", Fidelity.WIDER, message)
    else:
        message = f"a choice between group keys cannot be written, and a test asks for few matches: {why}"
        losses.refuse("group-by", message)


def of_fields(threshold: Threshold, losses: Losses) -> Threshold:
    """The threshold of a threshold rule, which counts by fields alone, and only events that have them."""
    for _ in threshold.choices:
        leave_out(threshold, losses, "a threshold rule groups by fields")
    if threshold.by and threshold.missing_keys is MissingKeys.GROUP:
        message = "a threshold rule does not count events without a value in a group field"
        losses.lose("group-by", Fidelity.NARROWER, message)
    return msgspec.structs.replace(threshold, choices=(), missing_keys=MissingKeys.SKIP)


def stored_choices(
    threshold: Threshold, packs: Sequence[Pack], keep_unmapped: bool, losses: Losses
) -> tuple[Threshold, dict[FieldPath, PlatformField]]:
    """The threshold with its choices in stored names, and what is stored there.

    A choice whose conditions or values are others there is left out by name.
    """
    kept: list[Choice] = []
    fields: dict[FieldPath, PlatformField] = {}
    for choice in threshold.choices:
        stored = [localise_alternative(each, packs, PLATFORM, keep_unmapped) for each in choice.alternatives]
        found = tuple(one.alternative for one in stored if one.alternative is not None)
        trial = Losses(PLATFORM)
        trial.extend(diagnostic for one in stored for diagnostic in one.diagnostics)
        if len(found) < len(stored):
            trial.refuse("group-by", "a value is stored under no one name")
        if is_kept(threshold, trial, losses):
            kept.append(Choice(found))
            fields.update({path: field for one in stored for path, field in one.fields.items()})
    return msgspec.structs.replace(threshold, choices=tuple(kept)), fields


def is_kept(threshold: Threshold, trial: Losses, losses: Losses) -> bool:
    """Whether a choice loses nothing; else it is left out. Its notes are taken over."""
    lost: list[Diagnostic] = [found for found in trial.diagnostics if found.effect is not None]
    losses.extend(found for found in trial.diagnostics if found.effect is None)
    if lost:
        leave_out(threshold, losses, lost[0].message)
    return not lost
