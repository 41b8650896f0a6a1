"""Thresholds and suppression in Panther's terms, and what that changes.

Panther documentation, Rules: ``Threshold`` counts the matches of one dedup string within
``DedupPeriodMinutes``; the period starts at the first of them, and later matches of the period join its
alert. With ``unique()`` it counts distinct values.
"""

from __future__ import annotations

import math
from datetime import timedelta

import msgspec

from converter.model.describe import describe_tests
from converter.model.diagnostics import Fidelity
from converter.model.losses import Losses
from converter.model.rule import NewTerms, Rule, Threshold, WindowStart
from converter.platforms.panther.settings import LONGEST_DEDUP_MINUTES, SHORTEST_DEDUP_MINUTES, Settings


class Window(msgspec.Struct, frozen=True):
    """What the YAML says of counting: None where the key is left out."""

    threshold: int | None = None
    dedup_minutes: int | None = None


def window(rule: Rule, settings: Settings, losses: Losses) -> Window:
    """``Threshold`` and ``DedupPeriodMinutes`` of a rule; differences from the rule go to ``losses``."""
    suppress = rule.alert.suppress_for
    if rule.new_terms is not None:
        return Window(None, _history(rule.new_terms, losses))
    if rule.threshold is None:
        minutes = settings.dedup_minutes
        if suppress is not None:
            minutes = _minutes(suppress, "suppression", "alert.suppress_for", losses)
        elif rule.sequence is None:
            losses.note(
                "suppression",
                f"Panther adds further matches of a group to its alert for {minutes or 60} minutes",
            )
        return Window(None, minutes)
    threshold = rule.threshold
    minutes = _minutes(threshold.within, "window", "threshold.within", losses)
    _parts(threshold, losses)
    if threshold.count > 1 and threshold.window is WindowStart.SLIDING:
        losses.lose(
            "window",
            Fidelity.NARROWER,
            f"Panther's period of {minutes} minutes starts at a group's first match and does not slide: "
            f"{threshold.count} matches that straddle the end of a period are not counted together, and a "
            "second burst within a period joins its alert",
            "say `window: first_match`, if that is what the rule means",
        )
    if suppress is not None and suppress != threshold.within:
        wider = suppress > threshold.within
        losses.lose(
            "suppression",
            Fidelity.WIDER if wider else Fidelity.NARROWER,
            f"Panther has one period for counting and for suppression, here {minutes} minutes, so "
            f"suppress_for is {'cut short' if wider else 'extended'}",
        )
    return Window(threshold.count, minutes)


def _parts(threshold: Threshold, losses: Losses) -> None:
    """What a threshold may ask beside a count, and Panther cannot."""
    if threshold.having:
        left = describe_tests(threshold.having)
        message = f"Panther counts matches or distinct values and tests no more; left out: {left}"
        losses.lose("having", Fidelity.WIDER, message)
    if threshold.every is not None:
        for effect in (Fidelity.WIDER, Fidelity.NARROWER):
            losses.lose(
                "window",
                effect,
                "Panther's period starts at a group's first match, the rule's windows by the clock: matches "
                f"are counted together that {'no' if effect is Fidelity.WIDER else 'some other'} window of "
                "the rule holds",
            )


def _history(new_terms: NewTerms, losses: Losses) -> int:
    """How long further matches of the same values join an alert: as far as it is within the history."""
    minutes = min(int(new_terms.history / timedelta(minutes=1)), LONGEST_DEDUP_MINUTES)
    if minutes < SHORTEST_DEDUP_MINUTES:
        losses.lose(
            "new-terms",
            Fidelity.NARROWER,
            f"matches of the same values within {SHORTEST_DEDUP_MINUTES} minutes, the least Panther takes, "
            "join one alert",
        )
    return max(minutes, SHORTEST_DEDUP_MINUTES)


def whole_minutes(span: timedelta) -> int:
    """A span in minutes, rounded up."""
    return math.ceil(span / timedelta(minutes=1))


def _minutes(span: timedelta, code: str, name: str, losses: Losses) -> int:
    """The period in whole minutes within Panther's limits."""
    minutes = whole_minutes(span)
    counting = code == "window"
    longer, shorter = (Fidelity.WIDER, Fidelity.NARROWER) if counting else (Fidelity.NARROWER, Fidelity.WIDER)
    if minutes > LONGEST_DEDUP_MINUTES:
        losses.lose(code, shorter, f"{name}: Panther's longest period is {LONGEST_DEDUP_MINUTES} minutes")
        return LONGEST_DEDUP_MINUTES
    rounded = max(minutes, SHORTEST_DEDUP_MINUTES)
    if timedelta(minutes=rounded) != span:
        losses.lose(
            code,
            longer,
            f"{name} is lengthened to {rounded} minutes: Panther takes whole minutes, at least "
            f"{SHORTEST_DEDUP_MINUTES}",
        )
    return rounded
