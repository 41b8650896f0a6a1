"""Sigma's correlations as thresholds and sequences.

pySigma reads and checks the document; here is what it means (Sigma specification, "Sigma correlation rules"):
``event_count`` and ``value_count`` are thresholds over a sliding window, ``temporal_ordered`` is a sequence.
"""

from __future__ import annotations

from collections.abc import Sequence as ListOf
from datetime import timedelta
from typing import Any, Final

import msgspec
from sigma.correlations import (
    SigmaCorrelationCondition,
    SigmaCorrelationConditionOperator,
    SigmaCorrelationRule,
    SigmaCorrelationType,
)
from sigma.exceptions import SigmaError

from converter.model.paths import FieldPath
from converter.model.rule import Threshold
from converter.model.tables import MAX_DURATION_DAYS
from converter.platforms.sigma.detections import Steps

_LEAST: Final = {SigmaCorrelationConditionOperator.GTE: 0, SigmaCorrelationConditionOperator.GT: 1}
_COUNTS: Final = frozenset({SigmaCorrelationType.EVENT_COUNT, SigmaCorrelationType.VALUE_COUNT})
_ORDERS: Final = frozenset({SigmaCorrelationType.TEMPORAL, SigmaCorrelationType.TEMPORAL_ORDERED})


class CorrelationProblem(ValueError):
    """A correlation that cannot be read. ``at``: where below ``correlation``."""

    def __init__(self, code: str, message: str, at: Steps = (), hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.at = at
        self.hint = hint


class Correlation(msgspec.Struct, frozen=True):
    """What a correlation asks of the rules it names.

    ``by``: the group fields of each rule, in the order of ``rules``. ``threshold`` is None for a sequence;
    ``ordered`` says whether the order in which the rules are named is asked for.
    """

    type: str
    rules: tuple[str, ...]
    by: tuple[tuple[str, ...], ...]
    within: timedelta
    threshold: Threshold | None = None
    ordered: bool = True
    generate: bool = False


def read_correlation(data: Any) -> Correlation:
    """Read what stands under ``correlation``. Raises :class:`CorrelationProblem`."""
    if not isinstance(data, dict):
        raise CorrelationProblem("correlation", "expected a mapping under correlation")
    if isinstance(data.get("condition"), str):
        raise CorrelationProblem(
            "correlation", "a condition over rules (and, or, not) has no counterpart", ("condition",)
        )
    try:
        rule = SigmaCorrelationRule.from_dict({"title": "correlation", "correlation": data})
    except SigmaError as error:
        raise CorrelationProblem("sigma", str(error)) from error
    except (
        TypeError,
        ValueError,
        AttributeError,
        LookupError,
    ) as error:  # shapes that pySigma does not check
        raise CorrelationProblem("sigma", f"not a correlation: {error}") from error
    return _Reading(rule).correlation()


class _Reading:
    def __init__(self, rule: SigmaCorrelationRule) -> None:
        self._rule = rule

    def correlation(self) -> Correlation:
        rule = self._rule
        rules = tuple(str(reference.reference) for reference in rule.rules or ())
        name = str(rule.type.name).lower()
        if rule.type not in _COUNTS | _ORDERS:
            raise CorrelationProblem(
                "correlation", f"a correlation of type {name} has no counterpart", ("type",)
            )
        if not rules:
            raise CorrelationProblem("correlation", "a correlation of no rules", ("rules",))
        by = tuple(self._by(reference) for reference in rules)
        threshold = self._threshold(by) if rule.type in _COUNTS else None
        if threshold is None:
            self._check_count(len(rules))
        return Correlation(
            type=name,
            rules=rules,
            by=by,
            within=self._within(),
            threshold=threshold,
            ordered=rule.type is not SigmaCorrelationType.TEMPORAL,
            generate=bool(rule.generate),
        )

    def _within(self) -> timedelta:
        seconds = self._rule.timespan.seconds
        if seconds > MAX_DURATION_DAYS * 86_400:
            raise CorrelationProblem("correlation", "a timespan of this length", ("timespan",))
        return timedelta(seconds=seconds)

    def _by(self, reference: str) -> tuple[str, ...]:
        """The group fields under the names that they have in the events of one rule."""
        aliases = {
            alias.alias: field
            for alias in self._rule.aliases
            for other, field in alias.mapping.items()
            if other.reference == reference
        }
        return tuple(str(aliases.get(name, name)) for name in self._rule.group_by or ())

    def _threshold(self, by: ListOf[tuple[str, ...]]) -> Threshold:
        condition = self._rule.condition
        assert isinstance(condition, SigmaCorrelationCondition)
        if condition.op not in _LEAST:
            name = condition.op.name.lower()
            message = f"{name}: only that at least so many occur can be asked for"
            raise CorrelationProblem("correlation", message, ("condition",), "use gte or gt")
        if len(set(by)) > 1:
            message = "events that are counted together have their group under different names"
            raise CorrelationProblem("correlation", message, ("aliases",))
        count = condition.count + _LEAST[condition.op]
        if count < 1:
            raise CorrelationProblem("correlation", "a count below one is always reached", ("condition",))
        distinct = None
        if self._rule.type is SigmaCorrelationType.VALUE_COUNT:
            if not isinstance(condition.fieldref, str):
                message = "values of several fields together cannot be counted"
                raise CorrelationProblem("correlation", message, ("condition", "field"))
            distinct = FieldPath((condition.fieldref,))
        return Threshold(
            count=count,
            within=self._within(),
            by=tuple(FieldPath((name,)) for name in by[0]),
            distinct=distinct,
        )

    def _check_count(self, rules: int) -> None:
        """A temporal correlation asks for all of its rules; fewer of them have no counterpart."""
        condition = self._rule.condition
        assert isinstance(condition, SigmaCorrelationCondition)
        if condition.op not in _LEAST or condition.count + _LEAST[condition.op] != rules:
            message = "only that all of the rules match can be asked for"
            raise CorrelationProblem("correlation", message, ("condition",))
