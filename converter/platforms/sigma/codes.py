"""What the Sigma reader and writer say of a rule, by code."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

READING: Final[Mapping[str, str]] = MappingProxyType(
    {
        "aggregation": "An aggregation behind a pipe in the condition, which Sigma 2 no longer has.",
        "base64": "A text with wildcards, which has no Base64 form.",
        "condition": "A condition that is not in Sigma's language, or names a detection that is not there.",
        "correlation": "A correlation without a counterpart: percentiles, correlations of correlations.",
        "detection": "A detection that is not built as Sigma's are.",
        "empty": "A text without any document.",
        "filter": "A filter, which is no rule by itself.",
        "keywords": "Values without a field, where the log's whole text is not known; or at an end of it.",
        "logsource": "A rule without category, product and service.",
        "modifier": "A modifier that Sigma does not have, or that does not fit the value.",
        "not-a-rule": "A document that is no mapping.",
        "order": "A correlation in any order over different logs or groups, read as the order of its list.",
        "placeholder": "A placeholder whose values are not in the rule.",
        "regex-construct": "A broken pattern, or one that linear time is not enough for (lookaround).",
        "rule-missing": "A correlation that names a rule which is neither in the text nor beside it.",
        "sigma": "What pySigma itself does not accept.",
        "time-part": "The hour, day, week, month or year of a time.",
        "too-deep": "More nesting than any rule needs.",
        "too-many": "More values than any rule needs.",
    }
)
"""Code → why a rule is refused, or read with a loss."""

LOSSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "array-index": "One place of a list cannot be addressed: any element may match.",
        "concat": "Joined fields cannot be compared.",
        "constant": "A condition that is always or never true cannot be said.",
        "field-name": "A field whose name Sigma cannot write (one with a bar, or an empty one).",
        "group-by": "Events without a value in a group field are not counted; or a choice between fields.",
        "having": "A correlation tests no more of a group than a count of events or of values.",
        "ip-class": "An address cannot be asked to be in several classes at once.",
        "logsource": "The rule reads several log sources, where a Sigma rule has one, or one without a name.",
        "new-terms": "There are no rules about values that were not seen before.",
        "regex-construct": "A pattern that pySigma, which checks by Python's engine, does not take.",
        "same-as": "A comparison with another field by order, or with a changed one.",
        "same-element": "The conditions on one element of a list may be met by different elements.",
        "sequence": "A sequence without a time limit, with a step that must not occur, or of too many steps.",
        "suppression": "Alerts cannot be suppressed; more are shown.",
        "time-order": "Times cannot be compared, only numbers.",
        "value-function": "A value function that Sigma has not.",
        "window": "A time span that is not of whole seconds becomes longer; windows slide, not by the clock.",
    }
)
"""Loss code → what is lost in writing."""
