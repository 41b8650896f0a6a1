"""Keys of groups and sequences that a platform does not keep, told by a field that names the same thing.

Elastic's agents give a host an id of their own; elsewhere its name has to do. Two hosts of one name are then
one: a rule's matches may be counted or joined together that are not. What a rule asks of an event is never
changed so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

import msgspec

from converter.logsources.lookup import known
from converter.logsources.pack import Field, Pack
from converter.model.diagnostics import Diagnostic, Fidelity
from converter.model.losses import Losses
from converter.model.paths import FieldPath
from converter.model.rule import Rule

STAND_IN: Final = "stand-in"
"""The loss where a key is told by another field."""

_Key: TypeAlias = Callable[[FieldPath, Sequence[Pack]], FieldPath]


def with_stand_ins(
    rule: Rule, packs: Mapping[str, Pack], platform: str
) -> tuple[Rule, tuple[Diagnostic, ...]]:
    """The rule by keys that ``platform`` keeps, and a wider loss for each that another field tells."""
    losses = Losses(platform, rule.id)

    def key(path: FieldPath, own: Sequence[Pack]) -> FieldPath:
        told_by = _told_by(path, own, lambda field: platform not in field.platforms)
        if told_by is None:
            return path
        message = f"{told_by} tells {path} apart, which {platform} does not keep: equal ones count as one"
        losses.lose(STAND_IN, Fidelity.WIDER, message)
        return told_by

    return _by_keys(rule, packs, key), losses.diagnostics


def by_what_tells(rule: Rule, packs: Mapping[str, Pack]) -> Rule:
    """The rule by the fields that tell its keys, on whichever platform: for well-formed events the same."""
    return _by_keys(rule, packs, lambda path, own: _told_by(path, own, lambda field: True) or path)


def _told_by(path: FieldPath, packs: Sequence[Pack], concerns: Callable[[Field], bool]) -> FieldPath | None:
    """The field that tells ``path`` in all of the packs, if each concerns us and they say the same."""
    finds = [known(pack, path) for pack in packs]
    fields = [find.field for find in finds if find is not None and not find.rest]
    told = {field.told_by for field in fields if concerns(field)}
    return told.pop() if len(told) == 1 and len(fields) == len(packs) and all(map(concerns, fields)) else None


def _by_keys(rule: Rule, packs: Mapping[str, Pack], key: _Key) -> Rule:
    """The rule with what ``key`` makes of each field by which its matches are grouped or joined."""

    def keys(paths: tuple[FieldPath, ...], names: Sequence[str]) -> tuple[FieldPath, ...]:
        own = [packs[name] for name in names if name in packs]
        return tuple(key(path, own) for path in paths)

    changes: dict[str, object] = {}
    if rule.threshold is not None and rule.threshold.by:
        by = keys(rule.threshold.by, rule.logsource)
        changes["threshold"] = msgspec.structs.replace(rule.threshold, by=by)
    if rule.new_terms is not None:
        fields = keys(rule.new_terms.fields, rule.logsource)
        changes["new_terms"] = msgspec.structs.replace(rule.new_terms, fields=fields)
    if rule.sequence is not None:
        steps = tuple(
            msgspec.structs.replace(own, by=keys(own.by, whole.logsource))
            for own, whole in zip(rule.sequence.steps, rule.steps, strict=True)
        )
        changes["sequence"] = msgspec.structs.replace(rule.sequence, steps=steps)
    if rule.sequence is None and rule.alert.suppress_for is not None:
        group_by = keys(rule.alert.group_by, rule.logsource)
        changes["alert"] = msgspec.structs.replace(rule.alert, group_by=group_by)
    return msgspec.structs.replace(rule, **changes) if changes else rule
