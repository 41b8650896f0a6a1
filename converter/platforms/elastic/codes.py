"""The losses of the Elastic writers, and what each means; docs/elastic.md has the same table."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "array-index": (
            "Elasticsearch keeps a list as a set of values: one place in it cannot be addressed, "
            "so any element may match."
        ),
        "case": (
            "Case cannot be ignored (KQL on exact fields), or only that of ASCII letters (EQL): "
            "other spellings are missed."
        ),
        "concat": "Joined fields cannot be compared in this language.",
        "field-type": "The operator does not work on a field of this Elasticsearch type in this language.",
        "flattened": "Only KQL can search inside a flattened field, and only for whole values and prefixes.",
        "group-by": (
            "The rule groups by more fields than Elastic accepts, by a choice between fields that cannot be "
            "said (left out: wider), or counts events without them, as no threshold rule does (narrower)."
        ),
        "having": "A test of the group, or of which window, that the language or kind of rule cannot say.",
        "language": "The rule asks for a language in which Elastic has no rule of its kind.",
        "multi-value": "ES|QL takes the function of one value alone: of a field with several it is null.",
        "nested": "Nested lists of objects cannot be asked about in EQL.",
        "new-terms": "Elastic's new-terms rules take one to three fields and a KQL query.",
        "not-stored": "Elasticsearch cannot hold a field of that name.",
        "pattern": "A wildcard that KQL has not (`?`), or a text that its wildcard queries split or trim.",
        "regex": "KQL has no regular expressions.",
        "regex-construct": "The pattern has a construct that Lucene's regular expressions lack.",
        "same-as": "The language cannot compare two fields.",
        "same-element": "The conditions on one element of a list may be met by different elements.",
        "sequence": "A part of the sequence that EQL cannot say.",
        "settings": "What `platforms.elastic` or converter.toml sets is not understood.",
        "suppression": "Alerts cannot be suppressed by these fields or for this time; more alerts are shown.",
        "text-field": "An analysed text field is matched by its words, without case, not by its exact text.",
        "unknown-logsource": "No pack describes the log source.",
        "value-function": "A value function that the language has not.",
        "window": (
            "Elastic looks at each run's whole `from`, not at a sliding window of the rule's length; and not "
            "every run sees an event that must not be before or after a sequence."
        ),
    }
)
"""Loss code → what is lost."""

NOTES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "name": "The title was changed to fit the pattern that Elastic requires of rule names.",
        "severity": "Elastic has no severity below low.",
        "dates": "The rule has no date, and Elastic requires two.",
        "distinct": "Distinct values are estimated (HyperLogLog++).",
        "output-field": "An output field that Elastic does not store under one name is left out.",
        "alert-title": "Alerts carry the rule's name; a title with fields is kept in the note.",
        "number-text": "A number is compared with an exact text field as its plain decimal text.",
        "technique": "The technique is not in the ATT&CK table and is left out of the threat mapping.",
    }
)
"""Note code → what was done. A note changes no alert."""
