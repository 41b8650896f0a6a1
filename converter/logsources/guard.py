"""Conditions that a log source needs on a platform whose names for it let other logs in.

A Panther log type, an index pattern or a sourcetype is often wider than the log source: it holds other
event ids, other categories, other operating systems. A pack says in ``platforms.<name>.guard`` (a list of
conditions in canonical names) what has to be asked beside, and in ``platforms.<name>.misses`` which events
of the log source that platform does not keep in this shape at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from converter.logsources.pack import Pack
from converter.model.diagnostics import Diagnostic, Fidelity, Severity
from converter.model.expressions import TRUE, All, Expression, all_of, any_of
from converter.model.load import expression_from_data
from converter.model.rule import Rule, Step

MISSES = "log-source"
"""The loss code for events of a log source that a platform does not keep in the rule's shape."""


def guard(packs: Iterable[Pack], platform: str) -> Expression:
    """What a condition must ask beside, on a platform, to see only events of one of these log sources."""
    guards = [_guard(pack.platforms.get(platform, {})) for pack in packs]
    return TRUE if TRUE in guards else any_of(*dict.fromkeys(guards))


def guarded(rule: Rule, packs: Mapping[str, Pack], platform: str) -> tuple[Rule, tuple[Diagnostic, ...]]:
    """The rule with each step's guard among its indicators, and the losses that its log sources bring.

    A guard that the step asks for already is not repeated. Unknown log sources are left to the caller.
    """
    found = tuple(
        dict.fromkeys(
            loss
            for step in rule.steps
            for name in step.logsource
            if name in packs and (loss := _loss(packs[name], platform, rule.id)) is not None
        )
    )
    if rule.sequence is None:
        return msgspec.structs.replace(rule, indicators=_asked(rule.steps[0], packs, platform)), found
    steps = tuple(
        msgspec.structs.replace(own, indicators=_asked(whole, packs, platform))
        for own, whole in zip(rule.sequence.steps, rule.steps, strict=True)
    )
    return msgspec.structs.replace(rule, sequence=msgspec.structs.replace(rule.sequence, steps=steps)), found


def _asked(step: Step, packs: Mapping[str, Pack], platform: str) -> tuple[Expression, ...]:
    """The step's indicators behind those of its guard that they do not hold already."""
    needed = guard([packs[name] for name in step.logsource if name in packs], platform)
    terms = needed.terms if isinstance(needed, All) else (needed,)
    asked = all_of(*step.indicators)
    known = asked.terms if isinstance(asked, All) else (asked,)
    return (*(term for term in terms if term not in known), *step.indicators)


def _guard(names: Mapping[str, Any]) -> Expression:
    conditions = names.get("guard")
    return TRUE if conditions is None else _parsed(msgspec.json.encode(conditions))


@lru_cache(maxsize=256)
def _parsed(conditions: bytes) -> Expression:
    return all_of(*(expression_from_data(data) for data in msgspec.json.decode(conditions)))


def _loss(pack: Pack, platform: str, rule_id: str) -> Diagnostic | None:
    missed = pack.platforms.get(platform, {}).get("misses")
    if missed is None:
        return None
    return Diagnostic(
        code=MISSES,
        severity=Severity.WARNING,
        message=f"{pack.name}: {missed}",
        platform=platform,
        rule_id=rule_id,
        effect=Fidelity.NARROWER,
    )
