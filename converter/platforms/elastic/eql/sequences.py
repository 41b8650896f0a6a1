"""EQL sequences: ``sequence by … with maxspan=… [ … ] … with runs=n, ![ … ]``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import msgspec

from converter.model.losses import Losses
from converter.platforms.elastic.eql import literals


class WrittenStep(msgspec.Struct, frozen=True):
    """A step whose event filter is text already; ``keys`` are stored names."""

    event: str
    keys: tuple[str, ...]
    absent: bool = False
    repeat: int = 1


def write_sequence(steps: Sequence[WrittenStep], within: timedelta | None, losses: Losses) -> str:
    """The query. What EQL's sequences cannot be goes into ``losses`` as refused.

    Source: Elastic, "EQL syntax reference", "Sequences": missing events need maxspan, and some event must
    occur.
    """
    if any(step.absent for step in steps) and within is None:
        losses.refuse("sequence", "EQL needs a time span (within) for a step that must not occur")
    if all(step.absent for step in steps):
        losses.refuse("sequence", "EQL needs a step that occurs beside those that must not")
    if sum(1 if step.absent else step.repeat for step in steps) < 2:
        losses.refuse("sequence", "EQL sequences have at least two steps")
    if any(step.absent and step.repeat > 1 for step in steps):
        losses.refuse("sequence", "EQL cannot repeat a step that must not occur")
    shared = steps[0].keys if all(step.keys == steps[0].keys for step in steps) else ()
    head = "sequence"
    if shared:
        head += f" by {_names(shared)}"
    if within is not None:
        head += f" with maxspan={literals.duration(within)}"
    return "\n".join([head, *(f"  {_step(step, bool(shared))}" for step in steps)])


def _step(step: WrittenStep, shared: bool) -> str:
    text = f"{'!' if step.absent else ''}[{step.event}]"
    if step.keys and not shared:
        text += f" by {_names(step.keys)}"
    if step.repeat > 1:
        text += f" with runs={step.repeat}"
    return text


def _names(keys: Sequence[str]) -> str:
    return ", ".join([literals.name(key) for key in keys])
